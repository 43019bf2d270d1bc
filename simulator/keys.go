package simulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"
)

// A keyring is the keys of a directory. Appliances that share it read each once.
type keyring struct {
	dir  string
	keys map[string]any // by the name of the file
}

// key returns a key, and makes it if it is missing.
func (k *keyring) key(name string, generate func() (any, error)) (any, error) {
	if key, ok := k.keys[name]; ok {
		return key, nil
	}
	if err := os.MkdirAll(k.dir, 0o755); err != nil {
		return nil, fmt.Errorf("directory of keys: %w", err)
	}
	key, err := ensureKey(filepath.Join(k.dir, name), generate)
	if err != nil {
		return nil, err
	}
	if k.keys == nil {
		k.keys = make(map[string]any)
	}
	k.keys[name] = key
	return key, nil
}

// load reads the keys of the appliance and makes those that are missing.
// K6 models have RSA host keys, as their old sshd offers nothing better.
func (a *appliance) load() error {
	if err := a.makeLogs(); err != nil {
		return err
	}
	ring, generate := a.own, newECDSA
	if !a.spec.model.modern() {
		ring, generate = a.rsa, newRSA
	}
	for i, name := range []string{"host_key", "host_key_changed"} {
		key, err := ring.key(name, generate)
		if err != nil {
			return err
		}
		if a.keys[i], err = ssh.NewSignerFromKey(key); err != nil {
			return fmt.Errorf("host key: %w", err)
		}
	}
	key, err := a.rsa.key("ntls_key", newRSA)
	if err != nil {
		return err
	}
	rsaKey, ok := key.(*rsa.PrivateKey)
	if !ok {
		return errors.New("ntls_key is not an RSA key")
	}
	a.do(func(s *state) { s.spec.ntlsKey = rsaKey })
	return nil
}

// makeLogs makes the logs of an appliance that stores them.
func (a *appliance) makeLogs() error {
	if a.dir == "" {
		return nil
	}
	if err := os.MkdirAll(a.dir, 0o755); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	for _, name := range []string{"messages", "lunalogs", "secure"} {
		if err := appendFile(filepath.Join(a.dir, name), ""); err != nil {
			return fmt.Errorf("log: %w", err)
		}
	}
	return nil
}

func newRSA() (any, error)   { return rsa.GenerateKey(rand.Reader, 2048) }
func newECDSA() (any, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// ensureKey reads a private key in PKCS #8, or makes one.
func ensureKey(path string, generate func() (any, error)) (any, error) {
	b, err := os.ReadFile(path)
	if err == nil {
		block, _ := pem.Decode(b)
		if block == nil {
			return nil, fmt.Errorf("%s is not a key", path)
		}
		return x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read key: %w", err)
	}
	key, err := generate()
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return key, writeWhole(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// writeWhole writes a file atomically: others may read it meanwhile.
func writeWhole(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path))
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}

// ensurePassword makes a random password in path unless there is one.
func ensurePassword(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the password: %w", err)
	}
	_, err = fmt.Fprintln(f, rand.Text())
	return errors.Join(err, f.Close())
}

package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// Check is [Read], demands that something is watched, and reads the files that the keys
// name: an agent starts
// without them, and fails at each use until they are there. What may not be read is
// among the warnings, which say what could not be checked: the files are for the agent's
// user, who need not be the one that checks.
func Check(file string) (c Config, warnings []string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Config{}, nil, fmt.Errorf("configuration: %w", err)
	}
	c, d := read(file, text)
	faults := []error{c.watchesNothing()}
	for _, f := range c.files() {
		warning, err := uncheckable(f, f.check())
		if warning != "" {
			warnings = append(warnings, warning)
		}
		faults = append(faults, setting.At(f.key, err))
	}
	d.validated(errors.Join(faults...))
	return c, warnings, d.err()
}

// watchesNothing returns a fault if c names neither an HSM nor a way to find one.
func (c Config) watchesNothing() error {
	if c.Watches() {
		return nil
	}
	return setting.Faultf("hsms", "nothing is watched: there is no HSM, and neither lunacm nor ha is enabled; begin with one of the files in examples")
}

// uncheckable returns a warning in place of an error that only says that this user may
// not read a file.
func uncheckable(f namedFile, err error) (warning string, other error) {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Sprintf("%s: %s cannot be checked: permission denied; run check-config as the agent's user", f.key, f.path), nil
	}
	return "", err
}

// ReadFiles returns the files that are read, or run, while the agent runs, by their keys.
func (c Config) ReadFiles() map[string]string {
	all := make(map[string]string)
	for _, f := range c.files() {
		all[f.key] = f.path
	}
	return all
}

// files returns the files that are read while the agent runs.
func (c Config) files() (list []namedFile) {
	for _, f := range c.namedFiles() {
		key := f.key[strings.LastIndex(f.key, ".")+1:]
		switch {
		case strings.HasSuffix(key, "_file"), key == "command", f.key == "lunacm.path" && c.usesLunaCM(), f.key == "ha.vtl" && c.HA.Enabled:
			list = append(list, f)
		}
	}
	if c.HA.Enabled {
		list = append(list, namedFile{key: "ha.client_config", path: c.HA.ClientConfig, file: setting.File(c.HA.ClientConfig)})
	}
	return list
}

func (c Config) usesLunaCM() bool {
	return c.LunaCM.Enabled || c.HA.Enabled && c.HA.ListGroups && c.HA.VTL == ""
}

// The least length of a secret that SNMPv3 takes.
const shortestPassphrase = 8

// check returns what is wrong with the content of a file, by its key.
func (f namedFile) check() error {
	key := f.key[strings.LastIndex(f.key, ".")+1:]
	switch key {
	case "path", "vtl", "command":
		return checkProgram(f.path)
	case "auth_password_file", "priv_password_file":
		_, err := f.file.Line(shortestPassphrase)
		return err
	case "known_hosts_file":
		if _, err := os.ReadFile(f.path); err != nil {
			return err
		}
		if _, err := knownhosts.New(f.path); err != nil {
			return fmt.Errorf("%s is not a file of known hosts, as ssh-keyscan writes it", f.path)
		}
		return nil
	case "private_key_file", "ca_file", "client_ca_file", "cert_file", "key_file", "template_file", "client_config":
		text, err := f.file.Bytes()
		if err != nil {
			return err
		}
		return f.checkText(key, text)
	}
	line, err := f.file.Line(1)
	if err == nil && key == "url_file" {
		err = setting.ValidateURL(line)
	}
	return err
}

func (f namedFile) checkText(key string, text []byte) error {
	switch key {
	case "private_key_file":
		if _, err := ssh.ParsePrivateKey(text); err != nil {
			return fmt.Errorf("%s holds no private key that can be read without a passphrase", f.file)
		}
	case "ca_file", "client_ca_file", "cert_file":
		if !x509.NewCertPool().AppendCertsFromPEM(text) {
			return fmt.Errorf("%s holds no certificate in PEM", f.file)
		}
	case "key_file":
		certificate, err := f.certificate.Bytes()
		if err != nil || !x509.NewCertPool().AppendCertsFromPEM(certificate) {
			return nil // cert_file says so
		}
		if _, err := tls.X509KeyPair(certificate, text); err != nil {
			return fmt.Errorf("%s is not the key of %s", f.file, f.certificate)
		}
	}
	return nil
}

// checkProgram returns why a program cannot be run.
func checkProgram(path string) error {
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s does not exist", path)
	case err != nil:
		return err
	case info.IsDir() || info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s is not a program that can be run", path)
	}
	return nil
}

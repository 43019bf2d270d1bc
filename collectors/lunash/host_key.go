package lunash

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
)

// A changedKey is a host key other than the ones that are known.
type changedKey struct {
	keyType string
	error   // a *[collectors.Failed]
}

func (k *changedKey) Unwrap() error { return k.error }

// handshake connects and logs in. An appliance has host keys of several types and
// shows the one of the algorithm that is agreed on, so a key that is not a known one
// counts as changed only when the appliance has no other type to show. The type that
// was right is asked for first from then on. Nobody logs in before the key is right.
func (c *Client) handshake(ctx context.Context, p *passwordLogin) (*ssh.Client, error) {
	config, err := c.clientConfig(p)
	if err != nil {
		return nil, err
	}
	if len(config.HostKeyAlgorithms) == 0 {
		config.HostKeyAlgorithms = ssh.SupportedAlgorithms().HostKeys
	}
	right, others := split(config.HostKeyAlgorithms, c.hostKeyType)
	config.HostKeyAlgorithms = append(right, others...)
	verify := config.HostKeyCallback
	var shown string
	config.HostKeyCallback = func(host string, addr net.Addr, key ssh.PublicKey) error {
		shown = key.Type()
		return verify(host, addr, key)
	}
	var changed *changedKey
	for {
		client, err := c.dial(ctx, config)
		var other *changedKey
		var none *ssh.AlgorithmNegotiationError
		switch {
		case err == nil:
			c.hostKeyType = shown
			return client, nil
		case changed != nil && errors.As(err, &none):
			return nil, changed
		case !errors.As(err, &other):
			return nil, c.loginError(ctx, p, err)
		case changed == nil:
			changed = other
		}
		_, config.HostKeyAlgorithms = split(config.HostKeyAlgorithms, other.keyType)
		if len(config.HostKeyAlgorithms) == 0 {
			return nil, changed
		}
	}
}

func (c *Client) dial(ctx context.Context, config *ssh.ClientConfig) (*ssh.Client, error) {
	tcp, err := (&net.Dialer{Timeout: c.Reach.Connect}).DialContext(ctx, "tcp", c.Address)
	if err != nil {
		return nil, collectors.Failf(hsm.Unreachable, "connect: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { tcp.Close() })
	defer stop()
	conn, channels, requests, err := ssh.NewClientConn(tcp, c.Address, config)
	if err != nil {
		tcp.Close()
		return nil, err
	}
	return ssh.NewClient(conn, channels, requests), nil
}

// split separates the algorithms that sign with a key of keyType from the others.
// RSA keys have several (RFC 8332).
func split(algorithms []string, keyType string) (with, without []string) {
	for _, a := range algorithms {
		if a == keyType || keyType == ssh.KeyAlgoRSA && strings.HasPrefix(a, "rsa-sha2-") {
			with = append(with, a)
		} else {
			without = append(without, a)
		}
	}
	return with, without
}

// known are the known_hosts files, which many appliances share.
var known knownHosts

// knownHosts are files as they were read last, by path.
type knownHosts struct {
	mu    sync.Mutex
	files map[string]knownFile
}

type knownFile struct {
	modified time.Time
	size     int64
	check    ssh.HostKeyCallback
}

// in returns what accepts the keys in a file, which is read if it has changed.
func (k *knownHosts) in(file string) (ssh.HostKeyCallback, error) {
	is, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if read, ok := k.files[file]; ok && read.modified.Equal(is.ModTime()) && read.size == is.Size() {
		return read.check, nil
	}
	check, err := knownhosts.New(file)
	if err != nil {
		return nil, err
	}
	if k.files == nil {
		k.files = make(map[string]knownFile)
	}
	k.files[file] = knownFile{is.ModTime(), is.Size(), check}
	return check, nil
}

// hostKeyCallback returns what accepts the known keys. For others its error is a
// *changedKey, or a *[collectors.Failed] if no key is known at all.
func (c *Client) hostKeyCallback() (ssh.HostKeyCallback, error) {
	if c.HostKey != "" {
		return func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if got := ssh.FingerprintSHA256(key); !slices.Contains(strings.Fields(c.HostKey), got) {
				return &changedKey{key.Type(), collectors.Failf(hsm.HostKey, "host key of %s has changed: it shows %s, the configuration has %s; find out why before you change host_key", c.Address, got, c.HostKey)}
			}
			return nil
		}, nil
	}
	check, err := known.in(c.KnownHostsFile)
	if err != nil {
		return nil, collectors.Failf(hsm.HostKey, "known_hosts: %w", err)
	}
	return func(host string, addr net.Addr, key ssh.PublicKey) error {
		err := check(host, addr, key)
		var k *knownhosts.KeyError
		switch got := ssh.FingerprintSHA256(key); {
		case err == nil:
			return nil
		case errors.As(err, &k) && len(k.Want) == 0:
			return collectors.Failf(hsm.HostKey, "host key of %s is not in %s: it shows %s; compare it with the appliance and add it", c.Address, c.KnownHostsFile, got)
		case errors.As(err, &k):
			return &changedKey{key.Type(), collectors.Failf(hsm.HostKey, "host key of %s has changed: it shows %s, %s has another (line %d); find out why before you change the file", c.Address, got, c.KnownHostsFile, k.Want[0].Line)}
		}
		return collectors.Failf(hsm.HostKey, "host key of %s: %w", c.Address, err)
	}, nil
}

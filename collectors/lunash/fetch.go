package lunash

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
)

// A HostKey is what an appliance shows before anybody logs in.
type HostKey struct {
	Type        string     // as SSH names it, such as ecdsa-sha2-nistp256
	Fingerprint string     // SHA256:..., as OpenSSH prints it
	MD5         string     // the same key as old appliances print it: hexadecimal, with colons
	Algorithms  Algorithms // what SSH has to be allowed beyond its defaults; empty: nothing
	Local       string     // IP address of this host towards the appliance
}

// FetchHostKey connects to address, host:port, takes the key that a [Client] would see
// there first, and leaves before a login. It allows old algorithms, one kind after the
// other, only where the appliance offers no other. Its errors are a *[collectors.Failed].
func FetchHostKey(ctx context.Context, address string) (HostKey, error) {
	var found HostKey
	config := &ssh.ClientConfig{HostKeyAlgorithms: ssh.SupportedAlgorithms().HostKeys}
	config.HostKeyCallback = func(_ string, _ net.Addr, key ssh.PublicKey) error {
		found.Type, found.Fingerprint, found.MD5 = key.Type(), ssh.FingerprintSHA256(key), ssh.FingerprintLegacyMD5(key)
		return errSeen
	}
	for {
		err := found.fetch(ctx, address, config)
		var none *ssh.AlgorithmNegotiationError
		switch {
		case found.Fingerprint != "":
			return found, nil
		case ctx.Err() != nil:
			return found, collectors.Failf(hsm.Unreachable, "no SSH answer from %s in time", address).At(hsm.LayerHandshake)
		case errors.As(err, &none) && found.allow(none.RequestedAlgorithms, config):
			continue
		case collectors.LayerOf(err) == hsm.LayerUnknown:
			return found, collectors.Failf(hsm.Unreachable, "SSH: %w", err).At(hsm.LayerHandshake)
		}
		return found, err
	}
}

// errSeen ends a handshake whose host key was seen.
var errSeen = errors.New("the host key was seen")

// fetchTimeout bounds one connection of FetchHostKey.
const fetchTimeout = 10 * time.Second

func (k *HostKey) fetch(ctx context.Context, address string, config *ssh.ClientConfig) error {
	tcp, err := (&net.Dialer{Timeout: fetchTimeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return collectors.Failf(hsm.Unreachable, "connect: %w", err)
	}
	defer tcp.Close()
	defer context.AfterFunc(ctx, func() { tcp.Close() })()
	_ = tcp.SetDeadline(time.Now().Add(fetchTimeout))
	k.Local, _, _ = net.SplitHostPort(tcp.LocalAddr().String())
	conn, _, _, err := ssh.NewClientConn(tcp, address, config)
	if err == nil {
		conn.Close()
		return fmt.Errorf("%s asked for no key", address)
	}
	return err
}

// allow takes into config what of the offered algorithms is old and can be spoken, and
// reports whether that is anything new.
func (k *HostKey) allow(offered []string, config *ssh.ClientConfig) bool {
	old := ssh.InsecureAlgorithms()
	for _, kind := range []struct {
		old        []string
		mine, into *[]string
	}{
		{old.KeyExchanges, &config.KeyExchanges, &k.Algorithms.KeyExchanges}, {old.Ciphers, &config.Ciphers, &k.Algorithms.Ciphers},
		{old.MACs, &config.MACs, &k.Algorithms.MACs}, {old.HostKeys, &config.HostKeyAlgorithms, &k.Algorithms.HostKeys},
	} {
		var both []string
		for _, a := range kind.old { // the better ones first
			if slices.Contains(offered, a) {
				both = append(both, a)
			}
		}
		if len(both) > 0 && len(*kind.into) == 0 {
			*kind.mine, *kind.into = both, both
			return true
		}
	}
	return false
}

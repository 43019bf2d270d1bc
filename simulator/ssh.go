package simulator

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/lunawatch/lunawatch/internal/wait"
)

// User is the only account that may log in.
const User = "monitor"

const (
	loginTime  = 2 * time.Minute        // as sshd's LoginGraceTime
	listenWait = 200 * time.Millisecond // between attempts to take a port again
)

// serve accepts sessions on ln, and later on new listeners at the same address whenever
// the appliance returns.
func (a *appliance) serve(ctx context.Context, ln net.Listener) error {
	for {
		a.accept(ctx, ln)
		for {
			w, linked := a.wireNow()
			if !w.away() {
				break
			}
			select {
			case <-linked:
			case <-ctx.Done():
				return nil
			}
		}
		for {
			if ctx.Err() != nil {
				return nil
			}
			var err error
			if ln, err = a.listen(); err == nil {
				break
			}
			wait.Sleep(ctx, listenWait) // another program has the port
		}
	}
}

// accept runs sessions until the link of the wire changes or ctx is done.
func (a *appliance) accept(ctx context.Context, ln net.Listener) {
	var sessions sync.WaitGroup
	defer sessions.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	w, linked := a.wireNow()
	if w.away() {
		ln.Close()
		return
	}
	sessions.Go(func() {
		select {
		case <-linked:
		case <-ctx.Done():
		}
		cancel()
		ln.Close()
	})
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		sessions.Go(func() { a.talk(ctx, conn) })
	}
}

// talk serves a connection.
func (a *appliance) talk(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	a.connections.Add(1)
	defer a.connections.Add(-1)
	w, _ := a.wireNow()
	conn.SetDeadline(time.Now().Add(loginTime))
	server, channels, requests, err := ssh.NewServerConn(conn, a.serverConfig(w))
	if err != nil {
		return
	}
	conn.SetDeadline(time.Time{})
	var all sync.WaitGroup
	defer all.Wait()
	defer conn.Close()
	all.Go(func() { ssh.DiscardRequests(requests) })
	for c := range channels {
		if c.ChannelType() != "session" {
			c.Reject(ssh.UnknownChannelType, "only sessions")
			continue
		}
		ch, requests, err := c.Accept()
		if err != nil {
			return
		}
		s := &session{a: a, conn: conn, ch: ch, remote: slashed(server.RemoteAddr())}
		all.Go(func() { s.serve(ctx, requests) })
	}
}

func (a *appliance) serverConfig(w wire) *ssh.ServerConfig {
	c := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-OpenSSH_6.6.1",
		PasswordCallback: func(m ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
			good := subtle.ConstantTimeCompare(given, []byte(a.users.password)) == 1
			if w.refuse || !good || m.User() != User || a.users.password == "" {
				return nil, errors.New("refused")
			}
			return nil, nil
		},
		PublicKeyCallback: func(m ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if m.User() != User || !a.users.authorized[string(key.Marshal())] {
				return nil, errors.New("refused")
			}
			return nil, nil
		},
		AuthLogCallback: func(m ssh.ConnMetadata, method string, err error) { a.logLogin(m, method, err) },
	}
	key := a.keys[0]
	if w.otherKey {
		key = a.keys[1]
	}
	if a.spec.oldSSH {
		c.KeyExchanges = []string{ssh.InsecureKeyExchangeDH14SHA1, ssh.InsecureKeyExchangeDH1SHA1}
		c.Ciphers = []string{ssh.InsecureCipherAES128CBC}
		c.MACs = []string{ssh.HMACSHA1}
		c.ServerVersion = "SSH-2.0-OpenSSH_4.3"
		key = sha1Only(key)
	}
	c.AddHostKey(key)
	return c
}

// sha1Only is an RSA host key that signs only as ssh-rsa.
func sha1Only(key ssh.Signer) ssh.Signer {
	if signer, ok := key.(ssh.AlgorithmSigner); ok {
		if old, err := ssh.NewSignerWithAlgorithms(signer, []string{ssh.KeyAlgoRSA}); err == nil {
			return old
		}
	}
	return key
}

// logLogin writes the lines of sshd and LunaSH about a login.
func (a *appliance) logLogin(m ssh.ConnMetadata, method string, err error) {
	if method == "none" || method == "publickey" && err != nil {
		return
	}
	if err == nil {
		a.logins.Add(1)
	}
	host, port, _ := net.SplitHostPort(m.RemoteAddr().String())
	a.do(func(s *state) {
		if err != nil {
			s.secure("Failed %s for %s from %s port %s ssh2", method, m.User(), host, port)
			return
		}
		s.secure("Accepted %s for %s from %s port %s ssh2", method, m.User(), host, port)
		s.lunash("info", "info : 0 : Lush user login : %s : %s", m.User(), slashed(m.RemoteAddr()))
	})
}

// slashed returns an address as LunaSH logs it: host/port.
func slashed(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	return host + "/" + port
}

// readUsers reads the password, which it makes if it may, and the authorized keys.
func readUsers(passwordFile, authorizedKeys string) (users, error) {
	u := users{authorized: map[string]bool{}}
	b, err := os.ReadFile(passwordFile)
	if err != nil {
		return u, fmt.Errorf("read the password: %w", err)
	}
	u.password = string(bytes.TrimRight(b, "\r\n"))
	if u.password == "" {
		return u, fmt.Errorf("password file %s is empty", passwordFile)
	}
	if authorizedKeys == "" {
		return u, nil
	}
	rest, err := os.ReadFile(authorizedKeys)
	if err != nil {
		return u, fmt.Errorf("read the authorized keys: %w", err)
	}
	for len(bytes.TrimSpace(rest)) > 0 {
		key, _, _, more, err := ssh.ParseAuthorizedKey(rest)
		if err != nil {
			return u, fmt.Errorf("authorized keys %s: %w", authorizedKeys, err)
		}
		u.authorized[string(key.Marshal())] = true
		rest = more
	}
	return u, nil
}

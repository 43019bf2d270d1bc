package simulator

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"
)

// TestAnswerFaults injects faults of answers, heals, and gets good answers again.
func TestAnswerFaults(t *testing.T) {
	for _, c := range []struct {
		event string
		bad   func(out string, err error, took time.Duration) bool
		lost  bool // the session does not survive
	}{
		{"slow 4s", func(out string, err error, took time.Duration) bool {
			return err == nil && took == 4*time.Second && strings.Contains(out, "Command Result : 0")
		}, false},
		{"truncate", func(out string, err error, _ time.Duration) bool {
			return err == nil && strings.Contains(out, "Appliance Details") && !strings.Contains(out, "Command Result")
		}, false},
		{"garbage", func(out string, err error, _ time.Duration) bool {
			return err == nil && len(out) > 500 && !strings.Contains(out, "Details") && !strings.Contains(out, "Command Result")
		}, false},
		{"drop", func(out string, err error, _ time.Duration) bool {
			return errors.Is(err, io.EOF) && strings.Contains(out, "Appliance Details") && !strings.Contains(out, "lunash:>")
		}, true},
	} {
		t.Run(c.event, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := simulate(t, "7.2")
				term := s.login()
				s.inject(c.event)
				start := time.Now()
				out, err := term.ask("hsm show")
				if !c.bad(out, err, time.Since(start)) {
					t.Errorf("got %q, %v after %v", out, err, time.Since(start))
				}
				s.inject("heal")
				if c.lost {
					term = s.login()
				}
				if !strings.Contains(term.must("hsm show"), resultGood) {
					t.Error("not healed")
				}
			})
		})
	}
}

// unanswered asks a command, to which there must be no answer for twenty minutes, and
// returns what gets what comes after that.
func unanswered(t *testing.T, term *terminal, command string) <-chan string {
	t.Helper()
	answer := make(chan string, 1)
	go func() {
		out, _ := term.ask(command)
		answer <- out
	}()
	time.Sleep(20 * time.Minute) // the clock of the bubble
	select {
	case out := <-answer:
		t.Errorf("an answer: %q", out)
	default:
	}
	return answer
}

// TestHungCard: behind a card that hangs the appliance answers what needs no card.
func TestHungCard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, "7.2")
		term := s.login()
		s.inject("hang card")
		if !strings.Contains(term.must("status cpu"), resultGood) {
			t.Error("no answer to status cpu")
		}
		answer := unanswered(t, term, "partition list")
		term.client.Close()
		<-answer
	})
}

func TestHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, "6.2")
		term := s.login()
		s.inject("hang")
		answer := unanswered(t, term, "hsm show")
		s.inject("heal")
		if !strings.Contains(s.login().must("hsm show"), resultGood) {
			t.Error("a new session does not work after heal")
		}
		term.client.Close()
		if out := <-answer; strings.TrimSpace(out) != "hsm show" {
			t.Errorf("after all: %q", out)
		}
	})
}

// TestLinkFaults ends the session and checks what happens to a new one.
func TestLinkFaults(t *testing.T) {
	for _, c := range []struct {
		event, back string
		refused     bool // no listener
		denied      bool // no login
		otherKey    bool
	}{
		{event: "gone", back: "heal", refused: true},
		{event: "wrong-password", back: "heal", denied: true},
		{event: "host-key", back: "heal", otherKey: true},
		{event: "reboot 30s", refused: true},
	} {
		t.Run(c.event, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := simulate(t, "7.2")
				term := s.login()
				s.inject(c.event)
				synctest.Wait()
				if out, err := term.ask("hsm show"); err == nil {
					t.Errorf("the session lives on: %q", out)
				}
				synctest.Wait()
				key, err := s.tryLogin()
				if (err != nil) != (c.refused || c.denied) {
					t.Errorf("login: %v", err)
				}
				if c.otherKey != bytes.Equal(key, s.keys[1].PublicKey().Marshal()) {
					t.Errorf("host key is the other one: %v", !c.otherKey)
				}
				if c.back != "" {
					s.inject(c.back)
				} else {
					time.Sleep(31 * time.Second) // the clock of the bubble
				}
				synctest.Wait()
				key, err = s.tryLogin()
				if err != nil || !bytes.Equal(key, s.keys[0].PublicKey().Marshal()) {
					t.Errorf("login after all: %v", err)
				}
			})
		})
	}
}

// tryLogin logs in and out and returns the host key.
func (s *simulated) tryLogin() (hostKey []byte, err error) {
	conn, err := s.dial()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	config := clientConfig(ssh.Password(testPassword))
	config.HostKeyCallback = func(_ string, _ net.Addr, key ssh.PublicKey) error {
		hostKey = key.Marshal()
		return nil
	}
	c, channels, requests, err := ssh.NewClientConn(conn, "luna:22", config)
	if err != nil {
		return hostKey, err
	}
	return hostKey, ssh.NewClient(c, channels, requests).Close()
}

// TestOldSSH: an appliance with old SSH is not reached with modern defaults, but with
// the old algorithms.
func TestOldSSH(t *testing.T) {
	key, err := newRSA()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, old := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := simulate(t, "5.4")
			s.keys[0] = signer
			s.spec.oldSSH = true
			conn, err := s.dial()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			config := clientConfig(ssh.Password(testPassword))
			if old {
				config.KeyExchanges = []string{ssh.InsecureKeyExchangeDH14SHA1}
				config.Ciphers = []string{ssh.InsecureCipherAES128CBC}
				config.MACs = []string{ssh.HMACSHA1}
				config.HostKeyAlgorithms = []string{ssh.KeyAlgoRSA}
			}
			if _, _, _, err = ssh.NewClientConn(conn, "luna:22", config); (err == nil) != old {
				t.Errorf("old algorithms %v: %v", old, err)
			}
		})
	}
}

func TestLogin(t *testing.T) {
	good, bad := testKeys().host[0], testKeys().host[1]
	for _, c := range []struct {
		name, user string
		auth       ssh.AuthMethod
		ok         bool
		logged     string
	}{
		{"password", User, ssh.Password(testPassword), true, "Accepted password for monitor from 192.0.2.7 port 40847 ssh2"},
		{"wrong password", User, ssh.Password("guess"), false, "Failed password for monitor from"},
		{"empty password", User, ssh.Password(""), false, "Failed password"},
		{"other user", "admin", ssh.Password(testPassword), false, "Failed password for admin from"},
		{"public key", User, ssh.PublicKeys(good), true, "Accepted publickey for monitor from"},
		{"unknown public key", User, ssh.PublicKeys(bad), false, ""},
		{"public key of another user", "admin", ssh.PublicKeys(good), false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := simulate(t, "7.2")
				s.users.authorized[string(good.PublicKey().Marshal())] = true
				conn, err := s.dial()
				if err != nil {
					t.Fatal(err)
				}
				config := clientConfig(c.auth)
				config.User = c.user
				client, _, _, err := ssh.NewClientConn(conn, "luna:22", config)
				if (err == nil) != c.ok {
					t.Errorf("login: %v", err)
				}
				if client != nil {
					client.Close()
				}
				conn.Close()
				if log := s.logged("secure"); !strings.Contains(log, c.logged) || strings.Contains(log, testPassword) || strings.Contains(log, "guess") {
					t.Errorf("secure log is %q, want %q", log, c.logged)
				}
			})
		})
	}
}

package lunash

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// TestLayers asks servers of which one layer after the other is dead.
func TestLayers(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	check.Must(t, os.WriteFile(password, []byte("p\n"), 0o600))
	keys := hostKeys(t)
	closes := func(_ int32, terminal io.ReadWriter) { terminal.(io.Closer).Close() }
	run := func(change func(*sshd)) func(t *testing.T) string {
		return func(t *testing.T) string {
			s := newSSHD(t, keys...)
			change(s)
			go s.run()
			return s.address
		}
	}
	for _, test := range []struct {
		name   string
		listen func(*testing.T) string
		want   hsm.Layer
	}{
		{"nobody listens", func(t *testing.T) string { return says(t, "").closed() }, hsm.LayerPortRefused},
		{"it says nothing", func(t *testing.T) string { return says(t, "").address }, hsm.LayerHandshake},
		{"it is another service", func(t *testing.T) string { return says(t, "* OK IMAP ready\r\n* BYE\r\n").address }, hsm.LayerHandshake},
		{"it refuses the account", run(func(s *sshd) {
			s.config.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, io.ErrNoProgress }
		}), hsm.LayerAccount},
		{"LunaSH gives no prompt", run(func(s *sshd) { s.greeting = "Last login: Sat Nov 21" }), hsm.LayerShell},
		{"LunaSH ends at once", run(func(s *sshd) { s.greeting, s.shell = "", closes }), hsm.LayerSessionLost},
		{"LunaSH ends before it answers", run(func(s *sshd) {
			s.shell = func(_ int32, terminal io.ReadWriter) {
				terminal.Read(make([]byte, 9))
				closes(0, terminal)
			}
		}), hsm.LayerSessionLost},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := (&Client{
				Address: test.listen(t), User: "monitor", PasswordFile: setting.File(password), DialTimeout: 500 * time.Millisecond,
				HostKey: ssh.FingerprintSHA256(keys[0].PublicKey()) + " " + ssh.FingerprintSHA256(keys[1].PublicKey()) + " " + ssh.FingerprintSHA256(keys[2].PublicKey()),
			}).Start()
			defer c.Close()
			_, err := c.Run(t.Context(), "hsm show")
			if got := collectors.LayerOf(err); got != test.want || !collectors.FailureOf(err).OfSession() {
				t.Errorf("%v: layer %q, failure %q, want layer %q of a failure of the session", err, got, collectors.FailureOf(err), test.want)
			}
		})
	}
}

// A speaker is a server that says one thing to everybody.
type speaker struct {
	address string
	net.Listener
}

func says(t *testing.T, text string) speaker {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			if io.WriteString(conn, text); text != "" {
				conn.(*net.TCPConn).CloseWrite()
			}
		}
	}()
	return speaker{ln.Addr().String(), ln}
}

// closed stops to listen.
func (s speaker) closed() string {
	s.Close()
	return s.address
}

// TestSilentHSM has commands that need the card time out: whether LunaSH still opens a
// session and answers others shows who is silent.
func TestSilentHSM(t *testing.T) {
	late := collectors.Failf(hsm.Timeout, "no prompt")
	gone := collectors.Failf(hsm.Unreachable, "no prompt of a new session").At(hsm.LayerShell)
	for _, test := range []struct {
		name    string
		fails   map[string]error
		confirm error
		failure hsm.Failure
		layer   hsm.Layer
	}{
		{"the HSM", map[string]error{"hsm show": late}, nil, hsm.Timeout, hsm.LayerCard},
		{"LunaSH", map[string]error{"": late}, nil, hsm.Unreachable, hsm.LayerShell},
		{"the session", map[string]error{"": late}, gone, hsm.Unreachable, hsm.LayerShell},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{Dir: Replay("../formats/testdata/7.2"), fails: test.fails}
			p := NewPoller("a", s, 0, poll.Intervals{time.Minute, time.Hour, time.Hour})
			p.Reach.Confirm = func(context.Context) error { return test.confirm }
			var last hsm.Observation
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
			defer cancel()
			check.Must(t, p.Run(ctx, func(o hsm.Observation) {
				if o.Source == "hsm show" {
					last = o
				}
			}))
			if last.Failure != test.failure || last.Layer != test.layer {
				t.Errorf("%s: %v: failure %q, layer %q, want %q, %q", test.name, last.Err, last.Failure, last.Layer, test.failure, test.layer)
			}
		})
	}
}

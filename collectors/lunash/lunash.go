// Package lunash asks Luna Network HSMs over SSH: the session with their command
// shell, the commands that may be sent, and when each is. The formats of the
// answers are in package shell.
package lunash

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/login"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Client is a [collectors.Runner] on the command shell of a Luna Network HSM. It
// keeps one SSH session with a PTY open, sends one command at a time, and
// reconnects when the session is lost. Secrets are read from their files at each
// login, so that a changed file needs no restart. [Client.Start] must be called
// before the first command.
type Client struct {
	Address        string // host:port
	User           string
	Account        *login.Account // remembers refused passwords; nil: until the process ends
	PasswordFile   setting.File   // "": no password login
	PrivateKeyFile setting.File   // "": no public key login
	HostKey        string         // pinned fingerprints "SHA256:...", with blanks between; "": by KnownHostsFile
	KnownHostsFile string
	Algorithms     Algorithms
	DialTimeout    time.Duration // TCP connection and SSH login together; 0: 10 s
	Reach          poll.Timing   // zero: [poll.DefaultTiming]

	lost        chan struct{} // receives when an open session ended
	unconfirmed error         // of the last Confirm: what the next command fails with; guarded by idle
	idle        chan struct{} // holds a token while no command runs
	conn        *session      // nil while not connected; guarded by idle
	hostKeyType string        // of the last key that was right; guarded by idle
}

// Algorithms are what SSH may negotiate, by the names of SSH. An empty list means
// the default of package ssh. Appliances of version 5 offer only old algorithms.
type Algorithms struct {
	KeyExchanges []string
	Ciphers      []string
	MACs         []string
	HostKeys     []string
}

// prompt matches output that ends with the prompt of LunaSH.
var prompt = regexp.MustCompile(`(?:^|\n)((?:\[[^\]\n]*\] )?(?:lunash|lush):>) ?$`)

// ansi matches a terminal control sequence.
var ansi = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)

// newPassword matches output that ends with a question of who changes a password.
var newPassword = regexp.MustCompile(`(?i)(?:^|\n)[^\n]*\b(?:new|current|old)\b[^\n]*password: ?$`)

// Start makes c ready for Run and returns it.
func (c *Client) Start() *Client {
	c.idle = make(chan struct{}, 1)
	c.idle <- struct{}{}
	c.lost = make(chan struct{}, 1)
	if c.Reach == (poll.Timing{}) {
		c.Reach = poll.DefaultTiming()
	}
	if c.Account == nil {
		c.Account = &login.Account{User: c.User, Host: c.Address}
	}
	return c
}

// Run implements [collectors.Runner]: it sends command and returns the text between
// its echo and the next prompt, with lines that end with LF. It refuses a command
// that is not [Allowed]. If ctx is done first, it closes the session.
func (c *Client) Run(ctx context.Context, command string) ([]byte, error) {
	if err := Allowed(command); err != nil {
		return nil, err
	}
	select {
	case <-c.idle:
		defer func() { c.idle <- struct{}{} }()
	case <-ctx.Done():
		return nil, collectors.Failf(hsm.Timeout, "%s: another command is still running: %w", command, ctx.Err())
	}
	if err := c.unconfirmed; err != nil {
		c.unconfirmed = nil
		return nil, err
	}
	reused := c.conn != nil
	for {
		if c.conn == nil {
			conn, err := c.connect(ctx, c.dialTimeout())
			if err != nil {
				return nil, err
			}
			c.conn = conn
		}
		answer, err := c.conn.ask(ctx, command)
		if err == nil {
			return answer, nil
		}
		c.conn.close()
		c.conn = nil
		// An idle session that the appliance closed, or wrote into, is not a failure. Its
		// terminal may still have echoed.
		closed := strings.HasPrefix(command, string(bytes.TrimSpace(answer))) && collectors.FailureOf(err) == hsm.Unreachable
		if reused && (closed || errors.Is(err, errOutOfStep)) && ctx.Err() == nil {
			reused = false
			continue
		}
		return nil, err
	}
}

// Close closes the session, if there is one, after the command that runs.
func (c *Client) Close() error {
	<-c.idle
	defer func() { c.idle <- struct{}{} }()
	if c.conn != nil {
		c.conn.close()
		c.conn = nil
	}
	return nil
}

func (c *Client) dialTimeout() time.Duration { return cmp.Or(c.DialTimeout, 10*time.Second) }

func (c *Client) connect(ctx context.Context, timeout time.Duration) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	p := &passwordLogin{ctx: ctx, account: c.Account, file: c.PasswordFile}
	defer p.end()
	client, err := c.handshake(ctx, p)
	if err != nil {
		return nil, p.outcome(err)
	}
	stop := context.AfterFunc(ctx, func() { client.Close() })
	defer stop()
	sh, err := newSession(client)
	if err == nil {
		_, err = sh.readToPrompt(ctx)
	}
	if err != nil {
		client.Close()
		return nil, p.outcome(noShell("start of the session", err))
	}
	go sh.watch(c.Reach, c.lost)
	return sh, p.outcome(nil)
}

// A session is one open LunaSH session.
type session struct {
	client *ssh.Client
	prompt []byte // as the appliance prints it; empty before the first one
	in     interface{ Write([]byte) (int, error) }
	chunks chan []byte   // output as it arrives; closed at its end
	ended  chan struct{} // closed with the connection
	ours   atomic.Bool   // the agent closed it
}

func newSession(client *ssh.Client) (*session, error) {
	channel, err := client.NewSession()
	if err != nil {
		return nil, noShell("session", err)
	}
	if err := channel.RequestPty("xterm", 80, 240, ssh.TerminalModes{}); err != nil {
		return nil, noShell("PTY", err)
	}
	in, err := channel.StdinPipe()
	if err != nil {
		return nil, noShell("session", err)
	}
	out, err := channel.StdoutPipe()
	if err != nil {
		return nil, noShell("session", err)
	}
	if err := channel.Shell(); err != nil {
		return nil, noShell("shell", err)
	}
	s := &session{client: client, in: in, chunks: make(chan []byte), ended: make(chan struct{})}
	go func() { _ = client.Wait(); close(s.ended) }()
	go func() {
		defer close(s.chunks)
		b := make([]byte, 4<<10) // is held as long as the session
		for {
			n, err := out.Read(b)
			if n > 0 {
				select {
				case s.chunks <- bytes.Clone(b[:n]):
				case <-s.ended:
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	return s, nil
}

// noShell returns why a login led to no session: LunaSH is silent, or whatever else err
// says.
func noShell(step string, err error) error {
	f := collectors.FailureOf(err)
	if f == hsm.Timeout {
		f = hsm.Unreachable
	}
	failed := collectors.Failf(f, "%s: %w", step, err)
	if collectors.LayerOf(err) == hsm.LayerUnknown && f == hsm.Unreachable {
		failed.Layer = hsm.LayerShell
	}
	return failed
}

func (s *session) close() {
	s.ours.Store(true)
	s.client.Close()
}

// ask sends command and returns its answer; on failure what was received of it.
func (s *session) ask(ctx context.Context, command string) ([]byte, error) {
	if _, err := s.in.Write([]byte(command + "\n")); err != nil {
		return nil, collectors.Failf(hsm.Unreachable, "%s: %w", command, err)
	}
	answer, err := s.readToPrompt(ctx)
	if err != nil {
		return answer, fmt.Errorf("%s: %w", command, err)
	}
	echo, output, _ := bytes.Cut(answer, []byte("\n"))
	echo = bytes.TrimPrefix(bytes.TrimSpace(echo), s.prompt) // a shell may print its line anew
	if strings.TrimSpace(string(echo)) != command {
		return nil, fmt.Errorf("%s: %w", command, errOutOfStep)
	}
	return output, nil
}

// errOutOfStep is of a session in which what was read begins with another echo: the
// answer to another command, since there was a prompt too many, or a message to all
// users.
var errOutOfStep = collectors.Failf(hsm.Unrecognised, "the appliance did not echo the command; its session is closed and opened again")

// quiet is how long nothing arrives behind a prompt that may be in a name.
const quiet = 300 * time.Millisecond

// readToPrompt returns the output up to the next prompt, without it.
func (s *session) readToPrompt(ctx context.Context) ([]byte, error) {
	var text, upTo []byte               // upTo: what is before a possible prompt
	settled := time.NewTimer(time.Hour) // when that is one
	defer settled.Stop()
	for {
		select {
		case <-ctx.Done():
			return text, collectors.Failf(hsm.Timeout, "no prompt after %d bytes: %w", len(text), ctx.Err())
		case <-settled.C:
			return upTo, nil
		case chunk, ok := <-s.chunks:
			if !ok {
				return text, collectors.Failf(hsm.Unreachable, "the appliance closed the session after %d bytes", len(text)).At(hsm.LayerSessionLost)
			}
			settled.Reset(time.Hour)
			text = append(text, bytes.ReplaceAll(chunk, []byte("\r"), nil)...)
			if len(text) > collectors.MaxAnswer {
				return text[:0], collectors.Failf(hsm.Unrecognised, "more than %d bytes without a prompt", collectors.MaxAnswer)
			}
			tail := ansi.ReplaceAll(text[max(0, len(text)-1000):], nil)
			if at, sure := s.promptIn(tail); at >= 0 {
				plain := ansi.ReplaceAll(text, nil)
				upTo = plain[:len(plain)-(len(tail)-at)]
				if sure {
					return upTo, nil
				}
				settled.Reset(quiet)
			}
			if newPassword.Match(tail) {
				return text, collectors.Failf(hsm.Login, "the appliance requires a new password: log in once by hand, change it, and put the new one into the password file")
			}
		}
	}
}

// promptIn returns the index of the prompt that tail ends with, or -1. The first
// prompt of a session is at the start of a line; later ones are the same text, and
// may follow an answer that was cut within a line. It is surely a prompt and no name
// if it is the first, or behind a result line.
func (s *session) promptIn(tail []byte) (at int, sure bool) {
	if m := prompt.FindSubmatchIndex(tail); m != nil {
		if sure = len(s.prompt) == 0 || resultBefore.Match(tail[:m[2]]); sure {
			s.prompt = tail[m[2]:m[3]]
		}
		return m[2], sure
	}
	if end := bytes.TrimRight(tail, " "); len(s.prompt) > 0 && bytes.HasSuffix(end, s.prompt) {
		at = len(end) - len(s.prompt)
		return at, resultBefore.Match(tail[:at])
	}
	return -1, false
}

// resultBefore matches text whose last line is a result line.
var resultBefore = regexp.MustCompile(`(?i)(?:^|\n)[ \t]*command result ?:[^\n]*\s*$`)

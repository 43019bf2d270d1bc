package simulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/lunawatch/lunawatch/internal/wait"
)

// A session is one LunaSH: a terminal with a line editor and one command at a time.
type session struct {
	a      *appliance
	conn   net.Conn
	ch     ssh.Channel
	remote string // host/port

	mu        sync.Mutex
	width     int                // columns of the terminal, 0 for no terminal
	interrupt context.CancelFunc // ends the running command
	column    int                // of the cursor; only the shell uses it
	afterCR   bool
}

const (
	ctrlC     = 0x03
	ctrlD     = 0x04
	ctrlH     = 0x08
	ctrlU     = 0x15
	escape    = 0x1b
	deleteKey = 0x7f
	longest   = 1024 // characters of a command line
)

// serve answers the requests of the channel and runs the shell.
func (s *session) serve(ctx context.Context, requests <-chan *ssh.Request) {
	ctx, cancel := context.WithCancel(ctx)
	var shell sync.WaitGroup
	defer shell.Wait()
	defer s.ch.Close()
	defer cancel() // the requests end when the peer is gone
	started := false
	for r := range requests {
		ok := false
		switch r.Type {
		case "pty-req":
			ok = s.terminal(r.Payload)
		case "window-change":
			ok = s.resize(r.Payload)
		case "shell":
			if ok = s.columns() > 0 && !started; ok {
				started = true
				shell.Go(func() { s.shell(ctx) })
			}
		}
		if r.WantReply {
			r.Reply(ok, nil)
		}
	}
}

func (s *session) terminal(payload []byte) bool {
	var p struct {
		Term                         string
		Columns, Rows, Width, Height uint32
		Modes                        string
	}
	if ssh.Unmarshal(payload, &p) != nil {
		return false
	}
	s.setColumns(p.Columns)
	return true
}

func (s *session) resize(payload []byte) bool {
	var p struct{ Columns, Rows, Width, Height uint32 }
	if ssh.Unmarshal(payload, &p) != nil {
		return false
	}
	s.setColumns(p.Columns)
	return true
}

func (s *session) setColumns(n uint32) {
	if n == 0 || n > 10000 {
		n = 80
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.width = int(n)
}

func (s *session) columns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.width
}

// shell reads lines and runs them until exit or the end of the connection.
func (s *session) shell(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	keys := make(chan byte, 4*longest)
	var reader sync.WaitGroup
	defer reader.Wait()
	defer s.ch.Close() // before the wait, so that the reader ends
	defer cancel()
	reader.Go(func() { s.read(ctx, keys) })
	s.print("\n" + s.a.spec.model.banner + "\n\n")
	for {
		s.prompt()
		line, ok := s.line(ctx, keys)
		line = strings.TrimSpace(line)
		switch {
		case !ok || line == "exit":
			s.ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{0}))
			return
		case line == "":
			continue
		}
		if !s.command(ctx, line) {
			return
		}
	}
}

// read passes on keys until the end of input. Ctrl-C ends the running command, if there
// is one.
func (s *session) read(ctx context.Context, keys chan<- byte) {
	defer close(keys)
	b := make([]byte, 256)
	for {
		n, err := s.ch.Read(b)
		for _, k := range b[:n] {
			if k == ctrlC && s.interrupted() {
				continue
			}
			select {
			case keys <- k:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (s *session) interrupted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.interrupt == nil {
		return false
	}
	s.interrupt()
	return true
}

func (s *session) setInterrupt(f context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interrupt = f
}

func (s *session) prompt() {
	p := fmt.Sprintf("[%s] lunash:>", s.a.spec.name)
	s.print(p)
	s.column = len(p)
}

// line reads and echoes one line. It returns false at the end of input.
func (s *session) line(ctx context.Context, keys <-chan byte) (string, bool) {
	var line []byte
	escaped := 0
	for {
		var k byte
		var open bool
		select {
		case k, open = <-keys:
		case <-ctx.Done():
		}
		if !open {
			return "", false
		}
		newline := k == '\r' || k == '\n' && !s.afterCR
		skip := k == '\n' && s.afterCR
		s.afterCR = k == '\r'
		switch {
		case skip:
		case newline:
			s.print("\n")
			return string(line), true
		case escaped > 0: // arrows and the like: escape, bracket, letter
			if escaped++; k >= 0x40 && k != '[' {
				escaped = 0
			}
		case k == escape:
			escaped = 1
		case k == ctrlC:
			s.print("^C\n")
			return "", true
		case k == ctrlD && len(line) == 0:
			s.print("\n")
			return "", false
		case k == ctrlU:
			s.rubOut(len(line))
			line = line[:0]
		case k == ctrlH || k == deleteKey:
			n := min(1, len(line))
			s.rubOut(n)
			line = line[:len(line)-n]
		case k >= ' ' && len(line) < longest:
			line = append(line, k)
			s.echo(k)
		}
	}
}

// echo shows a typed character; at the right edge the terminal wraps.
func (s *session) echo(k byte) {
	s.ch.Write([]byte{k})
	if s.column++; s.column%s.columns() == 0 {
		s.ch.Write([]byte(" \r"))
	}
}

func (s *session) rubOut(n int) {
	io.WriteString(s.ch, strings.Repeat("\b \b", n))
	s.column -= n
}

// print writes text with the line ends of a terminal.
func (s *session) print(text string) { io.WriteString(terminalWriter{s.ch}, text) }

// terminalWriter ends lines with CR LF.
type terminalWriter struct{ w io.Writer }

func (t terminalWriter) Write(b []byte) (int, error) {
	if _, err := t.w.Write(bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, err
	}
	return len(b), nil
}

// command runs one line through the faults of the wire. It returns false if the session
// has ended.
func (s *session) command(ctx context.Context, line string) bool {
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	w, _ := s.a.wireNow()
	hangs := w.hangs(strings.HasPrefix(line, "hsm ") || strings.HasPrefix(line, "partition "))
	if !hangs {
		s.setInterrupt(cancel)
		defer s.setInterrupt(nil)
	}
	if w.slow > 0 && !wait.Sleep(running, w.slow) {
		s.print("^C\n")
		return ctx.Err() == nil
	}
	var err error
	var whole bytes.Buffer
	switch {
	case hangs:
		<-ctx.Done()
		return false
	case w.answer == none, w.answer == hangCard:
		err = s.a.run(running, line, s.remote, terminalWriter{s.ch})
	default:
		err = s.a.run(running, line, s.remote, terminalWriter{&whole})
		s.ch.Write(spoil(whole.Bytes(), w.answer))
	}
	if w.answer == drop {
		s.conn.Close()
		return false
	}
	if errors.Is(err, context.Canceled) && ctx.Err() == nil {
		s.print("^C\n")
		return true
	}
	return err == nil
}

// spoil returns an answer as changed by a fault.
func spoil(whole []byte, f fault) []byte {
	if f != garbage {
		return whole[:len(whole)/2]
	}
	bad := bytes.Clone(whole)
	for i := range bad {
		bad[i] = bad[i]*167 + byte(i*31) | 0x80 // no prompt and no key can be in it
	}
	return bad
}

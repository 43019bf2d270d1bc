package simulator

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"
)

// calls are the lines of the golden test, besides each command without flags.
var calls = map[string][]string{
	"client show":             {"client show -client 10.31.40.12", "client show -c nobody", "client show"},
	"hsm information monitor": {"hsm information monitor", "hsm information monitor -interval 6 -rounds 3", "hsm information monitor -noheader", "hsm information monitor -interval 4", "hsm information monitor -save"},
	"partition show":          {"partition show", "partition show -partition payments", "partition show -partition nobody"},
}

var hexPair = regexp.MustCompile(`\b[0-9a-f]{2}\b(:|$)`)

// mask hides the bytes of keys, which do not depend on the seed.
func mask(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "        ") && hexPair.MatchString(line) && strings.Count(line, ":") > 0 && !strings.Contains(line, " GMT") && !strings.Contains(line, "(") {
			lines[i] = hexPair.ReplaceAllString(line, "5a$1")
		}
	}
	return strings.Join(lines, "\n")
}

// TestCommands drives every command of every model through a real SSH client.
func TestCommands(t *testing.T) {
	for _, m := range models {
		t.Run(m.version, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				term := simulate(t, m.version).login()
				golden(t, m.version+"/banner.txt", strings.ReplaceAll(term.banner, "\r", ""))
				for _, c := range commands {
					lines := calls[c.words]
					if lines == nil {
						lines = []string{c.words}
					}
					var all strings.Builder
					for _, line := range lines {
						fmt.Fprintf(&all, "lunash:>%s\n%s", line, mask(term.must(line)))
					}
					golden(t, m.version+"/"+strings.ReplaceAll(c.words, " ", "-")+".txt", all.String())
				}
				var other strings.Builder
				for _, line := range []string{"help", "hsm", "hsm login", "sysconf regencert", "reboot now", "hsm show -all"} {
					fmt.Fprintf(&other, "lunash:>%s\n%s", line, term.must(line))
				}
				golden(t, m.version+"/other.txt", other.String())
			})
		})
	}
}

func TestMonitorPrintsRowsAsTheyCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term := simulate(t, "7.2").login()
		start := time.Now()
		io.WriteString(term.in, "hsm information monitor -interval 7 -rounds 3\n")
		var text string
		b := make([]byte, 4096)
		row := regexp.MustCompile(`(?m)^ +[0-9,]+ \|`)
		for n := 1; n <= 3; n++ {
			for len(row.FindAllString(text, -1)) < n {
				k, err := term.out.Read(b)
				if err != nil {
					t.Fatal(err)
				}
				text += string(b[:k])
			}
			if got, want := time.Since(start), time.Duration(7*n)*time.Second; got != want {
				t.Errorf("row %d came after %v, want %v", n, got, want)
			}
		}
	})
}

func TestKeys(t *testing.T) {
	for _, c := range []struct{ name, typed, echo, answer string }{
		{"backspace", "hsn\x7fm\x08m tamper show\r", "hsn\b \bm\b \bm tamper show\r\n", "No active tampers."},
		{"carriage return and line feed", "client list\r\n", "client list\r\n", "registered client 1"},
		{"ctrl-c", "hsm sh\x03", "hsm sh^C\r\n", ""},
		{"ctrl-u", "abc\x15client list\n", "abc\b \b\b \b\b \bclient list\r\n", "registered client 2"},
		{"arrow", "client\x1b[D list\n", "client list\r\n", "registered client 3"},
		{"empty line", "\n", "\r\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				term := simulate(t, "7.2").login()
				io.WriteString(term.in, c.typed)
				out, err := term.read()
				if err != nil {
					t.Fatal(err)
				}
				if !strings.HasPrefix(out, c.echo) || !strings.Contains(out, c.answer) {
					t.Errorf("typed %q: got %q", c.typed, out)
				}
				if c.answer == "" && out != c.echo+"[luna72] lunash:>" {
					t.Errorf("typed %q: got %q", c.typed, out)
				}
			})
		})
	}
}

func TestNarrowTerminalWraps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, "7.2")
		conn, err := s.dial()
		if err != nil {
			t.Fatal(err)
		}
		term := openTerminal(t, conn, ssh.Password(testPassword), 40)
		out, err := term.ask("hsm information monitor -interval 5")
		if err != nil || !strings.HasPrefix(out, "hsm information monitor \r -interval 5\r\n") {
			t.Errorf("got %q, %v", out[:60], err)
		}
	})
}

func TestInterruptEndsTheMonitor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term := simulate(t, "6.2").login()
		io.WriteString(term.in, "hsm information monitor -rounds 1000\n")
		time.Sleep(12 * time.Second) // the clock of the bubble
		io.WriteString(term.in, "\x03")
		out, err := term.read()
		if err != nil || strings.Count(out, "\n         1,9") != 2 || !strings.Contains(out, "^C\r\n") {
			t.Errorf("got %q, %v", out, err)
		}
	})
}

func TestExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term := simulate(t, "5.4").login()
		if out, err := term.ask("exit"); !errors.Is(err, io.EOF) {
			t.Errorf("got %q, %v", out, err)
		}
	})
}

func TestOnlyTerminals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term := simulate(t, "7.2").login()
		for name, try := range map[string]func(*ssh.Session) error{
			"exec":              func(s *ssh.Session) error { return s.Start("hsm show") },
			"shell without pty": (*ssh.Session).Shell,
			"subsystem":         func(s *ssh.Session) error { return s.RequestSubsystem("sftp") },
		} {
			session, err := term.client.NewSession()
			if err != nil {
				t.Fatal(err)
			}
			if try(session) == nil {
				t.Errorf("%s is accepted", name)
			}
			session.Close()
		}
		if !strings.Contains(term.must("hsm show"), resultGood) {
			t.Error("the first session does not work beside them")
		}
	})
}

func TestSessionsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, "7.2")
		first, second := s.login(), s.login()
		io.WriteString(first.in, "hsm information monitor\n")
		if !strings.Contains(second.must("hsm show"), resultGood) {
			t.Error("hsm show fails while the monitor of another session runs")
		}
		if out, err := first.read(); err != nil || !strings.Contains(out, "HSM Has Been Up For") {
			t.Errorf("monitor: %q, %v", out, err)
		}
	})
}

func TestCommandsCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, "7.2")
		s.inject("load 0")
		term := s.login()
		lines := strings.Count(s.logged("lunalogs"), "\n")
		var before, after float64
		s.do(func(st *state) { before = st.operations })
		term.must("hsm show")
		term.must("status disk")
		s.do(func(st *state) { after = st.operations })
		if after-before != cardRequests+shellRequests {
			t.Errorf("two commands cost %v requests, want %d", after-before, cardRequests+shellRequests)
		}
		if got := strings.Count(s.logged("lunalogs"), "\n") - lines; got != 4 {
			t.Errorf("two commands wrote %d lines, want 4", got)
		}
		if want := "info : 0 : Command: hsm show  : monitor : 192.0.2.7/40847\n"; !strings.Contains(s.logged("lunalogs"), want) {
			t.Errorf("no %q in %s", want, s.logged("lunalogs"))
		}
	})
}

// TestCertificateBytes checks the bytes that the golden files hide.
func TestCertificateBytes(t *testing.T) {
	s := newState(testSpecs(t)["7.2"], 1, time.Unix(0, 0))
	s.spec.ntlsKey = testKeys().ntls
	c, err := s.serverCertificate()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature); err != nil {
		t.Error(err)
	}
	text, err := certificateShow(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, ":", "")), "")
	for name, want := range map[string]string{"modulus": fmt.Sprintf("Modulus00%xExponent", testKeys().ntls.N), "signature": fmt.Sprintf("Encryption%x", c.Signature)} {
		if !strings.Contains(text, want) {
			t.Errorf("the %s is not in %s", name, text)
		}
	}
}

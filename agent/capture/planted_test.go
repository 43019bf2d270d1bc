package capture

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/collectors/formats"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// A planted secret is what must not be in a capture, in the form in which it stands in
// a text, and the parts of it that would give it away.
type planted struct {
	kind, text string
	parts      []string
}

// A planter makes secrets.
type planter struct{ *rand.Rand }

func (p planter) of(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[p.IntN(len(alphabet))]
	}
	return string(b)
}

const (
	lower   = "abcdefghijklmnopqrstuvwxyz"
	digits  = "0123456789"
	hexes   = "0123456789abcdef"
	base64s = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
)

func (p planter) name() string   { return "q" + p.of("aeiou", 1) + p.of("zxvkw", 2) + p.of(lower, 4) }
func (p planter) serial() string { return p.of("123456789", 1) + p.of(digits, 5+p.IntN(8)) }

func (p planter) bytes(n int, between string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = p.of(hexes, 2)
	}
	return strings.Join(list, between)
}

// kinds make the secrets of each kind: its text, and the parts to look for besides.
var kinds = map[string]func(p planter, i int) []string{
	"serial number":     func(p planter, _ int) []string { return []string{p.serial()} },
	"label":             func(p planter, _ int) []string { a, b := p.name(), p.name(); return []string{a + " " + b, a, b} },
	"name with marks":   func(p planter, _ int) []string { a, b := p.name(), p.name(); return []string{a + "_" + b + ".7", a, b} },
	"name and number":   func(p planter, _ int) []string { return []string{p.name() + p.of(digits, 3)} },
	"name beyond ASCII": func(p planter, _ int) []string { a := p.name(); return []string{a + "ü" + p.name(), a + "ü"} },
	"user":              func(p planter, _ int) []string { return []string{p.name()} },
	"mistyped password": func(p planter, _ int) []string { return []string{p.of(lower, 3) + p.of(digits, 2) + p.of(lower, 3)} },
	"host":              func(p planter, _ int) []string { a := p.name(); return []string{a + "." + p.name() + ".example", a} },
	"mail address": func(p planter, _ int) []string {
		a := p.name()
		return []string{a + ".user@" + p.name() + ".example", a}
	},
	"certificate": func(p planter, _ int) []string {
		a, b := p.name(), p.name()
		return []string{"CN=" + a + ",O=" + b + " ltd,C=DE", a, b}
	},
	"IPv4 address": func(p planter, _ int) []string {
		return []string{fmt.Sprintf("10.%d.%d.%d", 100+p.IntN(100), 100+p.IntN(100), 100+p.IntN(100))}
	},
	"IPv6 address":       ipv6,
	"MAC":                mac,
	"fingerprint":        fingerprint,
	"key in hexadecimal": func(p planter, _ int) []string { return []string{p.of(hexes, 33+p.IntN(40))} },
	"private key": func(p planter, _ int) []string {
		a := p.of(base64s, 64)
		return []string{"-----BEGIN PRIVATE KEY----- " + a + " -----END PRIVATE KEY-----", a[:20]}
	},
	"token": func(p planter, _ int) []string {
		a := p.of(lower, 12) + p.of(digits, 5) + p.of(lower, 12)
		return []string{a}
	},
	"URL": func(p planter, _ int) []string {
		a := p.name()
		return []string{"https://" + a + ".example/" + p.name(), a}
	},
	"file": func(p planter, _ int) []string {
		a := p.name()
		return []string{"/home/" + a + "/" + p.name() + ".pem", a}
	},
	"vocabulary after a word": func(p planter, i int) []string {
		return []string{[]string{"secret", "backup", "crypto", "token"}[i%4] + p.of(lower, 6)}
	},
}

func ipv6(p planter, i int) []string {
	a, b := "2a0"+p.of(hexes, 1)+":"+p.of("123456789abcdef", 4), p.of("123456789abcdef", 4)
	return []string{[]string{a + "::" + b, a + ":1:2:3:4:5:" + b, "[" + a + "::" + b + "]:443", "fe80::" + b + ":1%eth0", "::ffff:10.11." + fmt.Sprint(100+p.IntN(100)) + ".12"}[i%5]}
}

func mac(p planter, i int) []string {
	m := p.bytes(6, ":")
	return []string{[]string{m, strings.ReplaceAll(m, ":", "-"), strings.ToUpper(m), p.of(hexes, 4) + "." + p.of(hexes, 4) + "." + p.of(hexes, 4)}[i%4]}
}

func fingerprint(p planter, i int) []string {
	return []string{[]string{"SHA256:" + p.of(base64s, 43), "MD5:" + p.bytes(16, ":"), p.bytes(20, ":"), p.of(hexes, 40)}[i%4]}
}

// plant makes ten secrets of each kind.
func plant(seed uint64) (all []planted) {
	p := planter{rand.New(rand.NewPCG(seed, 1))}
	for kind, make := range kinds {
		for i := range 10 {
			texts := make(p, i)
			s := planted{kind: kind, text: texts[0], parts: texts[1:]}
			if len(s.parts) == 0 {
				s.parts = []string{strings.TrimPrefix(strings.Trim(s.text, "[]"), "SHA256:")}
			}
			all = append(all, s)
		}
	}
	return all
}

// sentences are lines in which anything may stand.
var sentences = []string{
	"2026 Mar  1 12:00:00 local_host  auth info  sshd[771]: Failed password for invalid user %s from 192.0.2.7 port 4711 ssh2",
	"2026 Mar  1 12:00:00 local_host  local5 info  lunash [4711]: info : 0 : Command: client show : %s : 192.0.2.7/4711",
	"2026 Mar  1 12:00:00 local_host  daemon err  NTLS[5132]: err : 0xc0000711 : Unknown client: %s : 192.0.2.7/4711",
	"2026 Mar  1 12:00:00 local_host  kern info  kernel: k7pf0: [HSM] ALM2024: Stored data integrity verify error %s",
	"<30>Mar  1 12:00:00 local_host login: %s",
	"5,26/03/01 12:00:00,S/N 150718 session 1 Access 2147483651:2669 SO container operation %s returned RC_OK(0x00000000)",
	"Wed Oct  4 16:29:21 2017 : [17469] HA group: %s has dropped member",
	"something else entirely: %s",
}

// TestPlantedSecrets plants 200 secrets of 20 kinds in every answer and log, of sources
// that answer and of sources that fail, and looks for them in the archive and in the
// report.
func TestPlantedSecrets(t *testing.T) {
	secrets := plant(7)
	if len(secrets) != 200 {
		t.Fatalf("%d secrets", len(secrets))
	}
	fixtures, err := filepath.Glob("../../collectors/formats/testdata/*/*.txt")
	check.Must(t, err)
	healthy, failing := newCapturing(func(hsm.Observation) {}), newCapturing(func(hsm.Observation) {})
	var log strings.Builder
	for i, s := range secrets {
		for _, line := range sentences {
			fmt.Fprintf(&log, line+"\n", s.text)
		}
		fmt.Fprintf(&log, "%s begins line %d\n", s.text, i)
	}
	for _, made := range []*capturing{healthy, failing} {
		made.Files["hsm1/log1.txt"], made.prose["hsm1/log1.txt"] = log.String(), true
	}
	places := 0
	for n, file := range fixtures {
		name, _, _ := strings.Cut(filepath.Base(file), ".")
		text, err := os.ReadFile(file)
		check.Must(t, err)
		format, _ := formats.Named(name)
		rest := strings.HasPrefix(name, "rest-")
		for i := n % 10; i < len(secrets); i += 10 { // all of them in ten fixtures, and 20 in each
			s := secrets[i]
			places++
			if rest {
				failing.fail("hsm1", fmt.Errorf("GET /api/lunasa: the appliance answers 500, %s", s.text))
				continue
			}
			withOwner := strings.Replace(string(text), "\n", "\nOwner of it: "+s.text+"\n", 1)
			fact, unread, err := format.Parse(withOwner)
			if err != nil || fact == nil {
				continue
			}
			healthy.names.LearnFact(fact)
			healthy.names.LearnUnread(unread)
			healthy.Files[fmt.Sprintf("hsm%d/%s-%d.txt", n, name, i)] = withOwner
			_, _, err = format.Parse("Error: no such object " + s.text + "\nCommand Result : 65535 (Luna Shell execution)\n")
			failing.fail("hsm1", errors.Join(err, fmt.Errorf("unread: %s", s.text)))
		}
	}
	for what, made := range map[string]*capturing{"healthy": healthy, "failing": failing} {
		capture := made.finish()
		var archive bytes.Buffer
		check.Must(t, capture.Write(&archive))
		text := archive.String() + strings.Join(capture.Failed, "\n")
		found := 0
		for _, s := range secrets {
			for _, part := range append(s.parts, base64.StdEncoding.EncodeToString([]byte(s.text))) {
				if i := strings.Index(text, part); i >= 0 {
					found++
					t.Errorf("%s: %s %q: %q", what, s.kind, s.text, text[max(0, i-80):min(len(text), i+60)])
				}
			}
		}
		t.Logf("%s: %d secrets of %d kinds in %d files and %d reports: %d found", what, len(secrets), len(kinds), len(capture.Files), len(capture.Failed), found)
		if what == "healthy" && len(capture.Files) < 300 || what == "failing" && len(capture.Failed) < 300 {
			t.Error("too little was looked at")
		}
	}
	t.Logf("%d places", places)
}

// Package redact replaces what names a site in the texts of a capture: the names that
// it was given, what has the form of an address, a key or a fingerprint, and every
// word that is not in the vendor's vocabulary.
package redact

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Redactor replaces what names a site: the same original always by the same
// substitute of the same shape, in every text of one capture. Only the
// redactor's key, which is not kept, could lead from a substitute back to its
// original.
type Redactor struct {
	key       []byte
	originals map[string]string // original -> what it is
	found     map[string]string // originals that were found -> what each is
	addresses map[string]string // IP address -> substitute
	pattern   *regexp.Regexp    // of originals; nil after one was added
	unread    map[string]bool   // lines of answers that no parser understood
	all       bool              // there are more of them, so any line may be one
}

// New returns a Redactor that knows no names.
func New() *Redactor {
	r := &Redactor{key: make([]byte, 32), originals: make(map[string]string), found: make(map[string]string), addresses: make(map[string]string), unread: make(map[string]bool)}
	rand.Read(r.key)
	return r
}

// shortest is the length of the shortest name that can be distinguished from
// the words around it.
const shortest = 3

// Learn remembers a name. Words that the product itself prints are not names.
func (r *Redactor) Learn(what, original string) {
	original = strings.TrimSpace(original)
	_, notAddress := netip.ParseAddr(original)
	if len(original) < shortest || notAddress == nil || slices.Contains(productWords, strings.ToLower(original)) {
		return
	}
	r.originals[original] = what
	r.pattern = nil
}

// productWords are names whose replacement would break the product's own texts.
var productWords = []string{
	"hsm", "luna", "partition", "label", "none", "no label", "[none]", "admin", "monitor", "local_host", "localhost",
	"name", "key", "keys", "yes", "crypto", "officer", "user", "client", "clients", "kernel", "success",
}

// LearnHost remembers the name of a host, and its short form.
func (r *Redactor) LearnHost(name string) {
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	r.Learn("host", name)
	if _, err := netip.ParseAddr(name); err != nil {
		short, _, _ := strings.Cut(name, ".")
		r.Learn("host", short)
	}
}

// learnSubject remembers the parts of a certificate's name, but not the
// country.
func (r *Redactor) learnSubject(name string) {
	for part := range strings.SplitSeq(name, ",") {
		attribute, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if strings.TrimSpace(attribute) == "CN" {
			r.LearnHost(strings.TrimSpace(value))
		} else if len(strings.TrimSpace(value)) > 2 {
			r.Learn("certificate name", value)
		}
	}
}

func (r *Redactor) learnPartition(serial, name string, label hsm.Opt[string]) {
	r.Learn("partition serial", serial)
	r.Learn("partition", name)
	r.Learn("partition label", label.Value)
}

// LearnFact remembers the names in a fact of a source.
func (r *Redactor) LearnFact(f hsm.Fact) {
	switch v := f.(type) {
	case hsm.Show:
		r.Learn("serial", v.Serial)
		r.Learn("label", v.Label.Value)
		for _, p := range v.Partitions {
			r.learnPartition(p.Serial, p.Name, hsm.Opt[string]{})
		}
	case hsm.Partitions:
		for _, p := range v {
			r.learnPartition(p.Serial, p.Name, p.Label)
		}
	case hsm.PartitionPolicies:
		r.Learn("partition serial", v.Serial)
	case hsm.Operations:
		for _, p := range v.Partitions {
			r.learnPartition(p.Serial, p.Label, hsm.Opt[string]{})
		}
	case hsm.Clients:
		for _, c := range v {
			r.Learn("client", c.Name)
			r.LearnHost(c.Address)
		}
	case hsm.System:
		r.LearnHost(v.Hostname)
	case hsm.Certificate:
		r.learnSubject(v.Subject)
		r.learnSubject(v.Issuer)
	case hsm.Slots:
		for _, s := range v.Slots {
			r.Learn("serial", s.Serial)
			r.Learn("label", s.Label.Value)
		}
	case hsm.HAGroups:
		r.learnGroups(v.Groups)
	case hsm.ClientConfig:
		r.learnGroups(v.HA.Groups)
		for _, s := range v.Servers {
			r.LearnHost(s.Name)
		}
	case hsm.HALog:
		for _, e := range v.Events {
			r.Learn("HA group", e.Group)
			r.Learn("partition serial", e.Member)
			r.LearnHost(e.Server)
		}
	case hsm.HA:
		for _, c := range v.Certificates {
			r.learnSubject(c.Subject)
		}
	}
}

func (r *Redactor) learnGroups(groups []hsm.HAGroup) {
	for _, g := range groups {
		r.Learn("HA group", g.Serial)
		r.Learn("HA group", g.Label)
		for _, m := range g.Members {
			r.learnPartition(m.Serial, "", m.Label)
		}
	}
}

// A piece is a part of a text; done: nothing in it is to be replaced any more.
type piece struct {
	text string
	done bool
}

// A form is what has to be replaced whatever the words in it are.
type form struct {
	what    string
	pattern *regexp.Regexp
	by      func(r *Redactor, match string) string // nil: [Redactor.substitute]. What it returns unchanged stays.
}

// kept are times in logs, whose digits are many.
var kept = form{"", regexp.MustCompile(`\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?|(?m)^(?:<\d{1,3}>)?\[ *\d+\.\d{6}\]|(?m)^\d+,\d+,\d+,[-c+]`), func(_ *Redactor, match string) string { return match }}

// forms are replaced in every text, in this order.
var forms = []form{
	{"key or certificate", regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\z)`), func(*Redactor, string) string { return "removed" }},
	{"fingerprint", regexp.MustCompile(`\bSHA(?:1|256|384|512):[A-Za-z0-9+/]{20,}=*`), afterColon},
	{"mail address", regexp.MustCompile(`[\w.%+-]+@[\w-]+(?:\.[\w-]+)+`), nil},
	{"key, fingerprint or MAC", regexp.MustCompile(`\b[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5,}\b|\b(?:[0-9a-fA-F]{4}\.){2}[0-9a-fA-F]{4}\b|\b(?:0x)?[0-9a-fA-F]{33,}\b`), (*Redactor).bytes},
	{"IP address", regexp.MustCompile(`\b(?:\d{1,3}\.){3}\d{1,3}\b|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*[0-9A-Fa-f:](?:%[0-9A-Za-z]+)?`), (*Redactor).address},
}

// inProse are forms that only logs and errors have.
var inProse = []form{
	{"user", regexp.MustCompile(`(?i)\b(?:user|user ?name|logname|ruser|account|login(?: name)?(?: for| of)?|password for)(?:\s*[:=]\s*|\s+)["'(]?[^\s"'(),;=\[\]]+`), lastWord},
	{"host", regexp.MustCompile(`\b[A-Za-z0-9][\w-]*(?:\.[A-Za-z0-9][\w-]*)*\.[A-Za-z][\w-]+\b`), host},
}

// LearnUnread remembers lines of answers that no parser understood: they may say
// anything.
func (r *Redactor) LearnUnread(lines []string) {
	r.all = r.all || len(lines) > answer.MaxUnread
	for _, line := range lines {
		r.unread[line] = true
	}
}

// Answer redacts the answer of a command, or a file: names, addresses, keys, and words
// that are not the product's. Lines that no parser understood are prose.
func (r *Redactor) Answer(text string) string {
	switch {
	case r.all:
		return r.Prose(text)
	case len(r.unread) == 0:
		return r.redact(text, nil, true)
	}
	var b strings.Builder
	read := 0 // where the lines begin that are not yet written
	for line := range strings.Lines(text) {
		if !r.unread[answer.UnreadForm(line)] {
			read += len(line)
			continue
		}
		b.WriteString(r.redact(text[:read], nil, true) + r.Prose(line))
		text, read = text[read+len(line):], 0
	}
	return b.String() + r.redact(text, nil, true)
}

// Prose redacts logs and errors, which say anything: long numbers in them, too.
func (r *Redactor) Prose(text string) string {
	return r.redact(text, inProse, false)
}

func (r *Redactor) redact(text string, more []form, numbers bool) string {
	if r.pattern == nil {
		r.compile()
	}
	pieces := []piece{{text: text}}
	pieces = r.replace(pieces, kept)
	for _, f := range forms {
		pieces = r.replace(pieces, f)
	}
	pieces = r.replace(pieces, form{"", r.pattern, func(r *Redactor, match string) string {
		what, ok := r.originals[match]
		if !ok {
			return match
		}
		r.found[match] = what
		return r.substitute(match)
	}})
	for _, f := range more {
		pieces = r.replace(pieces, f)
	}
	pieces = r.replace(pieces, form{"word", word, func(r *Redactor, match string) string {
		if known(match, numbers) {
			return match
		}
		return r.substitute(match)
	}})
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.text)
	}
	return b.String()
}

// replace replaces f in what is not done, which it is then.
func (r *Redactor) replace(pieces []piece, f form) (out []piece) {
	for _, p := range pieces {
		if p.done {
			out = append(out, p)
			continue
		}
		at := 0
		for _, m := range f.pattern.FindAllStringIndex(p.text, -1) {
			match := p.text[m[0]:m[1]]
			by := f.by
			if by == nil {
				by = (*Redactor).substitute
			}
			replaced := by(r, match)
			if replaced == match && f.pattern != kept.pattern {
				continue
			}
			if replaced != match && f.what != "" {
				r.found[match] = f.what
			}
			out = append(out, piece{text: p.text[at:m[0]]}, piece{replaced, true})
			at = m[1]
		}
		out = append(out, piece{text: p.text[at:]})
	}
	return out
}

// afterColon replaces what is behind the first colon: a fingerprint behind the name of
// its algorithm.
func afterColon(r *Redactor, match string) string {
	head, tail, _ := strings.Cut(match, ":")
	return head + ":" + r.substitute(tail)
}

// grammar are words that follow "user", "login" and the like and name nobody.
var grammar = []string{
	"invalid", "admin", "operator", "monitor", "audit", "recover", "root", "unknown", "none", "name", "user", "for", "from", "has", "is", "was", "not", "in", "out", "on", "of", "to",
	"failed", "failure", "successful", "succeeded", "attempt", "attempts", "timeout", "session", "sessions", "required", "status", "login", "logged", "by", "left", "and", "the", "with", "be",
}

// lastWord replaces the name behind "user", "login" and the like.
func lastWord(r *Redactor, match string) string {
	at := strings.LastIndexAny(match, " \t=\"'(") + 1
	name := match[at:]
	if slices.Contains(grammar, strings.ToLower(name)) || strings.HasSuffix(name, ":") { // or what was done
		return match
	}
	return match[:at] + r.substitute(name)
}

// endings are the last parts of the names of files, and of other words with dots.
var endings = []string{"log", "txt", "so", "cnf", "conf", "pem", "exe", "dll", "ini", "gz", "pm", "sh", "service", "socket"}

// host replaces the name of a host, unless it is a file of the product.
func host(r *Redactor, match string) string {
	if slices.Contains(endings, strings.ToLower(match[strings.LastIndexByte(match, '.')+1:])) {
		return match // word by word
	}
	return r.substitute(match)
}

// bytes replaces bytes in hexadecimal digits.
func (r *Redactor) bytes(original string) string {
	random := r.random(original)
	out := []byte(original)
	for i, c := range out {
		if c != ':' && c != '-' && c != '.' {
			out[i] = "0123456789abcdef"[(random[i%len(random)]+byte(i/len(random)))%16]
		}
	}
	return string(out)
}

// random returns bytes that are always the same for one original.
func (r *Redactor) random(original string) []byte {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(original))
	return mac.Sum(nil)
}

// compile makes one pattern of all names, the longest first, that matches
// whole words only.
func (r *Redactor) compile() {
	names := slices.SortedFunc(maps.Keys(r.originals), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	for i, n := range names {
		names[i] = edge(n[0]) + regexp.QuoteMeta(n) + edge(n[len(n)-1])
	}
	if len(names) == 0 {
		names = []string{`\z\A.`} // matches nothing
	}
	r.pattern = regexp.MustCompile(strings.Join(names, "|"))
}

// edge is a word boundary where the name begins or ends with a word character.
func edge(c byte) string {
	if c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' {
		return `\b`
	}
	return ""
}

// substitute returns a text with the length and the kinds of characters of the
// original. A letter beyond ASCII becomes one of ASCII.
func (r *Redactor) substitute(original string) string {
	random := r.random(original)
	var b strings.Builder
	i := 0
	for _, c := range original {
		n := random[i%len(random)] + byte(i/len(random))
		switch {
		case c >= '0' && c <= '9' && i == 0:
			b.WriteByte('1' + n%9)
		case c >= '0' && c <= '9':
			b.WriteByte('0' + n%10)
		case c >= 'A' && c <= 'Z':
			b.WriteByte('A' + n%26)
		case c >= 'a' && c <= 'z', unicode.IsLetter(c), unicode.IsMark(c), unicode.IsNumber(c):
			b.WriteByte('a' + n%26)
		default:
			b.WriteRune(c)
		}
		i++
	}
	return b.String()
}

// address replaces an address by one that is reserved for documentation
// (RFC 5737, RFC 3849); those of this machine stay.
func (r *Redactor) address(original string) string {
	end := len(strings.TrimRight(original, ":"))
	if strings.HasSuffix(original, "::") {
		end = len(original)
	}
	a, err := netip.ParseAddr(original[:end])
	if err != nil || a.IsLoopback() || a.IsUnspecified() {
		return original
	}
	original, rest := original[:end], original[end:]
	if known, ok := r.addresses[original]; ok {
		return known + rest
	}
	n := len(r.addresses) + 1
	s := fmt.Sprintf("192.0.2.%d", n)
	if n > 254 {
		s = fmt.Sprintf("198.51.%d.%d", 100+n/255, 1+n%255)
	}
	if a.Is6() {
		s = fmt.Sprintf("2001:db8::%x", n)
	}
	r.addresses[original] = s
	return s + rest
}

// Replaced counts, by kind, what was replaced.
func (r *Redactor) Replaced() map[string]int {
	counts := make(map[string]int)
	for _, what := range r.found {
		counts[what]++
	}
	return counts
}

// LearnDevice remembers the names in what is known of a device.
func (r *Redactor) LearnDevice(d *hsm.Device) {
	r.Learn("name", d.Name)
	for _, f := range []hsm.Fact{d.Show.Value, hsm.Partitions(d.Partitions.Value), d.Operations.Value, hsm.Clients(d.Clients.Value), d.System.Value, d.Certificate.Value, d.HA.Value} {
		r.LearnFact(f)
	}
	for _, g := range d.HA.Value.Groups {
		r.Learn("HA group", g.Serial)
		r.Learn("HA group", g.Label)
		for _, m := range g.Members {
			r.learnPartition(m.Serial, "", m.Label)
		}
	}
}

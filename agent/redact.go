package agent

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

	"github.com/lunawatch/lunawatch/hsm"
)

// A redactor replaces what names a site: the same original always by the same
// substitute of the same shape, in every text of one capture. Only the
// redactor's key, which is not kept, could lead from a substitute back to its
// original.
type redactor struct {
	key       []byte
	originals map[string]string // original -> what it is
	used      map[string]bool   // originals that were found
	addresses map[string]string // IP address -> substitute
	hex       map[string]bool   // keys, fingerprints and MACs that were found
	pattern   *regexp.Regexp    // of originals; nil after one was added
}

func newRedactor() *redactor {
	r := &redactor{key: make([]byte, 32), originals: make(map[string]string), used: make(map[string]bool), hex: make(map[string]bool), addresses: make(map[string]string)}
	rand.Read(r.key)
	return r
}

// shortest is the length of the shortest name that can be distinguished from
// the words around it.
const shortest = 3

// learn remembers a name. Words that the product itself prints are not names.
func (r *redactor) learn(what, original string) {
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

// learnHost remembers the name of a host, and its short form.
func (r *redactor) learnHost(name string) {
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	r.learn("host", name)
	if _, err := netip.ParseAddr(name); err != nil {
		short, _, _ := strings.Cut(name, ".")
		r.learn("host", short)
	}
}

// learnSubject remembers the parts of a certificate's name, but not the
// country.
func (r *redactor) learnSubject(name string) {
	for part := range strings.SplitSeq(name, ",") {
		attribute, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if strings.TrimSpace(attribute) == "CN" {
			r.learnHost(strings.TrimSpace(value))
		} else if len(strings.TrimSpace(value)) > 2 {
			r.learn("certificate name", value)
		}
	}
}

func (r *redactor) learnPartition(serial, name string, label hsm.Opt[string]) {
	r.learn("partition serial", serial)
	r.learn("partition", name)
	r.learn("partition label", label.Value)
}

// learnFrom remembers the names in a fact of a source.
func (r *redactor) learnFrom(f hsm.Fact) {
	switch v := f.(type) {
	case hsm.Show:
		r.learn("serial", v.Serial)
		r.learn("label", v.Label.Value)
		for _, p := range v.Partitions {
			r.learnPartition(p.Serial, p.Name, hsm.Opt[string]{})
		}
	case hsm.Partitions:
		for _, p := range v {
			r.learnPartition(p.Serial, p.Name, p.Label)
		}
	case hsm.PartitionPolicies:
		r.learn("partition serial", v.Serial)
	case hsm.Operations:
		for _, p := range v.Partitions {
			r.learnPartition(p.Serial, p.Label, hsm.Opt[string]{})
		}
	case hsm.Clients:
		for _, c := range v {
			r.learn("client", c.Name)
			r.learnHost(c.Address)
		}
	case hsm.System:
		r.learnHost(v.Hostname)
	case hsm.Certificate:
		r.learnSubject(v.Subject)
		r.learnSubject(v.Issuer)
	case hsm.Slots:
		for _, s := range v.Slots {
			r.learn("serial", s.Serial)
			r.learn("label", s.Label.Value)
		}
	case hsm.HAGroups:
		r.learnGroups(v.Groups)
	case hsm.ClientConfig:
		r.learnGroups(v.HA.Groups)
		for _, s := range v.Servers {
			r.learnHost(s.Name)
		}
	case hsm.HALog:
		for _, e := range v.Events {
			r.learn("HA group", e.Group)
			r.learn("partition serial", e.Member)
			r.learnHost(e.Server)
		}
	case hsm.HA:
		for _, c := range v.Certificates {
			r.learnSubject(c.Subject)
		}
	}
}

func (r *redactor) learnGroups(groups []hsm.HAGroup) {
	for _, g := range groups {
		r.learn("HA group", g.Serial)
		r.learn("HA group", g.Label)
		for _, m := range g.Members {
			r.learnPartition(m.Serial, "", m.Label)
		}
	}
}

// number finds the bytes of a key, a fingerprint or a MAC, and what may be an
// IP address.
var number = regexp.MustCompile(`\b[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5,}\b|\b(?:\d{1,3}\.){3}\d{1,3}\b|\b(?:[0-9a-fA-F]{1,4}:){2,7}[0-9a-fA-F]{1,4}\b|\b[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,6}::(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,6}\b)?`)

// redact replaces every name and every IP address in text.
func (r *redactor) redact(text string) string {
	if r.pattern == nil {
		r.compile()
	}
	text = r.pattern.ReplaceAllStringFunc(text, func(match string) string {
		if _, ok := r.originals[match]; !ok {
			return match
		}
		r.used[match] = true
		return r.substitute(match)
	})
	return number.ReplaceAllStringFunc(text, func(match string) string {
		if len(match) > 16 && strings.Count(match, ":") == (len(match)-2)/3 {
			return r.bytes(match)
		}
		return r.address(match)
	})
}

// bytes replaces bytes in hexadecimal digits.
func (r *redactor) bytes(original string) string {
	r.hex[original] = true
	random := r.random(original)
	out := []byte(original)
	for i, c := range out {
		if c != ':' {
			out[i] = "0123456789abcdef"[(random[i%len(random)]+byte(i/len(random)))%16]
		}
	}
	return string(out)
}

// random returns bytes that are always the same for one original.
func (r *redactor) random(original string) []byte {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(original))
	return mac.Sum(nil)
}

// compile makes one pattern of all names, the longest first, that matches
// whole words only.
func (r *redactor) compile() {
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
// original.
func (r *redactor) substitute(original string) string {
	random := r.random(original)
	out := []byte(original)
	for i, c := range out {
		n := random[i%len(random)] + byte(i/len(random))
		switch {
		case c >= '0' && c <= '9' && i == 0:
			out[i] = '1' + n%9
		case c >= '0' && c <= '9':
			out[i] = '0' + n%10
		case c >= 'a' && c <= 'z':
			out[i] = 'a' + n%26
		case c >= 'A' && c <= 'Z':
			out[i] = 'A' + n%26
		}
	}
	return string(out)
}

// address replaces an address by one that is reserved for documentation
// (RFC 5737, RFC 3849); those of this machine stay.
func (r *redactor) address(original string) string {
	a, err := netip.ParseAddr(original)
	if err != nil || a.IsLoopback() || a.IsUnspecified() {
		return original
	}
	if known, ok := r.addresses[original]; ok {
		return known
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
	return s
}

// replaced counts, by kind, what was replaced.
func (r *redactor) replaced() map[string]int {
	counts := make(map[string]int)
	for original := range r.used {
		counts[r.originals[original]]++
	}
	if n := len(r.addresses); n > 0 {
		counts["IP address"] = n
	}
	if n := len(r.hex); n > 0 {
		counts["key, fingerprint or MAC"] = n
	}
	return counts
}

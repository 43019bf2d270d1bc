package exporters

import (
	"hash/maphash"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// expositionType is the Content-Type of what [encoder] writes.
const expositionType = "text/plain; version=0.0.4; charset=utf-8"

// A family is a metric with what is the same in each of its lines.
type family struct {
	metric
	header string // HELP and TYPE
	pairs  []pair // of labels and values, sorted by name
}

// A pair is what precedes the value of a label in a line, and which value that is: 0 for
// the device, else that of metric.labels from 1.
type pair struct {
	before string
	value  int
}

func newFamily(m metric) family {
	f := family{metric: m}
	f.header = "# HELP " + m.name + " " + helpEscaper.Replace(m.help) + "\n# TYPE " + m.name + " " + string(m.kind) + "\n"
	names := append([]string{"device"}, m.labels...)
	sorted := slices.Sorted(slices.Values(names))
	for i, name := range sorted {
		before := `",` + name + `="`
		if i == 0 {
			before = m.name + "{" + name + `="`
		}
		f.pairs = append(f.pairs, pair{before, slices.Index(names, name)})
	}
	return f
}

// An encoder appends series to text in Prometheus' text format 0.0.4.
type encoder struct {
	text   []byte
	family *family
	device string
	seen   map[uint64]struct{} // hashes of the labels of this family and device
}

func newEncoder() *encoder { return &encoder{seen: make(map[uint64]struct{})} }

// encode appends the series of a family and a device, without HELP and TYPE.
func (e *encoder) encode(f *family, d *hsm.Device, now time.Time) {
	e.family, e.device = f, d.Name
	clear(e.seen)
	f.read(d, now, e)
}

// add appends one line, unless the device names one thing twice: that must
// not fail the scrape.
func (e *encoder) add(value float64, labels ...string) {
	start := len(e.text)
	for _, l := range e.family.pairs {
		e.text = append(e.text, l.before...)
		if l.value == 0 {
			e.text = appendLabel(e.text, e.device)
		} else {
			e.text = appendLabel(e.text, labels[l.value-1])
		}
	}
	key := maphash.Bytes(seed, e.text[start:])
	if _, twice := e.seen[key]; twice {
		e.text = e.text[:start]
		return
	}
	e.seen[key] = struct{}{}
	e.text = append(e.text, `"} `...)
	e.text = appendValue(e.text, value)
	e.text = append(e.text, '\n')
}

var (
	seed         = maphash.MakeSeed()
	helpEscaper  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// appendLabel appends a label's value, escaped, and with U+FFFD for what is not
// UTF-8.
func appendLabel(text []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c == '\\' || c == '"' || c == '\n' || c >= 0x80 {
			return append(text, labelEscaper.Replace(validUTF8(s))...)
		}
	}
	return append(text, s...)
}

// appendValue appends a number as the reference library writes it.
func appendValue(text []byte, v float64) []byte {
	switch {
	case v == 0: // -0 too
		return append(text, '0')
	case math.IsInf(v, +1):
		return append(text, "+Inf"...)
	}
	return strconv.AppendFloat(text, v, 'g', -1, 64)
}

func validUTF8(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

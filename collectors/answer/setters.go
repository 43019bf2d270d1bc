package answer

import (
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// The setters below parse the value v of a label and assign it. They report
// whether v is such a value; if not, they assign nothing.

// Known assigns v if ok, and returns ok.
func Known[T any](to *hsm.Opt[T], v T, ok bool) bool {
	if ok {
		*to = hsm.Some(v)
	}
	return ok
}

// FirstKnown returns a if it is known, else b.
func FirstKnown[T any](a, b hsm.Opt[T]) hsm.Opt[T] {
	if a.Known {
		return a
	}
	return b
}

// Ignore is the setter of a value that is understood but not stored.
func Ignore[T any](*T, string) bool { return true }

// Serial reads a serial number: up to 32 digits.
func Serial(to *string, v string) bool {
	v = FirstField(v)
	if v == "" || len(v) > 32 || strings.Trim(v, "0123456789") != "" {
		return false
	}
	*to = v
	return true
}

// Word takes the first word of v, unless v is [NotKnown].
func Word(to *string, v string) bool {
	if NotKnown(v) {
		return false
	}
	*to = FirstField(v)
	return true
}

// Words takes v up to a remark in parentheses, unless v is [NotKnown].
func Words(to *string, v string) bool { return !NotKnown(v) && State(to, v) }

// State is [Words] of a state, for which a word for "not known" counts.
func State(to *string, v string) bool {
	if i := strings.Index(v, "  ("); i >= 0 {
		v = v[:i]
	}
	if v == "" {
		return false
	}
	*to = Collapse(v)
	return true
}

// Boolean reads Yes or No.
func Boolean(to *hsm.Opt[bool], v string) bool {
	yes, ok := YesNo(v)
	return Known(to, yes, ok)
}

// Whole reads the number at the start of v: "10", or "10 before ...".
func Whole(to *hsm.Opt[int64], v string) bool {
	n, ok := Amount(leading(strings.TrimLeft(v, " \t")))
	return Known(to, n, ok)
}

// Volts reads "3.093 V", from 0 to less than 1000.
func Volts(to *hsm.Opt[float64], v string) bool {
	f, ok := Measure(v, "v")
	return Known(to, f, ok && f >= 0 && f < 1000)
}

// Celsius reads "35 deg. C", between -100 and 1000.
func Celsius(to *hsm.Opt[float64], v string) bool {
	f, ok := Measure(v, "degc")
	return Known(to, f, ok && f > -100 && f < 1000)
}

// CertificateTime reads "Feb 22 15:19:21 2027 GMT". If to is known already, it
// stays: the certificate of the issuer may follow.
func CertificateTime(to *hsm.Opt[time.Time], v string) bool {
	at, err := time.Parse("Jan 2 15:04:05 2006 GMT", Collapse(v))
	if err != nil {
		return false
	}
	if !to.Known {
		*to = hsm.Some(at)
	}
	return true
}

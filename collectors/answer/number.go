package answer

import (
	"strconv"
	"strings"

	"github.com/lunawatch/lunawatch/hsm"
)

func IsDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// Volts reads "3.093 V".
func Volts(to *hsm.Opt[float64], v string) bool {
	f, ok := Measure(v, "v")
	return Known(to, f, ok && f >= 0 && f < 1000)
}

// Celsius reads "35 deg. C".
func Celsius(to *hsm.Opt[float64], v string) bool {
	f, ok := Measure(v, "degc")
	return Known(to, f, ok && f > -100 && f < 1000)
}

// Measure reads a number and its unit, blanks and dots in it aside.
func Measure(v, unit string) (float64, bool) {
	number := FirstField(v)
	f, ok := Decimal(number, 0)
	return f, ok && strings.NewReplacer(" ", "", ".", "", "\t", "").Replace(strings.ToLower(v[len(number):])) == unit
}

// Boolean reads Yes or No.
func Boolean(to *hsm.Opt[bool], v string) bool {
	yes, ok := YesNo(v)
	return Known(to, yes, ok)
}

// Whole reads the number at the start of v: "10", or "10 before ...".
func Whole(to *hsm.Opt[int64], v string) bool {
	n, ok := Amount(FirstField(v))
	return Known(to, n, ok)
}

func FirstKnown[T any](a, b hsm.Opt[T]) hsm.Opt[T] {
	if a.Known {
		return a
	}
	return b
}

// Count reads a whole number that is not negative, with or without "," at
// the thousands.
func Count(s string) (uint64, bool) {
	if s = thousands(s); s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil
}

// thousands takes the separators out of a number where each is in its place.
func thousands(s string) string {
	if !strings.Contains(s, ",") {
		return s
	}
	groups := strings.Split(s, ",")
	for i, g := range groups {
		if len(g) > 3 || len(g) == 0 || i > 0 && len(g) != 3 {
			return ""
		}
	}
	return strings.Join(groups, "")
}

// Amount is count in the range of int64.
func Amount(s string) (int64, bool) {
	n, ok := Count(s)
	return int64(n), ok && n <= 1<<63-1
}

// Decimal reads a decimal number times 10^exp, without the rounding error that
// a multiplication would add. There are no exponents, NaN or infinities.
func Decimal(s string, exp int) (float64, bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || len(digits) > 40 || digits[0] == '.' || strings.Count(digits, ".") > 1 || strings.Trim(digits, "0123456789.") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s+"e"+strconv.Itoa(exp), 64)
	return f, err == nil
}

// Percent reads a percentage as a ratio. Up to 10 % over 100 is an error of
// the device's clock and taken as 1.
func Percent(s string) (float64, bool) {
	f, ok := Decimal(strings.TrimSuffix(s, "%"), -2)
	if !ok || f < 0 || f > 1.1 {
		return 0, false
	}
	return min(f, 1), true
}

// FirstField returns the first blank separated field of s.
func FirstField(s string) string {
	s = strings.TrimLeft(s, " \t")
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i]
	}
	return s
}

// Known sets to to a value that was read, and passes on whether it was.
func Known[T any](to *hsm.Opt[T], v T, ok bool) bool {
	if ok {
		*to = hsm.Some(v)
	}
	return ok
}

// YesNo reads Yes and No, of any case, with or without a remark behind.
func YesNo(s string) (yes, ok bool) {
	switch strings.ToLower(strings.TrimRight(FirstField(s), ".!,")) {
	case "yes":
		return true, true
	case "no":
		return false, true
	}
	return false, false
}

func IsDigit(c byte) bool { return c >= '0' && c <= '9' }

func Number(s string) (n int64, ok bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	for i := range len(s) {
		if !IsDigit(s[i]) {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

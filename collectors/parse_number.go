package collectors

import (
	"strconv"
	"strings"

	"github.com/lunawatch/lunawatch/hsm"
)

// count reads a whole number that is not negative, with or without "," at
// the thousands.
func count(s string) (uint64, bool) {
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

// amount is count in the range of int64.
func amount(s string) (int64, bool) {
	n, ok := count(s)
	return int64(n), ok && n <= 1<<63-1
}

// decimal reads a decimal number times 10^exp, without the rounding error that
// a multiplication would add. There are no exponents, NaN or infinities.
func decimal(s string, exp int) (float64, bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || len(digits) > 40 || digits[0] == '.' || strings.Count(digits, ".") > 1 || strings.Trim(digits, "0123456789.") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s+"e"+strconv.Itoa(exp), 64)
	return f, err == nil
}

// percent reads a percentage as a ratio. Up to 10 % over 100 is an error of
// the device's clock and taken as 1.
func percent(s string) (float64, bool) {
	f, ok := decimal(strings.TrimSuffix(s, "%"), -2)
	if !ok || f < 0 || f > 1.1 {
		return 0, false
	}
	return min(f, 1), true
}

// first returns the first blank separated field of s.
func first(s string) string {
	s = strings.TrimLeft(s, " \t")
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i]
	}
	return s
}

// known sets to to a value that was read, and passes on whether it was.
func known[T any](to *hsm.Opt[T], v T, ok bool) bool {
	if ok {
		*to = hsm.Some(v)
	}
	return ok
}

// yesNo reads Yes and No, of any case, with or without a remark behind.
func yesNo(s string) (yes, ok bool) {
	switch strings.ToLower(strings.TrimRight(first(s), ".!,")) {
	case "yes":
		return true, true
	case "no":
		return false, true
	}
	return false, false
}

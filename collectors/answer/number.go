package answer

import (
	"strconv"
	"strings"
)

// IsDigit reports whether c is a decimal digit.
func IsDigit(c byte) bool { return c >= '0' && c <= '9' }

// IsDigits reports whether s is one or more decimal digits.
func IsDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// Number reads up to 18 decimal digits.
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

// Count reads a whole number that is not negative, with or without ",", "'" or one
// blank between thousands.
func Count(s string) (uint64, bool) {
	if s = withoutSeparators(s); s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil
}

// withoutSeparators removes what is between thousands; "" if it is misplaced.
func withoutSeparators(s string) string {
	i := strings.IndexAny(s, ",' ")
	if i < 0 {
		return s
	}
	groups := strings.Split(s, s[i:i+1])
	for i, g := range groups {
		if len(g) > 3 || len(g) == 0 || i > 0 && len(g) != 3 {
			return ""
		}
	}
	return strings.Join(groups, "")
}

// leading returns the number at the start of s, which a blank or nothing follows,
// with the digits that one blank parts from it; "" if there is none.
func leading(s string) string {
	end := 0
	for end < len(s) && (IsDigit(s[end]) || s[end] == ',' || s[end] == '\'' || s[end] == ' ' && end+1 < len(s) && IsDigit(s[end+1])) {
		end++
	}
	if end < len(s) && s[end] != ' ' && s[end] != '\t' {
		return ""
	}
	return s[:end]
}

// Amount is [Count] in the range of int64.
func Amount(s string) (int64, bool) {
	n, ok := Count(s)
	return int64(n), ok && n <= 1<<63-1
}

// Decimal reads a decimal number times 10^exp, without the rounding error that
// a multiplication would add. Exponents, NaN and infinities are refused.
func Decimal(s string, exp int) (float64, bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || len(digits) > 40 || digits[0] == '.' || strings.Count(digits, ".") > 1 || strings.Trim(digits, "0123456789.") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s+"e"+strconv.Itoa(exp), 64)
	return f, err == nil
}

// Percent reads a percentage as a ratio from 0 to 1. The clock of a device can
// make it up to 110 %, which is read as 1.
func Percent(s string) (float64, bool) {
	f, ok := Decimal(strings.TrimSuffix(s, "%"), -2)
	if !ok || f < 0 || f > 1.1 {
		return 0, false
	}
	return min(f, 1), true
}

// Measure reads a number and its unit, given in lower case, ignoring blanks and
// dots in the unit.
func Measure(v, unit string) (float64, bool) {
	number := FirstField(v)
	f, ok := Decimal(number, 0)
	return f, ok && strings.NewReplacer(" ", "", ".", "", "\t", "").Replace(strings.ToLower(v[len(number):])) == unit
}

// YesNo reads Yes or No, in any case, with or without a remark behind it.
func YesNo(s string) (yes, ok bool) {
	switch strings.ToLower(strings.TrimRight(FirstField(s), ".!,")) {
	case "yes":
		return true, true
	case "no":
		return false, true
	}
	return false, false
}

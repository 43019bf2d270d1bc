package answer

import (
	"strings"
	"time"
)

var months = [...]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

// MonthTime reads "Feb  1 11:06:55" in UTC, of the given year, at the start of s.
// rest is what follows.
func MonthTime(s string, year int) (at time.Time, rest string, ok bool) {
	if len(s) < 3 {
		return at, s, false
	}
	month := 0
	for i, m := range months {
		if s[:3] == m {
			month = i + 1
		}
	}
	day, rest := Token(strings.TrimLeft(s[3:], " \t"))
	clock, rest := Token(rest)
	d, ok := Number(day)
	h, m, sec, okClock := clockTime(clock)
	at = time.Date(year, time.Month(month), int(d), h, m, sec, 0, time.UTC)
	return at, rest, month > 0 && ok && okClock && d >= 1 && at.Day() == int(d)
}

// clockTime reads "11:06:55" and ignores a fraction of a second.
func clockTime(s string) (h, m, sec int, ok bool) {
	if len(s) > 9 && s[8] == '.' {
		s = s[:8]
	}
	if len(s) != 8 || s[2] != ':' || s[5] != ':' {
		return 0, 0, 0, false
	}
	a, ok1 := Number(s[:2])
	b, ok2 := Number(s[3:5])
	c, ok3 := Number(s[6:])
	return int(a), int(b), int(c), ok1 && ok2 && ok3 && a < 24 && b < 60 && c <= 60
}

// Package near finds what somebody who mistyped a name may have meant.
package near

import "strings"

// Name returns the one of all that is nearest to what: the first of those at the least
// Damerau-Levenshtein distance, in letters whose case does not count. "": what is
// empty, or none is within a third of its letters, or within 1 where that is less.
func Name(what string, all []string) string {
	if what == "" {
		return ""
	}
	letters := []rune(strings.ToLower(what))
	nearest, least := "", max(1, len(letters)/3)+1
	for _, name := range all {
		if d := distance(letters, []rune(strings.ToLower(name))); d < least {
			nearest, least = name, d
		}
	}
	return nearest
}

// distance returns how many letters must be changed, put in, left out or swapped with
// the next one to make b of a, where no letter is edited twice.
func distance(a, b []rune) int {
	var before []int // the row before last
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range b {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

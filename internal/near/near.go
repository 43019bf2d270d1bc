// Package near finds the name that somebody meant.
package near

// Name returns which of all is closest to what, and the first of several; "": none is
// close. The distance of Damerau and Levenshtein, which counts letters that are
// inserted, left out, replaced or exchanged with the next one, is a third of the
// letters of what at most.
func Name(what string, all []string) string {
	letters := []rune(what)
	least, closest := len(letters)/3+1, ""
	for _, name := range all {
		if d := distance(letters, []rune(name)); d < least {
			least, closest = d, name
		}
	}
	return closest
}

// distance exchanges no letter twice. It needs time by the product of the lengths.
func distance(a, b []rune) int {
	var before []int // the row before last
	last, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			replaced := last[j]
			if a[i] != b[j] {
				replaced++
			}
			row[j+1] = min(replaced, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, make([]int, len(b)+1)
	}
	return last[len(b)]
}

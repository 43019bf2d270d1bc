package doctor

import (
	"fmt"
	"io"
)

// Count returns how many findings there are in each state.
func Count(found []Finding) map[State]int {
	n := make(map[State]int)
	for _, f := range found {
		n[f.State]++
	}
	return n
}

// Print writes a line for each finding, and how many there are in each state.
func Print(w io.Writer, found []Finding) {
	for _, f := range found {
		fmt.Fprintln(w, f)
	}
	n, plural := Count(found), "s"
	if n[Warning] == 1 {
		plural = ""
	}
	fmt.Fprintf(w, "\n%d OK, %d warning%s, %d failed.\n", n[OK], n[Warning], plural, n[Failed])
}

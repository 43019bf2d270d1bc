package doctor

import (
	"fmt"
	"io"
	"sync"
)

// Progress returns what shows on a terminal how many tries have ended, and wipes that out
// with the last.
func Progress(w io.Writer) func(done, all int) {
	var mu sync.Mutex
	most := 0
	return func(done, all int) {
		mu.Lock()
		defer mu.Unlock()
		if most = max(most, done); most == all {
			fmt.Fprint(w, "\r\x1b[K")
			return
		}
		fmt.Fprintf(w, "\r%d of %d tried", most, all)
	}
}

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

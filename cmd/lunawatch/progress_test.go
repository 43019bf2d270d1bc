package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestProgress: a line is replaced, and wiped out at the end; what comes later is not shown,
// nor anything where nobody sits.
func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		p := &progress{w: &b}
		end := p.during(t.Context(), "waiting", 30*time.Second)
		time.Sleep(2500 * time.Millisecond)
		end()
		p.show("late")
		want := "\r\x1b[Kwaiting, 0 of 30s\r\x1b[Kwaiting, 1 of 30s\r\x1b[Kwaiting, 2 of 30s\r\x1b[K"
		if b.String() != want {
			t.Errorf("%q, want %q", &b, want)
		}
		progressOn(&b).show("to a file")
		if b.String() != want {
			t.Errorf("%q in a file", &b)
		}
	})
}

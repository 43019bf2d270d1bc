// Package check has assertions that tests of several packages share.
package check

import "testing"

// Must fails the test unless err is nil.
func Must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

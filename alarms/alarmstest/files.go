package alarmstest

import (
	"errors"
	"os"
	"testing"

	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

// Peer skips a test whose real peer is missing, loudly; CI must have it.
func Peer(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, netsnmp.ErrMissing) && os.Getenv("CI") != "true" {
		t.Skipf("SKIPPED: %v: apt-get install snmptrapd", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Overwrite writes a file that only its owner can read.
func Overwrite[F ~string](t *testing.T, file F, text string) {
	t.Helper()
	if err := os.WriteFile(string(file), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

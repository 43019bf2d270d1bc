package redact

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
)

// TestProductWordsStay: what logs say of HSMs can be read in a capture, and a replay
// finds the same alarms in it.
func TestProductWordsStay(t *testing.T) {
	r := New()
	for _, c := range alarms.Catalogue() {
		line := fmt.Sprintf("2026 Mar  1 12:00:00 local_host  kern info  kernel: k7pf0: [HSM] ALM%s: %s", c.Code, c.Text)
		if got := r.Prose(line); got != line {
			t.Errorf("%s\nbecomes %s", line, got)
		}
	}
	for _, line := range []string{
		"<6>Mar  1 12:00:00 local_host kernel: k7pf0: [HSM] Critical: Reboot request by driver, 0x80000030 at 35C, 3.093 V",
		"<30>1 2026-03-01T12:00:00.123456+01:00 local_host NTLS 5132 - - info : 0 : NTLS is shutting down : 127.0.0.1/1234",
		"6,1234,5678901234,-;k7pf0: [HSM] ALM2004: Battery depleted",
		"[12345.678901] k6pf0: tamper detected",
		"Failed password for invalid user admin from ::1 port 4711 ssh2",
		"hsm show: connect: dial tcp 127.0.0.1:22: connect: connection refused",
	} {
		if got := r.Prose(line); got != line {
			t.Errorf("%s\nbecomes %s", line, got)
		}
	}
}

// TestSame: an original always has the same substitute, of its shape, in every kind
// of text.
func TestSame(t *testing.T) {
	r := New()
	r.Learn("label", "Vault of Zürich 7")
	substitute := r.Answer("Vault of Zürich 7")
	for text, got := range map[string]string{
		"prose": r.Prose("say Vault of Zürich 7!"),
		"json":  r.JSON(`{"label": "Vault of Zürich 7"}`),
	} {
		if !strings.Contains(got, substitute) {
			t.Errorf("%s: %q does not have %q", text, got, substitute)
		}
	}
	if strings.ContainsAny(substitute, "ü") || len([]rune(substitute)) != len([]rune("Vault of Zürich 7")) || strings.Contains(substitute, "Vault") {
		t.Errorf("%q", substitute)
	}
	if other := New(); other.Answer("Zürich") == r.Answer("Zürich") {
		t.Error("two captures have the same substitute")
	}
}

// TestVocabulary: it is sorted, in lower case, and without repetitions, so that a
// change of it can be read.
func TestVocabulary(t *testing.T) {
	words := strings.Split(strings.TrimSuffix(vocabularyText, "\n"), "\n")
	for i, w := range words {
		if w == "" || w != strings.ToLower(w) || i > 0 && words[i-1] >= w {
			t.Errorf("line %d: %q", i+1, w)
		}
	}
	if !slices.Contains(words, "tamper") || len(words) < 1000 {
		t.Errorf("%d words", len(words))
	}
}

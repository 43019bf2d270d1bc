package hsm

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// noise cannot be deflated.
func noise(n int) string {
	r, b := rand.New(rand.NewPCG(1, uint64(n))), make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

func TestAnswers(t *testing.T) {
	var s Answers
	s.Keep("a", "hsm show", noon, "first")
	s.Keep("a", "hsm show", noon.Add(time.Minute), "second")
	s.Keep("a", "hsm show", noon.Add(time.Hour), "")
	s.Keep("a", "client list", noon, "x")
	s.Keep("b", "hsm show", noon, strings.Repeat("x", maxAnswer+1))
	show := Answer{Source: "hsm show", At: noon.Add(time.Minute), Text: "second"}
	if got := s.Of("a", "hsm show"); !slices.Equal(got, []Answer{show}) {
		t.Errorf("%+v", got)
	}
	if got := s.Of("a", ""); !slices.Equal(got, []Answer{{Source: "client list", At: noon, Text: "x"}, show}) {
		t.Errorf("%+v", got)
	}
	if got := s.Of("b", "hsm show"); len(got) != 1 || len(got[0].Text) != maxAnswer || !got[0].Cut {
		t.Errorf("of a longer answer: %.200v", got)
	}
	s.Forget("a")
	if got := s.Of("a", ""); got != nil {
		t.Errorf("of a device that was forgotten: %v", got)
	}
}

// TestAnswersBounded: the oldest answers go, by when they came and not by their names.
func TestAnswersBounded(t *testing.T) {
	var s Answers
	const n = 100
	for i := range n {
		s.Keep(fmt.Sprint(n-i), "hsm show", noon.Add(time.Duration(i)*time.Second), noise(maxAnswer))
	}
	if s.size > maxKept || s.size < maxKept-2*maxAnswer || s.byAge.Len() != len(s.kept) {
		t.Errorf("%d bytes in %d answers, of which %d have names", s.size, s.byAge.Len(), len(s.kept))
	}
	if got := s.Of("100", ""); got != nil {
		t.Error("the oldest is there")
	}
	if got := s.Of("1", ""); len(got) != 1 || got[0].Text != noise(maxAnswer) {
		t.Error("the newest is not as it was")
	}
}

func BenchmarkAnswers(b *testing.B) {
	var s Answers
	text := strings.Repeat("    Partition Serial Number: 1234567890\n    Used: 17 of 128000 bytes\n", 40)
	for b.Loop() {
		s.Keep("a", "hsm show", noon, text)
	}
	b.SetBytes(int64(len(text)))
}

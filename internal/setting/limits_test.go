package setting

import (
	"testing"
	"time"
)

// TestLimits has values on both sides of every kind of bound.
func TestLimits(t *testing.T) {
	type section struct {
		Least  int                      `yaml:"least" range:"0.."`
		Both   float64                  `yaml:"both" range:">0..1"`
		Below  time.Duration            `yaml:"below" range:"0,1s..<30s"`
		Counts []int64                  `yaml:"counts" range:"0,2.."`
		ByName map[string]time.Duration `yaml:"by_name" range:"0.."`
		Word   string                   `yaml:"word" words:"one two"`
		Words  []string                 `yaml:"words" words:"one two"`
		Free   int                      `yaml:"free"`
	}
	good := section{Least: 0, Both: 1, Below: time.Second, Counts: []int64{0, 2}, ByName: map[string]time.Duration{"a": 0}, Words: []string{"two"}, Free: -1}
	if err := Limits(&good); err != nil {
		t.Error(err)
	}
	bad := section{Least: -1, Both: 0, Below: 30 * time.Second, Counts: []int64{2, 1}, ByName: map[string]time.Duration{"b c": -1, "a": -time.Hour}, Word: "three", Words: []string{"one", "tow"}}
	want := `least: -1 is out of range; 0 or more is allowed
both: 0 is out of range; more than 0 and at most 1 is allowed
below: 30s is out of range; 0, or 1s to less than 30s is allowed
counts[1]: 1 is out of range; 0, or 2 or more is allowed
by_name.a: -1h0m0s is out of range; 0 or more is allowed
by_name."b c": -1ns is out of range; 0 or more is allowed
word: "three" is none of one, two
words[1]: "tow" is none of one, two`
	if err := Limits(bad); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	bad = section{Below: 999 * time.Millisecond, Both: 1.1}
	want = "both: 1.1 is out of range; more than 0 and at most 1 is allowed\nbelow: 999ms is out of range; 0, or 1s to less than 30s is allowed"
	if err := Limits(bad); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

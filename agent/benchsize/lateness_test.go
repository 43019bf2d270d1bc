package main

import (
	"slices"
	"testing"
)

func TestLateness(t *testing.T) {
	for _, c := range []struct {
		name  string
		pages []map[string]float64 // of one scrape each
		from  float64
		end   float64
		want  []float64
	}{
		{"one that is never read again is late at the end", []map[string]float64{{"a": 100}, {"a": 100}}, 100, 220, []float64{60}},
		{"one that is not yet due is not", []map[string]float64{{"a": 100}}, 100, 130, nil},
		{"a read counts once", []map[string]float64{{"a": 100}, {"a": 162}, {"a": 162}}, 100, 170, []float64{2}},
		{"early is below zero", []map[string]float64{{"a": 100}, {"a": 157}}, 100, 170, []float64{-3}},
		{"reads of the warm-up do not count", []map[string]float64{{"a": 10}, {"a": 90}, {"a": 151}}, 100, 160, []float64{1}},
		{"several HSMs", []map[string]float64{{"a": 100, "b": 110}, {"a": 161, "b": 110}, {"a": 161, "b": 175}}, 100, 180, []float64{1, 5}},
		{"one that appears later", []map[string]float64{{"a": 100}, {"a": 160, "b": 161}}, 100, 170, []float64{0}},
	} {
		var r rhythm
		for _, p := range c.pages {
			r.add(p)
		}
		got := r.lateness(60, c.from, c.end)
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestQuantile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	for _, c := range []struct {
		values []float64
		q      float64
		want   float64
	}{{hundred, 0.99, 99}, {hundred, 0.5, 50}, {hundred, 1, 100}, {[]float64{7}, 0.99, 7}, {[]float64{1, 2, 3}, 0.99, 3}} {
		if got, known := quantile(c.values, c.q); got != c.want || !known {
			t.Errorf("%v of %v is %v, want %v", c.q, c.values, got, c.want)
		}
	}
	if _, known := quantile(nil, 0.99); known {
		t.Error("of nothing, something is known")
	}
}

func TestLatenessWithoutSome(t *testing.T) {
	r := rhythm{"hsm-01": {100}, "hsm-11": {100, 163}, "hsm-12": {100, 160}}
	got := r.without("hsm-0*").lateness(60, 100, 200)
	slices.Sort(got)
	if want := []float64{0, 3}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if n := len(r.without("")); n != 2 {
		t.Errorf("%d are left of 2", n)
	}
}

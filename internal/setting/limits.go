package setting

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits returns a [Fault] for each field of a section, or element of one, that is not
// in the range of its tag range, or is none of the words of its tag words. It does not
// look into sections below, nor into embedded ones.
//
// A range has alternatives with commas between: a value, or two with ".." between. One
// of them may be left out; > before the first or < before the second excludes it. An
// empty text is always allowed, since it is what is not set.
func Limits(section any) error {
	var errs []error
	v := reflect.Indirect(reflect.ValueOf(section))
	for f, value := range v.Fields() {
		key := f.Tag.Get("yaml")
		if r := Range(f.Tag.Get("range")); r != "" {
			each(key, value, func(at string, v reflect.Value) {
				if !r.holds(v) {
					errs = append(errs, Faultf(at, "%v is out of range; %s is allowed", v.Interface(), r))
				}
			})
		}
		if words := strings.Fields(f.Tag.Get("words")); len(words) > 0 {
			each(key, value, func(at string, v reflect.Value) {
				if v.Kind() == reflect.String && v.String() != "" && !slices.Contains(words, v.String()) {
					errs = append(errs, Faultf(at, "%s is none of %s", Shown(at, v.String()), strings.Join(words, ", ")))
				}
			})
		}
	}
	return errors.Join(errs...)
}

// each calls do with a value at a key, or with its elements.
func each(key string, v reflect.Value, do func(at string, v reflect.Value)) {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			do(fmt.Sprintf("%s[%d]", key, i), v.Index(i))
		}
	case reflect.Map:
		byName, _ := reflect.TypeAssert[map[string]time.Duration](v)
		for _, name := range slices.Sorted(maps.Keys(byName)) {
			do(key+"."+Key(name), reflect.ValueOf(byName[name]))
		}
	default:
		do(key, v)
	}
}

// A Range is the tag range of a field.
type Range string

// A Span is one alternative of a [Range]; "": without a bound.
type Span struct {
	Low, High           string
	AboveLow, BelowHigh bool // the bound itself is not allowed
}

// Spans returns the alternatives of r.
func (r Range) Spans() (all []Span) {
	for part := range strings.SplitSeq(string(r), ",") {
		low, high, isSpan := strings.Cut(part, "..")
		if !isSpan {
			high = low
		}
		var s Span
		s.Low, s.AboveLow = strings.CutPrefix(low, ">")
		s.High, s.BelowHigh = strings.CutPrefix(high, "<")
		all = append(all, s)
	}
	return all
}

// String returns r in words: 1 to 86400, more than 0 and at most 1, 0, or 1s or more.
func (r Range) String() string {
	var parts []string
	for _, s := range r.Spans() {
		parts = append(parts, s.String())
	}
	return strings.Join(parts, ", or ")
}

// String returns s in words.
func (s Span) String() string {
	switch {
	case s.Low == s.High:
		return s.Low
	case s.High == "" && s.AboveLow:
		return "more than " + s.Low
	case s.High == "":
		return s.Low + " or more"
	case s.AboveLow && s.BelowHigh:
		return "more than " + s.Low + " and less than " + s.High
	case s.AboveLow:
		return "more than " + s.Low + " and at most " + s.High
	case s.BelowHigh:
		return s.Low + " to less than " + s.High
	}
	return s.Low + " to " + s.High
}

func (r Range) holds(v reflect.Value) bool {
	if v.CanFloat() && math.IsNaN(v.Float()) {
		return false
	}
	return slices.ContainsFunc(r.Spans(), func(s Span) bool {
		return s.Low == "" || above(v, s.Low, s.AboveLow) && (s.High == "" || below(v, s.High, s.BelowHigh))
	})
}

func above(v reflect.Value, bound string, without bool) bool {
	c := compare(v, bound)
	return c > 0 || c == 0 && !without
}

func below(v reflect.Value, bound string, without bool) bool {
	c := compare(v, bound)
	return c < 0 || c == 0 && !without
}

// compare compares v, a duration or a number, with a bound of a tag.
func compare(v reflect.Value, bound string) int {
	if d, ok := reflect.TypeAssert[time.Duration](v); ok {
		b, _ := time.ParseDuration(bound)
		return int(max(-1, min(1, d-b)))
	}
	b, _ := strconv.ParseFloat(bound, 64)
	f := 0.0
	if v.CanInt() {
		f = float64(v.Int())
	} else {
		f = v.Float()
	}
	switch {
	case f < b:
		return -1
	case f > b:
		return 1
	}
	return 0
}

package act

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/again"
)

// PreviewOf returns what a silence would hide of the active alarms. It needs no author and
// no reason.
func PreviewOf(s alarms.Silence, active []alarms.Active, now time.Time) (Preview, error) {
	s, err := begun(s, now)
	if err != nil {
		return Preview{}, err
	}
	whole := s
	whole.Author, whole.Reason = "somebody", "a preview"
	if err := whole.Validate(); err != nil {
		return Preview{}, err
	}
	p := Preview{Silence: s, Wide: s.Wide(), Hides: []alarms.Active{}}
	for _, a := range active {
		if s.Covers(a.Alarm) {
			p.Hides = append(p.Hides, a)
		}
	}
	return p, nil
}

// begun returns s with a beginning; an error: it has ended already.
func begun(s alarms.Silence, now time.Time) (alarms.Silence, error) {
	if s.From.IsZero() {
		s.From = now
	}
	if !s.Until.After(now) {
		return s, fmt.Errorf("a silence until %s has already ended; name a later end", s.Until.Format(timeLayout))
	}
	return s, nil
}

// lengths are those that the form of a silence offers.
var lengths = []time.Duration{time.Hour, 4 * time.Hour, 12 * time.Hour, 24 * time.Hour, 3 * 24 * time.Hour, 7 * 24 * time.Hour}

// A Length is one that the form of a silence offers.
type Length struct{ Value, Text string }

// Lengths returns those that the form of a silence offers, the shortest first.
func Lengths() (list []Length) {
	for _, d := range lengths {
		text := fmt.Sprintf("%d hours", d/time.Hour)
		switch {
		case d == time.Hour:
			text = "1 hour"
		case d > 24*time.Hour:
			text = fmt.Sprintf("%d days", d/(24*time.Hour))
		}
		list = append(list, Length{d.String(), text})
	}
	return list
}

// ClockForm is how a form has a time, on the agent's clock.
const ClockForm = "2006-01-02T15:04"

// SilenceOf returns the silence of a form. hsms, groups and objects are patterns, with
// commas between them; hsm, group and object are names as they are. Of these, kind "hsm"
// takes the HSM only, and kind "group" the group. for is how long it lasts; from, when it
// begins; every, day or week if it comes again; reason, why.
func SilenceOf(form url.Values, by string, now time.Time) (alarms.Silence, error) {
	s := alarms.Silence{Author: by, Reason: strings.TrimSpace(form.Get("reason")), From: now}
	of := form.Get("of")
	s.Match.HSMs = selected(form, "hsms", "hsm", of != "group")
	s.Match.Groups = selected(form, "groups", "group", of != "hsm")
	s.Match.Objects = selected(form, "objects", "object", of == "")
	if text := form.Get("severity"); text != "" {
		if err := s.Match.Severity.UnmarshalText([]byte(text)); err != nil {
			return s, fmt.Errorf("severity %w", err)
		}
	}
	if text := form.Get("from"); text != "" {
		from, err := time.ParseInLocation(ClockForm, text, now.Location())
		if err != nil {
			return s, fmt.Errorf("the beginning %q is not a time such as 2026-03-01T22:00", text)
		}
		s.From = from
	}
	length, err := time.ParseDuration(form.Get("for"))
	if err != nil || !slices.Contains(lengths, length) {
		return s, fmt.Errorf("%q is not a length that is offered", form.Get("for"))
	}
	s.Until = s.From.Add(length)
	switch form.Get("every") {
	case "":
	case "day":
		s.Every = &again.Every{Days: 1}
	case "week":
		s.Every = &again.Every{Days: 7}
	default:
		return s, fmt.Errorf("every %q is neither day nor week", form.Get("every"))
	}
	return s, nil
}

// selected returns the patterns of a form.
func selected(form url.Values, patterns, names string, take bool) (list []string) {
	list = strings.FieldsFunc(form.Get(patterns), func(r rune) bool { return r == ',' || r == ' ' })
	if take {
		for _, name := range form[names] {
			list = append(list, quoted.Replace(name))
		}
	}
	return list
}

// quoted makes a pattern of a name, that matches nothing else.
var quoted = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

// FromOwnPage returns why a form is not one of our own pages, as a browser says it. No
// browser leaves both headers out; a form of another site, which would act in the name of
// who is logged in, cannot have them as ours. There is no token, since there is no session
// that it could be of: whoever acts shows his name at each request.
func FromOwnPage(r *http.Request) error {
	if r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
		return errors.New("it is not said which page this comes from: act on the page of this agent, in a browser, or over the JSON API")
	}
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return fmt.Errorf("this comes from the page of another site, or by a name that this agent does not have: %w", err)
	}
	return nil
}

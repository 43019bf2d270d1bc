package memory

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// Stated is what sources have stated of what people change on purpose: by source, and by
// object (firmware, policy 12). It is never changed in place.
type Stated map[string]map[string]string

// With returns s with a value that a source has stated of an object.
func (s Stated) With(source, object, value string) Stated {
	if s[source][object] == value {
		return s
	}
	next, of := Stated{}, map[string]string{}
	maps.Copy(next, s)
	maps.Copy(of, s[source])
	of[object], next[source] = value, of
	return next
}

// A Change is another value of an object than the same source stated before.
type Change struct {
	Object string // firmware, policy 12
	Value  string // the new one
	Text   string
	At     time.Time // when it was asked for
}

// Changes returns what is fresh at now, was asked for no earlier than since, and is not
// as in s. Upper and lower case are the same.
func (s Stated) Changes(d *hsm.Device, since, now time.Time) (list []Change) {
	for _, x := range statements(d, since, now) {
		if before := s[x.source][x.object]; before != "" && !strings.EqualFold(before, x.value) {
			list = append(list, Change{x.object, x.value, fmt.Sprintf("%s%s is %s, before %s", x.object, x.meaning, x.value, before), x.at})
		}
	}
	return list
}

// Read returns s with what is fresh at now, and was asked for no earlier than since.
func (s Stated) Read(d *hsm.Device, since, now time.Time) Stated {
	for _, x := range statements(d, since, now) {
		s = s.With(x.source, x.object, x.value)
	}
	return s
}

// A statement is what a source states of an object.
type statement struct {
	source  string
	object  string // firmware, policy 12
	meaning string // of a policy
	value   string // never empty
	at      time.Time
}

// statements returns what is stated of the firmware and of the policies of the HSM that
// can be set: those have a number.
func statements(d *hsm.Device, since, now time.Time) (list []statement) {
	show, fresh := d.Show.Get(now)
	if at := d.Show.Asked(); fresh && !at.Before(since) && show.Firmware != "" {
		list = append(list, statement{d.Show.Source, "firmware", "", show.Firmware, at})
	}
	policies, fresh := d.Policies.Get(now)
	at := d.Policies.Asked()
	if !fresh || at.Before(since) {
		return list
	}
	seen := make(map[int64]bool)
	for _, x := range policies.Policies {
		if x.ID.Known && x.Value != "" && !seen[x.ID.Value] && len(seen) < mostRemembered {
			seen[x.ID.Value] = true
			list = append(list, statement{d.Policies.Source, "policy " + strconv.FormatInt(x.ID.Value, 10), " (" + x.Description + ")", x.Value, at})
		}
	}
	return list
}

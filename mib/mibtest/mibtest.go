// Package mibtest has what the tests of tables share.
package mibtest

import (
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// Now is the time of the tests.
var Now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Seen returns a Snapshot with the given facts of each device, which are valid for a minute from Now.
func Seen(facts map[string][]hsm.Fact) *hsm.Snapshot {
	s := &hsm.Snapshot{}
	for device, list := range facts {
		s = s.With(hsm.Observation{Device: device, Source: "test", At: Now, MaxAge: time.Minute, Facts: list})
	}
	return s
}

// Value returns what the View of src has at an OID; its Type is 0 for nothing.
func Value(t *testing.T, tables mib.Tables, src mib.Source, oid agentx.OID) agentx.Value {
	t.Helper()
	view, err := tables.Build(src)
	if err != nil {
		t.Fatal(err)
	}
	encoded, ok := view.Get(oid)
	if !ok {
		return agentx.Value{}
	}
	v, err := agentx.DecodeValue(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

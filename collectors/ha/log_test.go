package ha

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

func TestParseHALine(t *testing.T) {
	const prefix = "Wed Oct  4 16:29:21 2017 : [17] HA group: 11238700788101 "
	at := hsm.Some(time.Date(2017, 10, 4, 16, 29, 21, 0, time.UTC))
	for line, want := range map[string]hsm.HAEvent{
		prefix + "has dropped member: 154438888102": {Kind: hsm.HADropMember, Member: "154438888102"},
		prefix + "HAS DROPPED MEMBER:154438888102.": {Kind: hsm.HADropMember, Member: "154438888102"},
		prefix + "has dropped":                      {Kind: hsm.HAUnknown},
		prefix + "recovery attempt 12 failed for member: 154438888102. Code: 8000002B :": {
			Kind: hsm.HARecoveryFailed, Member: "154438888102", Attempt: hsm.Some[int64](12), Code: "0x8000002B", CodeName: "CKR_DEVICE_TIMEOUT"},
		prefix + "recovery attempt #1 failed for member: 154438888102. Code: 0xFFFFFFF0": {
			Kind: hsm.HARecoveryFailed, Member: "154438888102", Attempt: hsm.Some[int64](1), Code: "0xFFFFFFF0"},
		prefix + "recovery attempt #1 failed for member: 154438888102. Code: none : CKR_X": {
			Kind: hsm.HARecoveryFailed, Member: "154438888102", Attempt: hsm.Some[int64](1)},
		prefix + "recovery attempt #2 reintroducing 40 token objects to recovered token 3": {
			Kind: hsm.HAReintroducing, Attempt: hsm.Some[int64](2), Objects: hsm.Some[int64](40)},
		prefix + "recovery attempt #7 is not activated and cannot be reintroduced": {
			Kind: hsm.HARecoveryNotActivated, Attempt: hsm.Some[int64](7)},
		prefix + "something new, Code: 30 : CKR_DEVICE_ERROR": {
			Kind: hsm.HAUnknown, Code: "0x00000030", CodeName: "CKR_DEVICE_ERROR"},
	} {
		want.Time, want.PID, want.Group, want.Text = at, hsm.Some[int64](17), "11238700788101", strings.TrimPrefix(line, prefix)
		if got := ParseLine(line); got != want {
			t.Errorf("%q:\n got %+v\nwant %+v", line, got, want)
		}
	}
	for _, line := range []string{"", "x", "Wed Oct  4 16:29:21 2017", "Wed Oct 32 16:29:21 2017 : [1] HA group: 1 x",
		"Wed Feb 29 16:29:21 2017 : [1] HA group: 1 x", "Wed Oct  4 16:29:21 2017 : HA group: 1 x", "Wed Oct  4 16:29:21 17 : [1] HA group: 1 x"} {
		if got := ParseLine(line); got != (hsm.HAEvent{Kind: hsm.HAUnknown, Text: line}) {
			t.Errorf("%q: %+v", line, got)
		}
	}
	if got := ParseLine("Wed Feb 29 01:02:03 2012 : [1] HA subsystem server vault.example connected\r"); got.Kind != hsm.HAServerConnected ||
		got.Server != "vault.example" || !got.Time.Value.Equal(time.Date(2012, 2, 29, 1, 2, 3, 0, time.UTC)) {
		t.Errorf("leap day: %+v", got)
	}
}

// TestHAKinds checks that the fixtures have a line of every kind.
func TestHAKinds(t *testing.T) {
	lines := logLines(t)
	seen := make(map[hsm.HAEventKind]bool)
	for _, line := range lines {
		seen[ParseLine(line).Kind] = true
	}
	for _, f := range forms {
		if !seen[f.kind] {
			t.Errorf("no line of kind %s", f.kind)
		}
	}
}

func logLines(t testing.TB) []string {
	var all []string
	for _, f := range []string{"../formats/testdata/6.2/ha-log.txt", "../formats/testdata/7.2/ha-log.txt"} {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.Split(strings.TrimSpace(string(b)), "\n")...)
	}
	return all
}

func FuzzHALine(f *testing.F) {
	for _, line := range logLines(f) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		e := ParseLine(line)
		if _, err := json.Marshal(e); err != nil {
			t.Error(err)
		}
		if e.Kind == "" || len(e.Text) > 3*len(line) || e.Kind != hsm.HAUnknown && !e.PID.Known {
			t.Errorf("%q: %+v", line, e)
		}
		if e.Member != "" && !strings.Contains(answer.Clean(line), e.Member) {
			t.Errorf("%q: member %q", line, e.Member)
		}
	})
}

func BenchmarkParseHALine(b *testing.B) {
	lines := logLines(b)
	n := 0
	for _, l := range lines {
		n += len(l) + 1
	}
	b.SetBytes(int64(n / len(lines)))
	for i := 0; b.Loop(); i++ {
		ParseLine(lines[i%len(lines)])
	}
}

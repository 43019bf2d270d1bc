package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
)

func openJournal(t testing.TB, dir string) *Journal {
	t.Helper()
	j, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	if sharing {
		j.Share = new(agents).join("a")
	}
	return j
}

// entry is one of everything.
func entry() Entry {
	s := alarms.NewState()
	changes := alarms.Eval(s, alarmstest.Join(alarmstest.Coded(0, "2012"), alarmstest.Coded(0, "2003")), alarms.Damping{}, alarmstest.At(0))
	changes[0].Alarm.Evidence[0].Log = &alarms.LogPlace{Host: "h", File: "messages", Time: "x", Process: "kernel"}
	return Entry{
		Changes: changes, Events: map[string]alarms.Events{"a": {Critical: 1, Other: 2}}, File: "/log", Cursor: []byte("here"),
		Notify:   map[string][]alarms.Notification{"noc": {{ID: "1", At: alarmstest.At(0), Change: changes[0], Address: "192.0.2.1:22"}, {ID: "2", At: alarmstest.At(0), Change: changes[1]}}},
		Notified: map[string]map[alarms.Key]alarms.Notified{"noc": {changes[0].Alarm.Key: changes[0].Notified(alarmstest.At(0))}},
	}
}

func TestJournalRemembers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "when", "missing")
	j := openJournal(t, dir)
	e := entry()
	if err := j.Write(e); err != nil {
		t.Fatal(err)
	}
	j.Close()
	j = openJournal(t, dir)
	got, err := j.Load()
	if err != nil {
		t.Fatal(err)
	}
	want := State{State: alarms.NewState(), Unnotified: map[alarms.Key]alarms.Alarm{}, Notified: e.Notified}
	want.Apply(e.Changes)
	want.Events = e.Events
	clear(want.Raises)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	for file, want := range map[string]string{"/log": "here", "/other": ""} {
		if c, err := j.Cursor(file); err != nil || string(c) != want {
			t.Errorf("cursor of %s: %q, %v", file, c, err)
		}
	}
	for i, want := range e.Notify["noc"] {
		n, waiting, err := j.Waiting("noc")
		want.Sequence = uint64(i + 1)
		if diff := cmp.Diff(want, n); diff != "" || waiting != 2-i || err != nil {
			t.Errorf("%d wait, error %v (-want +got):\n%s", waiting, err, diff)
		}
		if err := j.Done("noc", n.Sequence); err != nil {
			t.Fatal(err)
		}
	}
	if _, waiting, err := j.Waiting("noc"); waiting != 0 || err != nil {
		t.Errorf("%d wait, error %v", waiting, err)
	}
	if _, waiting, err := j.Waiting("nobody"); waiting != 0 || err != nil {
		t.Errorf("%d wait for nobody, error %v", waiting, err)
	}
	cleared := alarms.Eval(want.State, alarmstest.Coded(9, "2013"), alarms.Damping{}, alarmstest.At(9))
	if err := j.Write(Entry{Changes: cleared}); err != nil {
		t.Fatal(err)
	}
	if got, err = j.Load(); err != nil || len(got.Active) != 1 || len(got.Unnotified) != 1 || got.Number != 2 {
		t.Errorf("%+v, error %v", got, err)
	}
	if list, err := j.History(9); err != nil || len(list) != 1 || list[0].Group != "stm" {
		t.Errorf("history %+v, error %v", list, err)
	}
}

// TestKeysAreApart has keys that print alike not be confused.
func TestKeysAreApart(t *testing.T) {
	j := openJournal(t, t.TempDir())
	for _, k := range []alarms.Key{{Device: "a", Group: "b", Object: "c"}, {Device: "a/b", Group: "c"}, {Device: "a", Group: "b", Object: "c (test)"}, {Device: "a", Group: "b", Object: "c", Test: true}} {
		if err := j.Write(Entry{Changes: []alarms.Change{{Kind: alarms.Raised, Alarm: alarms.Alarm{Key: k, Number: 1}}}}); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := j.Load(); err != nil || len(s.Active) != 4 {
		t.Errorf("%d alarms of 4, error %v", len(s.Active), err)
	}
}

// TestWriteIsWhole fails at the last part of an entry, after all others.
func TestWriteIsWhole(t *testing.T) {
	j := openJournal(t, t.TempDir())
	e := entry()
	e.File = strings.Repeat("x", bbolt.MaxKeySize+1)
	err := j.Write(e)
	if err == nil || !strings.Contains(err.Error(), "state.db not written") || !strings.Contains(err.Error(), "free space there") {
		t.Fatalf("got %v", err)
	}
	s, err := j.Load()
	if err != nil || len(s.Active) != 0 || len(s.Events) != 0 {
		t.Errorf("%+v, error %v", s, err)
	}
	if _, waiting, err := j.Waiting("noc"); waiting != 0 || err != nil {
		t.Errorf("%d wait, error %v", waiting, err)
	}
	e.File = "/log"
	if err := j.Write(e); err != nil {
		t.Fatal(err)
	}
	if n, waiting, _ := j.Waiting("noc"); waiting != 2 || n.Sequence != 1 {
		t.Errorf("%d wait, the first is %d", waiting, n.Sequence)
	}
}

// TestDamagedStateIsQuarantined damages a state in several ways.
func TestDamagedStateIsQuarantined(t *testing.T) {
	t.Parallel()
	whole := t.TempDir()
	j := openJournal(t, whole)
	for i := range 200 { // some pages
		e := entry()
		e.File = fmt.Sprint(i)
		if err := j.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	j.Close()
	good, err := os.ReadFile(filepath.Join(whole, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	for name, damage := range map[string]func(b []byte) []byte{
		"not a database": func([]byte) []byte { return bytes.Repeat([]byte("all work and no play\n"), 1000) },
		"empty":          func([]byte) []byte { return nil },
		"a few bytes":    func(b []byte) []byte { return b[:10] },
		"cut off":        func(b []byte) []byte { return b[:4*page] },
		"no beginning":   func(b []byte) []byte { clear(b[:2*page]); return b },
		"zeroes within":  func(b []byte) []byte { clear(b[2*page:]); return b },
		"noise within": func(b []byte) []byte {
			for i := range b[2*page:] {
				b[2*page+i] = byte(i*7 + i>>8)
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "state.db")
			bad := damage(bytes.Clone(good))
			if err := os.WriteFile(file, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			j := openJournal(t, dir)
			if !strings.HasPrefix(j.Quarantined(), file+".damaged-") {
				t.Fatalf("quarantined as %q", j.Quarantined())
			}
			if after, err := os.ReadFile(j.Quarantined()); err != nil || !bytes.Equal(after, bad) {
				t.Errorf("the file was changed: %v", err)
			}
			if err := j.Write(entry()); err != nil {
				t.Error(err)
			}
		})
	}
	if j := openJournal(t, whole); j.Quarantined() != "" {
		t.Errorf("an intact one is quarantined as %s", j.Quarantined())
	}
}

// TestStateIsGone: a state that was deleted is no first start, and what receivers
// took to be active is known from beside it.
func TestStateIsGone(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir)
	if what, open := j.Damage(); what != "" || open != nil {
		t.Errorf("a first start: %q, %v", what, open)
	}
	want := Incidents{"pd": {"a/halt", "b/zeroize"}}
	if err := j.StoreIncidents(want); err != nil {
		t.Fatal(err)
	}
	j.Close()
	j = openJournal(t, dir)
	if what, open := j.Damage(); what != "" || open != nil {
		t.Errorf("a second start: %q, %v", what, open)
	}
	j.Close()
	if err := os.Remove(filepath.Join(dir, "state.db")); err != nil {
		t.Fatal(err)
	}
	what, open := openJournal(t, dir).Damage()
	if !strings.Contains(what, "is gone") || !cmp.Equal(open, want) {
		t.Errorf("deleted: %q, %v", what, open)
	}
}

// TestClockWasAhead: what a wrong clock stored in the future is moved back.
func TestClockWasAhead(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir)
	later := time.Now().Add(time.Hour)
	key := alarms.Key{Device: "a", Group: "stm"}
	a := alarms.Alarm{Key: key, Number: 1, Raised: later.Add(-time.Minute), Last: later, Expires: later.Add(time.Minute), Evidence: []alarms.Evidence{{At: later}}}
	err := j.Write(Entry{Changes: []alarms.Change{{Kind: alarms.Raised, Alarm: a}}, Notified: map[string]map[alarms.Key]alarms.Notified{"noc": {key: {Number: 1, Kind: alarms.Raised, At: later}}}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := j.Load()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	got := s.Active[key]
	if got.Last.After(now) || got.Evidence[0].At.After(now) || got.Last.Sub(got.Raised) != time.Minute || got.Expires.Sub(got.Last) != time.Minute || s.Notified["noc"][key].At.After(now) {
		t.Errorf("%+v, %+v", got, s.Notified)
	}
	if s.Ahead < 59*time.Minute || s.Ahead > time.Hour {
		t.Errorf("%s ahead", s.Ahead)
	}
}

// TestAnyPageDamaged cuts a state off at each page, and clears each page in
// turn: that is found, or it was a page that nothing is in.
func TestAnyPageDamaged(t *testing.T) {
	whole := t.TempDir()
	j := openJournal(t, whole)
	var size int64
	for i := range 3 {
		e := entry()
		e.Cursor = bytes.Repeat([]byte{byte(i)}, 10_000)
		if err := j.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.db.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil }); err != nil {
		t.Fatal(err)
	}
	want, err := j.Load()
	if err != nil {
		t.Fatal(err)
	}
	j.Close()
	good, err := os.ReadFile(filepath.Join(whole, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	opened := func(b []byte) (State, error) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "state.db"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := openFile(filepath.Join(dir, "state.db"))
		if err != nil {
			return State{}, err
		}
		defer j.Close()
		return j.Load()
	}
	found, page := 0, os.Getpagesize()
	for at := page; at < int(size); at += page {
		if _, err := opened(good[:at]); !errors.Is(err, errDamaged) {
			t.Errorf("cut off at %d of %d: %v", at, size, err)
		}
		b := bytes.Clone(good)
		clear(b[at : at+page])
		switch got, err := opened(b); {
		case errors.Is(err, errDamaged):
			found++
		case err != nil || !cmp.Equal(want, got):
			t.Errorf("page %d cleared: %v", at/page, err)
		}
	}
	if found < 3 {
		t.Errorf("%d damaged pages found", found)
	}
}

func TestUnreadableAlarm(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir)
	err := j.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(activeBucket).Put([]byte("k"), []byte("{")) })
	if err != nil {
		t.Fatal(err)
	}
	j.Close()
	if j = openJournal(t, dir); j.Quarantined() == "" {
		t.Error("not quarantined")
	}
}

func TestOneAgentPerState(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := openJournal(t, dir)
	_, err := Open(dir)
	if err == nil || !strings.Contains(err.Error(), "another agent runs with this state_directory") {
		t.Fatalf("got %v", err)
	}
	first.Close()
	openJournal(t, dir)
}

func TestUnusableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below"), "/proc/lunawatch"} {
		_, err := Open(dir)
		if err == nil || !strings.Contains(err.Error(), "make it writable for the agent's user") || !strings.Contains(err.Error(), strings.TrimSuffix(dir, "/below")) {
			t.Errorf("%s: got %v", dir, err)
		}
	}
	if os.Getuid() == 0 {
		return // who may write anywhere
	}
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(closed); !errors.Is(err, os.ErrPermission) {
		t.Errorf("got %v", err)
	}
}

// TestEngineOfTheAgent counts one boot for each start, however many receivers
// ask, and keeps its id.
func TestEngineOfTheAgent(t *testing.T) {
	dir := t.TempDir()
	var id string
	for start := range 3 {
		j := openJournal(t, dir)
		for range 2 {
			e, err := j.Engine()
			if err != nil {
				t.Fatal(err)
			}
			if id == "" {
				id = e.ID
			}
			if e.ID != id || e.Boots != uint32(start+1) {
				t.Errorf("start %d: id %x, boots %d", start, e.ID, e.Boots)
			}
		}
		j.Close()
	}
	if len(id) != 17 || id[0] != 0x80 || id[4] != 5 {
		t.Errorf("id %x", id)
	}
	other, err := openJournal(t, t.TempDir()).Engine()
	if err != nil || other.ID == id {
		t.Errorf("two agents have id %x, error %v", id, err)
	}
	closed, _ := Open(t.TempDir())
	closed.Close()
	if _, err := closed.Engine(); err == nil || !strings.Contains(err.Error(), "engine id") {
		t.Errorf("got %v", err)
	}
}

// BenchmarkWaiting asks a queue of any length at the same cost.
func BenchmarkWaiting(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			j := openJournal(b, b.TempDir())
			list := make([]alarms.Notification, n)
			if err := j.Write(Entry{Notify: map[string][]alarms.Notification{"noc": list}}); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, waiting, err := j.Waiting("noc"); waiting != n || err != nil {
					b.Fatal(waiting, err)
				}
			}
		})
	}
}

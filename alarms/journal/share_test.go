package journal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	checks "github.com/lunawatch/lunawatch/internal/check"
)

// sharing has openJournal open shared journals.
var sharing bool

// TestShared holds a shared journal to every promise of one that is not.
func TestShared(t *testing.T) {
	sharing = true
	defer func() { sharing = false }()
	for name, test := range map[string]func(*testing.T){
		"remembers": TestJournalRemembers, "keys": TestKeysAreApart, "whole": TestWriteIsWhole, "clock": TestClockWasAhead, "engine": TestEngineOfTheAgent,
	} {
		t.Run(name, test)
	}
}

// agents stand for what agents share: who owns what, and every write in its order.
type agents struct {
	owner  map[string]string // by device; "": the first that asks
	state  map[string]string
	log    [][]Write
	refuse error
	sizes  []int
}

// join returns the share of an agent.
func (s *agents) join(name string) *Share {
	owns := func(device string) bool { return s.owner == nil || s.owner[device] == name }
	return &Share{Member: name, Has: func(device string) bool { return device != alarms.Self }, Owns: owns, Holds: owns, Commit: func(writes []Write) error {
		if s.refuse != nil {
			return s.refuse
		}
		for _, w := range writes {
			if w.Device != "" && !owns(w.Device) {
				return fmt.Errorf("the owner of %s is %s", w.Device, s.owner[w.Device])
			}
		}
		if s.state == nil {
			s.state = make(map[string]string)
		}
		for _, w := range writes {
			if w.Value == nil {
				delete(s.state, w.Key)
			} else if w.Key != "" {
				s.state[w.Key] = string(w.Value)
			}
		}
		s.log, s.sizes = append(s.log, slices.Clone(writes)), append(s.sizes, len(writes))
		return nil
	}}
}

// member opens the journal of an agent.
func (s *agents) member(t *testing.T, name string) *Journal {
	j := openJournal(t, t.TempDir())
	j.Share = s.join(name)
	return j
}

// hear has an agent apply what was written since it last did.
func (s *agents) hear(t *testing.T, j *Journal, from int) (news News) {
	for _, writes := range s.log[from:] {
		more, err := j.Apply(writes, false)
		checks.Must(t, err)
		news.Changes, news.Silences, news.Requests = append(news.Changes, more.Changes...), append(news.Silences, more.Silences...), append(news.Requests, more.Requests...)
	}
	return news
}

// all is every key that agents share, as one that joins is given it.
func (s *agents) all() (writes []Write) {
	for key, value := range s.state {
		writes = append(writes, Write{Key: key, Value: []byte(value)})
	}
	return writes
}

func kindsOf(changes []alarms.Change) (list []string) {
	for _, c := range changes {
		list = append(list, fmt.Sprintf("%s %s", c.Kind, c.Alarm.Key))
	}
	slices.Sort(list)
	return list
}

// TestTakeover: what one agent knew, another one knows and goes on with: alarms, what
// receivers were notified of, and what waits for them under the same IDs.
func TestTakeover(t *testing.T) {
	s := &agents{owner: map[string]string{"a": "lw1"}}
	one, two := s.member(t, "lw1"), s.member(t, "lw2")
	e := entry()
	checks.Must(t, one.Write(e))
	checks.Must(t, one.Write(Entry{Silence: &alarms.Silence{ID: 7, Reason: "x"}}))
	news := s.hear(t, two, 0)
	if diff := cmp.Diff([]string{"raised a/battery", "raised a/stm"}, kindsOf(news.Changes)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if len(news.Silences) != 1 || news.Silences[0].Reason != "x" {
		t.Errorf("silences: %+v", news.Silences)
	}
	state, err := two.Load()
	checks.Must(t, err)
	if len(state.Active) != 0 || len(state.Others) != 2 || len(state.Notified["noc"]) != 0 {
		t.Errorf("before: %d own, %d others, notified %v", len(state.Active), len(state.Others), state.Notified)
	}
	if _, n, _ := two.Waiting("noc"); n != 0 {
		t.Errorf("%d wait in the queue of an agent that owns nothing", n)
	}

	checks.Must(t, one.Done("noc", 1)) // delivered
	s.owner["a"] = "lw2"
	s.hear(t, two, len(s.log)-1)
	receivers, err := two.Adopt()
	checks.Must(t, err)
	state, err = two.Load()
	checks.Must(t, err)
	if len(state.Active) != 2 || len(state.Others) != 0 || len(state.Notified["noc"]) != 1 || state.Events["a"] != e.Events["a"] {
		t.Errorf("after: %d own, %d others, notified %v, events %v", len(state.Active), len(state.Others), state.Notified, state.Events)
	}
	if n, waiting, err := two.Waiting("noc"); err != nil || waiting != 1 || n.ID != "2" || !slices.Equal(receivers, []string{"noc"}) {
		t.Errorf("adopted %v: %d, %q, %v", receivers, waiting, n.ID, err)
	}

	// The former owner is refused, and learns what was taken from it.
	if err := one.Write(e); !errors.Is(err, ErrNotOwned) {
		t.Errorf("the former owner writes: %v", err)
	}
	checks.Must(t, one.Release())
	if _, n, _ := one.Waiting("noc"); n != 0 {
		t.Errorf("%d wait for the former owner", n)
	}
	s.hear(t, one, 0)
	a, err := one.Shared()
	checks.Must(t, err)
	b, err := two.Shared()
	checks.Must(t, err)
	if diff := cmp.Diff(b, a); diff != "" {
		t.Errorf("the agents' journals differ (-two +one):\n%s", diff)
	}
}

// TestJoin: an agent that was away holds afterwards what the others hold, and none of what
// they removed meanwhile.
func TestJoin(t *testing.T) {
	s := &agents{owner: map[string]string{"a": "lw1"}}
	one, two := s.member(t, "lw1"), s.member(t, "lw2")
	e := entry()
	checks.Must(t, one.Write(e))
	s.hear(t, two, 0)
	cleared := alarms.Change{Kind: alarms.Cleared, Alarm: e.Changes[0].Alarm}
	checks.Must(t, one.Write(Entry{Changes: []alarms.Change{cleared}}))
	checks.Must(t, one.Done("noc", 1, 2))
	news, err := two.Apply(s.all(), true)
	checks.Must(t, err)
	if diff := cmp.Diff([]string{"cleared " + cleared.Alarm.Key.String()}, kindsOf(news.Changes)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	a, err := one.Shared()
	checks.Must(t, err)
	b, err := two.Shared()
	checks.Must(t, err)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("the agents' journals differ (-one +two):\n%s", diff)
	}
	others := s.all()
	others = slices.DeleteFunc(others, func(w Write) bool { return strings.HasPrefix(w.Key, "active/") || strings.HasPrefix(w.Key, "events/") })
	if own, err := one.Apply(others, true); err != nil || len(own.Changes) != 0 {
		t.Errorf("an owner is told what it wrote itself: %v, %v", own, err)
	}
	if state, err := one.Load(); err != nil || len(state.Active) != 1 || state.Events["a"] != e.Events["a"] {
		t.Errorf("an owner that joins again lost its own: %v, %v", state, err)
	}
	if again, err := two.Apply(s.all(), true); err != nil || len(again.Changes) != 0 {
		t.Errorf("what is known is news: %v, %v", again, err)
	}
}

// TestSpool: while etcd is away the owner goes on, and afterwards the others hold it all.
func TestSpool(t *testing.T) {
	s := &agents{owner: map[string]string{"a": "lw1"}}
	one, two := s.member(t, "lw1"), s.member(t, "lw2")
	s.refuse = ErrSpooled
	e := entry()
	checks.Must(t, one.Write(e))
	checks.Must(t, one.Done("noc", 1))
	if n := one.Spooled(); n == 0 {
		t.Error("nothing is spooled")
	}
	if _, err := one.Apply(nil, true); err != nil { // it joins again, before it has told
		t.Error(err)
	}
	if state, err := one.Load(); err != nil || len(state.Active) != 2 {
		t.Errorf("what was spooled is lost: %d alarms, %v", len(state.Active), err)
	}
	s.owner["a"] = "lw2"
	if _, err := two.Apply(nil, true); err != nil {
		t.Error(err)
	}
	s.owner["a"] = "lw1"
	s.refuse = nil
	checks.Must(t, one.Flush())
	if n := one.Spooled(); n != 0 {
		t.Errorf("%d keys are still spooled", n)
	}
	s.hear(t, two, 0)
	a, err := one.Shared()
	checks.Must(t, err)
	b, err := two.Shared()
	checks.Must(t, err)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("the agents' journals differ (-one +two):\n%s", diff)
	}
	s.refuse = errors.New("etcd: no space")
	if err := one.Done("noc", 2); err == nil || err.Error() != "not stored for all agents: etcd: no space" {
		t.Errorf("without others' consent: %v", err)
	}
	if _, n, _ := one.Waiting("noc"); n != 1 {
		t.Errorf("%d wait after a removal that failed", n)
	}
}

// TestAdoptSpooled: what is adopted while etcd is away waits for one agent only afterwards.
func TestAdoptSpooled(t *testing.T) {
	s := &agents{owner: map[string]string{"a": "lw1"}}
	one, two := s.member(t, "lw1"), s.member(t, "lw2")
	checks.Must(t, one.Write(entry()))
	s.hear(t, two, 0)
	s.owner["a"], s.refuse = "lw2", ErrSpooled
	_, err := two.Adopt()
	checks.Must(t, err)
	s.refuse = nil
	checks.Must(t, two.Flush())
	for key := range s.state {
		if strings.HasPrefix(key, "queues/lw1/") {
			t.Errorf("%s still waits, too", key)
		}
	}
}

// TestSeed: the first agent of a cluster brings what it has, and so does any agent after etcd
// has lost everything.
func TestSeed(t *testing.T) {
	s := &agents{owner: map[string]string{"a": "lw1"}}
	one, two := s.member(t, "lw1"), s.member(t, "lw2")
	checks.Must(t, one.Write(entry()))
	s.state, s.log = nil, nil
	checks.Must(t, one.Seed(func(device string) bool { return device == "b" }))
	if _, there := s.state["events/a"]; there {
		t.Error("what is of another device is shared")
	}
	checks.Must(t, one.Seed(func(string) bool { return true }))
	_, err := two.Apply(s.all(), true)
	checks.Must(t, err)
	a, err := one.Shared()
	checks.Must(t, err)
	b, err := two.Shared()
	checks.Must(t, err)
	if diff := cmp.Diff(a, b); diff != "" || len(a) < 6 {
		t.Errorf("%d keys; the agents' journals differ (-one +two):\n%s", len(a), diff)
	}
}

// TestParts: a storm is cut between alarms, never within one.
func TestParts(t *testing.T) {
	s := &agents{owner: map[string]string{"a": "lw1"}}
	one := s.member(t, "lw1")
	var e Entry
	e.Notify, e.Notified = make(map[string][]alarms.Notification), make(map[string]map[alarms.Key]alarms.Notified)
	for i := range 250 {
		a := alarms.Alarm{Key: alarms.Key{Device: "a", Group: "soft", Object: fmt.Sprint(i)}, Number: uint64(i + 1)}
		c := alarms.Change{Kind: alarms.Raised, Alarm: a}
		e.Changes = append(e.Changes, c)
		for _, receiver := range []string{"noc", "mail", "pager"} {
			if e.Notified[receiver] == nil {
				e.Notified[receiver] = make(map[alarms.Key]alarms.Notified)
			}
			e.Notify[receiver] = append(e.Notify[receiver], alarms.Notification{ID: fmt.Sprint(i), Change: c})
			e.Notified[receiver][a.Key] = c.Notified(alarmstest.At(0))
		}
	}
	parts := one.Parts(e)
	of := make(map[alarms.Key]int)
	for i, p := range parts {
		checks.Must(t, one.Write(p))
		for _, c := range p.Changes {
			of[c.Alarm.Key] = i
		}
	}
	for i, p := range parts {
		for _, list := range p.Notify {
			for _, n := range list {
				if of[n.Change.Alarm.Key] != i {
					t.Errorf("%s is in part %d, its notification in %d", n.Change.Alarm.Key, of[n.Change.Alarm.Key], i)
				}
			}
		}
	}
	if most := slices.Max(s.sizes); most > mostWrites || len(of) != 250 || len(parts) != 21 {
		t.Errorf("%d alarms in %d parts, the largest writes %d keys", len(of), len(parts), most)
	}
	if _, n, _ := one.Waiting("pager"); n != 250 {
		t.Errorf("%d wait", n)
	}
}

// TestRequests: what an operator asks of an agent that does not own the device reaches the
// one that does.
func TestRequests(t *testing.T) {
	s := &agents{owner: map[string]string{"a": "lw1"}}
	one, two := s.member(t, "lw1"), s.member(t, "lw2")
	r := Request{Alarm: alarms.Key{Device: "a", Group: "stm"}, Number: 3, Action: Acknowledge, By: "anna", Comment: "mine"}
	_, err := two.Ask(r)
	checks.Must(t, err)
	news := s.hear(t, one, 0)
	if len(news.Requests) != 1 || news.Requests[0].By != "anna" {
		t.Fatalf("requests: %+v", news.Requests)
	}
	checks.Must(t, one.Answered(news.Requests[0]))
	s.hear(t, two, 1)
	if left, err := two.Requests(); err != nil || len(left) != 0 {
		t.Errorf("left: %+v, %v", left, err)
	}
}

// TestApplyWhatCannotBeRead: whoever may write to etcd, a newer agent among them, does not
// make the state of the others unreadable.
func TestApplyWhatCannotBeRead(t *testing.T) {
	s := &agents{owner: map[string]string{"a": "lw1"}}
	one, two := s.member(t, "lw1"), s.member(t, "lw2")
	checks.Must(t, one.Write(entry()))
	s.hear(t, two, 0)
	before, err := two.Shared()
	checks.Must(t, err)
	var bad []Write
	for _, w := range before {
		for _, value := range []string{"", "{", "7", `"x"`, `[{"At":1}]`} {
			bad = append(bad, Write{Key: w.Key, Value: []byte(value)})
		}
	}
	for _, key := range []string{"", "active/", "active/x", `active/{"device":"b","group":"soft"}`, "history/zz", "history/1", "queues/x", "queues/lw2/noc/zz", "queues/%zz/noc/0000000000000001", "notified/noc/x", "silences/-1", "trends/x", "weather/today", "requests/", "places/a", "memory/a"} {
		bad = append(bad, Write{Key: key, Value: []byte("{")}, Write{Key: key, Value: []byte(`{"device":"a"}x`)}, Write{Key: key})
	}
	bad = append(bad, Write{Key: `active/{"device":"b","group":"soft"}`, Value: []byte(`{"device":"a","group":"stm","number":9}`)})
	if _, err := two.Apply(bad, false); err != nil {
		t.Error(err)
	}
	after, err := two.Shared()
	checks.Must(t, err)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("what is shared has changed:\n%s", diff)
	}
	if state, err := two.Load(); err != nil || len(state.Others) != 2 {
		t.Errorf("%d alarms, %v", len(state.Others), err)
	}
}

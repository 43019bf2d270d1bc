package watch_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
)

// A pair stands for what two agents share: one owns all, and each hears what the other
// writes.
type pair struct {
	mu    sync.Mutex
	owner string
	taken bool  // the owner knows what it owns
	fails error // why etcd takes nothing of the owner; nil: it does
	ears  map[string]chan []journal.Write
}

func (p *pair) owns(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.owner == name && p.taken
}

// join makes a Watch the agent of a name.
func (p *pair) join(t *testing.T, name string) func(*watch.Watch) {
	return func(w *watch.Watch) {
		ear := make(chan []journal.Write, 100)
		p.mu.Lock()
		p.ears[name] = ear
		p.mu.Unlock()
		owns := func(string) bool { return p.owns(name) }
		w.May = func(n alarms.Notification) bool { return w.Journal.Mine(n.Change.Alarm.Device) }
		w.Journal.Share = &journal.Share{
			Member: name, Has: func(device string) bool { return device != alarms.Self }, Owns: owns, Holds: owns,
			Number: func(_ string, last uint64) uint64 { return (last/1000+1)*1000 + 7 },
			Commit: func(writes []journal.Write) error {
				p.mu.Lock()
				defer p.mu.Unlock()
				if p.fails != nil && p.owner == name {
					return p.fails
				}
				for _, x := range writes {
					if x.Device != "" && p.owner != name {
						return fmt.Errorf("%s owns %s", p.owner, x.Device)
					}
				}
				for other, ear := range p.ears {
					if other != name {
						ear <- slices.Clone(writes)
					}
				}
				return nil
			},
		}
		go func() {
			for writes := range ear {
				if err := w.Apply(writes, false); err != nil {
					t.Error(err)
				}
			}
		}()
	}
}

// move gives everything to another agent.
func (p *pair) move(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.owner, p.taken = name, false
}

// take has the owner know what it owns.
func (p *pair) take(taken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = taken
}

// fail has nothing of the owner be stored, for a reason; nil: it is stored again.
func (p *pair) fail(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fails = why
}

// leave has an agent hear nothing more.
func (p *pair) leave(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.ears[name])
	delete(p.ears, name)
}

func everything(string) bool { return true }

// TestSameLineSameID: agents that cannot know of each other notify of one line under one ID,
// and each of equal lines that raise the alarm again within the same second, too, while the
// IDs of one agent stay apart.
func TestSameLineSameID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ids [2][]string
		stamp := time.Now().Format("2006 Jan _2 15:04:05 luna-a  ")
		for i, name := range []string{"lw1", "lw2"} {
			alone, pager := &pair{owner: name, taken: true, ears: make(map[string]chan []journal.Write)}, &alarmstest.Receiver{}
			a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": pager}, alone.join(t, name))
			if i == 1 {
				a.Must(a.Kernel("0", "k7pf0: [HSM] ALM2005: HSM deactivated")) // so that their numbers differ
			}
			for n, text := range []string{"ALM2012: HSM in secure transport mode", "ALM2013: HSM recovered from secure transport mode", "ALM2012: HSM in secure transport mode", "ALM2013: HSM recovered from secure transport mode"} {
				a.Must(a.Lines("a", "/log", []hsm.LogLine{syslog.ParseLine(stamp + "kern info  kernel: k7pf0: [HSM] " + text)}, []byte(fmt.Sprint(n))))
				watchtest.Advance(time.Second)
			}
			_, taken := pager.Attempts()
			for _, n := range taken {
				if n.Change.Alarm.Group == "stm" {
					ids[i] = append(ids[i], n.ID)
				}
			}
			alone.leave(name)
		}
		if len(ids[0]) != 4 || !slices.Equal(ids[0][:2], ids[1][:2]) {
			t.Errorf("one agent notified under\n%q, the other under\n%q", ids[0], ids[1])
		}
		for _, list := range ids {
			if slices.Sort(list); len(slices.Compact(list)) != 4 {
				t.Errorf("one ID twice: %q", list)
			}
		}
	})
}

// TestTakeOver: an agent dies between a raise and its delivery, and with lines that it never
// evaluated. The other one delivers the raise under the same ID, evaluates those lines once,
// knows the acknowledgement, and clears what the first raised.
func TestTakeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pair{owner: "lw1", taken: true, ears: make(map[string]chan []journal.Write)}
		down, pager := &alarmstest.Receiver{}, &alarmstest.Receiver{}
		down.Answer = func(alarms.Notification) error { return fmt.Errorf("no route") }
		one := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": down}, p.join(t, "lw1"))
		two := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": pager}, p.join(t, "lw2"))
		both := func(text string) {
			one.Must(one.Kernel("1", text))
			watchtest.Advance(100 * time.Millisecond)
			two.Must(two.Kernel("1", text))
		}
		both("k7pf0: [HSM] ALM2012: HSM in secure transport mode")
		both("k7pf0: [HSM] ALM2005: HSM deactivated")
		if got := two.ActiveGroups(); len(got) == 0 || !slices.Equal(got, one.ActiveGroups()) {
			t.Fatalf("the agents show %q and %q", one.ActiveGroups(), got)
		}
		if got := pager.Received(); len(got) != 0 {
			t.Fatalf("both notify: %q", got)
		}
		n := two.Active()[0]
		two.Must(two.Acknowledge(fmt.Sprint(n.Number), "anna", "mine"))
		if a := one.Active()[0]; a.Ack == nil || a.Ack.By != "anna" {
			t.Errorf("asked of the other agent: %+v", a.Ack)
		}

		two.Must(two.Report([]alarms.Finding{{Key: alarms.Key{Device: alarms.Self, Group: "configuration"}, Condition: alarms.Bad, Severity: alarms.Warning, Text: "x", Evidence: alarms.Evidence{At: time.Now(), Text: "x"}}}))
		watchtest.Advance(time.Second)
		if _, own := pager.Attempts(); len(own) != 1 || own[0].ID != "lw2 lunawatch/configuration 3007 raised warning" {
			t.Errorf("an alarm about the agent itself: %+v", own)
		}
		two.Must(two.Kernel("2", "k7pf0: [HSM] ALM2007: HSM zeroized")) // the dying agent does not hear it
		attempts, _ := down.Attempts()
		one.Stop()
		p.leave("lw1")
		p.move("lw2")
		two.Must(two.Kernel("3", "k7pf0: [HSM] ALM2012: HSM in secure transport mode")) // of an alarm that it does not know as its own yet
		two.Must(two.Reown(everything, p.take))
		watchtest.Advance(time.Second)
		_, taken := pager.Attempts()
		ids := make(map[string]int)
		for _, n := range taken {
			ids[n.ID]++
		}
		for _, id := range attempts {
			if ids[id] != 1 {
				t.Errorf("%q, which the first agent could not deliver, came %d times", id, ids[id])
			}
		}
		got := strings.Join(pager.Received(), "\n")
		if strings.Count(got, "zeroize") != 1 || strings.Count(got, "raised") != 4 {
			t.Errorf("received:\n%s", got)
		}
		for _, a := range two.Active() {
			if want := map[string]int{"stm": 2, "activation": 1, "zeroize": 1, "configuration": 1}[a.Group]; a.Count != want {
				t.Errorf("%s counts %d lines, %d were written", a.Key, a.Count, want)
			}
		}
		if a := two.Active(); a[slices.IndexFunc(a, func(a alarms.Active) bool { return a.Key == n.Key })].Ack == nil {
			t.Error("the acknowledgement is lost")
		}
		p.leave("lw2")
		two.Stop()
	})
}

// TestTakeOverWhileLinesCome: an agent owns a device before it has taken over what its former
// owner knew, and a line comes meanwhile. Neither that line nor those that it heard before is
// lost, and what the former owner raised is cleared.
func TestTakeOverWhileLinesCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pair{owner: "lw1", taken: true, ears: make(map[string]chan []journal.Write)}
		pager := &alarmstest.Receiver{}
		one := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": &alarmstest.Receiver{}}, p.join(t, "lw1"))
		two := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": pager}, p.join(t, "lw2"))
		raise := "k7pf0: [HSM] ALM2012: HSM in secure transport mode"
		one.Must(one.Kernel("1", raise))
		watchtest.Advance(100 * time.Millisecond)
		two.Must(two.Kernel("1", raise))
		two.Must(two.Kernel("2", "k7pf0: [HSM] ALM2007: HSM zeroized")) // the dying agent does not hear it
		one.Stop()
		p.leave("lw1")
		p.move("lw2")
		two.Must(two.Kernel("3", "k7pf0: [HSM] ALM2013: HSM recovered from secure transport mode"))
		two.Must(two.Reown(everything, p.take))
		watchtest.Advance(time.Second)
		if got := two.ActiveGroups(); !slices.Equal(got, []string{"zeroize"}) {
			t.Errorf("active are %q", got)
		}
		got := strings.Join(pager.Received(), "\n")
		if strings.Count(got, "zeroize") != 1 || strings.Count(got, "stm") != 1 || !strings.Contains(got, "cleared") {
			t.Errorf("received:\n%s", got)
		}
		p.leave("lw2")
		two.Stop()
	})
}

// TestLateLine: a line that is forwarded to the owner takes its place among those that it has
// heard, by the times that they state: the alarm is as after the last of them, and each
// raise was notified.
func TestLateLine(t *testing.T) {
	const raise, clear = "ALM2012: HSM in secure transport mode", "ALM2013: HSM recovered from secure transport mode"
	type step struct {
		text  string
		alone bool // the owner does not hear it
	}
	for name, c := range map[string]struct {
		steps  []step
		active bool
		raised int
	}{
		"raised before a clear":          {[]step{{raise, true}, {clear, false}}, false, 1},
		"cleared before a raise":         {[]step{{raise, false}, {clear, true}, {raise, false}}, true, 1},
		"both before a raise":            {[]step{{raise, true}, {clear, true}, {raise, false}}, true, 2},
		"raised before another clear":    {[]step{{raise, false}, {clear, false}, {raise, true}, {clear, false}}, false, 2},
		"cleared before the same clear":  {[]step{{raise, false}, {clear, true}, {clear, false}}, false, 1},
		"both, and nothing since":        {[]step{{raise, true}, {clear, true}}, false, 1},
		"cleared and raised in a moment": {[]step{{raise, false}, {clear, true}, {raise, true}}, true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &pair{owner: "lw1", taken: true, ears: make(map[string]chan []journal.Write)}
				pager := &alarmstest.Receiver{}
				one := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": pager}, p.join(t, "lw1"))
				two := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": &alarmstest.Receiver{}}, p.join(t, "lw2"))
				for n, x := range c.steps {
					line := []hsm.LogLine{syslog.ParseLine(time.Now().Format("2006 Jan _2 15:04:05") + " luna-a  kern info  kernel: k7pf0: [HSM] " + x.text)}
					for _, a := range []*watchtest.Running{one, two} {
						if a == two || !x.alone {
							a.Must(a.Lines("a", "/log", line, []byte(fmt.Sprint(n))))
						}
					}
					if !x.alone && n+1 < len(c.steps) && c.steps[n+1].alone {
						watchtest.Advance(time.Minute)
					}
					watchtest.Advance(time.Second)
				}
				watchtest.Advance(10 * time.Second)
				if got := slices.Contains(one.ActiveGroups(), "stm"); got != c.active {
					t.Errorf("active: %v, after the last line it is %v", got, c.active)
				}
				if got := strings.Count(strings.Join(pager.Received(), "\n"), "raised"); got != c.raised {
					t.Errorf("%d raises were notified, not %d:\n%s", got, c.raised, strings.Join(pager.Received(), "\n"))
				}
				if left, err := two.Journal.Forwarded(); err != nil || len(left) != 0 {
					t.Errorf("still to be evaluated: %+v, %v", left, err)
				}
				p.leave("lw1")
				p.leave("lw2")
			})
		})
	}
}

// TestForwardedWhileNothingIsStored: a line that is forwarded while etcd takes nothing is
// evaluated as soon as it does, and the agent follows the others meanwhile.
func TestForwardedWhileNothingIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pair{owner: "lw1", taken: true, ears: make(map[string]chan []journal.Write)}
		pager := &alarmstest.Receiver{}
		one := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": pager}, p.join(t, "lw1"))
		two := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": &alarmstest.Receiver{}}, p.join(t, "lw2"))
		two.Must(two.Kernel("1", "k7pf0: [HSM] ALM2007: HSM zeroized")) // one is cut off
		p.fail(errors.New("no leader"))
		watchtest.Advance(10 * time.Second)
		if got := pager.Received(); len(got) != 0 {
			t.Errorf("received %q", got)
		}
		p.fail(nil)
		watchtest.Advance(5 * time.Second)
		if got := strings.Join(pager.Received(), "\n"); strings.Count(got, "zeroize") != 1 {
			t.Errorf("received:\n%s", got)
		}
		if left, err := two.Journal.Forwarded(); err != nil || len(left) != 0 {
			t.Errorf("still to be evaluated: %+v, %v", left, err)
		}
		one.Stop()
		two.Stop()
		p.leave("lw1")
		p.leave("lw2")
	})
}

// TestOwnerBlinks: an owner that is cut off for a moment has the lines of that moment from
// an agent that heard them, each once, also if it hears others meanwhile.
func TestOwnerBlinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pair{owner: "lw1", taken: true, ears: make(map[string]chan []journal.Write)}
		pager := &alarmstest.Receiver{}
		one := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": pager}, p.join(t, "lw1"))
		two := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": &alarmstest.Receiver{}}, p.join(t, "lw2"))
		heard := func(text string, by ...*watchtest.Running) {
			for _, a := range by {
				a.Must(a.Kernel("1", text))
			}
			watchtest.Advance(100 * time.Millisecond)
		}
		heard("k7pf0: [HSM] ALM2012: HSM in secure transport mode", one, two)
		heard("k7pf0: [HSM] ALM2007: HSM zeroized", two) // one is cut off
		heard("k7pf0: [HSM] ALM2005: HSM deactivated", one, two)
		watchtest.Advance(5 * time.Second)
		if got := strings.Join(pager.Received(), "\n"); strings.Count(got, "raised") != 3 || strings.Count(got, "zeroize") != 1 {
			t.Errorf("received:\n%s", got)
		}
		for _, a := range one.Active() {
			if a.Count != 1 {
				t.Errorf("%s counts %d lines, one was written", a.Key, a.Count)
			}
		}
		if left, err := two.Journal.Forwarded(); err != nil || len(left) != 0 {
			t.Errorf("still to be evaluated: %+v, %v", left, err)
		}
		one.Stop()
		p.leave("lw1")
		p.move("lw2")
		two.Must(two.Reown(everything, p.take))
		for _, a := range two.Active() {
			if a.Count != 1 {
				t.Errorf("after a takeover %s counts %d lines, one was written", a.Key, a.Count)
			}
		}
		p.leave("lw2")
		two.Stop()
	})
}

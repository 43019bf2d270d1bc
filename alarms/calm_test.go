package alarms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// playCalm is play with delays, flapping and storms.
func playCalm(t *testing.T, calm Damping, steps []step) State {
	t.Helper()
	s := NewState()
	for i, x := range steps {
		changes := Eval(s, x.js, calm, at(x.at))
		if diff := cmp.Diff(x.want, told(changes)); diff != "" {
			t.Errorf("step %d at %d (-want +got):\n%s", i, x.at, diff)
		}
		s.Apply(changes)
	}
	return s
}

func TestDelays(t *testing.T) {
	minutes := map[string]time.Duration{"stm": time.Minute}
	for name, x := range map[string]struct {
		calm  Damping
		steps []step
	}{
		"raised after a while": {Damping{RaiseAfter: minutes}, []step{
			{0, isBad(0, Major), []string{"pending major a/stm"}},
			{30, isBad(30, Major), []string{"pending major a/stm"}},
			{59, nil, nil},
			{60, nil, []string{"raised major a/stm"}},
			{70, isGood(70), []string{"cleared major a/stm"}},
		}},
		"over before": {Damping{RaiseAfter: minutes}, []step{
			{0, isBad(0, Major), []string{"pending major a/stm"}},
			{30, isGood(30), []string{"dropped major a/stm"}},
			{60, isBad(20, Major), nil}, // older than its end
			{90, isBad(90, Major), []string{"pending major a/stm"}},
			{150, nil, []string{"raised major a/stm"}},
		}},
		"missing data neither raise sooner nor end": {Damping{RaiseAfter: minutes}, []step{
			{0, isBad(0, Major), []string{"pending major a/stm"}},
			{1000, nil, []string{"raised major a/stm"}},
			{100000, nil, nil},
		}},
		"cleared after a while": {Damping{ClearAfter: minutes}, []step{
			{0, isBad(0, Major), []string{"raised major a/stm"}},
			{10, isGood(10), []string{"seen major a/stm"}},
			{20, isGood(20), nil},
			{69, nil, nil},
			{70, nil, []string{"cleared major a/stm"}},
		}},
		"back before": {Damping{ClearAfter: minutes}, []step{
			{0, isBad(0, Major), []string{"raised major a/stm"}},
			{10, isGood(10), []string{"seen major a/stm"}},
			{30, isBad(30, Major), []string{"seen major a/stm"}},
			{80, nil, nil},
			{90, isGood(90), []string{"seen major a/stm"}},
			{150, nil, []string{"cleared major a/stm"}},
		}},
		"another group": {Damping{RaiseAfter: map[string]time.Duration{"battery": time.Minute}}, []step{
			{0, isBad(0, Major), []string{"raised major a/stm"}},
		}},
	} {
		t.Run(name, func(t *testing.T) { playCalm(t, x.calm, x.steps) })
	}
}

func TestFlapping(t *testing.T) {
	calm := Damping{FlapCount: 3, FlapWindow: 10 * time.Minute}
	raised, cleared := []string{"raised major a/stm"}, []string{"cleared major a/stm"}
	s := playCalm(t, calm, []step{
		{0, isBad(0, Major), raised}, {10, isGood(10), cleared},
		{20, isBad(20, Major), raised}, {30, isGood(30), cleared},
		{40, isBad(40, Major), raised}, // the third: it flaps
		{50, isGood(50), []string{"seen major a/stm"}},
		{60, isBad(60, Major), []string{"seen major a/stm"}},
		{70, isGood(70), []string{"seen major a/stm"}},
		{600, nil, nil},
		{670, nil, cleared}, // quiet for ten minutes
		{2000, isBad(2000, Major), raised},
	})
	if a := s.Active[Key{Device: "a", Group: "stm"}]; a.Flapping || len(a.Begun) != 1 {
		t.Errorf("got %+v", a)
	}
	// One that stays bad is steady again.
	s = playCalm(t, calm, []step{
		{0, isBad(0, Major), raised}, {1, isGood(1), cleared}, {2, isBad(2, Major), raised}, {3, isGood(3), cleared},
		{4, isBad(4, Major), raised}, {603, nil, nil}, {604, nil, []string{"seen major a/stm"}}, {700, isGood(700), cleared},
	})
	if len(s.Active) != 0 {
		t.Errorf("stands %v", s.Active)
	}
}

func manyBad(second, from, to int) (js []Judgement) {
	for i := from; i < to; i++ {
		j := isBad(second, Major)[0]
		j.Object = fmt.Sprintf("%03d", i)
		js = append(js, j)
	}
	return js
}

func TestStorm(t *testing.T) {
	s := NewState()
	calm := Damping{StormAlarms: 10}
	step := func(second int, js []Judgement) (kinds map[Kind]int) {
		kinds = make(map[Kind]int)
		for _, c := range Eval(s, js, calm, at(second)) {
			kinds[c.Kind]++
			s.Apply([]Change{c})
		}
		return kinds
	}
	if got := step(0, manyBad(0, 0, 10)); got[Raised] != 10 || len(s.Active) != 10 {
		t.Errorf("before a storm: %v", got)
	}
	if got := step(10, manyBad(10, 10, 100)); got[Raised] != 91 {
		t.Errorf("the storm: %v", got)
	}
	storm, quiet := s.Active[stormKey], 0
	for _, a := range s.Active {
		if a.InStorm {
			quiet++
		}
	}
	if quiet != 90 || storm.Severity != Major || !strings.HasPrefix(storm.Text, "90 alarms on 1 devices, 0 of them critical") {
		t.Errorf("%d in the storm, %+v", quiet, storm)
	}
	if got := step(20, manyBad(20, 100, 150)); got[Raised] != 50 || !strings.HasPrefix(s.Active[stormKey].Text, "140 alarms") {
		t.Errorf("it goes on: %v, %s", got, s.Active[stormKey].Text)
	}
	worst := manyBad(21, 150, 151)
	worst[0].Severity = Critical
	step(26, worst)
	if storm := s.Active[stormKey]; storm.Severity != Critical || !strings.Contains(storm.Text, "1 of them critical") {
		t.Errorf("a critical one in it: %+v", storm)
	}
	if next := s.Next(calm); next.Before(at(79)) || next.After(at(80)) {
		t.Errorf("looks again at %v", next)
	}
	if got := step(79, nil); got[Ended] != 0 {
		t.Errorf("too early: %v", got)
	}
	if got := step(80, nil); got[Ended] != 1 {
		t.Errorf("its end: %v", got)
	}
	if got := step(81, manyBad(81, 200, 205)); got[Raised] != 5 || s.Active[Key{Device: "a", Group: "stm", Object: "204"}].InStorm {
		t.Errorf("after it: %v", got)
	}
}

// TestHiddenCause has a lost link replaced by what a restart tells of it.
func TestHiddenCause(t *testing.T) {
	s := play(t, []step{
		{0, coded(0, "0015"), []string{"raised critical a/chassis"}},
		{60, coded(60, "1015"), []string{"cleared critical a/chassis", "raised critical a/removal"}},
		{61, coded(61, "1001"), []string{"raised critical a/restart"}},
	})
	a := s.Active[Key{Device: "a", Group: "removal"}]
	if diff := cmp.Diff([]string{"0015", "1015"}, a.Codes); diff != "" || len(a.Evidence) != 2 {
		t.Errorf("codes %s, evidence %+v", diff, a.Evidence)
	}
	play(t, []step{ // of its own group, it is the same alarm
		{0, coded(0, "0015"), []string{"raised critical a/chassis"}},
		{60, coded(60, "1014"), []string{"updated critical a/chassis"}},
		{61, coded(61, "1015"), []string{"raised critical a/removal"}},
	})
}

func TestCauses(t *testing.T) {
	active := make(map[Key]Alarm)
	add := func(device, group, object string, s Severity, second int) Key {
		k := Key{Device: device, Group: group, Object: object}
		active[k] = Alarm{Key: k, Severity: s, Raised: at(second)}
		return k
	}
	tamper := add("a", "hard-ht", "", Critical, 1000)
	locked := add("a", "lock", "", Critical, 1010)
	partition := add("a", "activation", "", Major, 1020)
	add("a", "ntls", "", Critical, 100) // long before
	ntls := add("b", "ntls", "", Critical, 1000)
	dead := add("b", "unreachable", "", Major, 1000) // milder than ntls
	stale := add("b", "data-stale", "show", Warning, 1000)
	child := add("c", "unreachable", "", Major, 1000)
	add("d", "unreachable", "", Major, 1000)
	other := add("e", "hard", "k7pf1", Critical, 0)
	add("e", "lock", "", Critical, 10) // another card
	own := add("e", "lock", "k7pf1", Critical, 10)
	soft := add("f", "soft-t", "", Critical, 950) // it got worse
	hard := add("f", "hard-ht", "", Critical, 1000)
	want := map[Key]Key{soft: hard, locked: tamper, partition: tamper, stale: dead, child: dead, own: other}
	got := make(map[Key]Key)
	for k, a := range active {
		if cause, ok := causeOf(a, &overlay[Alarm]{base: active}, func(device string) string { return map[string]string{"c": "b"}[device] }); ok {
			got[k] = cause
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_ = ntls
}

// TestConsequences holds causes together: known groups, and no circles.
func TestConsequences(t *testing.T) {
	known := func(name string) bool {
		return slices.ContainsFunc(Groups(), func(g Group) bool { return g.Name == name })
	}
	by := make(map[string][]string)
	for _, g := range Groups() {
		for _, name := range slices.Concat(g.causes, g.parentCauses) {
			if !known(name) {
				t.Errorf("%s: %q is no group", g.Name, name)
			}
		}
		if by[g.Name] != nil {
			t.Errorf("%s is there twice", g.Name)
		}
		by[g.Name] = g.causes
	}
	var walk func(name string, path []string)
	walk = func(name string, path []string) {
		if slices.Contains(path, name) {
			t.Errorf("%s explains itself: %v", name, path)
			return
		}
		for _, cause := range by[name] {
			walk(cause, append(slices.Clip(path), name))
		}
	}
	for name := range by {
		walk(name, nil)
	}
}

// TestEveryGroupIsClassified needs X.733's terms for each group.
func TestEveryGroupIsClassified(t *testing.T) {
	for _, g := range Groups() {
		if kind, cause := classify(Judgement{Key: Key{Group: g.Name}}); kind == "" || kind == "other" && g.Name != "test" && g.Name != "fwupd" || cause == "" {
			t.Errorf("%s: %s, %s", g.Name, kind, cause)
		}
	}
}

// A moment of a receiver: how an alarm stands, and what it is told.
func TestDecide(t *testing.T) {
	a := Alarm{Key: Key{Device: "a", Group: "lock"}, Number: 7, Severity: Minor, Raised: at(0), Codes: []string{"2003"}}
	worse, acked, flaps, stormy, again := a, a, a, a, a
	worse.Severity, acked.Ack, flaps.Flapping, stormy.InStorm, again.Number = Critical, &Ack{}, true, true, 8
	was := Change{Raised, a}.after(at(0))
	ended := Change{Ended, a}.after(at(0))
	none := Told{}
	known := a
	known.Cause = "intrusionDetection"
	lost := Told{Number: 7, Kind: Raised, Severity: Minor, Cause: "underlyingResourceUnavailable", At: at(0)}
	silence := []Silence{{Match: Match{HSMs: []string{"a*"}}, From: at(0), Until: at(9999)}}
	mild := []Silence{{Match: Match{Severity: Minor}, From: at(0), Until: at(9999)}}
	hard := Key{Device: "a", Group: "hard"}
	cause := &overlay[Alarm]{base: map[Key]Alarm{hard: {Key: hard, Severity: Critical}}}
	night := Hours{From: "20:00", To: "06:00", Zone: "UTC"}
	for name, x := range map[string]struct {
		r    Route
		a    Alarm
		gone bool
		told Told
		s    situation
		want Kind
		at   int // -1: now
	}{
		"new":                             {a: a, want: Raised, at: -1},
		"known":                           {a: a, told: was},
		"worse, after a minute":           {a: worse, told: was, want: Updated, at: 60},
		"why a link was lost":             {a: known, told: lost, want: Updated, at: 60},
		"acknowledged":                    {a: acked, told: was, want: Acknowledged, at: 60},
		"acknowledged before it was told": {a: acked, want: Raised, at: -1},
		"flaps":                           {a: flaps, told: was, want: Updated, at: 60},
		"over":                            {a: a, gone: true, told: was, want: Ended, at: 60},
		"over, never told":                {a: a, gone: true, told: none},
		"back":                            {a: again, told: ended, want: Raised, at: 60},
		"another one, its end not told":   {a: again, told: was, want: Raised, at: 60},
		"in a storm":                      {a: stormy},
		"silenced":                        {a: a, s: situation{silences: silence}},
		"silenced, over":                  {a: a, gone: true, told: was, s: situation{silences: silence}, want: Ended, at: 60},
		"mild ones silenced":              {a: worse, s: situation{silences: mild}, want: Raised, at: -1},
		"a mild one silenced":             {a: a, s: situation{silences: mild}},
		"explained":                       {a: a, s: situation{active: cause}},
		"explained to others":             {r: Route{Only: Match{Groups: []string{"lock"}}}, a: a, s: situation{active: cause}, want: Raised, at: -1},
		"too mild":                        {r: Route{Only: Match{Severity: Major}}, a: a},
		"bad enough":                      {r: Route{Only: Match{Severity: Minor}}, a: a, want: Raised, at: -1},
		"its code":                        {r: Route{Only: Match{Codes: []string{"20*"}}}, a: a, want: Raised, at: -1},
		"another code":                    {r: Route{Only: Match{Codes: []string{"0014"}}}, a: a},
		"another HSM":                     {r: Route{Only: Match{HSMs: []string{"b"}}}, a: a},
		"escalation":                      {r: Route{UnacknowledgedFor: 15 * time.Minute}, a: a, want: Raised, at: 900},
		"escalation, acknowledged":        {r: Route{UnacknowledgedFor: 15 * time.Minute}, a: acked},
		"repeat":                          {r: Route{Repeat: time.Hour}, a: a, told: was, want: Repeated, at: 3600},
		"repeat, acknowledged":            {r: Route{Repeat: time.Hour}, a: acked, told: Change{Acknowledged, acked}.after(at(0))},
		"refresh, acknowledged":           {r: Route{Refresh: time.Hour}, a: acked, told: Change{Acknowledged, acked}.after(at(0)), want: Repeated, at: 3600},
		"out of hours":                    {r: Route{Hours: night}, a: a, want: Raised, at: 60},
	} {
		t.Run(name, func(t *testing.T) {
			x.s.now, x.s.spacing = at(0), time.Minute
			if x.s.active == nil {
				x.s.active = &overlay[Alarm]{}
			}
			kind, when := x.s.decide("noc", x.r, x.a, !x.gone, x.told)
			if kind != x.want {
				t.Fatalf("%q, want %q", kind, x.want)
			}
			if want := at(x.at); kind != "" && x.at >= 0 && !when.Equal(want) || x.at < 0 && when.After(at(0)) {
				t.Errorf("at %v, want %v", when, want)
			}
		})
	}
}

func TestHours(t *testing.T) {
	work := Hours{Days: []string{"mon", "Tue"}, From: "08:00", To: "18:00", Zone: "UTC"}
	night := Hours{Days: []string{"fri"}, From: "22:00", To: "06:00", Zone: "UTC"}
	berlin := Hours{From: "08:00", To: "18:00", Zone: "Europe/Berlin"}
	for _, x := range []struct {
		h    Hours
		at   string
		want bool
	}{
		{Hours{}, "2026-11-21T03:00:00Z", true},
		{work, "2026-11-23T08:00:00Z", true}, {work, "2026-11-23T07:59:00Z", false}, {work, "2026-11-23T18:00:00Z", false}, {work, "2026-11-25T12:00:00Z", false},
		{night, "2026-11-20T23:00:00Z", true}, {night, "2026-11-21T05:59:00Z", true}, {night, "2026-11-21T06:00:00Z", false}, {night, "2026-11-21T23:00:00Z", false}, {night, "2026-11-20T05:00:00Z", false},
		{berlin, "2026-11-21T07:30:00Z", true}, {berlin, "2026-07-21T06:30:00Z", true}, {berlin, "2026-11-21T06:30:00Z", false},
		{Hours{Days: []string{"sat"}, Zone: "UTC"}, "2026-11-21T23:59:00Z", true}, {Hours{Days: []string{"sat"}, Zone: "UTC"}, "2026-11-22T00:00:00Z", false},
	} {
		when, err := time.Parse(time.RFC3339, x.at)
		if err != nil || x.h.Validate() != nil {
			t.Fatal(err, x.h.Validate())
		}
		if got := x.h.open(when); got != x.want {
			t.Errorf("%+v at %s: %v", x.h, x.at, got)
		}
	}
	for _, h := range []Hours{{Days: []string{"monday"}}, {From: "8"}, {To: "25:00"}, {Zone: "Mars/Base"}} {
		if h.Validate() == nil {
			t.Errorf("%+v is valid", h)
		}
	}
}

// TestSpacing tells of one alarm at most once a minute, and then how it stands.
func TestSpacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		a := start(t, t.TempDir(), map[string]Notifier{"noc": r}, func(w *Watch) { w.Settings.NotifyInterval = time.Minute })
		defer a.stop()
		for i := range 10 {
			a.must(a.lines(fmt.Sprint(i), transport))
			pass(time.Second)
			a.must(a.lines(fmt.Sprint(i, "b"), recovered))
			pass(time.Second)
		}
		same(t, "within the minute", []string{"raised major a/stm"}, r.told())
		pass(2 * time.Minute)
		// From the fifth beginning on it flaps, and stands until it was quiet.
		same(t, "after it", []string{"raised major a/stm", "raised major a/stm"}, r.told())
		_, taken := r.saw()
		if !taken[1].Change.Alarm.Flapping {
			t.Errorf("does not flap: %+v", taken[1])
		}
		pass(time.Hour)
		same(t, "at last", []string{"raised major a/stm", "raised major a/stm", "cleared major a/stm"}, r.told())
	})
}

// TestOperators silences, acknowledges and clears, over a restart.
func TestOperators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r, boss := &receiver{}, &receiver{}
		escalate := func(w *Watch) {
			w.Receivers["boss"] = Receiver{Notifier: boss, Route: Route{UnacknowledgedFor: 15 * time.Minute}}
		}
		a := start(t, dir, map[string]Notifier{"noc": r}, escalate)
		id, err := a.Silence(Silence{Match: Match{Groups: []string{"battery"}}, Author: "kim", Reason: "new unit comes", From: time.Now(), Until: time.Now().Add(time.Hour)})
		a.must(err)
		_, err = a.Silence(Silence{Match: Match{Groups: []string{"battery"}}, Author: "kim", Until: time.Now().Add(time.Hour)})
		if err == nil {
			t.Error("a silence without a reason")
		}
		a.must(a.lines("1", transport, lowPower))
		same(t, "told", []string{"raised major a/stm"}, r.told())
		a.must(a.Acknowledge("a/stm", "kim", "planned"))
		if a.Acknowledge("a/nothing", "kim", "") == nil {
			t.Error("acknowledged nothing")
		}
		synctest.Wait() // else it stops between the delivery and its record
		a.stop()
		a = start(t, dir, map[string]Notifier{"noc": r}, escalate)
		defer a.stop()
		list := a.Active()
		if list[0].Ack == nil || list[0].Ack.By != "kim" || list[1].Silence == nil || list[1].Silence.Reason != "new unit comes" {
			t.Errorf("after a restart: %+v", list)
		}
		pass(30 * time.Minute)
		same(t, "told", []string{"raised major a/stm", "acknowledged major a/stm"}, r.told())
		same(t, "the boss", nil, boss.told())
		a.must(a.Unsilence(id))
		pass(time.Second)
		same(t, "after the silence", []string{"raised major a/stm", "acknowledged major a/stm", "raised minor a/battery"}, r.told())
		same(t, "the boss, of what nobody looks after", []string{"raised minor a/battery"}, boss.told())
		a.must(a.Clear(fmt.Sprint(list[0].Number), "done"))
		pass(time.Second)
		same(t, "stands", []string{"battery"}, a.active())
		if ended, err := a.History(5); err != nil || len(ended) != 1 || ended[0].lastEvidence().Text != "ended by hand: done" {
			t.Errorf("history %+v, %v", ended, err)
		}
	})
}

// TestChain raises a test alarm that every receiver gets.
func TestChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := &receiver{}
		bad := &receiver{answer: func(Notification) error { return errors.New("no route") }}
		a := start(t, t.TempDir(), map[string]Notifier{"bad": bad}, func(w *Watch) {
			w.Receivers["good"] = Receiver{Notifier: good, Confirms: true, Route: Route{Only: Match{Severity: Critical}}}
			w.Receivers["off"] = Receiver{Notifier: good, Route: Route{Policy: Policy{Level: LevelOff}}}
		})
		defer a.stop()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		list, err := a.Test(ctx, "kim")
		a.must(err)
		var got []string
		for _, x := range list {
			got = append(got, x.Receiver+" "+x.Result+" "+x.Error)
		}
		same(t, "results", []string{"bad failed no route", "good confirmed ", "off off "}, got)
		pass(2 * time.Minute)
		same(t, "stands", nil, a.active())
		if told := good.told(); len(told) != 2 || !strings.HasPrefix(told[1], "cleared warning lunawatch/test/") {
			t.Errorf("told %q", told)
		}
	})
}

// TestGivenUp rejects one notification and lets another expire: the rest goes
// on, and others are told.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := &receiver{}
		picky := &receiver{answer: func(n Notification) error {
			if n.Change.Alarm.Group == "stm" {
				return &Rejected{errors.New("bad request")}
			}
			return nil
		}}
		dead := &receiver{answer: func(Notification) error { return errors.New("no route") }}
		a := start(t, t.TempDir(), map[string]Notifier{"other": other, "picky": picky}, func(w *Watch) {
			w.Receivers["dead"] = Receiver{Notifier: dead, Route: Route{Expire: time.Hour}}
		})
		defer a.stop()
		a.must(a.lines("1", transport, lowPower))
		pass(time.Second)
		same(t, "picky", []string{"raised minor a/battery"}, picky.told()[:1])
		pass(2 * time.Hour)
		d := a.Deliveries()
		if d["picky"].Rejected != 1 || d["dead"].Expired < 2 || d["dead"].Delivered != 0 {
			t.Errorf("counts %+v", d)
		}
		all := strings.Join(other.told(), "\n")
		if !strings.Contains(all, "raised major lunawatch/delivery/dead") || !strings.Contains(all, "raised major lunawatch/delivery/picky") {
			t.Errorf("told\n%s", all)
		}
		for _, id := range func() []string { tried, _ := dead.saw(); return tried }() {
			if strings.HasPrefix(id, "lunawatch/delivery/dead") {
				t.Errorf("the dead one is told that it is dead: %s", id)
			}
		}
	})
}

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		up.Store(true)
		r := &receiver{answer: func(Notification) error {
			if up.Load() {
				return nil
			}
			return errors.New("no route")
		}}
		a := start(t, t.TempDir(), nil, func(w *Watch) {
			w.Receivers["noc"] = Receiver{Notifier: r, Route: Route{Heartbeat: 5 * time.Minute}}
		})
		defer a.stop()
		pass(11 * time.Minute)
		up.Store(false)
		pass(2 * time.Hour)
		up.Store(true)
		pass(time.Minute)
		_, taken := r.saw()
		var kinds []string
		for i, n := range taken {
			kinds = append(kinds, string(n.Change.Kind))
			if n.Sequence != uint64(i+1) {
				t.Errorf("notification %d has number %d", i, n.Sequence)
			}
		}
		same(t, "kinds", []string{"started", "heartbeat", "heartbeat", "heartbeat"}, kinds)
	})
}

// TestDroppedAfterARestart: what is pending outlives a restart and Past does
// not, so its beginnings are known from the alarm alone.
func TestDroppedAfterARestart(t *testing.T) {
	k := Key{Device: "a", Group: "stm"}
	s := NewState()
	s.Pending[k] = Alarm{Key: k, Severity: Major, Last: at(0), Begun: []time.Time{at(-20), at(-10)}, RaisesAt: at(60)}
	s.Apply(Eval(s, isGood(10), Damping{FlapCount: 3, FlapWindow: 10 * time.Minute}, at(10)))
	if p := s.Past[k]; len(s.Pending) != 0 || len(p.Begun) != 2 || !p.By.Equal(at(10)) {
		t.Errorf("pending %v, past %+v", s.Pending, p)
	}
}

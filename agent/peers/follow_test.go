package peers

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// TestClocksApart: ages of what an agent reads whose clock is wrong by an hour are right
// here.
func TestClocksApart(t *testing.T) {
	asked := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		ahead, want time.Duration // of the clock there; age of what was read there a minute ago
	}{
		{0, time.Minute}, {time.Hour, time.Minute}, {-time.Hour, time.Minute},
		{900 * time.Millisecond, time.Minute - 900*time.Millisecond}, // too little to be worth it
	} {
		store := hsm.NewStore()
		store.Expect(hsm.NetworkHSM, "a")
		f := follower{Peers: &Peers{Store: store}, of: Member{Name: "lw2"}}
		there := func(d time.Duration) time.Time { return asked.Add(test.ahead + d) }
		snap := (&hsm.Snapshot{}).With(hsm.Observation{Device: "a", Kind: hsm.NetworkHSM, Source: "hsm show", At: there(-time.Minute), MaxAge: time.Hour, Facts: []hsm.Fact{hsm.Show{Serial: "1"}}})
		answered := asked.Add(200 * time.Millisecond)
		for _, l := range []line{{Agent: "lw2", Now: there(100 * time.Millisecond)}, {Device: snap.Devices[0]}, {Now: there(100 * time.Millisecond)}} {
			if err := f.take(l, asked, answered); err != nil {
				t.Errorf("ahead by %s: %v", test.ahead, err)
			}
		}
		if got := store.Latest().Device("a").Ages(asked)["show"].Since; got != test.want {
			t.Errorf("ahead by %s: the age is %s, want %s", test.ahead, got, test.want)
		}
		if err := f.take(line{Now: there(time.Minute)}, asked, answered); err == nil || !strings.Contains(err.Error(), "a clock was set") {
			t.Errorf("ahead by %s: a clock that was set: %v", test.ahead, err)
		}
	}
}

// TestWhatOthersMayNotSay: an answer that is none of the agent that was asked ends; what it
// says of no HSM of ours changes nothing; what another version adds is left aside.
func TestWhatOthersMayNotSay(t *testing.T) {
	now := time.Now().UTC().Format(time.RFC3339Nano)
	first := fmt.Sprintf(`{"agent":"lw2","now":%q,"version":"9"}`, now)
	end := fmt.Sprintf(`{"now":%q}`, now)
	device := func(name, kind string) string {
		return fmt.Sprintf(`{"device":{"name":%q,"kind":%q,"from":"lw9","new":{"x":1},"sources":{"hsm show":{"at":%q}},"show":{"at":%q,"max_age_ns":1,"value":{"label":"x","rings":[1]}}}}`, name, kind, now, now)
	}
	for name, test := range map[string]struct {
		answer  []string
		adopted bool
		want    string // of the error
	}{
		"as it should be":     {[]string{first, device("a", "network_hsm"), `{"weather":"fine"}`, end}, true, "unexpected EOF"},
		"not all of it":       {[]string{first, device("a", "network_hsm")}, false, "unexpected EOF"},
		"another agent":       {[]string{strings.Replace(first, "lw2", "lw3", 1), device("a", "network_hsm"), end}, false, `it is the agent "lw3"`},
		"no first line":       {[]string{device("a", "network_hsm"), end}, false, `it is the agent ""`},
		"no time":             {[]string{`{"agent":"lw2"}`, device("a", "network_hsm"), end}, false, "what time"},
		"an unknown HSM":      {[]string{first, device("b", "network_hsm"), end}, false, "unexpected EOF"},
		"a card":              {[]string{first, device("a", "card_hsm"), end}, false, "unexpected EOF"},
		"nameless":            {[]string{first, `{"device":{}}`, `{"device":null}`, end}, false, "unexpected EOF"},
		"no JSON":             {[]string{first, "<html>", device("a", "network_hsm"), end}, false, "not a line of an agent"},
		"another type":        {[]string{first, `{"device":{"name":7}}`, end}, false, "not a line of an agent"},
		"a line without end":  {[]string{first, `{"gone":"` + strings.Repeat("x", maxLine) + `"}`, device("a", "network_hsm"), end}, false, "token too long"},
		"an answer of others": {[]string{"404"}, false, "it answers 404"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if test.answer[0] == "404" {
				http.NotFound(w, nil)
				return
			}
			io.WriteString(w, strings.Join(test.answer, "\n")+"\n")
		}))
		p := &Peers{Self: "lw1", Store: hsm.NewStore(), Log: slog.New(slog.DiscardHandler), client: server.Client()}
		p.Store.Expect(hsm.NetworkHSM, "a")
		f := follower{Peers: p, of: Member{"lw2", strings.TrimPrefix(server.URL, "http://")}}
		err := f.run(t.Context())
		server.Close()
		if !strings.Contains(fmt.Sprint(err), test.want) || errors.Is(err, io.EOF) {
			t.Errorf("%s: it ends with %v, want %q", name, err, test.want)
		}
		snap := p.Store.Latest()
		if d := snap.Device("a"); d.Show.Value.Label.Known != test.adopted || test.adopted && d.From != "lw2" {
			t.Errorf("%s: adopted %+v", name, d)
		}
		if len(snap.Devices) != 1 {
			t.Errorf("%s: %d devices, want 1", name, len(snap.Devices))
		}
	}
}

// TestWebs: where another agent serves its metrics is what it said last, if that can be.
func TestWebs(t *testing.T) {
	p := &Peers{Store: hsm.NewStore()}
	for _, test := range []struct{ says, want string }{
		{"http://192.0.2.2:9477", "http://192.0.2.2:9477"}, {"https://lw2.example.net:9477/x?y", "https://lw2.example.net:9477"},
		{"", ""}, {"http://192.0.2.2:9477", "http://192.0.2.2:9477"}, {"file:///etc/passwd", ""}, {"ftp://192.0.2.2", ""}, {"https://", ""}, {"\x00", ""}, {"lw2:9477", ""},
	} {
		f := follower{Peers: p, of: Member{Name: "lw2"}}
		if err := f.take(line{Agent: "lw2", Web: test.says, Now: time.Now()}, time.Now(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if got := p.Webs()["lw2"]; got != test.want {
			t.Errorf("it says %q: %q, want %q", test.says, got, test.want)
		}
	}
}

// TestChanges: another agent is sent what this one reads, once for each change, and what it
// reads no more; nothing of its host, nor what a third reads.
func TestChanges(t *testing.T) {
	owns := map[string]bool{"a": true, "b": true, "c": true, "card": true}
	p := &Peers{Store: hsm.NewStore(), Owns: func(device string) bool { return owns[device] }}
	p.Store.Expect(hsm.NetworkHSM, "a", "b", "c", "d")
	p.Store.Expect(hsm.CardHSM, "card")
	sent := make(map[string]uint64)
	says := func(what, want string) {
		t.Helper()
		var got []string
		for _, l := range p.changes(p.Store.Latest(), sent) {
			if l.Device != nil {
				got = append(got, l.Device.Name)
			} else {
				got = append(got, "not "+l.Gone)
			}
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%s: it sends %q, want %q", what, s, want)
		}
	}
	says("nothing was read", "")
	for _, name := range []string{"a", "b", "card", "d"} {
		read(p, name, "x")
	}
	says("two of its own were read", "a, b")
	says("nothing has changed", "")
	fail(p, "b", hsm.LayerRoute)
	says("one fails", "b")
	other := &hsm.Device{Name: "c", Kind: hsm.NetworkHSM, Sources: map[string]hsm.Source{"hsm show": {}}}
	p.Store.Adopt("lw2", other)
	says("another agent still read what it now owns", "")
	owns["a"] = false
	says("it gave one up", "not a")
	says("nothing has changed", "")
}

// TestReadings: each reading of another agent is recorded once, whatever else changes.
func TestReadings(t *testing.T) {
	var got []string
	p := &Peers{Store: hsm.NewStore(), Read: func(d *hsm.Device, o hsm.Observation) {
		got = append(got, fmt.Sprintf("%s %s %d", d.Name, o.Source, o.At.Unix()))
	}}
	p.Store.Expect(hsm.NetworkHSM, "a")
	f := &follower{Peers: p, of: Member{Name: "lw2"}}
	snap := new(hsm.Snapshot)
	tell := func(source string, second int64, facts ...hsm.Fact) {
		snap = snap.With(hsm.Observation{Device: "a", Kind: hsm.NetworkHSM, Source: source, At: time.Unix(second, 0), MaxAge: time.Minute, Facts: facts})
		d := *snap.Devices[0]
		f.batch = []*hsm.Device{&d}
		f.adopt()
	}
	tell("hsm show", 10, hsm.Show{})
	tell("ntls", 11, hsm.NTLS{})
	tell("hsm show", 20, hsm.Show{})
	f = &follower{Peers: p, of: Member{Name: "lw2"}} // it reconnects
	tell("ntls", 21, hsm.NTLS{})
	if s := strings.Join(got, ", "); s != "a hsm show 10, a ntls 11, a hsm show 20, a ntls 21" {
		t.Errorf("recorded: %s", s)
	}
}

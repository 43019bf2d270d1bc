package simulator

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestShippedScenarios(t *testing.T) {
	files, _ := filepath.Glob("scenarios/*.yaml")
	if len(files) == 0 {
		t.Fatal("no scenarios")
	}
	for _, file := range files {
		specs, sc, err := readScenario(file)
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		for _, sp := range specs { // the events must also be possible
			s := newState(sp, sc.Seed, time.Unix(0, 0))
			for _, e := range sp.timeline {
				s.after(e.at, func(s *state) {
					if err := s.apply(e.do); err != nil {
						t.Errorf("%s: %s at %v: %s: %v", file, sp.name, e.at, e.do, err)
					}
				})
			}
			s.advance(s.now.Add(time.Hour))
		}
	}
}

func TestScenarioValues(t *testing.T) {
	specs, sc, err := readScenario("scenarios/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := newState(specs[0], sc.Seed, time.Unix(0, 0))
	text, err := hsmShow(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"issuing\n", "518842\n", "PED keys\n", "Name: ocsp\n", "is in FIPS", "3.062 V\n", "Number of partitions created:        3\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	text, err = clientShow(s, params{"-client": "pki1"})
	if err != nil || !strings.Contains(text, "Hostname:     pki1.example.net\nPartitions:   \"root-ca\", \"issuing-ca\"\n") {
		t.Errorf("client show: %s, %v", text, err)
	}
	if got := len(specs[1].timeline); got != 6 {
		t.Errorf("%d events for the second appliance, want 6", got)
	}
}

func TestScenarioErrors(t *testing.T) {
	const head = "appliances:\n  - {name: a, model: \"7.2\"}\n  - {name: b, model: \"5.4\"}\n"
	for _, c := range []struct{ name, yaml, want string }{
		{"unknown key", "appliances:\n  - name: a\n    model: \"7.2\"\n    temprature: 4\n", `[4:5] unknown field "temprature"`},
		{"no appliances", "seed: 4\n", "no appliances"},
		{"unknown model", "appliances:\n  - name: a\n    model: \"8.0\"\n", `line 3: unknown model "8.0"; known are 5.4, 6.2, 7.2`},
		{"bad name", "appliances:\n  - name: ../a\n    model: \"7.2\"\n", "line 2: an appliance needs a name"},
		{"name twice", head + "  - {name: a, model: \"7.2\"}\n", "line 4: a second appliance called a"},
		{"authentication", "appliances:\n  - {name: a, model: \"7.2\", authentication: none}\n", "line 2: authentication is ped or password"},
		{"uptime", "appliances:\n  - {name: a, model: \"7.2\", uptime: long}\n", "line 2: uptime: time: invalid duration"},
		{"client", "appliances:\n  - name: a\n    model: \"7.2\"\n    clients:\n      - {name: c, partitions: [x]}\n", "line 5: client c: no partition called x"},
		{"unknown event", head + "timeline:\n  - at: 1s\n    do: explode\n", `line 6: unknown event "explode"; known are load,`},
		{"bad argument", head + "timeline:\n  - {at: 1s, appliance: a, do: temperature warm}\n", `line 5: a: "warm" is not a valid CELSIUS`},
		{"wrong card", head + "timeline:\n  - {at: 1s, do: battery 2}\n", "line 5: b: battery needs a K7 card"},
		{"when", head + "timeline:\n  - {at: later, do: zeroize}\n", "line 5: at: time: invalid duration"},
		{"who", head + "timeline:\n  - {at: 1s, appliance: c, do: zeroize}\n", "line 5: no appliance called c"},
		{"not yaml", "appliances: [\n", "[1:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s.yaml")
			if err := os.WriteFile(path, []byte(c.yaml), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := New(Config{ListenAddress: "127.0.0.1:0", StateDir: t.TempDir(), Scenario: path})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/exporters/history"
	"github.com/lunawatch/lunawatch/exporters/plot"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Device is how one device is.
type Device struct {
	glance.Row
	Word string `json:"word"` // critical, major, minor, warning, well, stale, unknown
}

// An Estate is how every device is, worst first.
type Estate struct {
	State   glance.State   `json:"state"`  // the worst of Devices; unknown if there are none
	Counts  map[string]int `json:"counts"` // of devices by word, those of none left out
	Devices []Device       `json:"devices"`
}

func estate(s Source, _ *http.Request) (Estate, error) {
	e := glance.Of(s.Snapshot(), s.Active(), s.Now())
	answer := Estate{State: e.State, Counts: make(map[string]int), Devices: make([]Device, 0, len(e.Rows))}
	for _, r := range e.Rows {
		answer.Devices = append(answer.Devices, Device{r, r.Word()})
		answer.Counts[r.Word()]++
	}
	return answer, nil
}

// HSMs are how every HSM is, worst first.
type HSMs struct {
	HSMs []Device `json:"hsms"`
}

func hsms(s Source, r *http.Request) (HSMs, error) {
	e, err := estate(s, r)
	return HSMs{slices.DeleteFunc(e.Devices, func(d Device) bool { return d.Kind != hsm.NetworkHSM && d.Kind != hsm.CardHSM })}, err
}

// One is all that is known of one HSM or host.
type One struct {
	Device
	Read   *hsm.Device     `json:"read"`          // every section as it was read, also what is stale
	Alarms []alarms.Active `json:"active_alarms"` // worst first
}

// named returns the device that a path names; an HSM by its serial number, too.
func named(s Source, r *http.Request) (*hsm.Device, error) {
	name, snap := r.PathValue("name"), s.Snapshot()
	if d := snap.Device(name); d != nil {
		return d, nil
	}
	for _, d := range snap.HSMs() {
		if name != "" && d.Serial() == name {
			return d, nil
		}
	}
	return nil, refuse(http.StatusNotFound, "no device %q is watched; %s/estate has all", r.PathValue("name"), Prefix)
}

func one(s Source, r *http.Request) (One, error) {
	d, err := named(s, r)
	if err != nil {
		return One{}, err
	}
	of := slices.DeleteFunc(s.Active(), func(a alarms.Active) bool { return a.Device != d.Name })
	row := glance.Of(&hsm.Snapshot{Devices: []*hsm.Device{d}}, of, s.Now()).Rows[0]
	return One{Device{row, row.Word()}, d, of}, nil
}

// Values are numbers, of which NaN is null.
type Values []float64

// MarshalJSON writes null for NaN.
func (v Values) MarshalJSON() ([]byte, error) {
	out := []byte{'['}
	for i, x := range v {
		if i > 0 {
			out = append(out, ',')
		}
		if math.IsNaN(x) {
			out = append(out, "null"...)
			continue
		}
		out = strconv.AppendFloat(out, x, 'g', -1, 64)
	}
	return append(out, ']'), nil
}

// UnmarshalJSON reads null as NaN.
func (v *Values) UnmarshalJSON(text []byte) error {
	var list []*float64
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&list); err != nil {
		return err
	}
	*v = make(Values, 0, len(list))
	for _, x := range list {
		if x == nil {
			x = new(math.NaN())
		}
		*v = append(*v, *x)
	}
	return nil
}

// A Series is one measure of one device: a point a step, oldest first.
type Series struct {
	Measure     history.Measure `json:"measure"`
	Title       string          `json:"title"`
	Unit        string          `json:"unit"` // "": a ratio from 0 to 1
	Decimals    int             `json:"decimals"`
	Start       time.Time       `json:"start"` // of the first point
	StepSeconds int             `json:"step_seconds"`
	Min         Values          `json:"min"`
	Median      Values          `json:"median"`
	Max         Values          `json:"max"`
}

// Points returns the medians that are known, as a chart in a terminal has them: ratios in
// percent.
func (s Series) Points() (list []plot.Point) {
	step, factor := time.Duration(s.StepSeconds)*time.Second, 1.0
	if s.Unit == "" {
		factor = 100
	}
	for i, v := range s.Median {
		if from := s.Start.Add(time.Duration(i) * step); !math.IsNaN(v) {
			list = append(list, plot.Point{From: from, Until: from.Add(step), Value: v * factor})
		}
	}
	return list
}

// History is what was measured of a device.
type History struct {
	Device string   `json:"device"`
	Series []Series `json:"series"` // in the order of charts
}

func measured(s Source, r *http.Request) (History, error) {
	d, err := named(s, r)
	if err != nil {
		return History{}, err
	}
	var names []string
	answer, want := History{d.Name, []Series{}}, r.URL.Query().Get("measure")
	for _, m := range history.Measures() {
		names = append(names, string(m.Name))
		if want != "" && want != string(m.Name) {
			continue
		}
		if x, read := s.History.Series(d.Name, m.Name, s.Now()); read {
			answer.Series = append(answer.Series, Series{m.Name, m.Title, m.Unit, m.Decimals, x.Start, int(history.Step / time.Second), x.Min, x.Median, x.Max})
		}
	}
	if want != "" && !slices.Contains(names, want) {
		return History{}, refuse(http.StatusBadRequest, "%q is no measure; there are %s", want, strings.Join(names, ", "))
	}
	return answer, nil
}

// An Hour is the worst state of a device in an hour.
type Hour struct {
	Start  time.Time       `json:"start"`
	State  hsm.Opt[string] `json:"state"` // a word, as of [Device]; unknown as null: the agent did not run
	Reason string          `json:"reason,omitempty"`
}

// Days are the states of a device by the hour.
type Days struct {
	Device string `json:"device"`
	Hours  []Hour `json:"hours"` // oldest first
}

func days(s Source, r *http.Request) (Days, error) {
	d, err := named(s, r)
	if err != nil {
		return Days{}, err
	}
	answer := Days{d.Name, []Hour{}}
	for _, h := range s.History.Days(d.Name, s.Now()) {
		answer.Hours = append(answer.Hours, Hour{h.Start, hsm.Opt[string]{Value: h.State, Known: h.State != ""}, h.Reason})
	}
	return answer, nil
}

// An HAClient is HA as the client on one host sees it.
type HAClient struct {
	Device string    `json:"device"` // the host
	At     time.Time `json:"at"`     // when it was read
	Stale  bool      `json:"stale"`
	HA     hsm.HA    `json:"ha"`
}

// HA is that of every host.
type HA struct {
	Clients []HAClient `json:"clients"`
}

func ha(s Source, _ *http.Request) (HA, error) {
	answer := HA{[]HAClient{}}
	for _, d := range s.Snapshot().Devices {
		if !d.HA.IsZero() {
			answer.Clients = append(answer.Clients, HAClient{d.Name, d.HA.At, !d.HA.Fresh(s.Now()), d.HA.Value})
		}
	}
	return answer, nil
}

// Alarms are active ones.
type Alarms struct {
	Alarms []alarms.Active `json:"alarms"`
}

func active(s Source, _ *http.Request) (Alarms, error) {
	return Alarms{append([]alarms.Active{}, s.Active()...)}, nil
}

// Cleared are alarms that have cleared.
type Cleared struct {
	Alarms []alarms.Alarm `json:"alarms"`
}

// How many cleared alarms are returned, unless fewer or more are asked for.
const (
	someCleared = 100
	mostCleared = 10_000
)

func cleared(s Source, r *http.Request) (Cleared, error) {
	most := someCleared
	if text := r.URL.Query().Get("most"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostCleared {
			return Cleared{}, refuse(http.StatusBadRequest, "most %q is not a number from 1 to %d", text, mostCleared)
		}
		most = n
	}
	list, err := s.Cleared(most)
	return Cleared{append([]alarms.Alarm{}, list...)}, err
}

func alarm(s Source, r *http.Request) (alarms.Active, error) {
	number, err := strconv.ParseUint(r.PathValue("number"), 10, 64)
	if err != nil || number == 0 {
		return alarms.Active{}, refuse(http.StatusBadRequest, "%q is not the number of an alarm", r.PathValue("number"))
	}
	for _, a := range s.Active() {
		if a.Number == number {
			return a, nil
		}
	}
	list, err := s.Cleared(mostCleared)
	if err != nil {
		return alarms.Active{}, err
	}
	for _, a := range list {
		if a.Number == number {
			return alarms.Active{Alarm: a, Title: alarms.GroupNamed(a.Group).Title, Action: alarms.Advice(a), Layer: a.DeadLayer()}, nil
		}
	}
	return alarms.Active{}, refuse(http.StatusNotFound, "no alarm %d is active or in the history", number)
}

// Silences are the active and the future ones.
type Silences struct {
	Silences []alarms.Silence `json:"silences"`
}

func silences(s Source, _ *http.Request) (Silences, error) {
	return Silences{append([]alarms.Silence{}, s.Silences()...)}, nil
}

// A Receiver is what one took, and what waits for it.
type Receiver struct {
	Name           string    `json:"name"`
	Delivered      uint64    `json:"delivered"` // notifications, since the agent started, as all counts here
	FailedAttempts uint64    `json:"failed_attempts"`
	Rejected       uint64    `json:"rejected"`         // given up: it will never take them
	Expired        uint64    `json:"expired"`          // given up: not delivered in time
	LostAt         time.Time `json:"lost_at,omitzero"` // when one was last given up
	Waiting        int       `json:"waiting"`
	Oldest         time.Time `json:"oldest,omitzero"` // when the oldest that waits was queued
	Error          string    `json:"error,omitempty"` // of the last failed attempt
}

// Receivers are all of them, by name.
type Receivers struct {
	Receivers []Receiver `json:"receivers"`
}

func receivers(s Source, _ *http.Request) (Receivers, error) {
	all, answer := s.Deliveries(), Receivers{[]Receiver{}}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		d := all[name]
		answer.Receivers = append(answer.Receivers, Receiver{name, d.Delivered, d.Failed, d.Rejected, d.Expired, d.LostAt, d.Waiting, d.Oldest, d.Error})
	}
	return answer, nil
}

// An Agent is the agent itself.
type Agent struct {
	Version   string    `json:"version"`
	GoVersion string    `json:"go_version"`
	Started   time.Time `json:"started"`
	Trouble   string    `json:"trouble,omitempty"` // why its state is in memory only
	HSMs      int       `json:"hsms"`
	Alarms    int       `json:"alarms"` // that are active
}

func agent(s Source, _ *http.Request) (Agent, error) {
	a := s.Agent()
	a.HSMs, a.Alarms = len(s.Snapshot().HSMs()), len(s.Active())
	return a, nil
}

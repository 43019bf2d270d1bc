package managers

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

// What Observium does was read in its Community Edition of 2025-07 (includes/discovery/sensors/entity-sensor-mib.inc.php,
// includes/entities/sensor.inc.php), and is written anew. Nothing ships for it.

// An observiumSensor has a limit of NaN where Observium has none.
type observiumSensor struct {
	class, descr     string
	value, low, high float64
}

// observium returns the sensors that Observium shows, by their descriptions, and how many
// rows it skips.
func observium(t *testing.T, w walk) (shown map[string]observiumSensor, skipped int) {
	t.Helper()
	classes := map[string]string{"3": "voltage", "4": "voltage", "8": "temperature", "10": "fanspeed"}
	const column, descr, name = ".1.3.6.1.2.1.99.1.1.1.", ".1.3.6.1.2.1.47.1.1.1.1.2.", ".1.3.6.1.2.1.47.1.1.1.1.7."
	shown = make(map[string]observiumSensor)
	for _, key := range w.order {
		index, row := strings.CutPrefix(key, column+"1.")
		if !row {
			continue
		}
		s := observiumSensor{class: classes[w.values[key]], descr: w.values[descr+index], low: math.NaN(), high: math.NaN()}
		value, exists := w.values[column+"4."+index]
		status := w.values[column+"5."+index]
		if s.class == "" || !exists || status == "2" || status == "3" {
			skipped++
			continue
		}
		if n := w.values[name+index]; len(n) < 2 || !strings.Contains(s.descr, n[2:]) {
			s.descr += " - " + n
		}
		scale := math.Pow(10, -number(t, w.values[column+"3."+index]))
		if w.values[column+"2."+index] == "8" {
			scale /= 1000
		}
		s.value = number(t, value) * scale
		if s.class == "temperature" && (s.value > 200 || s.value == 0) {
			skipped++
			continue
		}
		shown[s.descr] = s.guessed()
	}
	return shown, skipped
}

// guessed is the sensor with the limits that Observium makes of its first value; of 0 it
// makes none.
func (s observiumSensor) guessed() observiumSensor {
	if s.value == 0 {
		return s
	}
	switch s.class {
	case "temperature":
		s.low, s.high = 0, s.value*1.60
	case "voltage":
		s.low, s.high = s.value*0.85, s.value*1.15
	case "fanspeed":
		s.low, s.high = s.value*0.80, s.value*1.80
	}
	return s
}

// TestObservium: each value as the device has it, under a name that is unique, and limits
// that are guesses.
func TestObservium(t *testing.T) {
	w := recorded(t, "estate.walk")
	shown, skipped := observium(t, w)
	indexes, rows := w.columns(t, "lunaSensorTable")
	values := make(map[string]int)
	for _, index := range indexes {
		if row := rows[index]; row["lunaSensorValue"] != "" {
			values[stringOf(t, index, "s")+" "+row["lunaSensorValue"]]++
		}
	}
	for _, s := range shown {
		hsm, _, _ := strings.Cut(s.descr, " ")
		if thousandths := hsm + " " + strconv.Itoa(int(math.Round(s.value*1000))); values[thousandths] == 0 {
			t.Errorf("%s is %v, which no sensor of lunaSensorTable is", s.descr, s.value)
		}
	}
	if entities := len(entitySensors(t, w)); len(shown) != entities || entities == 0 {
		t.Errorf("%d sensors by their descriptions, of %d", len(shown), entities)
	}
	battery, card := shown["luna72 Battery Voltage"], shown["luna72 HSM Temperature"]
	if battery.low >= 2.75 || battery.high < 3 || card.high >= 75 || card.low != 0 {
		t.Errorf("docs/snmp.md says otherwise: battery %+v, card %+v", battery, card)
	}
	t.Logf("%d shown, %d skipped; battery %.3f V: %.3f to %.3f V; card %v: %v to %v", len(shown), skipped, battery.value, battery.low, battery.high, card.value, card.low, card.high)
}

// TestObserviumAway: of the two HSMs that are away it shows no values; its rows are gone.
func TestObserviumAway(t *testing.T) {
	shown, _ := observium(t, recorded(t, "away.walk"))
	count := make(map[string]int)
	for descr := range shown {
		hsm, _, _ := strings.Cut(descr, " ")
		count[hsm]++
	}
	if count["luna54"] > 0 || count["luna62"] > 0 || count["luna72"] == 0 {
		t.Errorf("sensors by HSM: %v", count)
	}
}

package status

import (
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// sensorPart is a part of the answer to "status sensors".
type sensorPart int

const (
	beforeSensors sensorPart = iota
	sensorTable
	sensorNotes
	powerSupplies
	frontFans
	chassisStatus
)

// Sensors is the format of the sensors of an appliance.
var Sensors = answer.Latest("status-sensors", "status sensors", parseSensors)

// parseSensors reads LunaSH "status sensors": the table of the baseboard
// controller, and the state of power supplies, fans and chassis.
func parseSensors(lines []string, unread func(string)) hsm.Fact {
	s := hsm.Sensors{}
	understood, part := 0, beforeSensors
	for _, line := range lines {
		if next, ok := sensorHeading(line); ok {
			part = next
			continue
		}
		switch {
		case answer.IsRule(line):
		case readSensorLine(&s, part, line):
			understood++
		case part != sensorNotes && !strings.HasPrefix(line, "This command displays"):
			unread(line)
		}
	}
	if understood == 0 {
		return nil
	}
	return s
}

func sensorHeading(line string) (sensorPart, bool) {
	low := strings.ToLower(answer.Collapse(answer.Clip(line, 200)))
	bare := strings.Trim(low, "- :")
	switch {
	case strings.HasPrefix(low, "sensor |"):
		return sensorTable, true
	case low == "notes:":
		return sensorNotes, true
	case bare == "power supplies status":
		return powerSupplies, true
	case bare == "front cooling fans status":
		return frontFans, true
	case bare == "chassis status":
		return chassisStatus, true
	}
	return 0, false
}

func readSensorLine(s *hsm.Sensors, part sensorPart, line string) bool {
	cells := strings.SplitN(line, "|", 9)
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	switch {
	case len(cells) == 8:
		sensor, ok := sensorRow(cells)
		if ok {
			s.Sensors = append(s.Sensors, sensor)
		}
		return ok
	case part == powerSupplies && len(cells) == 2:
		s.PowerSupplies = append(s.PowerSupplies, hsm.Fan{Name: sensorName(cells[0]), Status: cells[1]})
		return cells[0] != "" && cells[1] != ""
	case part == frontFans && len(cells) == 3:
		fan := hsm.Fan{Name: sensorName(cells[0]), Status: cells[1]}
		if rpm, ok := answer.Measure(cells[2], "rpm"); ok && rpm >= 0 {
			fan.RPM = hsm.Some(rpm)
		}
		s.Fans = append(s.Fans, fan)
		return cells[0] != "" && cells[1] != ""
	case part == chassisStatus && len(cells) == 1:
		name, value, ok := strings.Cut(line, ":")
		if name, value = answer.Collapse(name), strings.TrimSpace(value); !ok || name == "" || value == "" {
			return false
		}
		if s.Chassis == nil {
			s.Chassis = make(map[string]string)
		}
		s.Chassis[name] = value
		return true
	}
	return false
}

// sensorName trims the dot that pads names: "Fan1A          .".
func sensorName(cell string) string {
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(cell), "."))
}

// sensorRow reads sensor, reading, unit, status and the thresholds.
func sensorRow(cells []string) (hsm.Sensor, bool) {
	v := hsm.Sensor{Name: sensorName(cells[0]), Unit: cells[2], Status: strings.ToLower(answer.Collapse(cells[3]))}
	discrete := strings.EqualFold(v.Unit, "discrete")
	if v.Name == "" || v.Unit == "" || v.Status == "" || !discrete && !sensorValue(&v.Reading, cells[1]) {
		return v, false
	}
	if strings.HasPrefix(strings.ToLower(v.Unit), "degrees") && hsm.Is(v.Reading, 0) {
		v.Reading = hsm.Opt[float64]{} // the sensor is not present
	}
	ok := true
	for i, to := range []*hsm.Opt[float64]{&v.LowerNonrecoverable, &v.LowerCritical, &v.UpperCritical, &v.UpperNonrecoverable} {
		ok = sensorValue(to, cells[4+i]) && ok
	}
	return v, ok
}

// sensorValue reads a number, or "na".
func sensorValue(to *hsm.Opt[float64], cell string) bool {
	if cell != "" && answer.NotKnown(cell) {
		return true
	}
	f, ok := answer.Decimal(cell, 0)
	return answer.Known(to, f, ok)
}

package shell

import (
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// shown is a Show while it is parsed.
type shown struct {
	hsm.Show
	attempts string // SO login attempts left, as printed
}

var showSheet = answer.Sheet[shown]{
	Line: showLine,
	Labels: answer.Labels[shown]{
		"software version":                     func(s *shown, v string) bool { return answer.Word(&s.SoftwareVersion, v) },
		"hsm label":                            func(s *shown, v string) bool { return answer.Known(&s.Label, v, true) },
		"serial #":                             func(s *shown, v string) bool { return answer.Serial(&s.Serial, v) },
		"firmware":                             func(s *shown, v string) bool { return answer.Word(&s.Firmware, v) },
		"rollback version":                     rollback,
		"hardware model":                       func(s *shown, v string) bool { return answer.Words(&s.Model, v) },
		"hsm model":                            func(s *shown, v string) bool { return answer.Words(&s.Model, v) },
		"hsm part number":                      func(s *shown, v string) bool { return answer.Word(&s.PartNumber, v) },
		"authentication method":                authentication,
		"hsm admin login status":               soLogin,
		"hsm so login status":                  soLogin,
		"hsm admin login attempts left":        soAttempts,
		"hsm so login attempts left":           soAttempts,
		"rpv initialized":                      rpv,
		"audit role initialized":               auditRole,
		"remote login initialized":             func(s *shown, v string) bool { return answer.Boolean(&s.RemoteLogin, v) },
		"manually zeroized":                    func(s *shown, v string) bool { return answer.Boolean(&s.ManuallyZeroized, v) },
		"secure transport mode":                func(s *shown, v string) bool { return answer.Boolean(&s.SecureTransportMode, v) },
		"hsm tamper state":                     tamperState,
		"hsm status":                           status,
		"number of partitions allowed":         func(s *shown, v string) bool { return answer.Whole(&s.PartitionsAllowed, v) },
		"number of partitions created":         func(s *shown, v string) bool { return answer.Whole(&s.PartitionsCreated, v) },
		"maximum hsm storage space":            func(s *shown, v string) bool { return answer.Whole(&s.Storage.Total, v) },
		"space in use":                         func(s *shown, v string) bool { return answer.Whole(&s.Storage.Used, v) },
		"free space left":                      func(s *shown, v string) bool { return answer.Whole(&s.Storage.Free, v) },
		"battery voltage":                      inEnvironment(answer.Volts, func(e *hsm.Environment) *hsm.Opt[float64] { return &e.BatteryVolts }),
		"battery warning threshold voltage":    inEnvironment(answer.Volts, func(e *hsm.Environment) *hsm.Opt[float64] { return &e.BatteryWarning }),
		"system temp":                          inEnvironment(answer.Celsius, func(e *hsm.Environment) *hsm.Opt[float64] { return &e.TemperatureCelsius }),
		"system temp warning threshold":        inEnvironment(answer.Celsius, func(e *hsm.Environment) *hsm.Opt[float64] { return &e.TemperatureWarning }),
		"system temperature warning threshold": inEnvironment(answer.Celsius, func(e *hsm.Environment) *hsm.Opt[float64] { return &e.TemperatureWarning }),
		"appliance details":                    nil,
		"hsm details":                          nil,
		"fips 140-2 operation":                 nil,
		"fips 140-3 operation":                 nil,
		"hsm storage information":              nil,
		"hsm storage informaton":               nil, // as printed by 5.1
		"environmental information on hsm":     nil,
	},
	Other: fanStatus,
}

// HSMShow is the format of the state of an HSM in LunaSH.
var HSMShow = answer.Latest("hsm-show", "hsm show", parseShow)

// parseShow reads LunaSH "hsm show", 5.1 to 7.x: labels in any order, and
// sentences for partitions, FIPS mode and excursions. Only firmware 7 states
// the environment and the tamper state.
func parseShow(lines []string, unread func(string)) hsm.Fact {
	var s shown
	if showSheet.Read(lines, &s, unread) == 0 {
		return nil
	}
	s.Zeroized = zeroized(s)
	return s.WithStatus()
}

// zeroized returns whether the HSM is zeroized. It states that in place of its
// login attempts, but in 5.3 only by a label that the HSM itself makes up. An empty
// label by itself is inconclusive: 7.2 can leave the label empty.
func zeroized(s shown) hsm.Opt[bool] {
	if statesZeroized(s.attempts) {
		return hsm.Some(true)
	}
	// In place of the HSM's own words 5.x may have one for "not known"; later it is a
	// name that somebody chose.
	if !s.Label.Known || strings.HasPrefix(s.SoftwareVersion, "5.") && s.Label.Value != "" && answer.NotKnown(s.Label.Value) {
		return hsm.Opt[bool]{}
	}
	switch strings.ToLower(answer.Collapse(s.Label.Value)) {
	case "no label", "[none]":
		return hsm.Some(true)
	case "":
		return hsm.Opt[bool]{Known: len(s.Partitions) > 0}
	}
	return hsm.Opt[bool]{Known: s.SOLoginAttemptsLeft.Known}
}

func statesZeroized(attempts string) bool {
	attempts = strings.ToLower(strings.ReplaceAll(attempts, " ", ""))
	return strings.Contains(attempts, "zeroized!") || strings.HasSuffix(attempts, "iszeroized")
}

func soAttempts(s *shown, v string) bool {
	if v == "" {
		return false
	}
	s.attempts = v
	if statesZeroized(v) {
		return true
	}
	return answer.Whole(&s.SOLoginAttemptsLeft, v)
}

func status(s *shown, v string) bool {
	return answer.State((*string)(&s.Status), v)
}

func soLogin(s *shown, v string) bool {
	v = strings.ToLower(answer.Collapse(v))
	in, out := strings.HasPrefix(v, "logged in"), strings.HasPrefix(v, "not logged in")
	return answer.Known(&s.SOLoggedIn, in, in || out)
}

func authentication(s *shown, v string) bool {
	switch v = strings.ToLower(v); {
	case v == "":
		return false
	case strings.HasPrefix(v, "password"):
		s.Authentication = hsm.AuthPassword
	case strings.HasPrefix(v, "ped"):
		s.Authentication = hsm.AuthPED
	default:
		s.Authentication = hsm.AuthUnknown
	}
	return true
}

func rollback(s *shown, v string) bool {
	v, _, _ = strings.Cut(v, "<<=") // an arrow that documents draw
	if strings.HasPrefix(strings.ToLower(v), "cannot") {
		s.RollbackFirmware = ""
		return true
	}
	return answer.Word(&s.RollbackFirmware, v)
}

func rpv(s *shown, v string) bool {
	yes, ok := answer.YesNo(v)
	switch {
	case ok && yes, strings.EqualFold(v, "initialized"):
		s.RPV = hsm.RPVInitialized
	case ok, strings.EqualFold(v, "uninitialized"):
		s.RPV = hsm.RPVUninitialized
	case notSupported(v):
		s.RPV = hsm.RPVNotSupported
	default:
		return false
	}
	return true
}

func auditRole(s *shown, v string) bool {
	yes, ok := answer.YesNo(v)
	switch {
	case ok && yes:
		s.AuditRole = hsm.AuditYes
	case ok:
		s.AuditRole = hsm.AuditNo
	case notSupported(v):
		s.AuditRole = hsm.AuditNotSupported
	default:
		return false
	}
	return true
}

func notSupported(v string) bool {
	v = strings.ToLower(answer.Collapse(v))
	return strings.HasPrefix(v, "not supported") || v == "n/a"
}

func tamperState(s *shown, v string) bool {
	switch v = strings.ToLower(answer.Collapse(v)); {
	case strings.HasPrefix(v, "no tamper"), strings.HasPrefix(v, "no active tamper"):
		s.Tamper = hsm.TamperNone
	case strings.HasPrefix(v, "tamper") && strings.Contains(v, "detected"):
		s.Tamper = hsm.TamperDetected
	default:
		return false
	}
	return true
}

// env returns the environment of s, and adds one if there is none.
func (s *shown) env() *hsm.Environment {
	if s.Environment == nil {
		s.Environment = new(hsm.Environment)
	}
	return s.Environment
}

// inEnvironment returns a setter of a value of the environment, which exists only
// if one of its values does.
func inEnvironment(read func(*hsm.Opt[float64], string) bool, field func(*hsm.Environment) *hsm.Opt[float64]) func(*shown, string) bool {
	return func(s *shown, v string) bool {
		var f hsm.Opt[float64]
		if !read(&f, v) {
			return false
		}
		*field(s.env()) = f
		return true
	}
}

// fanStatus returns the setter of "fan 1 status", for a fan of any number.
func fanStatus(name string) func(*shown, string) bool {
	fan, ok := strings.CutSuffix(name, " status")
	if !ok || !strings.HasPrefix(fan, "fan ") {
		return nil
	}
	return func(s *shown, v string) bool {
		if v == "" {
			return false
		}
		e := s.env()
		e.Fans = append(e.Fans, hsm.Fan{Name: "F" + fan[1:], Status: answer.Collapse(answer.Clip(v, 200))})
		return true
	}
}

func showLine(s *shown, line string) bool {
	low := strings.ToLower(answer.Collapse(answer.Clip(line, 200)))
	switch {
	case strings.HasPrefix(low, "partition:"):
		return namedPartition(s, line)
	case strings.HasPrefix(low, "there are no partitions"):
		s.Partitions = []hsm.NamedPartition{}
	case low == "partitions created on hsm:", low == "partitions created on hsm":
	case strings.HasPrefix(low, "partitions created on hsm ("):
		n, _, _ := strings.Cut(strings.TrimPrefix(low, "partitions created on hsm ("), ")")
		return answer.Whole(&s.PartitionsCreated, n)
	case strings.Contains(low, "is not in fips 140"):
		s.FIPS = hsm.Some(false)
	case strings.Contains(low, "is in fips 140"):
		s.FIPS = hsm.Some(true)
	case strings.HasPrefix(low, "warning: battery voltage below"):
		s.env().BatteryLow = true
	case strings.HasPrefix(low, "warning: system temp") && strings.Contains(low, "above"):
		s.env().TemperatureHigh = true
	default:
		return false
	}
	return true
}

// namedPartition reads "Partition: 700022006,  Name: mypar2". A name can have
// blanks and colons.
func namedPartition(s *shown, line string) bool {
	_, rest, _ := strings.Cut(line, ":")
	number, rest, _ := strings.Cut(rest, ",")
	name, ok := answer.CutPrefixFold(strings.TrimSpace(rest), "name:")
	var p hsm.NamedPartition
	if !ok || !answer.Serial(&p.Serial, strings.TrimSpace(number)) {
		return false
	}
	p.Name = strings.TrimSpace(name)
	s.Partitions = append(s.Partitions, p)
	return true
}

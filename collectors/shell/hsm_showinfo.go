package shell

import (
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// cardSection is whose storage the lines being read describe.
type cardSection int

const (
	noStorage    cardSection = iota
	hsmStorage               // of the whole HSM
	otherStorage             // of its admin partition, SO or user
)

// cardRead is a Show while it is parsed from LunaCM.
type cardRead struct {
	shown
	section     cardSection
	initialized bool // by a flag
	card        bool // has something that only an HSM has
	user        bool // has something that only a user partition has
	detail      bool // has something that other commands do not print
}

// What a label implies about the text that it is in.
const (
	onlyCard = 1 << iota // not a user partition, which does not have it
	onlyInfo             // not the answer to another command
)

var cardSheet = answer.Sheet[cardRead]{
	Line: cardLine,
	Labels: answer.Labels[cardRead]{
		"partition label":                      ofCard(onlyInfo, func(s *shown, v string) bool { return answer.Known(&s.Label, v, true) }),
		"hsm label":                            ofCard(onlyCard, func(s *shown, v string) bool { return answer.Known(&s.Label, v, true) }),
		"partition manufacturer":               cardDetail,
		"hsm manufacturer":                     cardDetail,
		"partition model":                      ofCard(onlyInfo, func(s *shown, v string) bool { return answer.Words(&s.Model, v) }),
		"hsm model":                            ofCard(onlyCard, func(s *shown, v string) bool { return answer.Words(&s.Model, v) }),
		"partition serial number":              ofCard(onlyInfo, func(s *shown, v string) bool { return answer.Serial(&s.Serial, v) }),
		"hsm serial number":                    ofCard(0, func(s *shown, v string) bool { return answer.Serial(&s.Serial, v) }),
		"partition status":                     ofCard(onlyInfo, status),
		"hsm status":                           ofCard(0, status),
		"hsm part number":                      ofCard(onlyInfo, func(s *shown, v string) bool { return answer.Word(&s.PartNumber, v) }),
		"firmware version":                     ofCard(onlyCard, func(s *shown, v string) bool { return answer.Word(&s.Firmware, v) }),
		"rollback firmware version":            ofCard(onlyCard|onlyInfo, cardRollback),
		"rpv initialized":                      ofCard(onlyInfo, rpv),
		"role status":                          ofCard(onlyInfo, cardRole),
		"so status":                            ofCard(onlyCard|onlyInfo, soLogin),
		"so failed logins":                     ofCard(onlyCard|onlyInfo, func(s *shown, v string) bool { return answer.Whole(&s.SOFailedLogins, v) }),
		"user status":                          func(c *cardRead, _ string) bool { c.user = true; return true },
		"session state":                        cardDetail,
		"token flags":                          cardDetail,
		"slot id":                              nil,
		"tunnel slot id":                       nil,
		"so flags":                             nil,
		"user flags":                           nil,
		"partition ouid":                       nil,
		"user ouid":                            nil,
		"object count":                         nil,
		"overhead":                             nil,
		"hsm storage":                          storageOf(hsmStorage),
		"partition storage":                    storageOf(otherStorage),
		"so storage":                           storageOf(otherStorage),
		"user storage":                         storageOf(otherStorage),
		"total storage space":                  ofStorage(func(s *shown) *hsm.Opt[int64] { return &s.Storage.Total }),
		"used storage space":                   ofStorage(func(s *shown) *hsm.Opt[int64] { return &s.Storage.Used }),
		"free storage space":                   ofStorage(func(s *shown) *hsm.Opt[int64] { return &s.Storage.Free }),
		"allowed partitions":                   ofCard(onlyCard|onlyInfo, func(s *shown, v string) bool { return answer.Whole(&s.PartitionsAllowed, v) }),
		"number of partitions":                 ofCard(onlyCard, func(s *shown, v string) bool { return answer.Whole(&s.PartitionsCreated, v) }),
		"license count":                        ofCard(onlyInfo, func(s *shown, v string) bool { return answer.Whole(&s.LicenseCount, v) }),
		"environmental":                        nil,
		"battery voltage":                      ofCard(onlyCard, inEnvironment(answer.Volts, func(e *hsm.Environment) *hsm.Opt[float64] { return &e.BatteryVolts })),
		"battery warning threshold voltage":    ofCard(onlyCard, inEnvironment(answer.Volts, func(e *hsm.Environment) *hsm.Opt[float64] { return &e.BatteryWarning })),
		"system temp":                          ofCard(onlyCard, inEnvironment(answer.Celsius, func(e *hsm.Environment) *hsm.Opt[float64] { return &e.TemperatureCelsius })),
		"system temperature":                   ofCard(onlyCard, inEnvironment(answer.Celsius, func(e *hsm.Environment) *hsm.Opt[float64] { return &e.TemperatureCelsius })),
		"system temp warning threshold":        ofCard(onlyCard, inEnvironment(answer.Celsius, func(e *hsm.Environment) *hsm.Opt[float64] { return &e.TemperatureWarning })),
		"system temperature warning threshold": ofCard(onlyCard, inEnvironment(answer.Celsius, func(e *hsm.Environment) *hsm.Opt[float64] { return &e.TemperatureWarning })),
	},
	Other: func(name string) func(*cardRead, string) bool {
		if set := fanStatus(name); set != nil {
			return ofCard(onlyCard, set)
		}
		return nil
	},
}

// CardShowInfo is the format of the state of a card in LunaCM.
var CardShowInfo = answer.Latest("lunacm-hsm-showinfo", "hsm showinfo, hsm si", parseCard)

// parseCard reads LunaCM "hsm showinfo" of a card, USB or backup HSM: labels of
// the HSM in 5.x, of its admin partition from firmware 6.22 on.
func parseCard(lines []string, unread func(string)) hsm.Fact {
	c := readCard(lines, unread)
	if !c.detail || c.user && !c.card {
		return nil // a slot list, or a user partition
	}
	c.conclude()
	return c.Show
}

// CardEnvShow is the format of the sensors of a card.
var CardEnvShow = answer.Latest("lunacm-hsm-envshow", "hsm envshow, hsm showinfo, hsm si", parseEnvironment)

// parseEnvironment reads LunaCM "hsm envshow", which "hsm showinfo" includes
// on 7.x.
func parseEnvironment(lines []string, unread func(string)) hsm.Fact {
	c := readCard(lines, unread)
	if c.Environment == nil {
		return nil
	}
	return hsm.CardEnvironment{Environment: c.Environment}
}

func readCard(lines []string, unread func(string)) *cardRead {
	c := new(cardRead)
	cardSheet.Read(unglued(cardSheet, lines), c, unread)
	return c
}

// ofCard returns a setter of the HSM.
func ofCard(only int, set func(*shown, string) bool) func(*cardRead, string) bool {
	return func(c *cardRead, v string) bool {
		ok := set(&c.shown, v)
		if ok || v != "" && answer.NotKnown(v) {
			c.card = c.card || only&onlyCard != 0
			c.detail = c.detail || only&onlyInfo != 0
		}
		return ok
	}
}

// cardDetail is the setter of a value that is not stored, but that other commands
// do not print.
func cardDetail(c *cardRead, _ string) bool {
	c.detail = true
	return true
}

// storageOf returns the setter of the heading of a section.
func storageOf(section cardSection) func(*cardRead, string) bool {
	return func(c *cardRead, _ string) bool {
		c.section, c.detail = section, true
		c.card = c.card || section == hsmStorage
		return true
	}
}

// ofStorage returns a setter of the HSM's storage. It ignores values of other
// sections.
func ofStorage(field func(*shown) *hsm.Opt[int64]) func(*cardRead, string) bool {
	return func(c *cardRead, v string) bool {
		var n hsm.Opt[int64]
		if !answer.Whole(&n, v) {
			return false
		}
		if c.section == hsmStorage {
			*field(&c.shown) = n
		}
		return true
	}
}

// cardRole reads who is logged in: "none logged in".
func cardRole(s *shown, v string) bool {
	v = strings.ToLower(answer.Collapse(v))
	switch {
	case strings.HasPrefix(v, "none"):
		s.SOLoggedIn = hsm.Some(false)
	case strings.Contains(v, "so logged in"), strings.Contains(v, "security officer logged in"):
		s.SOLoggedIn = hsm.Some(true)
	}
	return v != ""
}

func cardRollback(s *shown, v string) bool {
	if strings.HasPrefix(strings.ToLower(v), "not ") {
		return true // available, or supported
	}
	return rollback(s, v)
}

// cardLine reads flags, licences and sentences.
func cardLine(c *cardRead, line string) bool {
	flag := strings.TrimSpace(answer.Clip(line, 200))
	switch {
	case isFlag(flag):
		c.flag(flag)
		return true
	case strings.Contains(strings.ToLower(flag), "the partition is"):
		c.user = true
	}
	return showLine(&c.shown, line) || isLicense(flag)
}

// flag takes what a PKCS#11 flag states of an HSM.
func (c *cardRead) flag(flag string) {
	switch flag {
	case "CKF_TOKEN_INITIALIZED":
		c.initialized = true
	case "CKF_PROTECTED_AUTHENTICATION_PATH":
		c.Authentication = hsm.AuthPED
	case "CKF_LOGIN_REQUIRED":
		c.user = true // or an HSM of 5.x
	}
}

// isFlag reports whether s is a flag such as CKF_RNG.
func isFlag(s string) bool {
	return strings.Contains(s, "_") && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// isLicense reports whether s is "2. 620127-000 ECC".
func isLicense(s string) bool {
	number, rest, ok := strings.Cut(s, ". ")
	id := answer.FirstField(rest)
	return ok && answer.IsDigits(number) && strings.Contains(id, "-") && answer.IsDigits(strings.ReplaceAll(id, "-", ""))
}

// conclude sets what follows from the status of the HSM and from its flags.
func (c *cardRead) conclude() {
	c.Zeroized = zeroized(c.shown)
	c.Show = c.WithStatus()
	if !c.Zeroized.Known && c.initialized {
		c.Zeroized = hsm.Some(false)
	}
}

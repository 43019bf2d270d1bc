package syslog

import (
	"regexp"
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// alarm returns the HSM alarm in l's message, nil if there is none. Only messages of
// the kernel have alarms; others may quote them, as lunash does when it logs a
// command.
//
// The form is "k7pf0: [HSM] ALM2007: HSM zeroized" from firmware and boot loader,
// and without [HSM] from the host driver. In a line that is certainly the kernel's
// the driver may be missing. An alarm is identified by its four digits: texts differ
// between versions.
func alarm(l *hsm.LogLine) *hsm.LogAlarm {
	if !strings.Contains(l.Message, "ALM") && !strings.HasPrefix(l.Process, "ALM") {
		return nil
	}
	message, kernel := l.Message, l.FromKernel()
	if tag := l.Process; kernel && tag != "kernel" && tag != "" { // a line without "kernel: "
		message = tag + ": " + message
	}
	before, after, found := strings.Cut(message, "ALM")
	after = strings.TrimPrefix(after, "_")
	if !found || len(after) < 4 {
		return nil
	}
	card, named := alarmCard(before)
	headless := l.Process == "" && l.Facility == "" && named // a bare line of the driver
	if !kernel && !headless || !named && !driverless.MatchString(before) {
		return nil
	}
	text, colon := strings.CutPrefix(strings.TrimLeft(after[4:], " "), ":")
	if _, digits := answer.Number(after[:4]); !digits || !colon && text != "" {
		return nil
	}
	a := &hsm.LogAlarm{Code: after[:4], Component: component(after[0]), Card: card, Text: strings.TrimSpace(text)}
	a.Value = alarmValue(a.Text)
	return a
}

var (
	// What may stand before a driver: the mark of a test, a note, the driver's
	// module and address. Text that a device on a bus chooses comes behind other words.
	beforeDriver = regexp.MustCompile(`^(?:\*\*\*TEST ?: ?)?(?:NOTE: )?(?:[a-z]\w* [0-9a-f:.]+: )?$`)
	driverless   = regexp.MustCompile(`^(?:\*\*\*TEST ?: ?)?(?:NOTE: )?(?i:\[HSM\] ?)?$`)
	driver       = regexp.MustCompile(`^(.*?)((?:[a-z]|K7PF|VIPER)[a-z0-9_]*[0-9]): ?(?i:\[HSM\] *)?$`)
)

// alarmCard reads the driver instance at the end of s, the text before the code:
// "k7pf0: [HSM] ".
func alarmCard(s string) (card string, ok bool) {
	m := driver.FindStringSubmatch(s)
	if m == nil || !beforeDriver.MatchString(m[1]) {
		return "", false
	}
	return strings.ToLower(m[2]), true
}

// component returns what raises the alarms whose codes begin with digit; "" if
// unknown.
func component(digit byte) string {
	switch digit {
	case '0':
		return "host-driver"
	case '1':
		return "bootloader"
	case '2':
		return "firmware"
	}
	return ""
}

// alarmValue returns the variable part in the text of one code: the degrees in
// "temperature (83C)", the fan in "fan 1 failure", the ID in "alarm ID 4a".
func alarmValue(text string) hsm.Opt[string] {
	before := ""
	for word := range strings.FieldsSeq(text) {
		if before == "fan" || before == "ID" {
			return hsm.Some(word)
		}
		degrees, ok := strings.CutSuffix(strings.Trim(word, "()"), "C")
		if _, digits := answer.Number(strings.TrimPrefix(degrees, "-")); ok && digits {
			return hsm.Some(degrees)
		}
		before = word
	}
	return hsm.Opt[string]{}
}

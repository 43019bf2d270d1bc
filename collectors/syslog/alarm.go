package syslog

import (
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// alarm returns the HSM alarm in l's message, nil if there is none. Only messages of
// the kernel have alarms; others may quote them, as lunash does when it logs a
// command.
//
// The form is "k7pf0: [HSM] ALM2007: HSM zeroized" from firmware and boot loader,
// and without [HSM] from the host driver. An alarm is identified by its four
// digits: texts differ between versions.
func alarm(l *hsm.LogLine) *hsm.LogAlarm {
	i := strings.Index(l.Message, "ALM")
	if i < 0 {
		return nil
	}
	card, ok := alarmCard(l.Message[:i])
	switch {
	case l.Process == "kernel":
	case isDriver(l.Process) && (i == 0 || l.Message[:i] == "[HSM] "): // a line without "kernel: "
		card, ok = l.Process, true
	case strings.Contains(l.Message[:i], "Command: "), l.Process != "" || l.Facility != "" && l.Facility != "kern":
		return nil
	}
	if !ok {
		return nil
	}
	code := strings.TrimPrefix(l.Message[i+3:], "_")
	if len(code) < 4 {
		return nil
	}
	text, colon := strings.CutPrefix(strings.TrimLeft(code[4:], " "), ":")
	if _, digits := answer.Number(code[:4]); !digits || !colon && text != "" {
		return nil
	}
	a := &hsm.LogAlarm{Code: code[:4], Component: component(code[0]), Card: card, Text: strings.TrimSpace(text)}
	a.Value = alarmValue(a.Text)
	return a
}

// alarmCard reads the driver instance at the end of s, the text before the code:
// "k7pf0: [HSM] ". Before the instance may be the mark of a test or the driver's
// own prefix.
func alarmCard(s string) (card string, ok bool) {
	s = strings.TrimRight(s, " ")
	s = strings.TrimRight(strings.TrimSuffix(s, "[HSM]"), " ")
	s, ok = strings.CutSuffix(s, ":")
	if !ok {
		return "", false
	}
	if i := strings.LastIndexAny(s, " \t"); i >= 0 {
		s = s[i+1:]
	}
	last := len(s) - 1
	if last < 1 || !answer.IsDigit(s[last]) || s[0] < 'a' || s[0] > 'z' || !isName(strings.ReplaceAll(s, "_", "")) {
		return "", false
	}
	return s, true
}

// isDriver reports whether name is a card's driver instance.
func isDriver(name string) bool {
	n, ok := strings.CutPrefix(name, "k7pf")
	if !ok {
		n, ok = strings.CutPrefix(name, "viper")
	}
	_, digits := answer.Number(n)
	return ok && digits
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

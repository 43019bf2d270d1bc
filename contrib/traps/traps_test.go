package traps

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/mib"
	mibalarm "github.com/lunawatch/lunawatch/mib/alarm"
)

// events are those of the modules that Lunawatch serves, of ALARM-MIB, and coldStart.
func events(t *testing.T) []Event {
	t.Helper()
	var list []Notification
	for _, n := range notifications(t) {
		if n.Module != "SNMPv2-MIB" || n.Name == "coldStart" {
			list = append(list, n)
		}
	}
	events, err := Events(list)
	check.Must(t, err)
	return events
}

func notifications(t *testing.T) []Notification {
	t.Helper()
	ours, err := filepath.Glob("../../mibs/*.txt")
	check.Must(t, err)
	base, err := filepath.Glob("../../mibs/base/*.txt")
	check.Must(t, err)
	var texts []string
	for _, file := range slices.Concat(ours, base) {
		text, err := os.ReadFile(file)
		check.Must(t, err)
		texts = append(texts, string(text))
	}
	list, err := Notifications(texts)
	check.Must(t, err)
	return list
}

// TestFiles holds the files that ship to the modules: -update writes them.
func TestFiles(t *testing.T) {
	list := events(t)
	check.Golden(t, "../../snmptt/lunawatch.conf", []byte(SNMPTT("", list)))
	check.Golden(t, "../../zabbix/traps/snmptt.conf", []byte(SNMPTT(zabbixHead, list)))
	template, err := Zabbix(list)
	check.Must(t, err)
	check.Golden(t, "../../zabbix/traps/template.yaml", template)
}

// TestNotifications: those of each module have the OIDs, and the variables, that mib sends.
func TestNotifications(t *testing.T) {
	oids := make(map[string]Notification)
	for _, n := range notifications(t) {
		oids[strings.TrimPrefix(n.OID, ".")] = n
	}
	for _, kind := range []mibalarm.NoticeKind{mibalarm.NoticeRaised, mibalarm.NoticeChanged, mibalarm.NoticeCleared, mibalarm.NoticeAcknowledged, mibalarm.NoticeHeartbeat} {
		trap := mibalarm.LunaNotification(mibalarm.Notice{Kind: kind}, mib.Alarm{})
		n := oids[trap.OID.String()]
		if n.Module != "LUNAWATCH-MIB" || len(n.Objects) != len(trap.Objects) {
			t.Errorf("%s: %+v, and mib sends %d objects", trap.OID, n, len(trap.Objects))
		}
	}
	for _, kind := range []mibalarm.NoticeKind{mibalarm.NoticeRaised, mibalarm.NoticeCleared} {
		trap, _ := mibalarm.StandardNotification(mibalarm.Notice{Kind: kind}, mib.Alarm{})
		if n := oids[trap.OID.String()]; n.Module != "ALARM-MIB" || len(n.Objects)+1 != len(trap.Objects) {
			t.Errorf("%s: %+v, and mib sends %d objects", trap.OID, n, len(trap.Objects))
		}
	}
	if n := oids[mibalarm.ColdStart().OID.String()]; n.Name != "coldStart" {
		t.Errorf("coldStart is %+v", n)
	}
	var vendor []string
	for _, n := range notifications(t) {
		if n.Module == "SAFENET-APPLIANCE-MIB" {
			vendor = append(vendor, n.OID[strings.LastIndex(n.OID, "."):]+" "+n.Name)
		}
	}
	want := ".2 fanAttentionNotify, .3 powerSupplyAttentionNotify, .4 motherboardAttentionNotify, .5 diskDriveAttentionNotify, .6 ntlsAttentionNotify, .7 cryptoAttentionNotify, .8 clockAttentionNotify"
	if got := strings.Join(vendor, ", "); got != want {
		t.Errorf("vendor: %s", got)
	}
}

// TestNotUnderstood: what nothing says the meaning of is an error, and no event.
func TestNotUnderstood(t *testing.T) {
	for text, want := range map[string]string{
		"nothing": "no MIB module",
		"A-MIB DEFINITIONS ::= BEGIN\na NOTIFICATION-TYPE STATUS current DESCRIPTION \"x\" ::= { nobody 1 }\nEND": "nothing leads from nobody to iso",
	} {
		if _, err := Notifications([]string{text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for want, n := range map[string]Notification{
		"no rule says":             {Module: "A-MIB", Name: "a"},
		"has no lunaEventSequence": {Module: "LUNAWATCH-MIB", Name: "lunaAlarmRaised", Objects: []string{"lunaAlarmSeverity"}},
		"has no ssLogReference":    {Module: "SAFENET-APPLIANCE-MIB", Name: "fanAttentionNotify"},
	} {
		if _, err := Events([]Notification{n}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestEveryStateHasOneEvent: of the events of a notification one matches whatever its
// variable says, and what nobody knows is not normal.
func TestEveryStateHasOneEvent(t *testing.T) {
	says := map[string]map[string]string{
		"lunaAlarmSeverity": {"critical": critical, "3": critical, "critical(3)": critical, "major": major, "4": major, "minor": minor, "5": minor, "warning": warning, "6": warning,
			"indeterminate": indeterminate, "2": indeterminate, "": indeterminate, "46": indeterminate, "majority": indeterminate},
		"alarmActiveModelPointer": {".1.3.6.1.2.1.118.1.1.2.1.3.0.7.6": critical, "ALARM-MIB::alarmModelNotificationId.\"\".7.5": major, ".7.4": minor, ".7.3": warning, ".7.2": indeterminate, "zeroDotZero": indeterminate, ".16": indeterminate},
		"ssLogReference":          {"[a:192.0.2.7 / messages / Mar 1 / ipmievd[61] / 1]": major, "[a: / x / y / z / 0]": normal, "[a / 2]": indeterminate, "": indeterminate, "[a / 0] x": indeterminate},
	}
	all := events(t)
	for _, name := range []string{"lunaAlarmRaised", "lunaAlarmChanged", "alarmActiveState", "fanAttentionNotify", "cryptoAttentionNotify"} {
		var of []Event
		for _, e := range all {
			if e.Name == name {
				of = append(of, e)
			}
		}
		variable := vendors.of
		if r, known := rules[name]; known {
			variable = r.of
		}
		for value, want := range says[variable] {
			var got []string
			for _, e := range of {
				_, pattern, _ := strings.Cut(e.Match, ": ")
				pattern, not := strings.CutPrefix(pattern, "!")
				if regexp.MustCompile(pattern).MatchString(value) != not {
					got = append(got, e.Severity)
				}
			}
			if !slices.Equal(got, []string{want}) {
				t.Errorf("%s of %q: %v, want %s alone", name, value, got, want)
			}
		}
	}
}

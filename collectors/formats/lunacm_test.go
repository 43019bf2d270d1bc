package formats

import (
	"errors"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
)

// TestLunaCMSessions reads the output of several commands in one session, with
// echo and without.
func TestLunaCMSessions(t *testing.T) {
	var echoed, piped strings.Builder
	echoed.WriteString("LunaCM v7.2.0-220. Copyright (c) 2006-2017 SafeNet.\n\n        Available HSMs:\n\n        Current Slot Id: None\n\n")
	piped.WriteString(echoed.String())
	for _, name := range []string{"lunacm-slot-list", "lunacm-hsm-showinfo", "lunacm-hsm-envshow", "lunacm-hsm-monitor", "lunacm-hsm-tampershow",
		"lunacm-stm-show", "lunacm-partition-showinfo", "lunacm-role-show", "lunacm-hagroup-listgroups"} {
		f := fixture7(t, name)
		echoed.WriteString(strings.TrimSuffix(f.text, "lunacm:>\n"))
		for line := range strings.Lines(strings.TrimSuffix(f.text, "lunacm:>\n")) {
			if strings.Contains(line, "lunacm:>") {
				line = "lunacm:>"
			}
			piped.WriteString(line)
		}
	}
	for _, name := range []string{"lunacm-slot-list", "lunacm-hsm-showinfo", "lunacm-hsm-envshow", "lunacm-hsm-monitor", "lunacm-hsm-tampershow",
		"lunacm-stm-show", "lunacm-role-show", "lunacm-hagroup-listgroups"} {
		f := fixture7(t, name)
		want := collectortest.PlainJSON(t, f.parse(t, f.text).Fact)
		for how, text := range map[string]string{"echo": echoed.String(), "pipe": piped.String()} {
			got := collectortest.PlainJSON(t, f.parse(t, text+"lunacm:>\n").Fact)
			if collectortest.Contradiction(got, want)+collectortest.Contradiction(want, got) != "" {
				t.Errorf("%s with %s:\n got %v\nwant %v", name, how, got, want)
			}
		}
	}
	f := fixture7(t, "lunacm-partition-showinfo")
	if err := collectortest.Match(f.parse(t, echoed.String()).Fact, `partitions [{"serial":"1238700788101"}]`); err != nil {
		t.Error(err)
	}
	if err := collectortest.Match(f.parse(t, piped.String()).Fact, `partitions [{"serial":"532977"},{"serial":"1238700788101"}]`); err != nil {
		t.Error(err) // the admin partition, too
	}
}

func fixture7(t *testing.T, format string) fixture {
	for _, f := range fixtures(t) {
		if f.format == format && strings.HasPrefix(f.path, "testdata/7.2/") {
			return f
		}
	}
	t.Fatalf("no fixture of %s", format)
	return fixture{}
}

// TestHSMStatus reads every status of the vendor's list.
func TestHSMStatus(t *testing.T) {
	for status, want := range map[string]string{
		"OK":                             `. {"zeroized":false,"secure_transport_mode":null,"tamper":null}`,
		"L3 Device":                      `. {"zeroized":null,"secure_transport_mode":null,"tamper":null}`,
		"Zeroized":                       `. {"zeroized":true,"secure_transport_mode":null,"tamper":null}`,
		"Decommissioned":                 `. {"zeroized":true,"secure_transport_mode":null,"tamper":null}`,
		"Transport Mode":                 `. {"zeroized":null,"secure_transport_mode":true,"tamper":null}`,
		"Transport Mode, zeroized":       `. {"zeroized":true,"secure_transport_mode":true,"tamper":null}`,
		"Hardware Tamper":                `. {"zeroized":null,"secure_transport_mode":null,"tamper":"detected"}`,
		"Hardware Tamper, Zeroized":      `. {"zeroized":true,"secure_transport_mode":null,"tamper":"detected"}`,
		"HSM Tamper, Decommissioned":     `. {"zeroized":true,"secure_transport_mode":null,"tamper":"detected"}`,
		"Transport Mode, Decommissioned": `. {"zeroized":true,"secure_transport_mode":true,"tamper":null}`,
		"L3 Device, Zeroized":            `. {"zeroized":true,"secure_transport_mode":null,"tamper":null}`,
		"L3 Device, Hardware Tamper":     `. {"zeroized":null,"secure_transport_mode":null,"tamper":"detected"}`,
		"L3 Device, Decommissioned":      `. {"zeroized":true,"secure_transport_mode":null,"tamper":null}`,
		"L3 Device, Transport Mode":      `. {"zeroized":null,"secure_transport_mode":true,"tamper":null}`,
		"L3 Device, not zeroized":        `. {"zeroized":null,"secure_transport_mode":null,"tamper":null}`,
		"a word of a later version":      `. {"zeroized":null,"hsm_status":"a word of a later version"}`,
	} {
		f, _ := Named("lunacm-hsm-showinfo")
		fact, unread, err := f.Parse("Partition Label -> x\nPartition Status -> " + status + "\nFirmware Version -> 7.2.0\nSession State -> CKS_RW_PUBLIC_SESSION\n")
		if err == nil {
			err = collectortest.Match(fact, want)
		}
		if err != nil || len(unread) > 0 {
			t.Errorf("%s: %v, %q", status, err, unread)
		}
	}
}

// TestUserPartitionIsNoHSM checks that "partition showinfo" is not taken for the
// HSM of the partition, nor the other way round.
func TestUserPartitionIsNoHSM(t *testing.T) {
	for _, c := range []struct{ path, format string }{
		{"testdata/5.4/lunacm-partition-showinfo.txt", "lunacm-hsm-showinfo"},
		{"testdata/6.2/lunacm-partition-showinfo.txt", "lunacm-hsm-showinfo"},
		{"testdata/7.2/lunacm-partition-showinfo.txt", "lunacm-hsm-showinfo"},
		{"testdata/5.4/lunacm-slot-list.txt", "lunacm-hsm-showinfo"},
		{"testdata/5.4/lunacm-slot-list.txt", "lunacm-partition-showinfo"},
		{"testdata/6.2/lunacm-slot-list.txt", "lunacm-partition-showinfo"},
		{"testdata/5.4/lunacm-hsm-showinfo.txt", "lunacm-partition-showinfo"},
		{"testdata/5.4/lunacm-hsm-showinfo.txt", "lunacm-slot-list"},
		{"testdata/6.2/lunacm-hsm-showinfo.txt", "lunacm-slot-list"},
		{"testdata/7.2/lunacm-partition-showinfo.txt", "lunacm-slot-list"},
	} {
		for _, f := range fixtures(t) {
			if f.path != c.path {
				continue
			}
			f.format = c.format
			if got := f.parse(t, f.text); got.Fact != nil {
				t.Errorf("%s as %s: %+v", c.path, c.format, got.Fact)
			}
		}
	}
}

// TestBannerBeforeAFailure checks that the result of the first command is not
// taken for that of the banner.
func TestBannerBeforeAFailure(t *testing.T) {
	f, _ := Named("lunacm-slot-list")
	fact, unread, err := f.Parse("Slot Id -> 3\nLabel -> a\nSlot Id -> 3\nLabel -> b\nCurrent Slot Id: 3\n\nlunacm:>\nCommand Result : 0x1 (Unknown command)\nlunacm:>\n")
	if err == nil {
		err = collectortest.Match(fact, `slots [{"id":3,"label":"b"}]`) // printed twice, so once
	}
	if err != nil || len(unread) > 0 {
		t.Errorf("%v, %q", err, unread)
	}
}

func TestHAMemberRows(t *testing.T) {
	const group = "HA Group Label: g\nHA Group Number: 1154438888201\nGroup Members: 154438888201,\n    154438888202\nStandby Members: 154438888203,\n    154438888202\n"
	for row, want := range map[string]string{
		"":                               `groups.0.members [{"serial":"154438888201","standby":false},{"serial":"154438888202","standby":true},{"serial":"154438888203","standby":true}]`,
		"1 154438888201 paper alive":     `groups.0.members.0 {"slot":1,"label":"paper","status":"alive"}`,
		"1 154438888201 paper one alive": `groups.0.members.0 {"slot":1,"label":"paper one","status":"alive"}`,
		"1\t154438888201\tpaper one\tnot activated":        `groups.0.members.0 {"label":"paper one","status":"not activated"}`,
		"1  154438888201   paper one   not activated":      `groups.0.members.0 {"label":"paper one","status":"not activated"}`,
		"------ 154438888201 ------ down":                  `groups.0.members.0 {"slot":null,"label":null,"status":"down"}`,
		"-----  154438888201   -----   CKR_DEVICE_REMOVED": `groups.0.members.0 {"status":"down","code_name":"CKR_DEVICE_REMOVED"}`,
		"1 154438888201 alive":                             `groups.0.members.0 {"slot":1,"label":null,"status":"alive"}`,
		"   12   Administration Guide 2":                   `groups.0.members.# 3`,
		"12 13 14":                                         `groups.0.members.# 3`,
	} {
		f, _ := Named("lunacm-hagroup-listgroups")
		fact, _, err := f.Parse(group + "\n" + row + "\n")
		if err == nil {
			err = collectortest.Match(fact, want)
		}
		if err != nil {
			t.Errorf("%q: %v", row, err)
		}
	}
}

// TestGroupsOnOneLine: groups whose line ends are lost are refused, not read as one
// with a long label, nor their members as those of another group.
func TestGroupsOnOneLine(t *testing.T) {
	const second = "HA Group Label:  two HA Group Number:  1154438888201 HA Group Slot ID:  5 Synchronization: enabled Group Members:  154438888201, 154438888202 Needs sync:  no Standby Members:  <none>"
	const rows = "\nSlot #    Member S/N   Member Label    Status\n     4  154438888201    other     alive\n"
	f, _ := Named("lunacm-hagroup-listgroups")
	for name, text := range map[string]string{
		"one group": second, "with rows": second + rows, "by TABs": strings.ReplaceAll(second, " HA", "\tHA") + rows,
		"behind another": "HA Group Label: one\nHA Group Number: 1154438888200\nGroup Members: 154438888200\n" + second + rows,
		"settings":       "HA auto recovery: enabled HA recovery mode: activeBasic Maximum auto recovery retry: 500 Only Show HA Slots: no\n",
	} {
		fact, unread, err := f.Parse("lunacm:>hagroup listgroups\n" + text + "\nCommand Result : No Error\n")
		if fact != nil || !errors.Is(err, answer.ErrUnrecognised) || len(unread) == 0 {
			t.Errorf("%s: %+v, %q, %v", name, fact, unread, err)
		}
	}
}

// TestGroupsBeforeAFailure checks that groups are reported although their
// password was refused.
func TestGroupsBeforeAFailure(t *testing.T) {
	f, _ := Named("lunacm-hagroup-listgroups")
	fact, _, err := f.Parse("lunacm:>\nHA Group Label: g\nHA Group Number: 1154438888201\nGroup Members: 154438888201\n\n" +
		"Command Result : 0xa0 (CKR_PIN_INCORRECT)\nlunacm:>\nCommand Result : 0x1 (Unknown command)\nlunacm:>\n")
	var failed *answer.CommandError
	if !errors.As(err, &failed) || failed.Code != "0xa0" {
		t.Errorf("%v", err)
	}
	if err := collectortest.Match(fact, `groups [{"label":"g","members":[{"serial":"154438888201"}]}]`); err != nil {
		t.Error(err)
	}
	if fact, _, err := f.Parse("lunacm:>hagroup listgroups\nCommand Result : 0x1 (Unknown command)\nlunacm:>\n"); fact != nil || !errors.As(err, &failed) {
		t.Errorf("%v, %v", fact, err)
	}
}

// TestInfoWithoutItsEnd recognises "hsm showinfo" by its first lines.
func TestInfoWithoutItsEnd(t *testing.T) {
	f, _ := Named("lunacm-hsm-showinfo")
	fact, unread, err := f.Parse("Partition Label -> no label\nPartition Model -> G5Backup\nPartition Serial Number -> 7002911\nPartition Status -> Zeroized\n")
	if err == nil {
		err = collectortest.Match(fact, `. {"label":"no label","model":"G5Backup","serial":"7002911","zeroized":true}`)
	}
	if err != nil || len(unread) > 0 {
		t.Errorf("%v, %q", err, unread)
	}
}

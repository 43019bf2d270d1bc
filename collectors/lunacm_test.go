package collectors

import (
	"strings"
	"testing"
)

// TestLunaCMSessions reads what several commands of one session print, with an
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
			if _, _, prompt := cutPrompt(line); prompt {
				line = "lunacm:>"
			}
			piped.WriteString(line)
		}
	}
	for _, name := range []string{"lunacm-slot-list", "lunacm-hsm-showinfo", "lunacm-hsm-envshow", "lunacm-hsm-monitor", "lunacm-hsm-tampershow",
		"lunacm-stm-show", "lunacm-role-show", "lunacm-hagroup-listgroups"} {
		f := fixture7(t, name)
		want := plainJSON(t, f.parse(t, f.text).Fact)
		for how, text := range map[string]string{"echo": echoed.String(), "pipe": piped.String()} {
			got := plainJSON(t, f.parse(t, text+"lunacm:>\n").Fact)
			if says(got, want)+says(want, got) != "" {
				t.Errorf("%s with %s:\n got %v\nwant %v", name, how, got, want)
			}
		}
	}
	f := fixture7(t, "lunacm-partition-showinfo")
	if err := match(f.parse(t, echoed.String()).Fact, `partitions [{"serial":"1238700788101"}]`); err != nil {
		t.Error(err)
	}
	if err := match(f.parse(t, piped.String()).Fact, `partitions [{"serial":"532977"},{"serial":"1238700788101"}]`); err != nil {
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
		"a word of a later version":      `. {"zeroized":null,"hsm_status":"a word of a later version"}`,
	} {
		f, _ := FindFormat("lunacm-hsm-showinfo")
		fact, unread, err := f.Parse("Partition Label -> x\nPartition Status -> " + status + "\nFirmware Version -> 7.2.0\nSession State -> CKS_RW_PUBLIC_SESSION\n")
		if err == nil {
			err = match(fact, want)
		}
		if err != nil || len(unread) > 0 {
			t.Errorf("%s: %v, %q", status, err, unread)
		}
	}
}

// TestUserPartitionIsNoHSM keeps what "partition showinfo" says of a partition
// from being taken for its HSM, and the other way round.
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

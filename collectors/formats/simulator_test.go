package formats

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/simulator"
)

// shown are the commands whose answers by the simulator are held against published
// ones, and the reference files that have these.
var shown = map[string]string{
	"client list": "client_list_show", "client show": "client_list_show", "hsm displaylicenses": "hsm_displaylicenses",
	"hsm information monitor": "hsm_information_monitor", "hsm information show": "hsm_information_show", "hsm show": "hsm_show",
	"hsm showpolicies": "hsm_showpolicies", "hsm tamper show": "hsm_tamper_misc", "ntls certificate show": "ntls",
	"ntls information show": "ntls", "partition list": "partition_list_show", "partition show": "partition_list_show",
	"status disk": "status_cpu_mem_disk_interface", "status sensors": "status_sensors", "status sysstat show": "status_sysstat",
}

// models are the versions that are simulated, and the documents of which each is.
var models = map[string]string{"5.4": "docs 5.4", "6.2": "docs 6.2", "7.2": "docs 7.2"}

// TestSimulatorSaysWhatRealOnesSay holds the simulator's answers, as its own golden
// files have them, against published ones, by the shape of each line: every row of
// these is in the answer of the same version, and no row is that none of them has.
func TestSimulatorSaysWhatRealOnesSay(t *testing.T) {
	compared := 0
	for _, command := range slices.Sorted(maps.Keys(shown)) {
		published := publishedLines(t, command)
		whole := strings.Split(collectortest.ReferenceText(t, shown[command]), "\n")
		for _, version := range slices.Sorted(maps.Keys(models)) {
			text, err := os.ReadFile(filepath.Join("../../simulator/testdata", version, strings.ReplaceAll(command, " ", "-")+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			ours := shapes(string(text))
			for shape, line := range published[models[version]] {
				if _, said := ours[shape]; !said && !excepted(command, version, shape) {
					t.Errorf("%s, %s: the simulator does not say %q (%s)", version, command, shape, line)
				}
				compared++
			}
			for shape, line := range ours {
				if _, real := published[""][shape]; !real && len(published[""]) > 0 && !excepted(command, version, shape) {
					t.Errorf("%s, %s: nobody but the simulator says %q (%s)", version, command, shape, line)
				}
				if !slices.ContainsFunc(whole, func(l string) bool { return lineShape(l) == lineShape(line) }) && !excepted(command, version, shape) && !otherValue(command, line) {
					t.Errorf("%s, %s: no published line is like %q", version, command, line)
				}
			}
		}
	}
	if compared < 300 {
		t.Errorf("only %d lines were compared", compared)
	}
}

// lunacmShown are the same for LunaCM, in any of its slots.
var lunacmShown = map[string]string{
	"slot list": "lunacm_slot_list", "hsm showinfo": "lunacm_hsm_showinfo_envshow", "hsm envshow": "lunacm_hsm_showinfo_envshow",
	"hsm showpolicies": "hsm_showpolicies", "partition showinfo": "lunacm_partition", "partition showpolicies": "lunacm_partition",
	"role show": "lunacm_partition", "hagroup listgroups": "lunacm_hagroup",
}

// TestSimulatedLunaCMSaysWhatRealOnesSay: no row of an answer of the simulated LunaCM
// is one that no published answer to that command has.
func TestSimulatedLunaCMSaysWhatRealOnesSay(t *testing.T) {
	for _, command := range slices.Sorted(maps.Keys(lunacmShown)) {
		published := make(map[string]string)
		for answer := range strings.SplitSeq(collectortest.ReferenceText(t, lunacmShown[command]), "lunacm:>") {
			echo, text, _ := strings.Cut(answer, "\n")
			echo = strings.Replace(echo, "showplicies", "showpolicies", 1) // as published
			if text, _, _ = strings.Cut(text, "\n```"); strings.HasPrefix(strings.TrimSpace(strings.ToLower(echo)), command) {
				maps.Copy(published, shapes(text))
			}
		}
		ours := shapes(simulatedLunaCM(t, command))
		if len(published) == 0 || len(ours) < 3 {
			t.Errorf("%s: %d published rows, %d simulated ones", command, len(published), len(ours))
		}
		for shape, line := range ours {
			if _, real := published[shape]; !real && !excepted(command, "lunacm", shape) {
				t.Errorf("%s: nobody but the simulator says %q (%s)", command, shape, line)
			}
		}
	}
}

// simulatedLunaCM returns the answers to a command in every slot.
func simulatedLunaCM(t *testing.T, command string) string {
	t.Helper()
	l, err := simulator.LunaCMAlone("../../simulator/scenarios/client.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if command == "role show" {
		command = "role show -name co"
	}
	var in, out strings.Builder
	for slot := range 8 {
		fmt.Fprintf(&in, "slot set -slot %d\n%s\n\n\n\n", slot, command)
	}
	if err := l.Run(t.Context(), strings.NewReader(in.String()), &out); err != nil {
		t.Fatal(err)
	}
	var answers strings.Builder
	_, behindBanner, _ := strings.Cut(out.String(), "lunacm:>")
	for answer := range strings.SplitSeq(behindBanner, "lunacm:>") {
		if !strings.Contains(answer, "Current Slot Id") || command == "slot list" { // of "slot set"
			answers.WriteString("\n" + answer)
		}
	}
	return answers.String()
}

// excepted reports whether a difference is meant.
func excepted(command, version, shape string) bool {
	for _, e := range exceptions {
		if e.command == command && (e.version == "" || e.version == version) && regexp.MustCompile("^("+e.shapes+")$").MatchString(shape) {
			return true
		}
	}
	return false
}

// otherValues are lines that differ from published ones in a value only, by their
// lineShape: names and times of the simulated site, or another state of it.
var otherValues = map[string]string{
	"client list": "registered client #: .*|clientid: .*|(hostname|ipaddress): .*|partitions: .*", "client show": "clientid: .*|(hostname|ipaddress): .*|partitions: .*",
	"hsm information monitor": "hsm last reset.*", "hsm show": "hsm label: .*|partition: #, name: .*",
	"hsm showpolicies":      "hsm label: .*|allow (remote ped usage|non-fips algorithms) (on|off) # (yes|no)|force user pin .*|enable (controlled tamper recovery|decommission on tamper|mofn) allowed",
	"ntls certificate show": ".*: .*|.*=.*", "ntls information show": "operational status: .*",
	"partition list": "# [a-z-]+ # # # #",
	"partition show": "partition (name|label): .*|(auto )?activat(ed|ion): (yes|no)|(crypto[- ]user|partition owner) .*: (yes|no|# before .*)",
	"status disk":    "(lu wwn device id|serial number): .*|# [a-z_-]+ #x[0-9a-f#]+ # # # (pre-fail|old_age) (always|offline) - #",
	"status sensors": `(cpu_thermtrip|psu#_(present|voltage|temp|fan)) .*|ch[ab] dimm # .*`, "status sysstat show": "hostname: .*|system status code: .*",
}

func otherValue(command, line string) bool {
	return regexp.MustCompile("^(" + otherValues[command] + ")$").MatchString(lineShape(line))
}

// lineShape is a whole line with # for each number.
func lineShape(line string) string {
	return numbers.ReplaceAllString(strings.ToLower(answer.Collapse(answer.Clean(line))), "#")
}

// exceptions are shapes in which simulator and published answers may differ, and why.
var exceptions = []struct{ command, version, shapes, why string }{
	{"client show", "", "hostname", "clients are simulated by address"},
	{"hsm information monitor", "", "please run .*|the hsm untilization .*|want to .scp. .*|output is appended .*|the output has .*|use .my file .*|use .scp. .*", "the simulation writes no files"},
	{"hsm information show", "6.2", "hsm information", "one of two published forms"},
	{"hsm show", "", `\.+ \(snip\)\.+|there are no partitions\.?|warning`, "cut by the document, or another state"},
	{"hsm show", "", "the hsm is (not )?in fips .*", "the mode is that of the scenario"},
	{"hsm show", "5.4", "hsm storage informaton|rollback version", "forms of 5.1 and of 6.20"},
	{"hsm show", "6.2", `hardware model|partitions created on hsm( \(#\))?|hsm model`, "forms of 5.x in the documents of 6.2"},
	{"hsm showpolicies", "", "(pin|ped)-based authentication|hsmpt|hsm policies successfully written.|use 'scp' .*", "the method is that of the scenario; no files"},
	{"hsm showpolicies", "7.2", "decommission on tamper|do controlled tamper recovery", "in the table of policies of seed 001, not in the sample"},
	{"hsm tamper show", "", "chassis intrusion|warning - tamper.*", "another state"},
	{"partition show", "", "# before .*|mypar#|no|yes|total=#, .*|partition so is not .*|crypto (user|officer) is not .*|after partition .*", "values on lines of their own, or another state"},
	{"partition show", "6.2", "(activated|auto activation)|(crypto[ -]user|partition (owner|so)) .*", "roles of other kinds of partition"},
	{"status sensors", "7.2", "vccsa|vccio|#v#|watchdog|(sleep|diag|reset|power) button disabled?|psu#_status", "no sample of the hardware of 7.2 is in the reference; alarms.md names some"},
	{"hagroup listgroups", "lunacm", "if you would like to see synchronization data for group .*", "the name of a group"},
	{"role show", "lunacm", `activated\.`, "in public code; the documented sample has no line about it"},
	{"status sysstat show", "", "disabled", "a value on a line of its own"},
}

var section = regexp.MustCompile("(?ms)^### (.*?)^```+text id=\\S+\n(.*?)^```+$(.*?)(?:^###|\\z)")

// publishedLines returns the lines of all published answers to a command, by shape,
// for each of models, and under "" all.
func publishedLines(t *testing.T, command string) map[string]map[string]string {
	all := map[string]map[string]string{"": {}}
	for part := range strings.SplitSeq(collectortest.ReferenceText(t, shown[command]), "\n### ") {
		m := section.FindStringSubmatch("### " + part)
		if m == nil {
			continue
		}
		for answer := range strings.SplitSeq("\n"+m[2], "lunash:>") {
			echo, text, _ := strings.Cut(answer, "\n")
			words := strings.Fields(strings.ToLower(strings.ReplaceAll(echo, " -", " ")))
			if len(words) < len(strings.Fields(command)) || strings.Join(words[:len(strings.Fields(command))], " ") != command {
				continue
			}
			for shape, line := range shapes(text) {
				all[""][shape] = line
				for _, doc := range models {
					if strings.Contains(m[1]+m[3], doc) {
						if all[doc] == nil {
							all[doc] = make(map[string]string)
						}
						all[doc][shape] = line
					}
				}
			}
		}
	}
	return all
}

var (
	numbers   = regexp.MustCompile(`[0-9]+`)
	hexPairs  = regexp.MustCompile(`^\s*([0-9a-f]{2}:)*[0-9a-f]{2}:?$`)
	smartRow  = regexp.MustCompile(`^(?:ID#|[0-9]+\s+[A-Za-z-]+_[A-Za-z_-]+)`)
	cutPrompt = regexp.MustCompile(`^\[\S*\]$`) // before "lunash:>"
)

// shapes returns the lines of an answer by their shape: the label, the first cell, or
// the words, with # for a number. What names something of a site has none.
func shapes(text string) map[string]string {
	all := make(map[string]string)
	for line := range strings.Lines(text) {
		line = strings.TrimRight(answer.Clean(line), "\n")
		if answer.IsRule(line) || strings.Contains(line, "lunash:>") || strings.HasPrefix(strings.TrimSpace(line), "Command Result") ||
			strings.HasPrefix(line, "Error:") || hexPairs.MatchString(line) || cutPrompt.MatchString(strings.TrimSpace(line)) || !strings.ContainsFunc(line, unicode.IsLetter) {
			continue
		}
		head := strings.TrimSpace(line)
		if row := smartRow.FindString(head); row != "" {
			head = row
		} else if cells := strings.Split(line, "|"); len(cells) > 1 {
			head = strings.TrimSuffix(strings.TrimSpace(cells[0]), ".")
		} else if label, _, ok := answer.CutLabel(head); ok {
			head = answer.Key(label)
		} else if cols := answer.Columns(head); len(cols) > 1 {
			head = cols[0]
		}
		if shape := numbers.ReplaceAllString(strings.ToLower(answer.Collapse(head)), "#"); shape != "" {
			all[shape] = strings.TrimSpace(line)
		}
	}
	return all
}

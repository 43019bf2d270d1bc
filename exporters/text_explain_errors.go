package exporters

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters/runbook"
	"github.com/lunawatch/lunawatch/hsm"
)

// A trouble is something that is said without an alarm's name: the words that are always
// in it, what it means, and what to do.
type trouble struct{ words, meaning, action string }

// failures are how an attempt of a source fails after the session was there; those before
// have a layer.
var failures = []trouble{
	{string(hsm.Timeout), "There was a session, and no answer in time.", "A PED operation blocks an HSM for minutes. If it lasts, check the load of the appliance and of its HSM."},
	{string(hsm.Command), "The answer is an error of the appliance or of its HSM.", "Read the text of the error: most often the role of the account may not ask this, or the release does not know the command."},
	{string(hsm.Unrecognised), "The answer has no form that Lunawatch knows: nothing of it is shown.", "Send what lunawatch capture writes with a bug report; answers that are not understood are in it."},
	{string(hsm.Incomplete), "The answer was cut off: nothing of it is shown.", "Check what is between this host and the appliance, and the load of the appliance."},
}

// warnings are what check-config warns of.
var warnings = []trouble{
	{"can be changed by others", "Somebody other than the file's owner could have Lunawatch trust, run or send something else.", "Take the right to write from group and others: chmod go-w FILE."},
	{"can be read by everybody", "Every user of this host can read a secret.", "Take the right to read from others: chmod o-r FILE, with the agent's user as its owner or group."},
	{"are open to whoever reaches", "Metrics and the page are served beyond this host in the clear, or without asking who it is.", "Set tls_server_config and basic_auth_users in the file of -web.config.file, or listen on 127.0.0.1."},
	{"Opsgenie's API ends", "Atlassian ends Opsgenie on 2027-04-05; its successor is Jira Service Management.", "Make an API integration there, and a receiver of kind jsm beside this one; then take this one out."},
	{"would send a secret without TLS", "The URL of a chat begins with http://: its secret could be read on its way, so nothing is sent to it.", "Put the https:// URL into url_file, or set insecure: true where the network is trusted."},
}

func explainTrouble(w io.Writer, t trouble) {
	fmt.Fprintf(w, "%s\n\n", t.words)
	printRows(w, [][2]string{{"Meaning", t.meaning}, {"What to do", t.action}})
}

// layerTrouble explains where the way to an HSM is dead.
func layerTrouble(l hsm.Layer) trouble {
	text := l.Words()
	a := alarms.Alarm{Key: alarms.Key{Group: "unreachable"}, Text: text, Evidence: []alarms.Evidence{{Text: text, Layer: l}}}
	return trouble{text, "The way to the HSM is dead here (layer " + string(l) + "), so nothing of it can be read.", alarms.Advice(a)}
}

var codeInText = regexp.MustCompile(`ALM_?([0-9]{4})`)

// groupOf returns the group that text names: by its event ID, or as HSM/ALARM.
func groupOf(text string) (alarms.Group, bool) {
	_, group, _ := strings.Cut(text, "/")
	group, _, _ = strings.Cut(strings.TrimSuffix(group, " (test)"), "/")
	number, err := strconv.ParseUint(text, 10, 32)
	for _, g := range alarms.Groups() {
		if g.Name == group || err == nil && uint64(g.Number) == number {
			return g, true
		}
	}
	return alarms.Group{}, false
}

// troubleIn returns what a message of a collector, or a warning of check-config, is about.
func troubleIn(text string) (trouble, bool) {
	for _, l := range hsm.Layers() {
		if text == string(l) || strings.Contains(text, l.Words()) {
			return layerTrouble(l), true
		}
	}
	for _, t := range warnings {
		if strings.Contains(text, t.words) {
			return t, true
		}
	}
	for _, t := range failures {
		if text == t.words || strings.Contains(text, "failure="+t.words) {
			return t, true
		}
	}
	return trouble{}, false
}

// explainText explains what is neither a code nor the name of a group, and reports whether
// it can.
func explainText(w io.Writer, text string) bool {
	if g, ok := groupOf(text); ok {
		page, _ := runbook.Of(g.Name)
		explainGroup(w, page)
		return true
	}
	if m := codeInText.FindStringSubmatch(text); m != nil {
		if c, ok := alarms.CodeNamed(m[1]); ok {
			explainCode(w, c)
			return true
		}
	}
	t, ok := troubleIn(text)
	if ok {
		explainTrouble(w, t)
	}
	return ok
}

// listTroubles writes what else can be explained, a line each.
func listTroubles(w io.Writer) {
	fmt.Fprintln(w, "\nErrors of sources:")
	for _, l := range hsm.Layers() {
		fmt.Fprintf(w, "  %-22s %s\n", l, l.Words())
	}
	for _, t := range failures {
		fmt.Fprintf(w, "  %-22s %s\n", t.words, t.meaning)
	}
	fmt.Fprintln(w, "\nWarnings of check-config, by words that are in them:")
	for _, t := range warnings {
		fmt.Fprintf(w, "  %-30s %s\n", t.words, t.meaning)
	}
}

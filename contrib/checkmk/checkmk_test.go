package checkmk

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/mib/modules"
)

// States of services, as Checkmk numbers them.
const (
	ok       = 0
	warning  = 1
	critical = 2
	unknown  = 3
)

// ours are the modules of the plugin that Checkmk looks for.
var ours = []string{
	"cmk_addons.plugins.lunawatch.agent_based.agent", "cmk_addons.plugins.lunawatch.agent_based.ha", "cmk_addons.plugins.lunawatch.agent_based.hsm",
	"cmk_addons.plugins.lunawatch.agent_based.partition", "cmk_addons.plugins.lunawatch.agent_based.sensor", "cmk_addons.plugins.lunawatch.agent_based.source",
	"cmk_addons.plugins.lunawatch.graphing.lunawatch", "cmk_addons.plugins.lunawatch.rulesets.lunawatch",
}

// A walk is what an agent answers, by OID with a leading dot: the octets that Checkmk reads.
type walk map[string][]byte

// A step is one time that Checkmk checks a host.
type step struct {
	walk   walk
	now    float64                   // seconds; 0: the time of the test
	params map[string]map[string]any // of rules, by check
}

// A service is what Checkmk shows of one.
type service struct {
	State   int                `json:"state"`
	Summary string             `json:"summary"`
	Details []string           `json:"details"`
	Metrics map[string]float64 `json:"metrics"`
	Check   string             `json:"check"`
}

// A ran is what run.py found.
type ran struct {
	OIDs     []string             `json:"oids"`
	Rulesets map[string][]string  `json:"rulesets"`
	Metrics  []string             `json:"metrics"`
	Checks   map[string]string    `json:"checks"` // their rulesets
	Steps    []map[string]service `json:"steps"`
}

// interpreter returns where Python is; without it the test is skipped, and in CI it fails.
func interpreter(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("Python is required in CI: apt-get install python3")
		}
		t.Skip("NOT TESTED: the plugin needs Python: apt-get install python3")
	}
	return path
}

// api returns where the API of Checkmk is: our own words of it, or that of a source of
// Checkmk 2.3 or later, whose root CHECKMK_SOURCE names.
func api(t *testing.T) []string {
	t.Helper()
	root := os.Getenv("CHECKMK_SOURCE")
	if root == "" {
		return []string{"testdata/standin"}
	}
	if _, err := os.Stat(filepath.Join(root, "packages/cmk-agent-based/cmk/agent_based/v2")); err != nil {
		t.Fatalf("CHECKMK_SOURCE: %v", err)
	}
	list := []string{root}
	for _, name := range []string{"agent-based", "rulesets", "graphing"} {
		list = append(list, filepath.Join(root, "packages/cmk-"+name))
	}
	return append(list, "testdata/standin")
}

// run has modules check hosts, with an API that is in one of the directories.
func run(t *testing.T, directories, modules []string, steps ...step) (got ran) {
	t.Helper()
	type input struct {
		Walk   map[string]string         `json:"walk"`
		Now    float64                   `json:"now"`
		Params map[string]map[string]any `json:"params"`
	}
	inputs := []input{}
	for _, s := range steps {
		in := input{make(map[string]string), s.now, s.params}
		if in.Params == nil {
			in.Params = map[string]map[string]any{}
		}
		for oid, value := range s.walk {
			in.Walk[oid] = fmt.Sprintf("%x", value)
		}
		inputs = append(inputs, in)
	}
	stdin, err := json.Marshal(inputs)
	check.Must(t, err)
	cmd := exec.CommandContext(t.Context(), interpreter(t), append([]string{"testdata/run.py"}, modules...)...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH="+strings.Join(append(slices.Clone(directories), "."), ":"))
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	check.Must(t, json.Unmarshal(out, &got))
	return got
}

// TestObjects holds the plugin's objects equal to the modules.
func TestObjects(t *testing.T) {
	var texts []string
	for _, pattern := range []string{"../../mibs/*.txt", "../../mibs/base/*.txt"} {
		files, err := filepath.Glob(pattern)
		check.Must(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			check.Must(t, err)
			texts = append(texts, string(text))
		}
	}
	texts = append(texts, "\nmib-2 OBJECT IDENTIFIER ::= { iso 3 }\n")
	got, err := Objects("1.3.6.1.4.1.8072.9999.9999.5862.1", texts)
	check.Must(t, err)
	check.Golden(t, "../cmk_addons/plugins/lunawatch/objects.py", []byte(got))
}

// TestPackage: an extension package as Checkmk unpacks it.
func TestPackage(t *testing.T) {
	at := time.Unix(1770000000, 0)
	packed, err := Package("1.2.3", at)
	check.Must(t, err)
	again, err := Package("1.2.3", at)
	check.Must(t, err)
	if !bytes.Equal(packed, again) {
		t.Error("two packages of one version differ")
	}
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	check.Must(t, err)
	outer := untar(t, zip)
	var info struct {
		Name     string              `json:"name"`
		Version  string              `json:"version"`
		Required string              `json:"version.min_required"`
		Until    *string             `json:"version.usable_until"`
		Files    map[string][]string `json:"files"`
	}
	check.Must(t, json.Unmarshal(outer["info.json"], &info))
	if info.Name != "lunawatch" || info.Version != "1.2.3" || info.Required != "2.3.0" || info.Until != nil {
		t.Errorf("info.json: %+v", info)
	}
	inner := untar(t, bytes.NewReader(outer["cmk_addons_plugins.tar"]))
	files, err := filepath.Glob("cmk_addons/plugins/lunawatch/*/*")
	check.Must(t, err)
	files = append(files, "cmk_addons/plugins/lunawatch/lib.py", "cmk_addons/plugins/lunawatch/objects.py")
	files = slices.DeleteFunc(files, func(f string) bool { return strings.Contains(f, "__pycache__") })
	for i, file := range files {
		text, err := os.ReadFile(file)
		check.Must(t, err)
		files[i] = strings.TrimPrefix(file, "cmk_addons/plugins/")
		if !bytes.Equal(inner[files[i]], text) {
			t.Errorf("%s is not in the package as it is here", file)
		}
	}
	slices.Sort(files)
	if diff := cmp.Diff(map[string][]string{"cmk_addons_plugins": files}, info.Files); diff != "" {
		t.Errorf("files of info.json (-want +got):\n%s", diff)
	}
	if len(inner) != len(files) || len(outer) != 3 {
		t.Errorf("%d files in the package, %d parts", len(inner), len(outer))
	}
	literal := exec.CommandContext(t.Context(), interpreter(t), "-c", "import ast, json, sys; print(json.dumps(ast.literal_eval(sys.stdin.read())))")
	literal.Stdin = bytes.NewReader(outer["info"])
	out, err := literal.Output()
	check.Must(t, err)
	var python, text map[string]any
	check.Must(t, json.Unmarshal(out, &python))
	check.Must(t, json.Unmarshal(outer["info.json"], &text))
	if diff := cmp.Diff(text, python); diff != "" {
		t.Errorf("info is not what info.json is (-json +python):\n%s", diff)
	}
}

func untar(t *testing.T, r io.Reader) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	for archive := tar.NewReader(r); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		check.Must(t, err)
		files[header.Name], err = io.ReadAll(archive)
		check.Must(t, err)
	}
}

// TestRegistered: each check has its ruleset and its manual, and each ruleset its check.
func TestRegistered(t *testing.T) {
	got := run(t, api(t), ours)
	rulesets := make(map[string]bool)
	for name, ruleset := range got.Checks {
		rulesets[ruleset] = true
		if _, there := got.Rulesets[ruleset]; !there {
			t.Errorf("%s has the ruleset %q, which is not there", name, ruleset)
		}
		if _, err := os.Stat("cmk_addons/plugins/lunawatch/checkman/" + name); err != nil {
			t.Error(err)
		}
	}
	if len(got.Checks) != 9 || len(rulesets) != len(got.Rulesets) {
		t.Errorf("%d checks, %d of %d rulesets are theirs", len(got.Checks), len(rulesets), len(got.Rulesets))
	}
}

// unread are the objects of the tables that the plugin does not ask for: what is shown
// only as an age, is in an index, or is no state of anything.
var unread = strings.Fields(`
	lunaHsmName lunaHsmSince lunaHsmLabel lunaHsmSoftware lunaHsmInterval lunaHsmResetAt lunaHsmCriticalEvents
	lunaHsmNoncriticalEvents lunaHsmManuallyZeroized lunaHsmAuditRole lunaHsmStorageFree lunaHsmLicences lunaHsmReadAt
	lunaHsmProvenAt lunaHsmProvenBy lunaHsmVendorRow
	lunaPartitionAutoActivation lunaPartitionStorageFree lunaPartitionRequests
	lunaRoleInitialized lunaRoleActivated lunaRoleLockedOut lunaRoleAttemptsLeft lunaRoleFailedLogins lunaRolePinToBeChanged
	lunaRoleChallengeToBeChanged
	lunaSensorLabel
	lunaHaMemberSince lunaHaMemberAttempt lunaHaMemberAttemptsMax lunaHaMemberLostBy
	lunaSourceLabel lunaSourceTriedAt lunaSourceSucceededAt lunaSourceTook
	lunaAgentStarted lunaAgentUpTime lunaAlarmUnacknowledgedCount lunaAlarmWorst lunaAlarmLastNumber
	lunaAlarmSerial lunaAlarmLabel lunaAlarmPartition lunaAlarmObject lunaAlarmGroup lunaAlarmCodes lunaAlarmComponent
	lunaAlarmEventType lunaAlarmCause lunaAlarmValue lunaAlarmThreshold lunaAlarmUnit lunaAlarmRaisedAt lunaAlarmCount
	lunaAlarmAcknowledgedAt lunaAlarmComment lunaAlarmLastAt lunaAlarmRelatedTo lunaAlarmFlapping lunaAlarmInStorm
	lunaOperationRequests lunaReceiverLastSequence lunaReceiverWaiting lunaReceiverDelivered lunaReceiverFailed lunaReceiverLost
`)

// TestEveryObject: the plugin asks for every object that is served, or unread has it.
func TestEveryObject(t *testing.T) {
	got := run(t, api(t), ours)
	asked := make(map[string]bool)
	for _, oid := range got.OIDs {
		asked[oid] = true
	}
	for name, oid := range modules.Tables().Objects() {
		if !strings.HasPrefix(name, "luna") {
			continue
		}
		if listed := slices.Contains(unread, name); listed == asked["."+oid.String()] {
			t.Errorf("%s (%v): asked for and in unread: %v", name, oid, listed)
		}
		delete(asked, "."+oid.String())
	}
	for oid := range asked {
		t.Errorf("%s is asked for and not served", oid)
	}
}

package agent

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator"
)

// A printed object is one whose value is in a text of LunaSH: in the group of a pattern,
// which may be converted. Only values that do not move by themselves are compared.
type printed struct {
	object, command, pattern string
	convert                  func(string) string
}

func asIs(s string) string { return s }

// oneOf converts the words of LunaSH, in lower case; words that are missing are wrong.
func oneOf(pairs ...string) func(string) string {
	return func(s string) string {
		for i := 0; i < len(pairs); i += 2 {
			if strings.EqualFold(s, pairs[i]) {
				return pairs[i+1]
			}
		}
		return "no word: " + s
	}
}

// milliOf converts 2.750 to 2750.
func milliOf(s string) string {
	var n float64
	if _, err := fmt.Sscan(s, &n); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%.0f", 1000*n)
}

var yesOrNo = oneOf("yes", "true", "no", "false")

const (
	show      = "hsm show"
	partition = "partition show"
)

// printedOfHSM are objects with one instance for each HSM: of the vendor's by its serial
// number, of ours by its name.
var printedOfHSM = []printed{
	{"hsmSerialNumber", show, `Serial #: +(\S+)`, asIs},
	{"hsmFirmwareVersion", show, `Firmware: +(\S+)`, asIs},
	{"hsmLabel", show, `HSM Label: +(\S.*)`, asIs},
	{"hsmModel", show, `(?:HSM|Hardware) Model: +(\S.*)`, asIs},
	{"hsmAuthenticationMethod", show, `Authentication Method: +(\S.*)`, oneOf("Password", "password", "PED keys", "pedKeys")},
	{"hsmRpvInitialized", show, `RPV Initialized: +(\S+)`, oneOf("Yes", "initialized", "No", "uninitialized")},
	{"hsmFipsMode", show, `The HSM is (.*)in FIPS`, oneOf("", "true", "NOT ", "false")},
	{"hsmStorageTotalBytes", show, `Maximum HSM Storage Space \(Bytes\): +(\d+)`, asIs},
	{"hsmStorageAllocatedBytes", show, `Space In Use \(Bytes\): +(\d+)`, asIs},
	{"hsmStorageAvailableBytes", show, `Free Space Left \(Bytes\): +(\d+)`, asIs},
	{"hsmMaximumPartitions", show, `Number of partitions allowed: +(\d+)`, asIs},
	{"hsmPartitionsCreated", show, `Number of partitions created: +(\d+)`, asIs},
	{"hsmAdminLoginAttempts", show, `HSM Admin login attempts left: +(\d+)`, asIs},
	{"hsmAuditRoleInitialized", show, `Audit Role Initialized: +(\S+)`, oneOf("Yes", "yes", "No", "no")},
	{"hsmManuallyZeroized", show, `Manually Zeroized: +(\S+)`, yesOrNo},
	{"lunaHsmSerial", show, `Serial #: +(\S+)`, asIs},
	{"lunaHsmLabel", show, `HSM Label: +(\S.*)`, asIs},
	{"lunaHsmModel", show, `(?:HSM|Hardware) Model: +(\S.*)`, asIs},
	{"lunaHsmFirmware", show, `Firmware: +(\S+)`, asIs},
	{"lunaHsmSoftware", show, `Software Version: +(\S+)`, asIs},
	{"lunaHsmBatteryThreshold", show, `Battery Warning Threshold Voltage: +(\S+) V`, milliOf},
	{"lunaHsmTemperatureThreshold", show, `System Temp Warning Threshold: +(\S+) deg`, milliOf},
	{"lunaHsmTamper", show, `HSM Tamper State: +(\S.*)`, oneOf("No tamper(s)", "none", "Tamper(s) detected", "detected")},
	{"lunaHsmTransportMode", show, `Secure Transport Mode: +(\S+)`, yesOrNo},
	{"lunaHsmManuallyZeroized", show, `Manually Zeroized: +(\S+)`, yesOrNo},
	{"lunaHsmFips", show, `The HSM is (.*)in FIPS`, oneOf("", "true", "NOT ", "false")},
	{"lunaHsmSoAttemptsLeft", show, `HSM Admin login attempts left: +(\d+)`, asIs},
	{"lunaHsmAuditRole", show, `Audit Role Initialized: +(\S+)`, oneOf("Yes", "initialized", "No", "notInitialized")},
	{"lunaHsmStorageTotal", show, `Maximum HSM Storage Space \(Bytes\): +(\d+)`, asIs},
	{"lunaHsmStorageUsed", show, `Space In Use \(Bytes\): +(\d+)`, asIs},
	{"lunaHsmStorageFree", show, `Free Space Left \(Bytes\): +(\d+)`, asIs},
	{"lunaHsmPartitionsCreated", show, `Number of partitions created: +(\d+)`, asIs},
	{"lunaHsmPartitionsAllowed", show, `Number of partitions allowed: +(\d+)`, asIs},
	{"lunaHsmCriticalEvents", "hsm information show", `(?m)^ *Critical Events: +(\d+)`, asIs},
	{"lunaHsmNoncriticalEvents", "hsm information show", `Non-Critical Events: +(\d+)`, asIs},
}

// printedOfPartition are objects with one instance for each partition.
var printedOfPartition = []printed{
	{"hsmPartitionSerialNumber", partition, `Partition SN: +(\S+)`, asIs},
	{"hsmPartitionLabel", partition, `Partition Label: +(\S.*)`, asIs},
	{"hsmPartitionStorageTotalBytes", partition, `Storage Information \(Bytes\): +Total=(\d+)`, asIs},
	{"hsmPartitionStorageAllocatedBytes", partition, `Storage Information \(Bytes\): .*Used=(\d+)`, asIs},
	{"hsmPartitionStorageAvailableBytes", partition, `Storage Information \(Bytes\): .*Free=(\d+)`, asIs},
	{"hsmPartitionObjectCount", partition, `Partition Object Count: +(\d+)`, asIs},
	{"lunaPartitionName", partition, `Partition Name: +(\S.*)`, asIs},
	{"lunaPartitionLabel", partition, `Partition Label: +(\S.*)`, asIs},
	{"lunaPartitionStorageTotal", partition, `Storage Information \(Bytes\): +Total=(\d+)`, asIs},
	{"lunaPartitionStorageUsed", partition, `Storage Information \(Bytes\): .*Used=(\d+)`, asIs},
	{"lunaPartitionStorageFree", partition, `Storage Information \(Bytes\): .*Free=(\d+)`, asIs},
	{"lunaPartitionObjects", partition, `Partition Object Count: +(\d+)`, asIs},
}

// lunaSH asks an appliance as a person does, in a session of its own.
func lunaSH(tb testing.TB, e *estate, a simulator.ReadyAppliance, commands ...string) map[string]string {
	tb.Helper()
	password, err := os.ReadFile(e.ready.PasswordFile)
	check.Must(tb, err)
	known, err := knownhosts.New(e.ready.KnownHosts)
	check.Must(tb, err)
	client, err := ssh.Dial("tcp", a.SSHAddress, &ssh.ClientConfig{User: e.ready.User, HostKeyCallback: known, Auth: []ssh.AuthMethod{ssh.Password(strings.TrimSpace(string(password)))}})
	check.Must(tb, err)
	defer client.Close()
	texts := make(map[string]string)
	session, err := client.NewSession()
	check.Must(tb, err)
	defer session.Close()
	var out bytes.Buffer
	session.Stdout = &out
	session.Stdin = strings.NewReader(strings.Join(commands, "\n") + "\nexit\n")
	check.Must(tb, session.RequestPty("xterm", 40, 200, nil))
	check.Must(tb, session.Shell())
	_ = session.Wait()
	for i, part := range strings.Split(out.String(), "lunash:>") {
		if i > 0 && i <= len(commands) {
			texts[commands[i-1]] = part
		}
	}
	return texts
}

// TestEqualToLunaSH: what SNMP shows is what LunaSH prints to somebody who logs in.
func TestEqualToLunaSH(t *testing.T) {
	t.Parallel()
	e := startEstate(t, "")
	var objects []string
	for _, p := range slices.Concat(printedOfHSM, printedOfPartition) {
		objects = append(objects, p.object)
	}
	e.until(t, "partitions are shown", func() bool { return len(e.named(t, "lunaPartitionObjects")) > 5 })
	walk := e.named(t, objects...)
	compared, missing := 0, map[string]bool{}
	for _, o := range objects {
		missing[o] = true
	}
	compare := func(p printed, text, instance string) {
		m := regexp.MustCompile(p.pattern).FindStringSubmatch(text)
		if m == nil {
			return // this version does not print it
		}
		delete(missing, p.object)
		compared++
		if want, got := p.convert(strings.TrimRight(m[1], "\r")), walk[instance]; got != want {
			t.Errorf("%s is %q, and %s prints %q", instance, got, p.command, want)
		}
	}
	for _, a := range e.ready.Appliances {
		texts := lunaSH(t, e, a, show, "hsm information show", partition)
		serial := regexp.MustCompile(`Serial #: +(\S+)`).FindStringSubmatch(texts[show])
		if serial == nil {
			t.Fatalf("%s prints %q", a.Name, texts)
		}
		index := func(object string) string {
			if strings.HasPrefix(object, "luna") {
				return object + "[" + a.Name + "]"
			}
			return object + "[" + serial[1] + "]"
		}
		for _, p := range printedOfHSM {
			compare(p, texts[p.command], index(p.object))
		}
		for _, block := range regexp.MustCompile(`\n\s*\n`).Split(strings.ReplaceAll(texts[partition], "\r", ""), -1) {
			if sn := regexp.MustCompile(`Partition SN: +(\S+)`).FindStringSubmatch(block); sn != nil {
				for _, p := range printedOfPartition {
					compare(p, block, index(p.object)+"["+sn[1]+"]")
				}
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("no appliance prints %v", missing)
	}
	if compared < 84 {
		t.Errorf("only %d objects were compared", compared)
	}
	t.Logf("%d instances of %d objects are equal to what LunaSH prints", compared, len(objects))
}

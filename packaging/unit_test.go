package packaging

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/internal/check"
)

// TestUnit boots a Debian with systemd and snmpd, installs the package there, and has
// the unit started, idle for longer than its watchdog allows, hung, stopped, upgraded
// and purged: testdata/unit.sh. The password is a credential, the values come over SNMP
// from an snmpd that was there before.
func TestUnit(t *testing.T) {
	r := bareRoot(t)
	need(t, "systemd-nspawn", "systemd-container")
	resolv, err := os.ReadFile("/etc/resolv.conf")
	check.Must(t, err)
	check.Must(t, os.WriteFile(r.path("etc/resolv.conf"), resolv, 0o644))
	r.run(t, "apt-get", "update", "-q")
	r.run(t, "apt-get", "install", "-qy", "--no-install-recommends", "systemd", "systemd-sysv", "dbus", "snmpd", "snmp")
	// As on a host whose snmpd has run before.
	check.Must(t, os.MkdirAll(r.path("var/agentx"), 0o700))
	check.Must(t, os.Rename(packages(t, "deb", "1.2.0")[0], r.path("lunawatch.deb")))
	program(t, "..", []string{"CGO_ENABLED=0"}, "go", "build", "-o", r.path("usr/local/bin/lunasim"), "./cmd/lunasim")
	script, err := os.ReadFile("testdata/unit.sh")
	check.Must(t, err)
	check.Must(t, os.WriteFile(r.path("root/unit.sh"), script, 0o755))
	unit := "[Unit]\nAfter=multi-user.target\n[Service]\nType=oneshot\nExecStart=/root/unit.sh\nExecStopPost=/bin/systemctl poweroff --no-block\n[Install]\nWantedBy=multi-user.target\n"
	check.Must(t, os.WriteFile(r.path("etc/systemd/system/try.service"), []byte(unit), 0o644))
	r.run(t, "systemctl", "enable", "try.service")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	boot := exec.CommandContext(ctx, "systemd-nspawn", "--quiet", "-D", r.dir, "--register=no", "--keep-unit", "--private-network", "--boot")
	out, _ := boot.CombinedOutput() // what it did is in the log
	log, err := os.ReadFile(r.path("root/unit.log"))
	if err != nil {
		t.Fatalf("not booted: %v\n%s", err, out)
	}
	if check.Golden(t, "unit.txt", log); t.Failed() {
		errors, _ := os.ReadFile(r.path("root/unit.err"))
		t.Logf("%s", errors)
	}
}

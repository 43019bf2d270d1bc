package check_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"

	"github.com/lunawatch/lunawatch/internal/check"
)

const module = "github.com/lunawatch/lunawatch/"

// rooms are the packages, bottom up, each with those of ours that it imports. A
// package may import only what is above it in this table, so there are no
// circles, and a new way through the house is a line that somebody reads.
var rooms = []struct{ name, imports string }{
	{"hsm", ""},
	{"internal/wait", ""},
	{"internal/program", ""},
	{"internal/near", ""},
	{"internal/setting", ""},
	{"internal/snmppeer", "internal/setting"},
	{"internal/check", ""},
	{"mibs", ""},
	{"mib/agentx", "internal/wait"},
	{"mib", "hsm mib/agentx"},
	{"mib/vendor", "hsm mib mib/agentx"},
	{"mib/alarm", "mib mib/agentx mib/vendor"},
	{"mib/luna", "hsm mib mib/agentx mib/vendor"},
	{"mib/entity", "hsm mib mib/agentx"},
	{"mib/modules", "mib mib/agentx mib/alarm mib/entity mib/luna mib/vendor"},

	{"collectors", "hsm"},
	{"collectors/answer", "hsm"},
	{"collectors/shell", "collectors/answer hsm"},
	{"collectors/status", "collectors/answer hsm"},
	{"collectors/syslog", "collectors/answer hsm internal/wait"},
	{"collectors/follow", "collectors/answer collectors/syslog hsm internal/program internal/wait"},
	{"collectors/poll", "collectors collectors/answer hsm internal/wait"},
	{"collectors/login", "collectors hsm internal/setting internal/wait"},
	{"collectors/lunash", "collectors collectors/answer collectors/login collectors/poll collectors/shell collectors/status hsm internal/setting internal/wait"},
	{"collectors/lunacm", "collectors collectors/answer collectors/poll collectors/shell hsm internal/program internal/wait"},
	{"collectors/rest", "collectors collectors/answer collectors/login collectors/poll hsm internal/setting internal/wait"},
	{"collectors/snmp", "collectors collectors/answer collectors/poll hsm internal/setting internal/snmppeer internal/wait"},
	{"collectors/ha", "collectors collectors/answer collectors/follow collectors/lunacm hsm internal/wait"},
	{"collectors/host", "collectors/answer hsm"},
	{"collectors/probe", "collectors/answer collectors/poll hsm internal/program internal/setting internal/wait"},
	{"collectors/formats", "collectors/answer collectors/ha collectors/rest collectors/shell collectors/status collectors/syslog"},

	{"alarms/again", "internal/setting"},
	{"alarms/expect", "alarms/again internal/setting"},
	{"alarms/memory", "hsm"},
	{"alarms", "alarms/again alarms/memory hsm internal/near internal/setting"},
	{"alarms/journal", "alarms hsm internal/setting"},
	{"alarms/texts", "alarms hsm"},
	{"alarms/sensors", "alarms hsm"},
	{"alarms/proven", "alarms/again hsm"},
	{"alarms/rules", "alarms alarms/expect alarms/memory alarms/proven alarms/sensors alarms/texts hsm internal/setting"},
	{"alarms/audit", "alarms alarms/rules hsm"},
	{"alarms/forecast", "alarms alarms/journal alarms/rules"},
	{"alarms/notify", "alarms alarms/again alarms/journal internal/setting internal/wait"},
	{"alarms/notify/snmp", "alarms alarms/journal alarms/notify internal/setting internal/snmppeer mib mib/agentx mib/alarm"},
	{"alarms/receivers/chats", ""},
	{"alarms/receivers", "alarms alarms/notify alarms/receivers/chats internal/program internal/setting internal/wait"},
	{"alarms/watch", "alarms alarms/audit alarms/forecast alarms/journal alarms/notify alarms/notify/snmp alarms/rules hsm internal/near internal/setting internal/wait mib"},

	{"exporters/runbook", "alarms alarms/rules alarms/texts"},
	{"exporters", "alarms alarms/notify alarms/rules alarms/watch exporters/runbook hsm internal/near"},
	{"exporters/otlp", "alarms/receivers internal/setting internal/wait"},
	{"exporters/plot", ""},
	{"exporters/monitor", "exporters/plot hsm"},
	{"exporters/glance", "alarms alarms/rules exporters exporters/plot hsm internal/near"},
	{"exporters/history", "alarms alarms/journal exporters/glance hsm"},
	{"exporters/act", "alarms alarms/again alarms/notify alarms/watch"},
	{"exporters/api", "alarms alarms/again alarms/notify alarms/watch exporters/act exporters/glance exporters/history exporters/plot hsm"},
	{"exporters/page/chart", "alarms alarms/rules exporters/history hsm"},
	{"exporters/page", "alarms alarms/notify alarms/rules alarms/watch exporters exporters/act exporters/glance exporters/history exporters/page/chart exporters/runbook hsm"},
	{"exporters/trace", "alarms alarms/rules collectors/answer collectors/formats exporters exporters/glance hsm mib mib/modules"},
	{"exporters/top", "alarms alarms/rules exporters exporters/glance exporters/plot exporters/trace hsm"},
	{"agent/guard", "internal/setting"},
	{"agent/cluster", "alarms alarms/journal internal/setting internal/wait"},
	{"agent/config", "agent/cluster agent/guard alarms/expect alarms/notify alarms/notify/snmp alarms/receivers alarms/watch collectors collectors/ha collectors/login collectors/lunacm collectors/lunash collectors/poll collectors/probe collectors/rest collectors/snmp exporters exporters/otlp hsm internal/near internal/setting internal/snmppeer mib/agentx"},
	{"agent/senders", "agent/config collectors/syslog internal/wait"},
	{"agent/redact", "collectors/answer hsm"},
	{"agent/ready", "hsm internal/wait"},
	{"agent/peers", "agent/guard hsm internal/wait"},
	{"agent/capture", "agent/config agent/redact alarms/journal collectors collectors/follow collectors/snmp collectors/syslog hsm internal/setting"},
	{"agent/totals", "alarms/journal mib mib/vendor"},
	{"agent/conditions", "alarms alarms/rules alarms/sensors exporters/glance hsm mib"},
	{"agent/entities", "agent/cluster alarms/journal hsm mib mib/entity"},
	{"agent", "agent/cluster agent/conditions agent/config agent/entities agent/guard agent/peers agent/ready agent/senders agent/totals alarms alarms/journal alarms/notify alarms/notify/snmp alarms/proven alarms/rules alarms/watch collectors collectors/follow collectors/ha collectors/host collectors/login collectors/lunacm collectors/lunash collectors/poll collectors/probe collectors/syslog exporters exporters/act exporters/api exporters/glance exporters/history exporters/otlp exporters/page hsm internal/wait mib mib/agentx mib/modules mib/vendor"},

	{"agent/setup", "agent/config collectors/ha collectors/lunacm collectors/lunash collectors/rest internal/setting"},
	{"agent/doctor", "agent agent/config alarms alarms/notify/snmp collectors collectors/ha collectors/lunacm hsm mib/agentx"},

	{"packaging", ""},
	{"packaging/prometheus", "alarms"},
	{"packaging/grafana", ""},
	{"contrib/object", ""},
	{"contrib/traps", "contrib/object"},
	{"contrib/icinga", ""},
	{"contrib/snmp_exporter", "contrib/object"},
	{"contrib/zabbix", "contrib/object contrib/traps"},
	{"contrib/checkmk", "contrib/object"},
	{"contrib/checkmk/mkp", "contrib/checkmk"},
	{"contrib/managers", "mib/modules"},

	{"cmd/lunawatch", "agent agent/capture agent/config agent/doctor agent/guard agent/setup alarms alarms/notify alarms/watch collectors/answer collectors/formats collectors/lunash collectors/syslog exporters exporters/act exporters/glance exporters/history exporters/monitor exporters/top exporters/trace hsm internal/near internal/setting mib/agentx mib/modules mibs packaging"},

	{"simulator", "internal/wait"},
	{"simulator/netsnmp", ""},
	{"cmd/lunasim", "simulator"},
	{"cmd/demo", "simulator simulator/netsnmp"},
	{"cmd/sbom", ""},
	{"mib/benchsnmp", "mib mib/agentx simulator/netsnmp"},
	{"agent/benchsize", "simulator simulator/netsnmp"},
	{"agent/faults", "agent agent/cluster alarms alarms/journal simulator"},

	// What tests share.
	{"internal/check/browser", "internal/check"},
	{"contrib/zabbix/zabbixtest", ""},
	{"mib/mibtest", "hsm mib mib/agentx"},
	{"collectors/collectortest", "collectors hsm simulator"},
	{"alarms/alarmstest", "alarms hsm simulator/netsnmp"},
	{"alarms/journal/journaltest", "alarms/journal"},
	{"agent/cluster/etcdtest", ""},
	{"alarms/watch/watchtest", "alarms/alarmstest alarms/journal/journaltest alarms/notify alarms/watch collectors/syslog hsm"},
}

// maxLines is what fits in a head: of one package, without tests.
const maxLines = 2500

// larger are the packages that may have more. The simulator is one thing: each
// cut tried through it made a circle.
var larger = []string{"simulator"}

func TestRooms(t *testing.T) {
	loaded := load(t, packages.NeedName|packages.NeedImports|packages.NeedFiles, "./...")
	architecture, err := os.ReadFile("../../ARCHITECTURE.md")
	check.Must(t, err)
	var above []string
	for _, r := range rooms {
		i := slices.IndexFunc(loaded, func(p *packages.Package) bool { return p.PkgPath == module+r.name })
		if i < 0 {
			t.Errorf("%s is no package any more: take it out of rooms", r.name)
			continue
		}
		if !bytes.Contains(architecture, []byte("("+r.name+")")) && !bytes.Contains(architecture, []byte("`"+r.name+"`")) {
			t.Errorf("ARCHITECTURE.md does not have %s", r.name)
		}
		var imports []string
		for path := range loaded[i].Imports {
			if name, ours := strings.CutPrefix(path, module); ours {
				imports = append(imports, name)
			}
		}
		slices.Sort(imports)
		if got := strings.Join(imports, " "); got != r.imports {
			t.Errorf("%s imports\n%s\nand rooms says\n%s", r.name, got, r.imports)
		}
		for _, name := range imports {
			if !slices.Contains(above, name) {
				t.Errorf("%s imports %s, which is not above it", r.name, name)
			}
		}
		above = append(above, r.name)
		if n := lines(t, loaded[i].GoFiles); n > maxLines && !slices.Contains(larger, r.name) {
			t.Errorf("%s has %d lines, more than %d: part it", r.name, n, maxLines)
		}
	}
	if len(loaded) != len(rooms) {
		t.Errorf("%d packages, and %d rooms", len(loaded), len(rooms))
	}
}

// TestProductionHasNoSimulator fails for anything of the simulator, or of what only
// tests need, that is linked into the program for production.
func TestProductionHasNoSimulator(t *testing.T) {
	ours := 0
	packages.Visit(load(t, packages.NeedName|packages.NeedImports|packages.NeedDeps, "./cmd/lunawatch"), nil, func(p *packages.Package) {
		if strings.HasPrefix(p.PkgPath, module) {
			ours++
		}
		if strings.HasPrefix(p.PkgPath, module+"simulator") || p.PkgPath == "testing" {
			t.Errorf("cmd/lunawatch has %s in it", p.PkgPath)
		}
	})
	if ours < 2 {
		t.Errorf("cmd/lunawatch has %d packages of ours", ours)
	}
}

func lines(t *testing.T, files []string) (n int) {
	t.Helper()
	for _, f := range files {
		text, err := os.ReadFile(f)
		check.Must(t, err)
		n += bytes.Count(text, []byte("\n"))
	}
	return n
}

// load returns packages of this module.
func load(t *testing.T, mode packages.LoadMode, patterns ...string) []*packages.Package {
	t.Helper()
	root, err := filepath.Abs("../..")
	check.Must(t, err)
	loaded, err := packages.Load(&packages.Config{Mode: mode, Dir: root}, patterns...)
	check.Must(t, err)
	for _, p := range loaded {
		for _, e := range p.Errors {
			t.Fatal(e)
		}
	}
	return loaded
}

package snmp

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/internal/snmppeer"
	"github.com/lunawatch/lunawatch/mib/modules"
)

// TestSNMPObjects compares the names and numbers of the objects that are read with
// those that our own subagent serves.
func TestSNMPObjects(t *testing.T) {
	got := map[string]string{"appSoftwareVersion": softwareVersionObject.String()[1:]}
	collect(operationObjects, got)
	collect(ntlsObjects, got)
	collect(hsmObjects, got)
	collect(licenseObjects, got)
	collect(partitionObjects, got)
	collect(policyObjects, got)
	collect(partitionPolicyObjects, got)
	collect(clientObjects, got)
	collect(assignmentObjects, got)
	want := make(map[string]string)
	for name, oid := range modules.Tables().Objects() {
		if s := oid.String(); strings.HasPrefix(s, "1.3.6.1.4.1.12383.") || strings.HasPrefix(s, "1.3.6.1.4.1.23629.") { // the vendor's
			want[name] = s
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func collect[R any](table table[R], to map[string]string) {
	for _, c := range table.columns {
		to[c.name] = below(table.entry, c.id).String()[1:]
	}
}

// prefixed and implied encode a text as an index; the latter must be the last of its
// components.
func prefixed(s string) oid { return append(oid{uint32(len(s))}, implied(s)...) }

func implied(s string) oid {
	var o oid
	for _, b := range []byte(s) {
		o = append(o, uint32(b))
	}
	return o
}

// A fakeAgent is the objects that an agent serves, in their order.
type fakeAgent []gosnmp.SnmpPDU

func (f *fakeAgent) add(kind gosnmp.Asn1BER, value any, parts ...oid) {
	if s, ok := value.(string); ok {
		value = []byte(s)
	}
	*f = append(*f, gosnmp.SnmpPDU{Name: slices.Concat(parts...).String(), Type: kind, Value: value})
}

func (f fakeAgent) sorted() fakeAgent {
	return slices.SortedFunc(slices.Values(f), func(a, b gosnmp.SnmpPDU) int {
		x, _ := parseOID(a.Name)
		y, _ := parseOID(b.Name)
		return slices.Compare(x, y)
	})
}

func (f fakeAgent) getBulk(after oid, n uint32) (*gosnmp.SnmpPacket, error) {
	p := &gosnmp.SnmpPacket{}
	for _, v := range f {
		if at, _ := parseOID(v.Name); slices.Compare(at, after) > 0 && len(p.Variables) < int(n) {
			p.Variables = append(p.Variables, v)
		}
	}
	if len(p.Variables) < int(n) {
		p.Variables = append(p.Variables, gosnmp.SnmpPDU{Name: ".1.3.6.1", Type: gosnmp.EndOfMibView})
	}
	return p, nil
}

// oneHSM is an agent with one HSM. last encodes the last text of an index.
func oneHSM(last func(string) oid) fakeAgent {
	var f fakeAgent
	row := func(table uint32, index oid, values ...any) {
		for i, v := range values {
			kind := map[reflect.Kind]gosnmp.Asn1BER{reflect.String: gosnmp.OctetString, reflect.Int: gosnmp.Integer, reflect.Uint: gosnmp.Gauge32, reflect.Uint64: gosnmp.Counter64}
			if v != nil {
				f.add(kind[reflect.TypeOf(v).Kind()], v, safenetHSM, oid{table, 1, uint32(i + 1)}, index)
			}
		}
	}
	for i, n := range []uint64{900, 12, 1, 5} {
		f.add(gosnmp.Counter64, n, operationObjects.entry, oid{uint32(i + 1), 0})
	}
	f.add(gosnmp.Integer, 1, ntlsObjects.entry, oid{1, 0})
	f.add(gosnmp.Gauge32, uint(2), ntlsObjects.entry, oid{2, 0})
	f.add(gosnmp.OctetString, "Nov 17 11:38:50 2034 GMT", ntlsObjects.entry, oid{6, 0})
	row(2, last("66331"), "66331", "7.1.0", "east", "Luna K7", 2, 3, 2, 15, uint(1000), uint(400), uint(600), uint(20), uint(2), uint(18), 3, uint(10), 0, 2, uint64(1000), uint64(250), uint64(777))
	row(3, append(prefixed("66331"), last("621000026-000")...), nil, "base")
	row(4, append(prefixed("66331"), last("663310012")...), "663310012", "pay", 1, uint(50), uint(20), uint(30), uint(4))
	row(4, append(prefixed("66331"), last("663310034")...), "663310034", "", 2)
	row(5, append(prefixed("66331"), 1, 12), 1, uint(12), "Enable non-FIPS algorithms", "Allowed")
	row(5, append(prefixed("66331"), 2, 12), 2, uint(12), "Allow non-FIPS algorithms", "On")
	row(6, slices.Concat(prefixed("66331"), prefixed("663310012"), oid{2, 22}), 2, uint(22), "Allow activation", "Off")
	row(7, last("web.example"), "web.example", "192.0.2.9", 2, -1)
	row(7, last("idle"), nil, "192.0.2.8")
	row(8, slices.Concat(prefixed("web.example"), prefixed("66331"), last("663310034")), "66331", "663310034")
	row(8, slices.Concat(prefixed("web.example"), prefixed("777"), last("77712")), "777", "77712") // of another HSM
	f.add(gosnmp.OctetString, "7.2.0-220", safenetAppliance, oid{1, 0})
	return f.sorted()
}

// pollSNMP has a read what get serves, and returns the device and the observations by
// source.
func pollSNMP(a *Agent, get bulkGetter) (*hsm.Device, map[string]hsm.Observation) {
	snap, seen := &hsm.Snapshot{}, make(map[string]hsm.Observation)
	a.poll(context.Background(), func(context.Context) (walked, error) { return walkRoots(get) }, func(o hsm.Observation) {
		seen[o.Source] = o
		snap = snap.With(o)
	})
	return snap.Devices[0], seen
}

// TestSNMPSections reads every table, with both encodings of an index.
func TestSNMPSections(t *testing.T) {
	policy := func(description, value string, id int64) hsm.Policy {
		return hsm.Policy{ID: hsm.Some(id), Description: description, Value: value}
	}
	want := []any{
		hsm.Show{
			SoftwareVersion: "7.2.0-220", Serial: "66331", Firmware: "7.1.0", Label: hsm.Some("east"), Model: "Luna K7",
			Authentication: hsm.AuthPassword, RPV: hsm.RPVInitialized, FIPS: hsm.Some(false), AuditRole: hsm.AuditNotSupported,
			PartitionsAllowed: hsm.Some[int64](20), PartitionsCreated: hsm.Some[int64](2), SOLoginAttemptsLeft: hsm.Some[int64](10),
			ManuallyZeroized: hsm.Some(false), Storage: hsm.Storage{Total: hsm.Some[int64](1000), Used: hsm.Some[int64](400), Free: hsm.Some[int64](600)},
		},
		hsm.Monitor{Samples: []hsm.Sample{{UptimeSeconds: 1000, Commands: 777, Utilization: 0.25}}, BusySeconds: hsm.Some(250.0)},
		hsm.Information{OperationRequests: hsm.Some[uint64](900), OperationErrors: hsm.Some[uint64](12), CriticalEvents: hsm.Some[uint64](1), NoncriticalEvents: hsm.Some[uint64](5)},
		hsm.NTLS{Status: hsm.NTLSUp, ConnectedClients: hsm.Some[uint64](2)},
		hsm.Certificate{NotAfter: hsm.Some(time.Date(2034, 11, 17, 11, 38, 50, 0, time.UTC))},
		[]hsm.Partition{
			{
				Serial: "663310012", Label: hsm.Some("pay"), Activated: hsm.Some(true), ObjectCount: hsm.Some[int64](4),
				Storage:  hsm.Storage{Total: hsm.Some[int64](50), Used: hsm.Some[int64](20), Free: hsm.Some[int64](30)},
				Policies: &hsm.Policies{Policies: []hsm.Policy{policy("Allow activation", "Off", 22)}},
			},
			{Serial: "663310034", Label: hsm.Some(""), Activated: hsm.Some(false)},
		},
		[]hsm.License{{ID: "621000026-000", Description: "base"}},
		hsm.Policies{
			Capabilities: []hsm.Policy{policy("Enable non-FIPS algorithms", "Allowed", 12)},
			Policies:     []hsm.Policy{policy("Allow non-FIPS algorithms", "On", 12)},
		},
		map[string]hsm.Client{
			"idle":        {Name: "idle", Address: "192.0.2.8", Partitions: []string{}},
			"web.example": {Name: "web.example", Address: "192.0.2.9", RequiresHTL: hsm.Some(false), OTTExpiry: hsm.Some[int64](-1), Partitions: []string{"663310034"}},
		},
	}
	for name, last := range map[string]func(string) oid{"length": prefixed, "IMPLIED": implied} {
		t.Run(name, func(t *testing.T) {
			d, seen := pollSNMP(&Agent{Device: "a", Interval: time.Minute}, oneHSM(last).getBulk)
			clients := make(map[string]hsm.Client)
			for _, c := range d.Clients.Value {
				clients[c.Name] = c
			}
			got := []any{
				d.Show.Value, d.Monitor.Value, d.Information.Value, d.NTLS.Value, d.Certificate.Value,
				d.Partitions.Value, d.Licenses.Value, d.Policies.Value, clients,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			for source, o := range seen {
				if o.Err != nil || len(o.Unread) > 0 || o.MaxAge < time.Minute || o.Took < cacheTime {
					t.Errorf("%s: %+v", source, o)
				}
			}
			if len(seen) != len(sources) {
				t.Errorf("%d sources", len(seen))
			}
		})
	}
}

// without returns f without the instances below objects.
func (f fakeAgent) without(objects ...oid) fakeAgent {
	return slices.DeleteFunc(slices.Clone(f), func(v gosnmp.SnmpPDU) bool {
		return slices.ContainsFunc(objects, func(o oid) bool { return strings.HasPrefix(v.Name, o.String()+".") })
	})
}

// TestSNMPHoles removes objects: their values are unknown, and a table that is not
// served at all is no source.
func TestSNMPHoles(t *testing.T) {
	f := oneHSM(prefixed).without(
		below(hsmObjects.entry, 3), below(hsmObjects.entry, 7), below(hsmObjects.entry, 20), below(partitionObjects.entry, 1),
		ntlsObjects.entry, licenseObjects.entry, assignmentObjects.entry, safenetAppliance)
	a := &Agent{Device: "a"}
	d, seen := pollSNMP(a, f.getBulk)
	if s := d.Show.Value; s.Label.Known || s.FIPS.Known || s.SoftwareVersion != "" || s.Serial != "66331" {
		t.Errorf("%+v", s)
	}
	if !d.Monitor.IsZero() || !d.NTLS.IsZero() || !d.Licenses.IsZero() || !d.Certificate.IsZero() {
		t.Errorf("what is not served is read: %+v", d)
	}
	if len(d.Partitions.Value) != 2 || d.Partitions.Value[0].Serial != "663310012" || d.Clients.Value[0].Partitions != nil {
		t.Errorf("%+v, %+v", d.Partitions.Value, d.Clients.Value)
	}
	if _, ok := seen["snmp ntls"]; ok || len(seen) != 6 {
		t.Errorf("sources: %v", seen)
	}
	// A table that had rows and has none is empty. Without the rows, it is unknown.
	d, _ = pollSNMP(a, f.without(clientObjects.entry).getBulk)
	if d.Clients.IsZero() || len(d.Clients.Value) != 0 {
		t.Errorf("clients: %+v", d.Clients)
	}
}

// TestSNMPGarbage serves implausible values: only these are unknown, and they are listed
// as unread.
func TestSNMPGarbage(t *testing.T) {
	var f fakeAgent
	f.add(gosnmp.Integer, 9, ntlsObjects.entry, oid{1, 0})
	f.add(gosnmp.Gauge32, uint(0), ntlsObjects.entry, oid{2, 0})
	f.add(gosnmp.Counter64, uint64(16571615927115620), ntlsObjects.entry, oid{4, 0})
	f.add(gosnmp.Counter64, uint64(1657161592711562), ntlsObjects.entry, oid{5, 0})
	f.add(gosnmp.OctetString, "never", ntlsObjects.entry, oid{6, 0})
	serial := prefixed("66331")
	f.add(gosnmp.OctetString, "\xff\xfe", below(hsmObjects.entry, 2), serial)
	f.add(gosnmp.OctetString, "east\x00", below(hsmObjects.entry, 3), serial)
	f.add(gosnmp.Integer, 3, below(hsmObjects.entry, 7), serial)
	f.add(gosnmp.Integer, -5, below(hsmObjects.entry, 9), serial)
	f.add(gosnmp.Counter64, uint64(100), below(hsmObjects.entry, 19), serial)
	f.add(gosnmp.Counter64, uint64(101), below(hsmObjects.entry, 20), serial)
	f.add(gosnmp.Counter64, uint64(7), below(hsmObjects.entry, 21), serial)
	f.add(gosnmp.Counter64, uint64(7), below(hsmObjects.entry, 99), serial)
	f.add(gosnmp.OctetString, "x", below(licenseObjects.entry, 2), serial, oid{7, 1, 2, 3, 4, 5, 6, 7})
	d, seen := pollSNMP(&Agent{Device: "a"}, f.getBulk)
	if diff := cmp.Diff(hsm.NTLS{ConnectedClients: hsm.Some[uint64](0)}, d.NTLS.Value); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(hsm.Show{Serial: "66331", Label: hsm.Some("east")}, d.Show.Value); diff != "" {
		t.Error(diff)
	}
	if !d.Monitor.IsZero() || !d.Certificate.IsZero() || !d.Licenses.IsZero() {
		t.Errorf("%+v", d)
	}
	for source, want := range map[string]int{"snmp ntls": 4, "snmp hsmTable": 4, "snmp hsmLicenseTable": 1} {
		if got := seen[source].Unread; len(got) != want {
			t.Errorf("%s: %q, want %d", source, got, want)
		}
	}
}

// TestSNMPBadAgents has agents that loop, repeat, fail and never end. Each poll ends;
// the tables before the fault are read, and none behind it.
func TestSNMPBadAgents(t *testing.T) {
	good := oneHSM(prefixed)
	at := slices.IndexFunc(good, func(v gosnmp.SnmpPDU) bool {
		return strings.HasPrefix(v.Name, below(partitionObjects.entry, 3).String())
	})
	fault := good[at].Name
	for _, c := range []struct {
		name string
		get  bulkGetter
		want hsm.Failure
		text string
	}{
		{"loops", func(after oid, n uint32) (*gosnmp.SnmpPacket, error) {
			p, _ := good.getBulk(after, 1)
			if p.Variables[0].Name == fault {
				p.Variables[0] = good[at-4]
			}
			return p, nil
		}, hsm.Incomplete, "out of order"},
		{"repeats one", func(after oid, n uint32) (*gosnmp.SnmpPacket, error) {
			p, _ := good.getBulk(after, n)
			for i, v := range p.Variables {
				if v.Name == fault {
					p.Variables = slices.Insert(p.Variables, i, v)
					break
				}
			}
			return p, nil
		}, hsm.Incomplete, "out of order"},
		{"fails", func(after oid, n uint32) (*gosnmp.SnmpPacket, error) {
			p, _ := good.getBulk(after, 1)
			if p.Variables[0].Name == fault {
				return &gosnmp.SnmpPacket{Error: gosnmp.GenErr, Variables: p.Variables}, nil
			}
			return p, nil
		}, hsm.Command, "GenErr"},
		{"is lost", func(after oid, n uint32) (*gosnmp.SnmpPacket, error) {
			p, _ := good.getBulk(after, 1)
			if p.Variables[0].Name == fault {
				return nil, collectors.Failf(hsm.Timeout, "stopped to answer")
			}
			return p, nil
		}, hsm.Timeout, "stopped to answer"},
		{"never ends", func(after oid, n uint32) (*gosnmp.SnmpPacket, error) {
			p, _ := good.getBulk(after, 1)
			if next, _ := parseOID(p.Variables[0].Name); next.below(below(partitionObjects.entry, 3)) || len(after) == 60 {
				made := below(partitionObjects.entry, 2)
				for len(made) < 59 {
					made = append(made, 4000)
				}
				made = append(made, 1)
				if len(after) == 60 {
					made[59] = after[59] + 1
				}
				p.Variables[0] = gosnmp.SnmpPDU{Name: made.String(), Type: gosnmp.Integer, Value: 1}
			}
			return p, nil
		}, hsm.Incomplete, "more than 20000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, seen := pollSNMP(&Agent{Device: "a"}, c.get)
			if d.Show.Value.Serial != "66331" || len(d.Licenses.Value) != 1 || !d.Information.Value.OperationErrors.Known {
				t.Errorf("what is certain is not read: %+v", d)
			}
			if lost := c.want == hsm.Timeout; (d.Show.Value.SoftwareVersion == "") != lost {
				t.Errorf("software %q: only an agent that no longer answers is not asked again", d.Show.Value.SoftwareVersion)
			}
			for _, source := range []string{"snmp hsmPartitionTable", "snmp hsmPolicyTable", "snmp hsmClientRegistrationTable"} {
				o := seen[source]
				if o.Failure != c.want || !strings.Contains(fmt.Sprint(o.Err), c.text) || !strings.HasPrefix(fmt.Sprint(o.Err), source) {
					t.Errorf("%s: %q, %v", source, o.Failure, o.Err)
				}
			}
			if len(d.Partitions.Value)+len(d.Policies.Value.Policies)+len(d.Clients.Value) != 0 {
				t.Errorf("a half-read table is reported: %+v", d)
			}
		})
	}
}

// TestSNMPTooBig has an agent that can send no more than three objects at a time.
func TestSNMPTooBig(t *testing.T) {
	good := oneHSM(prefixed)
	d, _ := pollSNMP(&Agent{Device: "a"}, func(after oid, n uint32) (*gosnmp.SnmpPacket, error) {
		if n > 3 {
			return &gosnmp.SnmpPacket{Error: gosnmp.TooBig}, nil
		}
		return good.getBulk(after, n)
	})
	if len(d.Clients.Value) != 2 {
		t.Errorf("%+v", d.Clients.Value)
	}
}

// TestSNMPUtilization plays the counters of polls. A utilization is over five minutes or
// more, and never over a reset or implausible counters.
func TestSNMPUtilization(t *testing.T) {
	type poll struct{ up, busy, commands uint64 }
	for _, c := range []struct {
		name     string
		polls    []poll
		interval int64 // 0: unknown
		ratio    float64
		commands uint64
	}{
		{"one", []poll{{1000, 100, 5}}, 0, 0, 0},
		{"too near", []poll{{1000, 100, 5}, {1299, 200, 9}}, 0, 0, 0},
		{"five minutes", []poll{{1000, 100, 5}, {1300, 250, 35}}, 300, 0.5, 30},
		{"the window moves", []poll{{1000, 100, 5}, {1060, 100, 5}, {1120, 100, 5}, {1360, 180, 8}, {1420, 220, 9}}, 300, 0.4, 4},
		{"the same rows twice", []poll{{1000, 100, 5}, {1300, 250, 35}, {1300, 250, 35}}, 300, 0.5, 30},
		{"reset", []poll{{1000, 100, 5}, {1300, 250, 35}, {20, 1, 1}}, 0, 0, 0},
		{"busier than time", []poll{{1000, 100, 5}, {1300, 900, 35}}, 0, 0, 0},
		{"fewer commands", []poll{{1000, 100, 5}, {1300, 110, 4}}, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := &Agent{}
			var m hsm.Monitor
			for _, p := range c.polls {
				var ok bool
				if m, ok = a.monitor(hsmLoad{hsm.Some(p.up), hsm.Some(p.busy), hsm.Some(p.commands)}); !ok {
					t.Fatalf("nothing of %+v", p)
				}
			}
			s := m.Samples[0]
			if m.IntervalSeconds.Value != c.interval || m.IntervalSeconds.Known != (c.interval > 0) || s.UtilizationInt != c.ratio || s.CommandsInterval != c.commands {
				t.Errorf("%+v", m)
			}
		})
	}
}

// TestSNMPIndex distinguishes the two encodings.
func TestSNMPIndex(t *testing.T) {
	for _, c := range []struct {
		in   oid
		want string // "" is none
	}{
		{slices.Concat(prefixed("66331"), prefixed("663310012")), "66331/663310012"},
		{slices.Concat(prefixed("66331"), implied("663310012")), "66331/663310012"},
		{prefixed("663310012"), "663310012"},
		{implied("663310012"), "663310012"},
		{implied("5"), "5"},
		{prefixed("5"), "5"},
		{oid{}, ""},
		{oid{0}, ""},
		{oid{3, 54, 54}, ""},
		{oid{1, 300}, ""},
		{oid{4294967295, 54}, ""},
		{slices.Concat(prefixed("1"), prefixed("2"), prefixed("3")), ""},
	} {
		index, ok := partitionObjects.decode(c.in)
		if got := strings.Join(index, "/"); got != c.want && ok || ok != (c.want != "") {
			t.Errorf("%v: %q, %v, want %q", c.in, got, ok, c.want)
		}
	}
}

// TestSNMPPeers asks peers that are not SNMP agents.
func TestSNMPPeers(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("a secret of some length\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"2c", "3"} {
		for _, c := range []struct {
			name   string
			answer func(request []byte) []byte
			close  bool
			want   hsm.Failure
			text   string
		}{
			{"silent", func([]byte) []byte { return nil }, false, hsm.Unreachable, "does not answer"},
			{"garbage", func([]byte) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") }, false, hsm.Unrecognised, "not SNMP"},
			{"truncated", func([]byte) []byte { return []byte{0x30, 0x82, 0xff, 0xff, 2, 1} }, false, hsm.Unrecognised, "not SNMP"},
			{"closed", nil, true, hsm.Unreachable, "nothing listens"},
			{"hung HSM", answerGet, false, hsm.Timeout, "may hang"},
		} {
			if version == "3" && c.want == hsm.Timeout {
				continue // the peer cannot do that
			}
			t.Run(version+" "+c.name, func(t *testing.T) {
				address := respond(t, c.answer)
				if c.close {
					l, err := net.ListenPacket("udp", "127.0.0.1:0")
					if err != nil {
						t.Fatal(err)
					}
					address = l.LocalAddr().String()
					l.Close()
				}
				a := &Agent{Device: "a", Timeout: 100 * time.Millisecond, Peer: snmppeer.Peer{
					Address: address, Version: version, User: "u", CommunityFile: setting.File(secret), AuthPasswordFile: setting.File(secret), PrivPasswordFile: setting.File(secret),
				}}
				var got []hsm.Observation
				a.Once(t.Context(), func(o hsm.Observation) { got = append(got, o) })
				if len(got) != 1 || got[0].Failure != c.want || !strings.Contains(got[0].Err.Error(), c.text) || strings.Contains(got[0].Err.Error(), "a secret") {
					t.Errorf("%+v", got)
				}
				layers := map[string]hsm.Layer{"silent": hsm.LayerNoAnswer, "closed": hsm.LayerPortRefused, "hung HSM": hsm.LayerCard}
				if len(got) == 1 && got[0].Layer != layers[c.name] {
					t.Errorf("layer %q, want %q", got[0].Layer, layers[c.name])
				}
			})
		}
	}
}

// answerGet answers a Get of SNMPv2c with null, and nothing else.
func answerGet(request []byte) []byte {
	answer := slices.Clone(request)
	at := 7 + int(request[6]) // behind version and community
	if answer[at] != 0xa0 {
		return nil
	}
	answer[at] = 0xa2
	return answer
}

// respond starts a peer that answers each datagram; nil means no answer.
func respond(t *testing.T, answer func(request []byte) []byte) string {
	t.Helper()
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for b := make([]byte, 1500); ; {
			n, from, err := l.ReadFrom(b)
			if err != nil {
				return
			}
			if a := answer(b[:n]); a != nil {
				l.WriteTo(a, from)
			}
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	return l.LocalAddr().String()
}

// TestSNMPEnds checks that Run ends at once while a peer is silent, and reports nothing.
func TestSNMPEnds(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("community"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{}, 8)
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if _, _, err := l.ReadFrom(make([]byte, 1500)); err == nil {
			asked <- struct{}{}
		}
	}()
	a := &Agent{Peer: snmppeer.Peer{Address: l.LocalAddr().String(), Version: "2c", CommunityFile: setting.File(secret)}, Interval: time.Hour, Timeout: time.Hour}
	ended := make(chan error)
	go func() { ended <- a.Run(ctx, func(o hsm.Observation) { t.Errorf("%+v", o) }) }()
	<-asked
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestSNMPValidate(t *testing.T) {
	good := Agent{Peer: snmppeer.Peer{Address: "a:161", Version: "3", User: "u", AuthPasswordFile: "f", PrivPasswordFile: "f", AuthProtocol: "sha-512", PrivProtocol: "aes256"}, Interval: time.Minute}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Agent){
		"address":        func(a *Agent) { a.Address = "" },
		"port":           func(a *Agent) { a.Address = "a:99999" },
		"version":        func(a *Agent) { a.Version = "1" },
		"community_file": func(a *Agent) { a.Version = "2c" },
		"needs user":     func(a *Agent) { a.User = "" },
		"auth_protocol":  func(a *Agent) { a.AuthProtocol = "MD5" },
		"priv_protocol":  func(a *Agent) { a.PrivProtocol = "DES" },
		"interval":       func(a *Agent) { a.Interval = 0 },
	} {
		a := good
		change(&a)
		if faults := setting.Faults(a.Validate()); len(faults) != 1 || !strings.Contains(faults[0].Error(), want) {
			t.Errorf("%s: %v", want, faults)
		}
	}
}

// FuzzSNMPAnswer walks and reads what an agent serves, in order or not: nothing panics,
// every walk ends, and the HSM is the configured one. Each octet of ids is a
// sub-identifier below the vendor's subtrees.
func FuzzSNMPAnswer(f *testing.F) {
	f.Add([]byte("\x02\x01\x03\x05\x36\x36\x33\x33\x31"), []byte("east"))
	f.Add([]byte("\x04\x01\x02\x05\x36\x36\x33\x33\x31\x36"), []byte("\xff"))
	serial := prefixed("66331")
	f.Fuzz(func(t *testing.T, ids, value []byte) {
		var agent fakeAgent
		agent.add(gosnmp.Integer, 1, below(hsmObjects.entry, 5), serial)
		agent.add(gosnmp.OctetString, "x", below(licenseObjects.entry, 2), serial, prefixed("1-2"))
		var tail oid
		for _, b := range ids[:min(len(ids), 100)] {
			tail = append(tail, uint32(b))
		}
		agent.add(gosnmp.OctetString, value, safenetHSM, tail)
		agent.add(gosnmp.Counter64, uint64(len(value)), chrysalisUTSP, tail)
		for _, a := range []fakeAgent{agent, agent.sorted()} {
			calls := 0
			answer, err := walkRoots(func(after oid, n uint32) (*gosnmp.SnmpPacket, error) {
				calls++
				return a.getBulk(after, n)
			})
			if err != nil || calls > 10 {
				t.Fatal(calls, err)
			}
			r := &round{agent: &Agent{Serial: "66331", served: make(map[string]bool)}, answer: answer}
			for _, s := range sources {
				facts, _ := r.read(s)
				if show, ok := slices.Concat(facts, []hsm.Fact{nil})[0].(hsm.Show); ok && show.Serial != "66331" {
					t.Errorf("%+v", show)
				}
			}
		}
	})
}

// TestUnknownIsNoValue: a word for "not known", and a size that may have been cut at
// 4 GiB, are no values; a label is what somebody chose.
func TestUnknownIsNoValue(t *testing.T) {
	for _, c := range []struct {
		object string
		value  any
		want   hsmRow
	}{
		{"hsmFirmwareVersion", []byte("7.1.0"), hsmRow{Show: hsm.Show{Firmware: "7.1.0"}}},
		{"hsmFirmwareVersion", []byte("Unknown"), hsmRow{}},
		{"hsmModel", []byte("N/A"), hsmRow{}},
		{"hsmLabel", []byte("Unknown"), hsmRow{Show: hsm.Show{Label: hsm.Some("Unknown")}}},
		{"hsmStorageTotalBytes", uint(1<<32 - 2), hsmRow{Show: hsm.Show{Storage: hsm.Storage{Total: hsm.Some[int64](1<<32 - 2)}}}},
		{"hsmStorageTotalBytes", uint(1<<32 - 1), hsmRow{}},
	} {
		i := slices.IndexFunc(hsmObjects.columns, func(o column[hsmRow]) bool { return o.name == c.object })
		var got hsmRow
		hsmObjects.columns[i].set(&got, varbind{value: c.value})
		if diff := cmp.Diff(c.want.Show, got.Show); diff != "" {
			t.Errorf("%s %v (-want +got):\n%s", c.object, c.value, diff)
		}
	}
}

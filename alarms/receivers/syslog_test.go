package receivers

import (
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
)

// startRsyslog starts a real rsyslogd that listens on UDP and TCP, or on TLS.
func startRsyslog(s site) []string {
	s.t.Helper()
	path := realPeer(s.t, "rsyslogd", "rsyslog")
	lines := []string{`global(workDirectory="` + s.t.TempDir() + `")`}
	if s.tls {
		if found, _ := filepath.Glob("/usr/lib/*/rsyslog/lmnsd_gtls.so"); len(found) == 0 {
			missing(s.t, "the TLS driver of rsyslogd", "rsyslog-gnutls")
		}
		lines = append(lines, fmt.Sprintf(`global(DefaultNetstreamDriver="gtls" DefaultNetstreamDriverCAFile="%s" DefaultNetstreamDriverCertFile="%[1]s" DefaultNetstreamDriverKeyFile="%s")`, s.certs.cert, s.certs.key),
			`module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.Authmode="anon")`)
	} else {
		lines = append(lines, `module(load="imtcp")`, `module(load="imudp")`, `input(type="imudp" address="127.0.0.1" port="`+s.port()+`")`)
	}
	lines = append(lines, `input(type="imtcp" address="127.0.0.1" port="`+s.port()+`")`,
		`template(name="all" type="string" string="%pri%|%protocol-version%|%timestamp:::date-rfc3339%|%hostname%|%app-name%|%procid%|%msgid%|%structured-data%|%msg%\n")`,
		`action(type="omfile" file="`+filepath.Join(s.dir, "got")+`" template="all")`)
	config := filepath.Join(s.dir, "rsyslog.conf")
	alarmstest.Overwrite(s.t, config, strings.Join(lines, "\n")+"\n")
	daemon(s.t, path, "-n", "-f", config, "-i", filepath.Join(s.dir, "pid"))
	listens(s)
	return nil
}

// TestSyslog has a real rsyslogd read the messages, over UDP and TCP.
func TestSyslog(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, subject{})
			startRsyslog(s)
			y := &Syslog{Address: s.address, Network: network, Facility: "local3"}
			for i, k := range []alarms.Kind{alarms.Raised, alarms.Cleared, alarms.Heartbeat} {
				if err := y.Notify(t.Context(), alarmstest.Complete(k)); err != nil {
					t.Fatal(err)
				}
				awaitLines(s, i+1)
			}
			host := field(notify.Hostname(), 255)
			for i, want := range []string{
				`154|1|` + sentAt + `|` + host + `|lunawatch|-|raised|[alarm resource="hsm-a/p \"1\" é\]" probableCause="thresholdCrossed" perceivedSeverity="major" eventType="qualityOfServiceAlarm"][lunawatch@32473 id="hsm-a/partition-storage/p \"1\" é\] 7 raised" event_id="35" kind="raised" since="2026-03-01T12:00:00Z" group="partition-storage" object="p \"1\" é\]" codes="2021 2004" label="payments" address="192.0.2.7:22"]|` + "MAJOR hsm-a: Partition storage, p \"1\" é]: 96 % of the storage is used now; since 2026-03-01 12:00:00 UTC; what to do: Delete objects, or resize the partition; acknowledge: lunawatch alarms ack 7",
				`157|1|` + sentAt + `|` + host + `|lunawatch|-|cleared|[alarm resource="hsm-a/p \"1\" é\]" probableCause="thresholdCrossed" perceivedSeverity="cleared" eventType="qualityOfServiceAlarm"]`,
				`158|1|` + sentAt + `|` + host + `|lunawatch|-|heartbeat|[lunawatch@32473 id="heartbeat 1" kind="heartbeat"]|` + "Lunawatch is running",
			} {
				got := strings.ReplaceAll(gotten(s)[i], "\ufeff", "")
				if !strings.HasPrefix(got, want) {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			}
		})
	}
}

// sentAt is the time of [alarmstest.Complete] as RFC 5424 has it.
var sentAt = alarmstest.At(70).UTC().Format("2006-01-02T15:04:05") + ".000000Z"

// rfc5424 is its ABNF as far as that is regular.
var rfc5424 = regexp.MustCompile(`^<\d{1,3}>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [!-~]{1,255} lunawatch - [!-~]{1,32} ` +
	`(\[[!-<>-\\^-~]{1,32}( [!-<>-\\^-~]{1,32}="([^"\\\]]|\\["\\\]])*")*\])+ \x{feff}[^\n\r]*$`)

// TestSyslogForm holds every kind, and odd texts, to RFC 5424.
func TestSyslogForm(t *testing.T) {
	list := everyKind()
	odd := alarmstest.Complete(alarms.Raised)
	odd.Label, odd.Change.Alarm.Text, odd.Change.Alarm.Object = "a\\\"]\n\x00", strings.Repeat("€\n\x1b[1m", 999), "\xff\xfe]"
	for _, n := range append(list, odd, alarms.Notification{}) {
		for _, network := range []string{"udp", "tcp"} {
			m := (&Syslog{Network: network}).message(n)
			if !rfc5424.MatchString(m) || network == "udp" && len(m) > 8192 {
				t.Errorf("%d bytes: %q", len(m), m)
			}
		}
	}
	for severity, want := range map[alarms.Severity]string{alarms.None: "<27>", alarms.Indeterminate: "<29>", alarms.Warning: "<28>", alarms.Minor: "<27>", alarms.Major: "<26>", alarms.Critical: "<25>"} {
		n := alarmstest.Complete(alarms.Raised)
		n.Change.Alarm.Severity = severity
		if m := (&Syslog{}).message(n); !strings.HasPrefix(m, want) {
			t.Errorf("%s: %s", severity, m)
		}
	}
}

// TestSyslogReset: a receiver that drops the connection with what was sent has
// not taken it.
func TestSyslogReset(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			c.Read(make([]byte, 1)) // the remainder is not read: closing resets
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	}()
	if err := (&Syslog{Address: l.Addr().String(), Network: "tcp"}).Notify(t.Context(), alarmstest.Complete(alarms.Raised)); err == nil {
		t.Error("taken for delivered")
	}
}

// cefLine is the form of CEF: seven fields, and pairs.
var cefLine = regexp.MustCompile(`^CEF:0\|Lunawatch\|lunawatch\|1\|([0-9]+|[a-z ]+)\|([^|\\]|\\[|\\])+\|(10|[0-9])\|[A-Za-z0-9]+=[^\r\n]*$`)

// TestCEF holds every kind, and odd texts, to the form.
func TestCEF(t *testing.T) {
	odd := alarmstest.Complete(alarms.Raised)
	odd.Change.Alarm.Group, odd.Change.Alarm.Text, odd.Change.Alarm.Object = `a|b\c`, "x=1\ny=2|\\", "p=q"
	for _, n := range append(everyKind(), odd) {
		if got := cef((notify.Words{}).Message(n)); !cefLine.MatchString(got) {
			t.Errorf("%s: %q", n.Change.Kind, got)
		}
	}
	const want = `CEF:0|Lunawatch|lunawatch|1|35|Partition storage|8|rt=1772366470000 start=1772366400000 dvchost=hsm-a act=raised cat=partition-storage externalId=7 `
	if got := cef((notify.Words{}).Message(alarmstest.Complete(alarms.Raised))); !strings.HasPrefix(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := cef((notify.Words{}).Message(odd)); !strings.Contains(got, `|a\|b\\c|`) || !strings.Contains(got, `x\=1 y\=2|\\`) || !strings.Contains(got, ` cs1Label=object cs1=p\=q `) {
		t.Errorf("not escaped: %s", got)
	}
	if got := (&Syslog{Format: "cef"}).message(odd); !strings.Contains(got, "] CEF:0|") {
		t.Errorf("%s", got)
	}
}

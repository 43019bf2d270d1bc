package agent

import (
	"log/slog"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// TestReceiverDefaults: ports, credentials, and what the wiring makes of keys.
func TestReceiverDefaults(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
	c, err := config.Parse([]byte(`receivers:
- {name: mail, smtp: {address: m, security: tls, from: a@b.c, to: [d@e.f], digest: 5m, user: u, password_file: credential:mail}}
- {name: siem, syslog: {address: s, network: tcp}}
- {name: am, heartbeat: 10m, alertmanager: {urls: ["https://am"], bearer_token_file: credential:am, ca_file: /ca}}
- {name: noc, snmp: {address: n, version: 2c, community_file: credential:noc}}
`))
	if err != nil {
		t.Fatal(err)
	}
	r := c.Receivers
	if r[0].SMTP.Address != "m:465" || r[1].Syslog.Address != "s:514" || r[3].SNMP.Address != "n:162" {
		t.Errorf("%s, %s, %s", r[0].SMTP.Address, r[1].Syslog.Address, r[3].SNMP.Address)
	}
	for want, file := range map[string]setting.File{"mail": r[0].SMTP.PasswordFile, "am": r[2].Alertmanager.BearerTokenFile, "noc": r[3].SNMP.CommunityFile} {
		if got, err := file.Path(); got != "/run/credentials/x/"+want || err != nil {
			t.Errorf("%s: %s, %v", want, got, err)
		}
	}
	if r[2].Alertmanager.CAFile != "/ca" {
		t.Errorf("ca_file: %s", r[2].Alertmanager.CAFile)
	}
	c.Receivers = r[:3]
	a := New(c, Web{}, slog.New(slog.DiscardHandler))
	if err := a.site.Load().connect(a, nil); err != nil {
		t.Fatal(err)
	}
	all := a.site.Load().setup().Receivers
	mail, siem, am := all["mail"], all["siem"], all["am"]
	if mail.Notifier != r[0].SMTP || mail.Digest != 5*time.Minute || mail.Together == nil || !mail.Confirms || siem.Confirms || siem.Refresh != 0 ||
		am.Refresh != time.Minute || r[2].Alertmanager.Lasts != 5*time.Minute || r[2].Alertmanager.HeartbeatLasts != 30*time.Minute {
		t.Errorf("%+v\n%+v\n%+v", mail, siem, am)
	}
}

package agent

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// received passes on lines that came over the network.
func (a *Agent) received(list []syslog.Received) error {
	now, all := time.Now(), make([]rules.Line, len(list))
	for i, r := range list {
		all[i] = rules.Line{
			LogLine: r.LogLine, Device: r.Device, At: now, Peer: r.Peer.String(),
			Untrusted: r.Peer.Names == nil && !a.config().Syslog.Trusted,
		}
	}
	return a.watch.Take("", all, nil)
}

// refusalInterval is how often refusals become alarms.
const refusalInterval = 10 * time.Second

// refusalAge is how long after the last refusal its alarm is active.
const refusalAge = time.Hour

// watchRefusals raises an alarm for what the listener refused or dropped.
func (a *Agent) watchRefusals(ctx context.Context) error {
	for ctx.Err() == nil {
		wait.Sleep(ctx, refusalInterval)
		var findings []alarms.Finding
		for _, r := range a.listener.Refusals() {
			findings = append(findings, refusal(r, time.Now()))
		}
		if len(findings) > 0 {
			if err := a.watch.Report(findings); err != nil {
				a.log.Error("refused log lines not reported", "err", err)
			}
		}
	}
	return nil
}

// refusal returns what a refusal means.
func refusal(r syslog.Refusal, now time.Time) alarms.Finding {
	f := alarms.Finding{Key: alarms.Key{Device: alarms.Self, Group: "syslog-refused", Object: string(r.Reason)}, Condition: alarms.Bad, Severity: alarms.Warning, Age: refusalAge}
	f.Text = fmt.Sprintf("%d log lines or connections refused, %s; the last from %s", r.N, r.Reason, r.Peer)
	if r.Device != "" {
		f.Key = alarms.Key{Device: r.Device, Group: "log-dropped", Object: string(r.Reason)}
		f.Text = fmt.Sprintf("%d lines of this HSM's log were dropped, %s; the last from %s", r.N, r.Reason, r.Peer)
		f.Severity = alarms.Minor
	}
	f.Evidence = alarms.Evidence{At: now, Text: f.Text}
	return f
}

// loadTLS reads the certificates of the listener for forwarded logs.
func (a *Agent) loadTLS() error {
	c := a.config().Syslog
	if c.TLS == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return fmt.Errorf("syslog: %w", err)
	}
	a.listener.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if c.ClientCAFile == "" {
		return nil
	}
	pem, err := c.ClientCAFile.Bytes()
	if err != nil {
		return fmt.Errorf("syslog: client_ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("syslog: client_ca_file: %s holds no certificate in PEM", c.ClientCAFile)
	}
	a.listener.TLSConfig.ClientCAs, a.listener.TLSConfig.ClientAuth = pool, tls.RequireAndVerifyClientCert
	return nil
}

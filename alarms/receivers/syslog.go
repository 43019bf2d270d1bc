package receivers

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Syslog sends each notification as a message of RFC 5424, with the alarm in
// structured data: "alarm" as RFC 5674 says, and the rest in an element of our
// own. UDP is one datagram (RFC 5426); TCP counts octets (RFC 6587), and so
// does TLS (RFC 5425).
//
// Syslog has no answer. Over TCP and TLS the connection is closed after each
// message and the receiver's close awaited, which finds most losses; over UDP
// they are not noticed.
type Syslog struct {
	Address string `yaml:"address"`                                   // host:port
	Network string `yaml:"network" default:"tls" words:"udp tcp tls"` // "" is tls
	// Facility is that of all messages; "" is daemon.
	Facility string `yaml:"facility" default:"daemon" words:"kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock local0 local1 local2 local3 local4 local5 local6 local7"`
	// Format is that of the text; "" is plain.
	Format string `yaml:"format" default:"plain" words:"plain cef leef"`
	TLS    `yaml:",inline"`

	Words notify.Words `yaml:"-"`
}

var facilities = []string{"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}

// Port returns the default port.
func (s *Syslog) Port() string { return syslogPorts[s.Network] }

var syslogPorts = map[string]string{"udp": "514", "tcp": "514", "tls": "6514", "": "6514"}

// Validate returns all that is wrong with s.
func (s *Syslog) Validate() error {
	errs := []error{s.TLS.Validate(), setting.At("address", setting.ValidatePeer(s.Address))}
	if s.Address == "" {
		errs = append(errs, setting.Faultf("address", "is needed"))
	}
	if cmp.Or(s.Network, "tls") != "tls" && s.TLS != (TLS{}) {
		errs = append(errs, errors.New("ca_file, cert_file and key_file need network tls"))
	}
	return errors.Join(append(errs, setting.Limits(s))...)
}

// Notify implements [notify.Notifier].
func (s *Syslog) Notify(ctx context.Context, n alarms.Notification) error {
	err := s.write(ctx, s.message(n))
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.Address, err)
	}
	return nil
}

func (s *Syslog) write(ctx context.Context, message string) error {
	conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn.SetDeadline(time.Now().Add(notify.DeliveryTimeout / 2))
	if s.Network == "udp" {
		_, err := io.WriteString(conn, message)
		return err
	}
	if _, err := fmt.Fprintf(conn, "%d %s", len(message), message); err != nil {
		return err
	}
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		if err := c.CloseWrite(); err != nil {
			return err
		}
	}
	conn.SetReadDeadline(time.Now().Add(syslogEnd))
	_, err = io.Copy(io.Discard, io.LimitReader(conn, 1<<10))
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return nil
	}
	return err
}

// syslogEnd is how long to wait for the receiver to close a connection.
const syslogEnd = 2 * time.Second

func (s *Syslog) dial(ctx context.Context) (net.Conn, error) {
	d := &net.Dialer{Timeout: notify.DeliveryTimeout / 3}
	if cmp.Or(s.Network, "tls") != "tls" {
		return d.DialContext(ctx, s.Network, s.Address)
	}
	host, _, err := net.SplitHostPort(s.Address)
	if err != nil {
		return nil, err
	}
	config, err := s.config(host)
	if err != nil {
		return nil, err
	}
	return (&tls.Dialer{NetDialer: d, Config: config}).DialContext(ctx, "tcp", s.Address)
}

// syslogSeverities are those of RFC 5674; a cleared alarm is a notice.
var syslogSeverities = map[alarms.Severity]int{alarms.None: 3, alarms.Indeterminate: 5, alarms.Warning: 4, alarms.Minor: 3, alarms.Major: 2, alarms.Critical: 1}

const (
	notice        = 5
	informational = 6
)

// message returns n in the form of RFC 5424.
func (s *Syslog) message(n alarms.Notification) string {
	m, a := s.Words.Message(n), n.Change.Alarm
	severity := cmp.Or(syslogSeverities[a.Severity], 3)
	switch {
	case n.IsHeartbeat():
		severity = informational
	case n.Change.Kind == alarms.Cleared:
		severity = notice
	}
	priority := 8*slices.Index(facilities, cmp.Or(s.Facility, "daemon")) + severity
	text := "\ufeff" + m.Line()
	switch s.Format {
	case "cef":
		text = cef(m)
	case "leef":
		text = leef(m)
	}
	if s.Network == "udp" {
		text = notify.Cut(text, 900)
	}
	return fmt.Sprintf("<%d>1 %s %s lunawatch - %s %s %s", priority, n.At.UTC().Format("2006-01-02T15:04:05.000000Z"),
		field(notify.Hostname(), 255), field(string(n.Change.Kind), 32), structured(m), text)
}

// structured returns the structured data of m. 32473 is the enterprise number
// for examples (RFC 5612): Lunawatch has none.
func structured(m notify.Message) string {
	a := m.Change.Alarm
	since := ""
	if !m.Since.IsZero() {
		since = m.Since.UTC().Format(time.RFC3339)
	}
	private := element("lunawatch@32473", "id", m.ID, "event_id", eventID(m), "kind", string(m.Change.Kind), "since", since, "group", a.Group, "object", a.Object,
		"codes", strings.Join(a.Codes, " "), "label", m.Label, "address", m.Address, "test", map[bool]string{true: "true"}[m.Test])
	if m.IsHeartbeat() || a.Severity == alarms.None {
		return private
	}
	perceived := a.Severity
	if m.Change.Kind == alarms.Cleared {
		perceived = alarms.SeverityCleared
	}
	return element("alarm", "resource", a.Device+"/"+a.Object, "probableCause", a.Cause, "perceivedSeverity", perceived.String(), "eventType", a.Type) + private
}

// eventID returns the number of the kind of alarm; "": it is not of one kind.
func eventID(m notify.Message) string {
	if m.EventID == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(m.EventID), 10)
}

var sdEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`)

// element returns an SD-ELEMENT of names and values; those without a value are
// left out.
func element(id string, params ...string) string {
	var b strings.Builder
	b.WriteString("[" + id)
	for pair := range slices.Chunk(params, 2) {
		if pair[1] != "" {
			b.WriteString(" " + pair[0] + `="` + sdEscapes.Replace(notify.Flat(notify.Cut(pair[1], 200))) + `"`)
		}
	}
	return b.String() + "]"
}

// field returns s with the characters and the length of a header field.
func field(s string, most int) string {
	s = strings.ReplaceAll(notify.Printable(s), " ", "_")
	return cmp.Or(s[:min(len(s), most)], "-")
}

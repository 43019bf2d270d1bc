package receivers

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	logs "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	logrecords "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	"golang.org/x/net/http/httpguts"
	"google.golang.org/protobuf/proto"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// A Collector is an OpenTelemetry collector that takes OTLP over HTTP, as protobuf.
type Collector struct {
	Endpoint    string       `yaml:"endpoint"`     // URL; /v1/logs or /v1/metrics is added
	HeadersFile setting.File `yaml:"headers_file"` // lines NAME: VALUE, sent with each request; "": none
	HTTP        `yaml:",inline"`
}

// Validate returns all that is wrong with c.
func (c Collector) Validate() error {
	errs := []error{c.HTTP.Validate(), setting.At("headers_file", c.HeadersFile.Validate()), c.plain("endpoint", c.Endpoint, c.HeadersFile)}
	if c.Endpoint == "" {
		errs = append(errs, setting.Faultf("endpoint", "is needed"))
	} else {
		errs = append(errs, setting.At("endpoint", setting.ValidateURL(c.Endpoint)))
	}
	return errors.Join(errs...)
}

// Send posts a request of the service that path (v1/logs) belongs to, and reads what it
// answers into reply. An answer that is not the collector's is an error.
func (c Collector) Send(ctx context.Context, path string, request, reply proto.Message) error {
	body, err := proto.Marshal(request)
	if err != nil {
		return fmt.Errorf("OTLP: %w", err)
	}
	header, err := c.headers()
	if err != nil {
		return err
	}
	header.Set("Content-Type", "application/x-protobuf")
	if len(body) > smallest {
		header.Set("Content-Encoding", "gzip")
		body = packed(body)
	}
	answered, err := c.exchange(ctx, http.MethodPost, strings.TrimSuffix(c.Endpoint, "/")+"/"+path, header, body)
	if err != nil {
		return err
	}
	if err := proto.Unmarshal(answered, reply); err != nil {
		return errors.New("the answer is not that of an OTLP collector: check endpoint")
	}
	return nil
}

// smallest is from how many bytes on a request is compressed.
const smallest = 4096

// packed returns body in gzip.
func packed(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// headers returns what HeadersFile has. An error shows nothing of it.
func (c Collector) headers() (http.Header, error) {
	if c.HeadersFile == "" {
		return make(http.Header), nil
	}
	text, err := c.HeadersFile.Bytes()
	if err != nil {
		return nil, fmt.Errorf("headers_file: %w", err)
	}
	lines := append(bytes.TrimSpace(text), "\r\n\r\n"...)
	header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(lines))).ReadMIMEHeader()
	for name, values := range header {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(values[0]) {
			err = errors.New("not a header")
		}
	}
	if err != nil {
		return nil, errors.New("headers_file is not lines of the form NAME: VALUE")
	}
	return http.Header(header), nil
}

// Resource is what the agent is called at a collector.
func Resource() *resource.Resource {
	version := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	return &resource.Resource{Attributes: Attributes([][2]string{{"service.name", "lunawatch"}, {"service.version", version}, {"service.instance.id", notify.Hostname()}})}
}

// Attributes returns those of rows that have a value. What is not UTF-8 in them is
// replaced: a collector refuses all of a request for it.
func Attributes(rows [][2]string) (all []*common.KeyValue) {
	for _, r := range rows {
		if r[1] != "" {
			all = append(all, &common.KeyValue{Key: r[0], Value: words(r[1])})
		}
	}
	return all
}

func words(s string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: strings.ToValidUTF8(s, "\uFFFD")}}
}

// OTLP sends each notification to an OpenTelemetry collector, as a record of a log.
type OTLP struct {
	Collector `yaml:",inline"`

	Words notify.Words `yaml:"-"`
}

// Notify implements [notify.Notifier]. What the collector takes of a request and then
// drops is [notify.Rejected].
func (o *OTLP) Notify(ctx context.Context, n alarms.Notification) error {
	request := &logs.ExportLogsServiceRequest{ResourceLogs: []*logrecords.ResourceLogs{{Resource: Resource(),
		ScopeLogs: []*logrecords.ScopeLogs{{Scope: &common.InstrumentationScope{Name: "github.com/lunawatch/lunawatch"}, LogRecords: []*logrecords.LogRecord{o.record(n)}}}}}}
	var reply logs.ExportLogsServiceResponse
	if err := o.Send(ctx, "v1/logs", request, &reply); err != nil {
		return err
	}
	if reply.GetPartialSuccess().GetRejectedLogRecords() > 0 {
		return &notify.Rejected{Err: errors.New("the collector rejects the record")}
	}
	return nil
}

// record returns n as a record of a log. What n's level hides it does not have.
func (o *OTLP) record(n alarms.Notification) *logrecords.LogRecord {
	m := o.Words.Message(n)
	a := m.Change.Alarm
	severity := ""
	if a.Severity != alarms.None {
		severity = a.Severity.String()
	}
	return &logrecords.LogRecord{
		TimeUnixNano: nanoseconds(m.At), ObservedTimeUnixNano: nanoseconds(m.At), EventName: "lunawatch.alarm." + string(m.Change.Kind),
		SeverityNumber: severityNumber(m.Change), SeverityText: severity, Body: words(m.Summary),
		Attributes: Attributes([][2]string{
			{"luna.change", string(m.Change.Kind)}, {"luna.notification.id", m.ID}, {"luna.notification.sequence", counted(m.Sequence)},
			{"luna.alarm.group", a.Group}, {"luna.alarm.object", a.Object}, {"luna.alarm.number", counted(a.Number)}, {"luna.alarm.severity", severity},
			{"luna.alarm.title", m.Title}, {"luna.alarm.text", a.Text}, {"luna.alarm.codes", strings.Join(a.Codes, " ")}, {"luna.alarm.event_id", counted(uint64(m.EventID))},
			{"luna.alarm.since", stamped(m.Since)}, {"luna.alarm.cleared", stamped(a.Cleared)}, {"luna.alarm.ended_by", m.EndedBy}, {"luna.alarm.test", map[bool]string{true: "true"}[m.Test]},
			{"luna.device", a.Device}, {"luna.serial", a.Serial}, {"luna.label", m.Label}, {"luna.layer", m.Layer},
			{"luna.action", m.Action}, {"luna.runbook", m.Runbook}, {"luna.link", m.Link},
		}),
	}
}

// numbers are how OpenTelemetry names severities.
var numbers = map[alarms.Severity]logrecords.SeverityNumber{
	alarms.Critical: logrecords.SeverityNumber_SEVERITY_NUMBER_FATAL,
	alarms.Major:    logrecords.SeverityNumber_SEVERITY_NUMBER_ERROR,
	alarms.Minor:    logrecords.SeverityNumber_SEVERITY_NUMBER_WARN2,
}

// calm are the changes that are information: over, or in somebody's hands.
var calm = []alarms.Kind{alarms.Cleared, alarms.Acknowledged, alarms.Heartbeat, alarms.Started}

// severityNumber returns how OpenTelemetry names the severity of a change.
func severityNumber(c alarms.Change) logrecords.SeverityNumber {
	if slices.Contains(calm, c.Kind) {
		return logrecords.SeverityNumber_SEVERITY_NUMBER_INFO
	}
	return cmp.Or(numbers[c.Alarm.Severity], logrecords.SeverityNumber_SEVERITY_NUMBER_WARN)
}

// nanoseconds since 1970; 0: the time is not known.
func nanoseconds(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixNano())
}

func counted(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

func stamped(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

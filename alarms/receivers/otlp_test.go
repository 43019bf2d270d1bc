package receivers

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	logs "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	logrecords "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// checkLogs holds a request to the specification of OTLP over HTTP.
func checkLogs(r *http.Request, body []byte) error {
	var request logs.ExportLogsServiceRequest
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return err
		}
		if body, err = io.ReadAll(unpacked); err != nil {
			return err
		}
	}
	if err := proto.Unmarshal(body, &request); err != nil {
		return err
	}
	if r.Method != http.MethodPost || r.URL.RequestURI() != "/v1/logs" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		return errors.New("not an export of logs")
	}
	if r.Header.Get("Authorization") != "Bearer "+theSecret || r.Header.Get("X-Scope-OrgID") != "hsm" {
		return errors.New("without its headers")
	}
	for _, of := range request.ResourceLogs {
		for _, scope := range of.ScopeLogs {
			for _, record := range scope.LogRecords {
				if record.TimeUnixNano == 0 || record.SeverityNumber == 0 || record.Body.GetStringValue() == "" || record.EventName == "" {
					return fmt.Errorf("incomplete: %v", record)
				}
			}
			if len(scope.LogRecords) == 0 {
				return errors.New("no record")
			}
		}
		if named := attribute(of.Resource.Attributes, "service.name"); named != "lunawatch" || attribute(of.Resource.Attributes, "service.instance.id") == "" {
			return fmt.Errorf("resource %q", named)
		}
	}
	if len(request.ResourceLogs) != 1 {
		return errors.New("not one resource")
	}
	return nil
}

// attribute returns the value of one attribute; "": it is not there.
func attribute(all []*common.KeyValue, key string) string {
	for _, kv := range all {
		if kv.Key == key {
			return kv.Value.GetStringValue()
		}
	}
	return ""
}

// recorded returns a record as people read it.
func recorded(t *testing.T, r *logrecords.LogRecord) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nseverity: %s %q\nevent: %s\n", r.Body.GetStringValue(), strings.TrimPrefix(r.SeverityNumber.String(), "SEVERITY_NUMBER_"), r.SeverityText, r.EventName)
	for _, kv := range r.Attributes {
		fmt.Fprintf(&b, "%s: %s\n", kv.Key, kv.Value.GetStringValue())
	}
	return b.String()
}

// TestOTLPSeverities: a worse alarm has a higher number, and what is over is information.
func TestOTLPSeverities(t *testing.T) {
	last := logrecords.SeverityNumber_SEVERITY_NUMBER_INFO
	for _, s := range []alarms.Severity{alarms.Warning, alarms.Minor, alarms.Major, alarms.Critical} {
		got := severityNumber(alarms.Change{Kind: alarms.Raised, Alarm: alarms.Alarm{Severity: s}})
		if got <= last {
			t.Errorf("%s: %s, not above %s", s, got, last)
		}
		last = got
		for _, k := range []alarms.Kind{alarms.Cleared, alarms.Acknowledged} {
			if got := severityNumber(alarms.Change{Kind: k, Alarm: alarms.Alarm{Severity: s}}); got != logrecords.SeverityNumber_SEVERITY_NUMBER_INFO {
				t.Errorf("%s, %s: %s", s, k, got)
			}
		}
	}
	if got := severityNumber(alarms.Change{Kind: alarms.Raised, Alarm: alarms.Alarm{Severity: alarms.Indeterminate}}); got != logrecords.SeverityNumber_SEVERITY_NUMBER_WARN {
		t.Errorf("indeterminate: %s", got)
	}
}

// TestOTLPHostileNames: names that are no UTF-8, or look like markup, arrive as text.
func TestOTLPHostileNames(t *testing.T) {
	n := alarmstest.Complete(alarms.Raised)
	n.Change.Alarm.Object, n.Label = "a\xff\xfe<script>\"", "\u202epay\x00"
	body, err := proto.Marshal((&OTLP{}).record(n))
	if err != nil {
		t.Fatal(err)
	}
	var got logrecords.LogRecord
	if err := proto.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if object := attribute(got.Attributes, "luna.alarm.object"); !utf8.ValidString(object) || !strings.Contains(object, `<script>"`) {
		t.Errorf("object %q", object)
	}
}

// TestOTLPAnswers: what a collector, or something else in its place, may answer.
func TestOTLPAnswers(t *testing.T) {
	partial, err := proto.Marshal(&logs.ExportLogsServiceResponse{PartialSuccess: &logs.ExportLogsPartialSuccess{RejectedLogRecords: 1, ErrorMessage: theSecret}})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name     string
		status   int
		body     string
		rejected bool
		want     string // of the error; "": none
	}{
		{"nothing", 200, "", false, ""},
		{"accepted", 202, "", false, ""},
		{"part of it", 200, string(partial), true, "the collector rejects the record"},
		{"a page", 200, "<!DOCTYPE html><p>Welcome</p>", false, "not that of an OTLP collector"},
		{"garbage", 200, "\xff\xff\xff\xff", false, "not that of an OTLP collector"},
		{"busy", 503, "try later", false, "503"},
		{"bad request", 400, "no", true, "400"},
		{"another path", 404, "", false, "404"},
	} {
		s := newSite(t, subject{})
		serveHTTP(s, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(x.status)
			fmt.Fprint(w, x.body)
		})
		err := (&OTLP{Collector: Collector{Endpoint: s.url("/otlp/")}}).Notify(t.Context(), alarmstest.Complete(alarms.Raised))
		rejected := (*notify.Rejected)(nil)
		if (err == nil) != (x.want == "") || err != nil && !strings.Contains(err.Error(), x.want) || errors.As(err, &rejected) != x.rejected {
			t.Errorf("%s: %v", x.name, err)
		}
		if err != nil {
			quiet(t, err)
		}
	}
}

// TestOTLPHeaders: what is no header is an error that does not show it.
func TestOTLPHeaders(t *testing.T) {
	s := newSite(t, subject{})
	for text, good := range map[string]bool{"A: b\n": true, "A: b\r\nC: d": true, theSecret: false, "A b: " + theSecret: false} {
		file := s.secret("headers")
		alarmstest.Overwrite(t, file, text)
		header, err := Collector{HeadersFile: file}.headers()
		if (err == nil) != good || good && header.Get("A") != "b" {
			t.Errorf("%q: %v %v", text, header, err)
		}
		if err != nil {
			quiet(t, err)
		}
	}
	for c, want := range map[Collector]string{
		{}:                           "endpoint: is needed",
		{Endpoint: "collector:4318"}: "endpoint",
		{Endpoint: "http://192.0.2.1:4318", HeadersFile: "/x"}: "would send a secret without TLS",
	} {
		if errs := setting.Faults(c.Validate()); len(errs) == 0 || !strings.Contains(fmt.Sprint(c.Validate()), want) {
			t.Errorf("%+v: %v, want %q", c, errs, want)
		}
	}
}

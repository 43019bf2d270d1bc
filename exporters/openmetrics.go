package exporters

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/lunawatch/lunawatch/hsm"
)

// openMetricsType is the Content-Type of OpenMetrics.
const openMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

// takesOpenMetrics reports whether a client prefers OpenMetrics.
func takesOpenMetrics(h http.Header) bool {
	return expfmt.NegotiateAccept(h, expfmt.FmtOpenMetrics_1_0_0, expfmt.FmtOpenMetrics_0_0_1, expfmt.FmtText).FormatType() == expfmt.TypeOpenMetrics
}

// sinceReset are the counters that begin at 0 when the HSM is reset. All others begin
// when somebody resets them, or NTLS starts: when that was is not known.
var sinceReset = []string{"luna_hsm_commands_total", "luna_hsm_busy_seconds_total"}

// created returns when an HSM was last reset, by its uptime; false: that is not known.
func created(d *hsm.Device, now time.Time) (time.Time, bool) {
	m, fresh := d.Monitor.Get(now)
	up := last(func(s hsm.Sample) uint64 { return s.UptimeSeconds })(m)
	if !fresh || !up.Known || up.Value > uint64(d.Monitor.Asked().Unix()) { // before 1970: that is no uptime
		return time.Time{}, false
	}
	return d.Monitor.Asked().Add(-time.Duration(up.Value) * time.Second), true
}

// openMetrics returns the metrics of some devices as OpenMetrics, without its end. The
// counters of an HSM have the time of its reset, if that is known, so that Prometheus sees
// a restart that no scrape has fallen into.
func (p *Prometheus) openMetrics(devices []*hsm.Device) []byte {
	e, now := newEncoder(), p.now()
	for i := range p.families {
		f := &p.families[i]
		base, header := f.name, f.header
		if f.kind == counter {
			base = strings.TrimSuffix(f.name, "_total")
			header = strings.ReplaceAll(header, " "+f.name+" ", " "+base+" ")
		}
		begin := len(e.text)
		e.text = append(e.text, header...)
		series := len(e.text)
		for _, d := range devices {
			if !p.shows(d) {
				continue
			}
			before := len(e.text)
			e.encode(f, d, now)
			if at, known := created(d, now); known && len(e.text) > before && slices.Contains(sinceReset, f.name) {
				e.text = append(e.text, base+`_created{device="`...)
				e.text = append(appendLabel(e.text, d.Name), `"} `...)
				e.text = append(strconv.AppendFloat(e.text, float64(at.UnixMilli())/1e3, 'f', -1, 64), '\n')
			}
		}
		if len(e.text) == series {
			e.text = e.text[:begin]
		}
	}
	return e.text
}

// gatheredOpenMetrics returns the metrics of g as OpenMetrics, without its end.
func gatheredOpenMetrics(g prometheus.Gatherer) ([]byte, error) {
	families, err := g.Gather()
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToOpenMetrics(&text, f); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

package exporters

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// scrape answers with the metrics of all devices and those of others, or with
// those of the devices that the parameter device names, of which [alarms.Self]
// means the others. No lock is held while the client reads.
func scrape(w http.ResponseWriter, r *http.Request, p *Prometheus, others prometheus.Gatherer) {
	var blocks []*block
	var text []byte // after blocks
	self, form, ofSelf := true, expositionType, gathered
	if names := r.URL.Query()["device"]; len(names) > 0 {
		var devices []*hsm.Device
		var err error
		if devices, self, err = named(p.store.Latest(), names); err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		text = p.of(devices)
		w.Header().Add("Vary", "Accept")
		if takesOpenMetrics(r.Header) {
			text, form, ofSelf = p.openMetrics(devices), openMetricsType, gatheredOpenMetrics
		}
	} else {
		blocks = p.blocks()
	}
	if self {
		more, err := ofSelf(others)
		if err != nil {
			http.Error(w, "The agent's own metrics cannot be gathered: "+err.Error(), http.StatusInternalServerError)
			return
		}
		text = append(text, more...)
	}
	if form == openMetricsType {
		text = append(text, "# EOF\n"...)
	}
	if len(text) > 0 {
		blocks = append(blocks, new(deflater).block(text))
	}
	w.Header().Set("Content-Type", form)
	w.Header().Add("Vary", "Accept-Encoding")
	body, size := inflated(blocks)
	if takesGzip(r.Header) {
		body, size = gzipped(blocks)
		w.Header().Set("Content-Encoding", "gzip")
	}
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	_, _ = io.CopyBuffer(w, body, make([]byte, 64<<10)) // the client is gone
}

// named returns the devices with these names, in the order of a Snapshot, and
// whether the agent itself is among them. The error is about a name of neither.
func named(s *hsm.Snapshot, names []string) (list []*hsm.Device, self bool, err error) {
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		switch d := s.Device(name); {
		case d != nil:
			list = append(list, d)
		case name == alarms.Self:
			self = true
		default:
			return nil, false, fmt.Errorf("there is no device %q; /sd lists all, and %s is the agent itself", name, alarms.Self)
		}
	}
	return list, self, nil
}

// gathered returns the metrics of g as text.
func gathered(g prometheus.Gatherer) ([]byte, error) {
	families, err := g.Gather()
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

// takesGzip reports whether a client takes an answer in gzip.
func takesGzip(h http.Header) bool {
	for accepted := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, weight, _ := strings.Cut(accepted, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q, given := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(weight), " ", ""), "q=")
		number, err := strconv.ParseFloat(q, 64)
		return !given || err == nil && number > 0
	}
	return false
}

// A target is a target group of Prometheus' HTTP service discovery.
type target struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// discover answers with a target for each device (an HSM, or the host), at the address that the client
// used, or at that of the agent that reads it; and in a cluster with one for each agent.
func discover(w http.ResponseWriter, r *http.Request, p *Prometheus, path string) {
	if r.Host == "" {
		http.Error(w, "The request has no Host, which the targets would have as their address.", http.StatusBadRequest)
		return
	}
	here := "http://" + r.Host
	if r.TLS != nil {
		here = "https://" + r.Host
	}
	list := make([]target, 0, len(p.store.Latest().Devices))
	var agents map[string]string
	if p.Agents != nil {
		agents = p.Agents()
		list = append(list, targetAt(here, path, alarms.Self))
		for _, name := range slices.Sorted(maps.Keys(agents)) {
			list = append(list, targetAt(agents[name], path, alarms.Self))
		}
	}
	for _, d := range p.store.Latest().Devices {
		if at := agents[d.From]; p.shows(d) {
			list = append(list, targetAt(here, path, d.Name))
		} else if at != "" {
			list = append(list, targetAt(at, path, d.Name))
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(list) // the client is gone
}

// targetAt returns the target for a device that is served at a URL without path.
func targetAt(server, path, device string) target {
	labels := map[string]string{"__param_device": device, "__metrics_path__": path, "device": device}
	scheme, address, _ := strings.Cut(server, "://")
	if scheme == "https" {
		labels["__scheme__"] = scheme
	}
	return target{[]string{address}, labels}
}

package agent

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/exporters/api"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestEstateAPI asks a running agent, over the web server and over the control socket: both
// say the same of every HSM, and what was polled is in its history.
func TestEstateAPI(t *testing.T) {
	t.Parallel()
	e := startEstate(t, "")
	var over api.History
	e.until(t, "the history has what was polled", func() bool {
		h, err := e.client.Measured(t.Context(), "luna72", "")
		over = h
		return err == nil && slices.ContainsFunc(h.Series, func(s api.Series) bool { return s.Measure == "battery_volts" }) &&
			slices.ContainsFunc(h.Series, func(s api.Series) bool { return s.Measure == "answer_seconds" })
	})
	var web api.History
	check.Must(t, json.Unmarshal([]byte(get(t, "http://"+e.web+api.Prefix+"/hsms/luna72/history")), &web))
	if len(web.Series) < len(over.Series) {
		t.Errorf("%d series over the web, %d over the socket", len(web.Series), len(over.Series))
	}
	for _, s := range web.Series {
		if points := s.Points(); len(points) == 0 || s.Measure == "battery_volts" && (points[len(points)-1].Value < 2 || points[len(points)-1].Value > 4) {
			t.Errorf("%s: %v", s.Measure, points)
		}
	}
	estate, err := e.client.Estate(t.Context())
	check.Must(t, err)
	i := slices.IndexFunc(estate.Rows, func(r glance.Row) bool { return r.Name == "luna72" })
	if i < 0 || !estate.Rows[i].Battery.Known || !estate.Rows[i].BatteryLow.Known {
		t.Errorf("%+v", estate)
	}
	if _, err := e.client.Measured(t.Context(), "nobody", ""); err == nil || !strings.HasPrefix(err.Error(), `no device "nobody"`) {
		t.Errorf("of a stranger: %v", err)
	}
	res, err := http.Post("http://"+e.web+api.Prefix+"/alarms", "application/json", strings.NewReader("{}"))
	check.Must(t, err)
	res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %s", res.Status)
	}
}

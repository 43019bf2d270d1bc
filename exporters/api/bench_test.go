package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters/history"
	"github.com/lunawatch/lunawatch/hsm"
)

// thousand is an estate of a thousand HSMs.
func thousand() http.Handler {
	now := time.Now()
	s := &hsm.Snapshot{Seq: 1}
	for i := range 1000 {
		s.Devices = append(s.Devices, &hsm.Device{Name: fmt.Sprintf("hsm%04d", i), Kind: hsm.NetworkHSM, Show: hsm.Section[hsm.Show]{At: now, Source: "hsm show", MaxAge: time.Hour,
			Value: hsm.Show{Serial: fmt.Sprint(500000 + i), Model: "Luna K7", Firmware: "7.4.0"}}})
	}
	return Handler(Source{Snapshot: func() *hsm.Snapshot { return s }, Active: func() []alarms.Active { return nil }, History: history.New(slog.New(slog.DiscardHandler)), Now: time.Now})
}

// BenchmarkEstate measures what an answer about a thousand HSMs costs, and what it costs
// whoever has it already.
func BenchmarkEstate(b *testing.B) {
	h := thousand()
	first := ask(h, Prefix+"/estate")
	for name, tag := range map[string]string{"new": `"other"`, "not changed": first.Header().Get("ETag")} {
		b.Run(name, func(b *testing.B) {
			sent := 0
			for b.Loop() {
				sent = ask(h, Prefix+"/estate", "If-None-Match", tag).Body.Len()
			}
			b.ReportMetric(float64(sent), "B_sent")
		})
	}
}

// BenchmarkOne measures what an answer about one of a thousand HSMs costs.
func BenchmarkOne(b *testing.B) {
	h := thousand()
	for b.Loop() {
		ask(h, Prefix+"/hsms/hsm0500")
	}
}

package agent

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestARowThatSNMPCannotCarryIsLoggedOnce: all other rows are served meanwhile.
func TestARowThatSNMPCannotCarryIsLoggedOnce(t *testing.T) {
	j, err := journal.Open(t.TempDir())
	check.Must(t, err)
	defer j.Close()
	synctest.Test(t, func(t *testing.T) {
		log := new(syncBuffer)
		a := New(config.Config{}, Web{}, slog.New(slog.NewTextHandler(log, nil)))
		a.watch.Journal = j
		check.Must(t, a.watch.Open())
		check.Must(t, a.totals.Open(j))
		check.Must(t, a.entities.Open(j))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.build(ctx) }()
		long := strings.Repeat("x", 120)
		for _, clients := range []hsm.Clients{{{Name: "a"}}, {{Name: "a"}, {Name: long}}, {{Name: "a"}, {Name: long}, {Name: "b"}}, {{Name: long}, {Name: "c"}}} {
			before := a.view.Load()
			a.report(hsm.Observation{Device: "hsm1", Kind: hsm.NetworkHSM, Source: "test", At: time.Now(), MaxAge: time.Hour, Facts: []hsm.Fact{hsm.Show{Serial: "77"}, clients}})
			time.Sleep(time.Minute) // of the bubble
			if a.view.Load() == before {
				t.Errorf("%d clients: no new view", len(clients))
			}
		}
		cancel()
		check.Must(t, <-ended)
		if n := strings.Count(log.String(), "hsmClientName: no row for"); n != 1 {
			t.Errorf("%d lines:\n%s", n, log)
		}
	})
}

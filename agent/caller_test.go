package agent

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/internal/check"

	"context"
	"log/slog"
)

// TestWhoMayOperate: the kernel says who asks, and a name that is claimed is shown
// beside that.
func TestWhoMayOperate(t *testing.T) {
	c, err := config.Parse([]byte("operate_group: nogroup-of-lunawatch\n"))
	check.Must(t, err)
	a := New(c, Web{}, slog.New(slog.DiscardHandler))
	for name, x := range map[string]struct {
		caller any
		group  string
		status int
		by     string
	}{
		"root":               {caller{0, "root"}, "nogroup-of-lunawatch", 200, "kim (uid 0 root)"},
		"the agent's user":   {caller{os.Getuid(), "lunawatch"}, "nogroup-of-lunawatch", 200, "(uid "},
		"another":            {caller{65534, "nobody"}, "nogroup-of-lunawatch", 403, ""},
		"another, no group":  {caller{65534, "nobody"}, "", 200, "kim (uid 65534 nobody)"},
		"a uid without user": {caller{64999, ""}, "", 200, "kim (uid 64999)"},
		"nobody knows":       {nil, "", 403, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a.config.OperateGroup = x.group
			var by string
			do := a.operating("test", func(_ http.ResponseWriter, _ *http.Request, who string) { by = who })
			r := httptest.NewRequest("POST", "/?by=kim", nil)
			if x.caller != nil {
				r = r.WithContext(context.WithValue(r.Context(), callerKey{}, x.caller))
			}
			w := httptest.NewRecorder()
			do(w, r)
			if w.Code != x.status || !strings.Contains(by, x.by) {
				t.Errorf("%d, by %q", w.Code, by)
			}
		})
	}
	if got := (caller{7, "kim"}).author("kim"); got != "kim (uid 7)" {
		t.Error(got)
	}
}

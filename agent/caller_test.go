package agent

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/agent/guard"
	"github.com/lunawatch/lunawatch/internal/check"
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
		"root":               {guard.Caller{UID: 0, Name: "root"}, "nogroup-of-lunawatch", 200, "kim (uid 0 root)"},
		"the agent's user":   {guard.Caller{UID: os.Getuid(), Name: "lunawatch"}, "nogroup-of-lunawatch", 200, "(uid "},
		"another":            {guard.Caller{UID: 65534, Name: "nobody"}, "nogroup-of-lunawatch", 403, ""},
		"another, no group":  {guard.Caller{UID: 65534, Name: "nobody"}, "", 200, "kim (uid 65534 nobody)"},
		"a uid without user": {guard.Caller{UID: 64999}, "", 200, "kim (uid 64999)"},
		"in the group":       {guard.Caller{UID: 64999, Groups: []uint32{7, 0}}, "root", 200, "kim (uid 64999)"},
		"of a directory":     {guard.Caller{UID: 64999, Groups: []uint32{7, 70001}}, "70001", 200, "kim (uid 64999)"},
		"not of it":          {guard.Caller{UID: 64999, Groups: []uint32{7, 70002}}, "70001", 403, ""},
		"nobody knows":       {nil, "", 403, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a.config().OperateGroup = x.group
			r := httptest.NewRequest("POST", "/", nil)
			if x.caller != nil {
				r = r.WithContext(guard.As(r.Context(), x.caller.(guard.Caller)))
			}
			by, err := a.overSocket(r, "kim")
			if (err == nil) != (x.status == http.StatusOK) || !strings.Contains(by, x.by) {
				t.Errorf("%v, by %q", err, by)
			}
		})
	}
	if got := (guard.Caller{UID: 7, Name: "kim"}).Author("kim"); got != "kim (uid 7)" {
		t.Error(got)
	}
}

package agent

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lunawatch/lunawatch/agent/config"
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
		"root":               {caller{uid: 0, name: "root"}, "nogroup-of-lunawatch", 200, "kim (uid 0 root)"},
		"the agent's user":   {caller{uid: os.Getuid(), name: "lunawatch"}, "nogroup-of-lunawatch", 200, "(uid "},
		"another":            {caller{uid: 65534, name: "nobody"}, "nogroup-of-lunawatch", 403, ""},
		"another, no group":  {caller{uid: 65534, name: "nobody"}, "", 200, "kim (uid 65534 nobody)"},
		"a uid without user": {caller{uid: 64999}, "", 200, "kim (uid 64999)"},
		"in the group":       {caller{uid: 64999, groups: []uint32{7, 0}}, "root", 200, "kim (uid 64999)"},
		"of a directory":     {caller{uid: 64999, groups: []uint32{7, 70001}}, "70001", 200, "kim (uid 64999)"},
		"not of it":          {caller{uid: 64999, groups: []uint32{7, 70002}}, "70001", 403, ""},
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
	if got := (caller{uid: 7, name: "kim"}).author("kim"); got != "kim (uid 7)" {
		t.Error(got)
	}
}

// TestCallerOfTheKernel asks the kernel about the other end of a socket, which is a
// process with more groups than there is room for at first.
func TestCallerOfTheKernel(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: root is needed, to have groups")
	}
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket"))
	check.Must(t, err)
	defer listener.Close()
	check.Must(t, os.Chmod(listener.Addr().String(), 0o777))
	for dir := listener.Addr().String(); dir != "/tmp" && dir != "/"; dir = filepath.Dir(dir) {
		check.Must(t, os.Chmod(dir, 0o777))
	}
	var groups []uint32
	for g := range uint32(100) {
		groups = append(groups, 70000+g)
	}
	cmd := exec.Command("perl", "-MIO::Socket::UNIX", "-e", `IO::Socket::UNIX->new(Peer => $ARGV[0]) or die; sleep 60`, listener.Addr().String())
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 64999, Gid: 64998, Groups: groups}}
	check.Must(t, cmd.Start())
	defer cmd.Wait()
	defer cmd.Process.Kill()
	conn, err := listener.Accept()
	check.Must(t, err)
	defer conn.Close()
	who, _ := withCaller(t.Context(), conn).Value(callerKey{}).(caller)
	if who.uid != 64999 || who.name != "" || len(who.groups) != 101 || !who.in("70099") || !who.in("64998") || who.in("70100") || who.in("root") {
		t.Errorf("%+v", who)
	}
}

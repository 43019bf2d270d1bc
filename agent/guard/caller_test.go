package guard

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
)

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
	who, _ := CallerOf(WithCaller(t.Context(), conn))
	if who.UID != 64999 || who.Name != "" || len(who.Groups) != 101 || !who.In("70099") || !who.In("64998") || who.In("70100") || who.In("root") {
		t.Errorf("%+v", who)
	}
}

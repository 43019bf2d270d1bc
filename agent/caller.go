package agent

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/user"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A caller is who asks over the control socket, as the kernel knows it.
type caller struct {
	uid    int
	name   string   // of the user; "": nobody on this host has the uid
	groups []uint32 // of the process, wherever its user is known: a directory's, too
}

type callerKey struct{}

// withCaller adds to the context of a connection who is at its other end.
func withCaller(ctx context.Context, conn net.Conn) context.Context {
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return ctx
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return ctx
	}
	var peer *unix.Ucred
	var groups []uint32
	if raw.Control(func(fd uintptr) {
		if peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			groups, err = peerGroups(fd)
		}
	}) != nil || err != nil {
		return ctx
	}
	who := caller{uid: int(peer.Uid), groups: append(groups, peer.Gid)}
	if u, err := user.LookupId(strconv.Itoa(who.uid)); err == nil {
		who.name = u.Username
	}
	return context.WithValue(ctx, callerKey{}, who)
}

// author returns who does something: the name that is claimed, beside the user that
// the kernel knows.
func (c caller) author(claimed string) string {
	switch {
	case c.name != "" && (claimed == "" || claimed == c.name):
		return fmt.Sprintf("%s (uid %d)", c.name, c.uid)
	case c.name != "":
		return fmt.Sprintf("%s (uid %d %s)", claimed, c.uid, c.name)
	}
	return fmt.Sprintf("%s (uid %d)", claimed, c.uid)
}

// peerGroups returns the supplementary groups of who is at the other end.
func peerGroups(fd uintptr) ([]uint32, error) {
	groups := make([]uint32, 64)
	for {
		size := uint32(len(groups) * 4)
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_PEERGROUPS, uintptr(unsafe.Pointer(&groups[0])), uintptr(unsafe.Pointer(&size)), 0)
		switch {
		case errno == 0:
			return groups[:size/4], nil
		case errno != unix.ERANGE || int(size) <= len(groups)*4:
			return nil, errno
		}
		groups = make([]uint32, size/4)
	}
}

// in reports whether c is in a group: one of this host by its name, or any by its
// number.
func (c caller) in(group string) bool {
	id, err := strconv.ParseUint(group, 10, 32)
	if err != nil {
		g, err := user.LookupGroup(group)
		if err != nil {
			return false
		}
		if id, err = strconv.ParseUint(g.Gid, 10, 32); err != nil {
			return false
		}
	}
	return slices.Contains(c.groups, uint32(id))
}

// An act is what somebody does over the control socket. by is who.
type act func(w http.ResponseWriter, r *http.Request, by string)

// maxRequest bounds the body of a request, in bytes.
const maxRequest = 1 << 20

// operating answers an act, if its caller may operate. Root and the agent's own user
// may; others, if they are in the group for it, or if there is none.
func (a *Agent) operating(name string, do act) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, known := r.Context().Value(callerKey{}).(caller)
		group := a.config.OperateGroup
		switch {
		case !known:
			http.Error(w, "the kernel does not say who asks", http.StatusForbidden)
			return
		case c.uid == 0, c.uid == os.Getuid(), group == "", c.in(group):
		default:
			a.log.Warn("refused", "act", name, "by", c.author(""), "group", group)
			http.Error(w, fmt.Sprintf("%s may look, and not operate: that needs group %s", c.author(""), group), http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		do(w, r, c.author(r.FormValue("by")))
	}
}

// acted logs what somebody did.
func (a *Agent) acted(name, what, by, why string, err error) {
	if err != nil {
		a.log.Warn("not done", "act", name, "of", what, "by", by, "why", why, "err", err)
		return
	}
	a.log.Info("done", "act", name, "of", what, "by", by, "why", why)
}

// Package guard keeps servers to those whom they are for: it knows who asks over a
// socket of this host, and which names of a web server are its own.
package guard

import (
	"context"
	"fmt"
	"net"
	"os/user"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Caller is who asks over the control socket, as the kernel knows it.
type Caller struct {
	UID    int
	Name   string   // of the user; "": nobody on this host has the uid
	Groups []uint32 // of the process, wherever its user is known: a directory's, too
}

type callerKey struct{}

// WithCaller adds to the context of a connection who is at its other end.
func WithCaller(ctx context.Context, conn net.Conn) context.Context {
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
	who := Caller{UID: int(peer.Uid), Groups: append(groups, peer.Gid)}
	if u, err := user.LookupId(strconv.Itoa(who.UID)); err == nil {
		who.Name = u.Username
	}
	return As(ctx, who)
}

// As adds to a context who asks.
func As(ctx context.Context, who Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, who)
}

// CallerOf returns who asks; not known: the kernel does not say.
func CallerOf(ctx context.Context) (c Caller, known bool) {
	c, known = ctx.Value(callerKey{}).(Caller)
	return c, known
}

// Author returns who does something: the name that is claimed, beside the user that
// the kernel knows.
func (c Caller) Author(claimed string) string {
	switch {
	case c.Name != "" && (claimed == "" || claimed == c.Name):
		return fmt.Sprintf("%s (uid %d)", c.Name, c.UID)
	case c.Name != "":
		return fmt.Sprintf("%s (uid %d %s)", claimed, c.UID, c.Name)
	}
	return fmt.Sprintf("%s (uid %d)", claimed, c.UID)
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

// In reports whether c is in a group: one of this host by its name, or any by its
// number.
func (c Caller) In(group string) bool {
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
	return slices.Contains(c.Groups, uint32(id))
}

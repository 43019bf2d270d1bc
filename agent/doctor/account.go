package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// An account is the user that the agent runs as, or will.
type account struct {
	uid    uint32
	groups []uint32
	name   string
	sure   bool // these are all of its groups: the unit may give more to one that does not run yet
}

// account returns the one of the running agent, or else the one that packages make, or
// else who asks.
func (p Patient) account() account {
	if f := p.InForce; f != nil {
		return accountOf(strconv.Itoa(f.UID), f.Groups, true)
	}
	if u, err := user.Lookup("lunawatch"); err == nil && os.Geteuid() == 0 {
		return accountOf(u.Uid, nil, false)
	}
	return accountOf(strconv.Itoa(os.Geteuid()), nil, true)
}

func accountOf(uid string, groups []int, sure bool) account {
	n, _ := strconv.ParseUint(uid, 10, 32)
	a := account{uid: uint32(n), name: "uid " + uid, sure: sure}
	for _, g := range groups {
		a.groups = append(a.groups, uint32(g))
	}
	u, err := user.LookupId(uid)
	if err != nil {
		return a
	}
	a.name = u.Username
	ids, _ := u.GroupIds()
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil && len(groups) == 0 {
			a.groups = append(a.groups, uint32(n))
		}
	}
	return a
}

// The rights in a mode, as of others.
const (
	mayRead  = 4
	mayWrite = 2
	mayEnter = 1
)

// may returns why a may not do something with a path, by the modes of it and of the
// directories that lead there; for who asks, the kernel is asked.
func (a account) may(path string, right uint32) error {
	if a.uid == uint32(os.Geteuid()) {
		if err := unix.Access(path, right); err != nil {
			return &fs.PathError{Op: "access", Path: path, Err: err}
		}
		return nil
	}
	path, err := filepath.Abs(path)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return err
	}
	for at, need := path, right; ; at, need = filepath.Dir(at), mayEnter {
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		if !a.has(info, need) {
			return fmt.Errorf("by the mode of %s (%#o), user %s may not: %w", at, info.Mode().Perm(), a.name, fs.ErrPermission)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

// has reports whether a mode gives a a right.
func (a account) has(info fs.FileInfo, right uint32) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || a.uid == 0 {
		return true
	}
	mode := uint32(info.Mode().Perm())
	switch {
	case owner.Uid == a.uid:
		mode >>= 6
	case slices.Contains(a.groups, owner.Gid):
		mode >>= 3
	}
	return mode&right == right
}

// unreadable returns the finding of a file that a may not read, or that is not there.
func (a account) unreadable(err error) Finding {
	if errors.Is(err, fs.ErrPermission) && !a.sure {
		return warning(err.Error()+", unless its unit gives it more groups", "Let the agent's user read it (chgrp, chmod g+r), or give the unit SupplementaryGroups.")
	}
	if errors.Is(err, fs.ErrPermission) {
		return failed(err.Error(), "Let the agent's user read it: chgrp "+a.name+" and chmod g+r, and g+x on the directories that lead there.")
	}
	return failed(err.Error(), "Correct the path in the configuration, or find out who should write the file.")
}

package login

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lunawatch/lunawatch/internal/wait"
)

// A record is the file with the refusal of an account: empty if there is none,
// locked while a login is under way. A nil record remembers nothing.
type record struct{ file *os.File }

var errNoRecord = errors.New("no file to remember it in")

// path returns the file of a's record.
func (a *Account) path() string {
	return filepath.Join(a.Directory, url.PathEscape(a.User+"@"+a.Host)+".json")
}

// open opens and locks the record of a. It is nil if it cannot be used, or ctx was
// done before the lock was to be had. Of the directories only the last is made.
func (a *Account) open(ctx context.Context) *record {
	if a.Directory == "" {
		return nil
	}
	if err := os.Mkdir(a.Directory, 0o700); err == nil {
		if made, err := os.OpenFile(a.Directory, unix.O_DIRECTORY|unix.O_NOFOLLOW, 0); err == nil {
			likeDirectory(made, filepath.Dir(a.Directory))
			made.Close()
		}
	}
	file, err := os.OpenFile(a.path(), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		likeDirectory(file, a.Directory)
	} else if file, err = os.OpenFile(a.path(), os.O_RDWR|unix.O_NOFOLLOW, 0); err != nil {
		return nil
	}
	r := &record{file}
	if !onlyName(file) {
		r.close()
		return nil
	}
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return r
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) || !wait.Sleep(ctx, 20*time.Millisecond) {
			r.close()
			return nil
		}
	}
}

// likeDirectory gives what root made, such as for a capture, to the owner of the
// directory that it is in.
func likeDirectory(made *os.File, directory string) {
	if info, err := os.Stat(directory); err == nil && os.Geteuid() == 0 {
		if owner, ok := info.Sys().(*syscall.Stat_t); ok {
			_ = made.Chown(int(owner.Uid), int(owner.Gid))
		}
	}
}

// onlyName reports whether a file has no second name: the agent's user could have
// linked one of root's to the record.
func onlyName(file *os.File) bool {
	var s unix.Stat_t
	return unix.Fstat(int(file.Fd()), &s) == nil && s.Nlink == 1 && s.Mode&unix.S_IFMT == unix.S_IFREG
}

// read returns the refusal, nil if there is none or it is damaged.
func (r *record) read() *refusal {
	if r == nil {
		return nil
	}
	text, err := io.ReadAll(io.NewSectionReader(r.file, 0, 64<<10))
	var refused refusal
	if err != nil || json.Unmarshal(text, &refused) != nil || refused.Files == nil {
		return nil
	}
	return &refused
}

func (r *record) write(refused *refusal) error {
	if r == nil {
		return errNoRecord
	}
	text, err := json.Marshal(refused)
	if err != nil {
		return err
	}
	_, err = r.file.WriteAt(text, 0)
	return errors.Join(err, r.file.Truncate(int64(len(text))), r.file.Sync())
}

func (r *record) clear() {
	if r != nil {
		_ = r.file.Truncate(0) // what stays is of another password, or of an earlier state of its file
	}
}

func (r *record) close() {
	if r != nil {
		r.file.Close()
	}
}

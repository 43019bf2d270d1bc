package journal

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"
)

// view reads in one transaction.
func (j *Journal) view(read func(*bbolt.Tx) error) error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.db.View(read)
}

// update runs one transaction; in memory, if the disk refuses it. bbolt keeps
// nothing of one that fails.
func (j *Journal) update(make func(*change) error) error {
	db, err, refused := j.try(make)
	if refused {
		if err = j.toMemory(db, err); err == nil {
			_, err, _ = j.try(make)
		}
	}
	switch {
	case errors.Is(err, errShared):
		return err
	case err != nil:
		return fmt.Errorf("state %s not written: %w; free space there and make it writable", j.file, err)
	}
	return nil
}

// try runs one transaction, and reports whether it was the disk that failed.
func (j *Journal) try(make func(*change) error) (db *bbolt.DB, err error, refused bool) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	var changeErr error
	err = j.db.Update(func(tx *bbolt.Tx) error {
		c := &change{Tx: tx, share: j.Share}
		if changeErr = make(c); changeErr == nil {
			changeErr = c.commit()
		}
		return changeErr
	})
	return j.db, err, err != nil && changeErr == nil
}

// toMemory replaces db by a copy in memory.
func (j *Journal) toMemory(db *bbolt.DB, why error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.db != db:
		return nil // another transaction was first
	case j.trouble != nil:
		return why
	}
	memory, err := inMemory()
	if err != nil {
		return errors.Join(why, err)
	}
	if err := copyAll(memory, db); err != nil {
		memory.Close()
		return errors.Join(why, err)
	}
	j.db, j.disk, j.trouble, j.since = memory, db, why, time.Now()
	return nil
}

// Trouble returns why the journal is in memory only, and what to do; nil: it is
// on disk.
func (j *Journal) Trouble() error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if j.trouble == nil {
		return nil
	}
	return fmt.Errorf("state %s not written: %w; kept in memory until there is space and it is writable", j.file, j.trouble)
}

// TroubleSince returns when [Journal.Trouble] began.
func (j *Journal) TroubleSince() time.Time {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.since
}

// ToDisk writes what is in memory to disk. An error means that the disk still
// refuses it.
func (j *Journal) ToDisk() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.trouble == nil {
		return nil
	}
	next := j.file + ".new"
	defer os.Remove(next)
	disk, err := bbolt.Open(next, 0o600, &bbolt.Options{Timeout: lockTimeout})
	if err != nil {
		return err
	}
	err = copyAll(disk, j.db)
	if err == nil {
		err = os.Rename(next, j.file)
	}
	if err != nil {
		disk.Close()
		return err
	}
	j.db.Close()
	if j.disk != nil {
		j.disk.Close()
	}
	j.db, j.disk, j.trouble = disk, nil, nil
	return nil
}

// inMemory returns an empty database in a file that only memory holds.
func inMemory() (*bbolt.DB, error) {
	return bbolt.Open("memory", 0o600, &bbolt.Options{NoSync: true, OpenFile: func(name string, _ int, _ os.FileMode) (*os.File, error) {
		fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
		if err != nil {
			return nil, fmt.Errorf("memory file: %w", err)
		}
		return os.NewFile(uintptr(fd), name), nil
	}})
}

// copyAll copies every bucket of a database into an empty one.
func copyAll(to, from *bbolt.DB) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errDamaged, p)
		}
	}()
	return from.View(func(source *bbolt.Tx) error {
		return to.Update(func(target *bbolt.Tx) error {
			return source.ForEach(func(name []byte, b *bbolt.Bucket) error {
				copied, err := target.CreateBucket(name)
				if err != nil {
					return err
				}
				return copyBucket(copied, b)
			})
		})
	})
}

func copyBucket(to, from *bbolt.Bucket) error {
	if err := to.SetSequence(from.Sequence()); err != nil {
		return err
	}
	return from.ForEach(func(k, v []byte) error {
		if v != nil {
			return to.Put(k, v)
		}
		inner, err := to.CreateBucket(k)
		if err != nil {
			return err
		}
		return copyBucket(inner, from.Bucket(k))
	})
}

// full reports whether err means that the disk takes no more for now.
func full(err error) bool {
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

var errDamaged = errors.New("damaged")

// open opens an intact database, or creates one. It checks first, without
// writing, so that a damaged one stays as it is.
func open(file string) (db *bbolt.DB, err error) {
	if info, err := os.Stat(file); err == nil && info.Size() > 0 {
		if err := check(file, info.Size()); err != nil {
			return nil, err
		}
	}
	return bbolt.Open(file, 0o600, &bbolt.Options{Timeout: lockTimeout})
}

// lockTimeout is how long another process may hold the state.
const lockTimeout = time.Second

// check reads the whole database. Damage makes bbolt panic, or access memory
// that is not mapped.
func check(file string, size int64) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errDamaged, p)
		}
	}()
	db, err := bbolt.Open(file, 0o600, &bbolt.Options{Timeout: lockTimeout, ReadOnly: true, PreLoadFreelist: true})
	switch {
	case errors.Is(err, berrors.ErrTimeout), errors.Is(err, fs.ErrPermission), full(err):
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	defer db.Close()
	return db.View(func(tx *bbolt.Tx) error {
		if tx.Size() > size {
			return fmt.Errorf("%w: %d of %d bytes are left", errDamaged, size, tx.Size())
		}
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return readAll(b) })
	})
}

// readAll touches every key and value of a bucket.
func readAll(b *bbolt.Bucket) error {
	return b.ForEach(func(k, v []byte) error {
		if v == nil {
			return readAll(b.Bucket(k))
		}
		crc32.ChecksumIEEE(v)
		return nil
	})
}

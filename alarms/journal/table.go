package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// A Table stores values by key in a file of its own beside the journal: what may be lost,
// and when it is must not take the alarms with it. A transaction is whole or not at all.
type Table struct {
	file string
	db   *bbolt.DB
}

var (
	tableBucket   = []byte("values")
	versionBucket = []byte("version")
)

// growth is by how much the file of a Table grows, in bytes.
const growth = 1 << 20

// OpenTable opens or creates the file name.db in a directory. One that is damaged, or has
// another version, is moved to name.db.damaged, in place of what was there, and replaced by
// an empty one; damage says so, "": nothing was wrong.
func OpenTable(directory, name, version string) (t *Table, damage string, err error) {
	file := filepath.Join(directory, name+".db")
	t, err = openTable(file, version)
	if errors.Is(err, errDamaged) {
		damage = fmt.Sprintf("%s: %v", file, err)
		if err := os.Rename(file, file+".damaged"); err != nil {
			return nil, damage, err
		}
		t, err = openTable(file, version)
	}
	return t, damage, err
}

func openTable(file, version string) (*Table, error) {
	db, err := open(file)
	if err != nil {
		return nil, err
	}
	created := false
	err = db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(versionBucket)
		if created = b != nil; created && (b.Get([]byte(version)) == nil || tx.Bucket(tableBucket) == nil) {
			return fmt.Errorf("%w: it is not of version %s", errDamaged, version)
		}
		return nil
	})
	if err == nil && !created {
		err = db.Update(func(tx *bbolt.Tx) error {
			if _, err := tx.CreateBucket(tableBucket); err != nil {
				return err
			}
			b, err := tx.CreateBucket(versionBucket)
			if err != nil {
				return err
			}
			return b.Put([]byte(version), []byte("1"))
		})
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	db.AllocSize = growth
	return &Table{file, db}, nil
}

// Each calls take with every key and value, by key, until the first error of take, and
// returns how many values are damaged and were left out. What take is given is valid until
// it returns.
func (t *Table) Each(take func(key, value []byte) error) (damaged int, err error) {
	err = t.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(tableBucket).ForEach(func(key, stored []byte) error {
			n := len(stored) - crc32.Size
			if n < 0 || crc32.ChecksumIEEE(stored[:n]) != binary.BigEndian.Uint32(stored[n:]) {
				damaged++
				return nil
			}
			return take(key, stored[:n])
		})
	})
	return damaged, err
}

// A Range is the keys from From to before To.
type Range struct{ From, To []byte }

// Write removes ranges of keys, and then stores values, in one transaction.
func (t *Table) Write(values map[string][]byte, remove ...Range) error {
	err := t.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(tableBucket)
		b.FillPercent = 0.9 // keys come in order
		for _, r := range remove {
			c := b.Cursor()
			for key, _ := c.Seek(r.From); key != nil && bytes.Compare(key, r.To) < 0; key, _ = c.Seek(r.From) {
				if err := b.Delete(key); err != nil {
					return err
				}
			}
		}
		for key, v := range values {
			if err := b.Put([]byte(key), binary.BigEndian.AppendUint32(bytes.Clone(v), crc32.ChecksumIEEE(v))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s not written: %w; free space there and make it writable", t.file, err)
	}
	return nil
}

// Close closes t, which must not be used afterwards.
func (t *Table) Close() error { return t.db.Close() }

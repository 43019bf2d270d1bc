package journal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	checks "github.com/lunawatch/lunawatch/internal/check"
)

// contents returns what a Table has, and how much of it is damaged.
func contents(t *testing.T, table *Table) (all map[string]string, damaged int) {
	t.Helper()
	all = make(map[string]string)
	damaged, err := table.Each(func(key, value []byte) error {
		all[string(key)] = string(value)
		return nil
	})
	checks.Must(t, err)
	return all, damaged
}

// TestTable holds what is written, what is removed, and that a value that changed on disk
// is left out.
func TestTable(t *testing.T) {
	dir := t.TempDir()
	table, damage, err := OpenTable(dir, "some", "1")
	checks.Must(t, err)
	checks.Must(t, table.Write(map[string][]byte{"a1": []byte("one"), "a2": nil, "b1": []byte("three"), "c": []byte("four")}))
	checks.Must(t, table.Write(map[string][]byte{"a2": []byte("two")}, Range{[]byte("a"), []byte("b")}, Range{[]byte("c"), []byte("c\x00")}))
	got, damaged := contents(t, table)
	if diff := cmp.Diff(map[string]string{"a2": "two", "b1": "three"}, got); diff != "" || damaged != 0 || damage != "" {
		t.Errorf("%d damaged, %q, %s", damaged, damage, diff)
	}
	checks.Must(t, table.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(tableBucket).Put([]byte("b1"), []byte("thrxe1234")) }))
	checks.Must(t, table.Close())
	table, damage, err = OpenTable(dir, "some", "1")
	checks.Must(t, err)
	got, damaged = contents(t, table)
	if diff := cmp.Diff(map[string]string{"a2": "two"}, got); diff != "" || damaged != 1 || damage != "" {
		t.Errorf("%d damaged, %q, %s", damaged, damage, diff)
	}
	checks.Must(t, table.Close())
}

// TestTableIsNotTheJournal: whatever is in its place, the journal beside it opens.
func TestTableIsNotTheJournal(t *testing.T) {
	dir := t.TempDir()
	checks.Must(t, os.WriteFile(filepath.Join(dir, "some.db"), []byte("no database"), 0o600))
	j, err := Open(dir)
	checks.Must(t, err)
	defer j.Close()
	table, damage, err := OpenTable(dir, "some", "1")
	checks.Must(t, err)
	defer table.Close()
	if what, _ := j.Damage(); what != "" || damage == "" {
		t.Errorf("journal: %q, table: %q", what, damage)
	}
}

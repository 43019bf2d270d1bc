package follow

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestOnlyOnesOwnLogWakes: of those who follow logs in one directory, a change wakes
// those whose log it concerns.
func TestOnlyOnesOwnLogWakes(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.Symlink(at("b"), at("link")); err != nil {
		t.Fatal(err)
	}
	write := func(name string) func() error {
		return func() error { return os.WriteFile(at(name), []byte(name), 0o600) }
	}
	if err := write("b")(); err != nil {
		t.Fatal(err)
	}
	var shared Watches
	watches := make(map[string]*watch)
	for _, name := range []string{"a", "b", "link"} {
		f := &Follower{File: at(name), Log: slog.New(slog.DiscardHandler), Watches: &shared}
		watches[name] = f.newWatch()
		watches[name].arm(f)
	}
	for _, step := range []struct {
		name string
		do   func() error
		want []string // woken
	}{
		{"written", write("a"), []string{"a"}},
		{"another file", write("c"), nil},
		{"behind a link", write("b"), []string{"b", "link"}},
		{"rotated", func() error { return os.Rename(at("a"), at("a.1")) }, []string{"a"}},
		{"a rotated one is compressed", write("a.2.gz"), []string{"a"}},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		// Events come in order: when that of another log has come, so have all of the step.
		later := &Follower{File: at("later, " + step.name), Log: slog.New(slog.DiscardHandler), Watches: &shared}
		marker := later.newWatch()
		marker.arm(later)
		if err := os.WriteFile(later.File, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		<-marker.woken
		marker.close()
		want := make(map[string]bool)
		for _, name := range step.want {
			want[name] = true
			select {
			case <-watches[name].woken:
			case <-time.After(10 * time.Second):
				t.Errorf("%s: %s is not woken", step.name, name)
			}
		}
		shared.mu.Lock() // an event is dispatched whole
		for name, w := range watches {
			for len(w.woken) > 0 {
				if <-w.woken; !want[name] {
					t.Errorf("%s: %s is woken", step.name, name)
				}
			}
		}
		shared.mu.Unlock()
	}
	for _, w := range watches {
		w.close()
	}
	if shared.watcher != nil || len(shared.directories) > 0 {
		t.Errorf("%d directories are still watched", len(shared.directories))
	}
}

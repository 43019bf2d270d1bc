package follow

import (
	"cmp"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// Watches wake Followers when their logs change, by events of the directories. Those that
// share them share what the kernel bounds by user, and each is woken by its own log only,
// however many others are in the same directory. The zero Watches is ready; it holds
// nothing while nobody follows.
type Watches struct {
	mu          sync.Mutex
	watcher     *fsnotify.Watcher
	directories map[string]*directory // by path, without symbolic links
}

// A directory is who follows what in it.
type directory struct {
	info fs.FileInfo
	logs map[string][]*watch // by name
}

// A watch wakes one Follower. Where that does not work, the Follower polls at each
// WakeInterval.
type watch struct {
	of     *Watches
	paths  []string      // of the log, and of its target if it is a symbolic link
	woken  chan struct{} // something has happened
	armed  time.Time
	warned bool
}

func (f *Follower) newWatch() *watch {
	return &watch{of: cmp.Or(f.Watches, new(Watches)), woken: make(chan struct{}, 1)}
}

// arm watches the log, and its target if it is a symbolic link, unless it did so within
// the last WakeInterval.
func (w *watch) arm(f *Follower) {
	if !w.armed.IsZero() && time.Since(w.armed) < WakeInterval {
		return
	}
	w.armed = time.Now()
	var paths []string
	for _, path := range []string{f.File, f.real()} {
		dir, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			continue // it may appear
		}
		paths = append(paths, filepath.Join(dir, filepath.Base(path)))
	}
	if err := w.of.set(w, paths); err != nil && !w.warned {
		w.warned = true
		f.Log.Warn("no wake-up from the log's directory; polling every second", "file", f.File, "err", err)
	}
}

// wait returns when something happened, or after d.
func (w *watch) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-w.woken:
	}
}

func (w *watch) close() { _ = w.of.set(w, nil) } // there is nothing to watch

func (w *watch) wake() {
	wait.Signal(w.woken)
}

// set has w woken by these paths, and no others.
func (s *Watches) set(w *watch, paths []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, path := range w.paths {
		s.remove(w, path)
	}
	w.paths = nil
	var err error
	for _, path := range paths {
		if err = cmp.Or(err, s.add(w, path)); err == nil {
			w.paths = append(w.paths, path)
		}
	}
	for dir, d := range s.directories {
		if len(d.logs) == 0 {
			_ = s.watcher.Remove(dir) // it may be gone
			delete(s.directories, dir)
		}
	}
	if s.watcher != nil && len(s.directories) == 0 {
		s.watcher.Close()
		s.watcher = nil
	}
	return err
}

// add has w woken by a path. s.mu is held.
func (s *Watches) add(w *watch, path string) error {
	if s.watcher == nil {
		watcher, err := fsnotify.NewWatcher()
		if err != nil {
			return err
		}
		s.watcher, s.directories = watcher, make(map[string]*directory)
		go s.dispatch(watcher)
	}
	dir, name := filepath.Split(path)
	dir = filepath.Clean(dir)
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	d := s.directories[dir]
	if d == nil || !os.SameFile(d.info, info) {
		if d != nil {
			_ = s.watcher.Remove(dir) // the name is another directory's now
		}
		if err := s.watcher.Add(dir); err != nil {
			return err
		}
		d = &directory{logs: cmp.Or(d, &directory{logs: make(map[string][]*watch)}).logs}
		d.info = info
		s.directories[dir] = d
	}
	d.logs[name] = append(d.logs[name], w)
	return nil
}

// remove ends what add began. s.mu is held.
func (s *Watches) remove(w *watch, path string) {
	dir, name := filepath.Split(path)
	d := s.directories[filepath.Clean(dir)]
	if d == nil {
		return
	}
	d.logs[name] = slices.DeleteFunc(d.logs[name], func(x *watch) bool { return x == w })
	if len(d.logs[name]) == 0 {
		delete(d.logs, name)
	}
}

// dispatch wakes whom an event concerns until the watcher is closed.
func (s *Watches) dispatch(watcher *fsnotify.Watcher) {
	for {
		select {
		case event, open := <-watcher.Events:
			if !open {
				return
			}
			s.wake(event.Name)
		case _, open := <-watcher.Errors:
			if !open {
				return
			}
			s.wake("") // events may be lost
		}
	}
}

// wake wakes those who follow a path, or a file of which it is a rotated one, or anything
// in it; "" wakes all.
func (s *Watches) wake(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dir, name := filepath.Split(path)
	if d := s.directories[filepath.Clean(dir)]; d != nil && path != "" {
		if followers, ok := d.logs[name]; ok {
			wakeAll(followers)
			return
		}
		for log, followers := range d.logs {
			if rotationSuffix(log, name) != "" {
				wakeAll(followers)
			}
		}
	}
	for dir, d := range s.directories {
		if path == "" || path == dir {
			for _, followers := range d.logs {
				wakeAll(followers)
			}
		}
	}
}

func wakeAll(followers []*watch) {
	for _, w := range followers {
		w.wake()
	}
}

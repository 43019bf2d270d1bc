package follow

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// arrange brings files in line with the directory: it finds again what was
// read, and adds the files that followed. It reports whether files changed,
// and costs one stat while the log only grows.
func (r *following) arrange() (changed bool, err error) {
	info, err := os.Stat(r.File)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, r.explain(err)
	}
	last := r.last()
	open := last != nil && last.content != nil
	if err == nil && open && last.is(info) {
		// Where nothing was written for a while, equal times mean equal content.
		if s := r.seen; s != nil && s.Size() == info.Size() && s.ModTime().Equal(info.ModTime()) && r.seenAt.Sub(s.ModTime()) > 50*time.Millisecond {
			return false, nil
		}
		now := time.Now()
		if last.Offset >= fingerprint && !last.in(last.content) {
			return r.rearrange()
		}
		if last.Offset < fingerprint {
			if changed, err := r.rearrange(); changed || err != nil {
				return changed, err
			}
		}
		r.seen, r.seenAt, last.size = info, now, info.Size()
		return false, nil
	}
	return r.rearrange()
}

func (r *following) last() *source {
	if len(r.files) == 0 {
		return nil
	}
	return r.files[len(r.files)-1]
}

// rearrange does arrange's work when the log is not what it was, or when too
// little of it was read to know.
func (r *following) rearrange() (changed bool, err error) {
	r.seen = nil
	current, err := openSource(r.File)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, r.explain(err)
	}
	rotated, err := r.rotated()
	if err != nil {
		if current != nil {
			current.close()
		}
		return false, r.explain(err)
	}
	files := append(slices.Clone(r.files), rotated...)
	if current != nil {
		files = append(files, current)
	}
	rotated = r.withoutCopy(rotated, current)
	var list []*source
	after := -1 // the newest rotated file that was read
	if len(r.files) > 0 {
		for _, s := range r.files[:len(r.files)-1] {
			i := find(rotated, s)
			if i >= 0 {
				rotated[i] = s.found(rotated[i])
				list, after = append(list, s), max(after, i)
				continue
			}
			if s.content == nil {
				if s.Size > s.Offset {
					r.Log.Warn("the rest of a rotated log is gone unread", "file", r.File, "bytes", s.Size-s.Offset)
				}
				continue
			}
			list = append(list, s)
		}
	}
	for _, s := range r.rest(current, rotated, after) {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	changed = !slices.Equal(list, r.files)
	for _, s := range files {
		if !slices.Contains(list, s) {
			s.close()
		}
	}
	r.moved = r.moved || changed
	r.files = list
	return changed, nil
}

// rest returns the file that the newest place is in, and those that followed.
func (r *following) rest(current *source, rotated []*source, after int) []*source {
	last := r.last()
	if last == nil {
		return follows(rotated[after+1:], current, false)
	}
	if current != nil && current.same(last.place) {
		return r.restInPlace(last, current, rotated, after)
	}
	if i := byInode(rotated, last.place); i >= 0 {
		if last.Offset < fingerprint && copyOf(last, rotated[:i], after) >= 0 { // truncated before it was renamed
			return r.restInCopy(last, current, rotated, after)
		}
		rotated[i] = last.found(rotated[i])
		return follows(rotated[i:], current, last.Copy)
	}
	if current != nil && last.Offset >= fingerprint && last.in(current.content) { // replaced by an equal file
		return []*source{last.found(current)}
	}
	if last.content != nil && last.in(last.content) && find(rotated, last) < 0 { // moved away or removed, but open
		return append([]*source{last}, follows(r.newer(rotated, after), current, false)...)
	}
	return r.restInCopy(last, current, rotated, after)
}

// restInPlace is rest where the log has the inode that it had.
func (r *following) restInPlace(last, current *source, rotated []*source, after int) []*source {
	if last.in(current.content) && (last.Offset >= fingerprint || copyOf(last, rotated, after) < 0) {
		return []*source{last.found(current)}
	}
	return r.restInCopy(last, current, rotated, after)
}

// restInCopy is rest where the log was copied and truncated, or compressed.
func (r *following) restInCopy(last, current *source, rotated []*source, after int) []*source {
	truncated := current != nil && current.same(last.place)
	i := copyOf(last, rotated, after)
	if i < 0 {
		r.lost(last)
		return follows(r.newer(rotated, after), current, truncated)
	}
	// What was truncated may have been renamed later.
	j := byInode(rotated[i+1:], place{Device: last.Device, Inode: last.Inode})
	last.Copy = rotated[i].Device == last.Device && !rotated[i].packed
	rotated[i] = last.found(rotated[i])
	follows(rotated[i:i+1+j], nil, j >= 0)
	return follows(rotated[i:], current, truncated)
}

// copyOf returns the index of the first file behind after that last is in,
// by content; -1 if there is none.
func copyOf(last *source, rotated []*source, after int) int {
	for i := after + 1; i < len(rotated); i++ {
		// A compressed file's time may lack its fraction of a second.
		if s := rotated[i]; s.Modified+int64(2*time.Second) >= last.Modified && last.in(s.content) {
			return i
		}
	}
	return -1
}

// lost tells, once, that what followed a place is nowhere.
func (r *following) lost(last *source) {
	known := last.content != nil // then size is what the last look saw
	size := max(last.Size, last.size)
	switch {
	case size > last.Offset:
		r.Log.Warn("the rest of a rotated log is gone unread; going on with what is there", "file", r.File, "offset", last.Offset, "bytes", size-last.Offset)
	case known:
		r.Log.Info("log was emptied after it was read; going on at its beginning", "file", r.File, "offset", last.Offset)
	default:
		r.Log.Warn("log was rotated away while nobody read it; lines may be missing; keep more rotated files, uncompressed or as .gz", "file", r.File, "offset", last.Offset)
	}
}

// newer returns the rotated files that are newer than what was read.
func (r *following) newer(rotated []*source, after int) []*source {
	last := r.last()
	for i := after + 1; i < len(rotated); i++ {
		if after >= 0 || rotated[i].Modified > last.Modified {
			return rotated[i:]
		}
	}
	return nil
}

// follows returns list and the log itself behind it.
func follows(list []*source, current *source, copies bool) []*source {
	list = slices.Clone(list)
	if copies {
		for _, s := range list {
			s.Copy = true
		}
	}
	if current == nil || slices.ContainsFunc(list, func(s *source) bool { return s.same(current.place) }) {
		return list // it was rotated while the directory was read
	}
	return append(list, current)
}

// find returns the index of the file that s is, -1 if it is none: by its inode,
// else by its content.
func find(rotated []*source, s *source) int {
	i := byInode(rotated, s.place)
	at := s.place
	if i < 0 && s.content != nil {
		var err error
		if at, err = s.end(); err != nil {
			return -1
		}
	}
	if i < 0 && at.Offset > 0 {
		i = slices.IndexFunc(rotated, func(c *source) bool {
			if !at.in(c.content) || at.Offset >= fingerprint {
				return at.in(c.content)
			}
			size, err := contentSize(c.content)
			return err == nil && (size == at.Size || size > at.Size && at.Offset >= fewBytes)
		})
	}
	return i
}

const fewBytes = 32 // say too little of what a file is

// byInode returns the index of the file that has the inode of p and can hold it.
func byInode(rotated []*source, p place) int {
	return slices.IndexFunc(rotated, func(s *source) bool { return s.same(p) && (p.Offset == 0 || p.in(s.content)) })
}

// found makes s read the file that it was found to be.
func (s *source) found(file *source) *source {
	if s.content == nil || !s.same(file.place) {
		s.content, file.content = file.content, s.content
		s.Device, s.Inode, s.packed = file.Device, file.Inode, file.packed
	}
	if info, err := s.content.Stat(); err == nil && !s.packed {
		s.Size = info.Size()
	}
	s.suffix = file.suffix
	return s
}

// withoutCopy returns rotated without the copy of the log as it is now, which
// is being made or after which the log was not yet truncated.
func (r *following) withoutCopy(rotated []*source, current *source) []*source {
	n := len(rotated)
	if n == 0 || current == nil || rotated[n-1].packed || slices.ContainsFunc(r.files, func(s *source) bool {
		// An inode that is not held open may be another file's by now.
		return s.same(rotated[n-1].place) && (s.content != nil || s.Offset > 0 && s.in(rotated[n-1].content))
	}) {
		return rotated
	}
	newest := rotated[n-1]
	end, err := newest.end()
	if err != nil || !end.in(current.content) || end.Offset == 0 && newest.Modified < current.Modified {
		return rotated
	}
	return rotated[:n-1]
}

// rotated opens the log's rotated files at their beginnings, oldest first.
//
// Their names are the log's with a number, a date or "old" added behind it or
// before its extension, and ".gz": messages.1, messages-20261121,
// messages.2.gz, ha_20261121-101500.txt.
func (r *following) rotated() ([]*source, error) {
	for range 10 {
		names, err := r.rotatedNames()
		if err != nil {
			return nil, err
		}
		list, err := openAll(names)
		if err == nil {
			again, err2 := r.rotatedNames()
			if err = err2; err == nil && maps.EqualFunc(names, again, func(a, b rotatedFile) bool { return os.SameFile(a.info, b.info) }) {
				sortRotated(list)
				return list, nil
			}
		}
		closeAll(list)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s: its rotated files change all the time", r.File)
}

type rotatedFile struct {
	suffix string
	info   fs.FileInfo
}

func (r *following) rotatedNames() (map[string]rotatedFile, error) {
	log := r.real()
	entries, err := os.ReadDir(filepath.Dir(log))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	all := make(map[string]rotatedFile)
	for _, e := range entries {
		suffix := rotationSuffix(filepath.Base(log), e.Name())
		if suffix == "" {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			all[filepath.Join(filepath.Dir(log), e.Name())] = rotatedFile{suffix, info}
		}
	}
	for name := range all { // while it is being compressed, there are both
		if _, both := all[strings.TrimSuffix(name, ".gz")]; both && strings.HasSuffix(name, ".gz") {
			delete(all, name)
		}
	}
	return all, nil
}

var (
	rotationName = regexp.MustCompile(`^(?:[-_.:+ ]|[0-9]{7})(?:[-_.:+ TZ0-9]|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Mon|Tue|Wed|Thu|Fri|Sat|Sun|UTC)*[0-9](?:[-_.:+ TZ0-9]|UTC)*$|^[-_.]old$`)
	counterName  = regexp.MustCompile(`^\.[0-9]{1,4}$`)
	stampName    = regexp.MustCompile(`^[-_.:T]?[0-9]{4}[-_.:T0-9]*$`)
)

// rotationSuffix returns what rotation added to the name of a log, without
// ".gz"; "" if name is not that of a rotated file.
func rotationSuffix(log, name string) string {
	name = strings.TrimSuffix(name, ".gz")
	suffix, found := strings.CutPrefix(name, log)
	if extension := filepath.Ext(log); !found && extension != "" {
		suffix, found = strings.CutPrefix(name, strings.TrimSuffix(log, extension))
		if found {
			suffix, found = strings.CutSuffix(suffix, extension)
		}
	}
	if !found || !rotationName.MatchString(suffix) {
		return ""
	}
	return suffix
}

func openAll(names map[string]rotatedFile) ([]*source, error) {
	var list []*source
	for name, f := range names {
		s, err := openSource(name)
		if err == nil && !s.is(f.info) {
			s.close()
			err = fs.ErrNotExist // the name is another file's by now
		}
		if err != nil {
			return list, err
		}
		s.suffix = f.suffix
		list = append(list, s)
	}
	return list, nil
}

// sortRotated sorts rotated files, oldest first: by number or date where all
// names have one, else by the time of the last write.
func sortRotated(list []*source) {
	all := func(form *regexp.Regexp) bool {
		return !slices.ContainsFunc(list, func(s *source) bool { return !form.MatchString(s.suffix) })
	}
	order := func(a, b *source) int {
		return cmp.Or(cmp.Compare(a.Modified, b.Modified), cmp.Compare(b.suffix, a.suffix))
	}
	switch {
	case all(counterName):
		order = func(a, b *source) int {
			return cmp.Or(cmp.Compare(len(b.suffix), len(a.suffix)), cmp.Compare(b.suffix, a.suffix))
		}
	case all(stampName):
		order = func(a, b *source) int { return cmp.Compare(a.suffix, b.suffix) }
	}
	slices.SortFunc(list, order)
}

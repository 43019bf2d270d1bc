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

// arrange updates files to the directory: it finds the files that were read, and
// adds those that follow them. It reports whether files changed, and costs one stat
// while the log only grows.
func (r *following) arrange() (changed bool, err error) {
	info, err := os.Stat(r.File)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, r.explain(err)
	}
	last := r.last()
	open := last != nil && last.content != nil
	if err == nil && open && last.is(info) {
		// If nothing was written for a while, equal times mean equal content.
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

// rearrange is arrange for a log that was replaced or truncated, or of which too
// little was read to know.
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
		for j, s := range r.files[:len(r.files)-1] {
			i := find(rotated, after, earliest(rotated, r.files[j+1:]), s)
			if i >= 0 {
				rotated[i] = s.found(rotated[i])
				list, after = append(list, s), max(after, i)
				continue
			}
			if s.content == nil {
				if s.Size > s.Offset {
					r.Log.Warn("rotated log is gone before it was read to its end", "file", r.File, "bytes", s.Size-s.Offset)
				}
				continue
			}
			list = append(list, s)
		}
	}
	for _, s := range r.remaining(current, rotated, after) {
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

// remaining returns the file that the newest place is in, and those that follow it.
func (r *following) remaining(current *source, rotated []*source, after int) []*source {
	last := r.last()
	if last == nil {
		return withLog(rotated[after+1:], current, false)
	}
	if current != nil && current.same(last.place) {
		return r.remainingInPlace(last, current, rotated, after)
	}
	// Only behind those: an empty file has nothing but its inode, which may be reused.
	if i := byInode(rotated[after+1:], last.place); i >= 0 {
		i += after + 1
		if last.Offset < fingerprint && copyOf(last, rotated[:i], after) >= 0 { // truncated before it was renamed
			return r.remainingInCopy(last, current, rotated, after)
		}
		rotated[i] = last.found(rotated[i])
		if last.Offset == 0 { // nor was anything read of what is before it
			i = after + 1
		}
		return withLog(rotated[i:], current, last.Copy)
	}
	if current != nil && last.Offset >= fingerprint && last.in(current.content) { // replaced by an equal file
		return []*source{last.found(current)}
	}
	if last.content != nil && last.in(last.content) && find(rotated, after, len(rotated), last) < 0 { // moved away or removed, but open
		return append([]*source{last}, withLog(r.newer(rotated, after), current, false)...)
	}
	return r.remainingInCopy(last, current, rotated, after)
}

// remainingInPlace is remaining if the log has the same inode as before.
func (r *following) remainingInPlace(last, current *source, rotated []*source, after int) []*source {
	if last.in(current.content) && (last.Offset >= fingerprint || copyOf(last, rotated, after) < 0) {
		return []*source{last.found(current)}
	}
	return r.remainingInCopy(last, current, rotated, after)
}

// remainingInCopy is remaining if the log was copied and truncated, or compressed.
func (r *following) remainingInCopy(last, current *source, rotated []*source, after int) []*source {
	truncated := current != nil && current.same(last.place)
	i := copyOf(last, rotated, after)
	if i < 0 {
		r.lost(last)
		return withLog(r.newer(rotated, after), current, truncated)
	}
	// The truncated file may have been renamed later.
	j := byInode(rotated[i+1:], place{Device: last.Device, Inode: last.Inode})
	last.Copy = rotated[i].Device == last.Device && !rotated[i].packed
	rotated[i] = last.found(rotated[i])
	withLog(rotated[i:i+1+j], nil, j >= 0)
	return withLog(rotated[i:], current, truncated)
}

// copyOf returns the index of the first file behind index after whose content last
// is in; -1 if there is none.
func copyOf(last *source, rotated []*source, after int) int {
	for i := after + 1; i < len(rotated); i++ {
		// The time of a compressed file may lack its fraction of a second.
		if s := rotated[i]; s.Modified+int64(2*time.Second) >= last.Modified && last.in(s.content) {
			return i
		}
	}
	return -1
}

// lost logs that the lines behind a place cannot be found.
func (r *following) lost(last *source) {
	known := last.content != nil // size is as of the last poll
	size := max(last.Size, last.size)
	switch {
	case size > last.Offset:
		r.Log.Warn("rotated log is gone before it was read to its end; continuing with what is there", "file", r.File, "offset", last.Offset, "bytes", size-last.Offset)
	case known:
		r.Log.Info("log was emptied after it was read; continuing at its beginning", "file", r.File, "offset", last.Offset)
	default:
		r.Log.Warn("log was rotated away while it was not being read; lines may be missing; keep more rotated files, uncompressed or as .gz", "file", r.File, "offset", last.Offset)
	}
}

// newer returns the rotated files that are newer than those that were read. A copy can
// have the time of what it is of: the kernel's clock has ticks.
func (r *following) newer(rotated []*source, after int) []*source {
	last := r.last()
	for i := after + 1; i < len(rotated); i++ {
		if after >= 0 || rotated[i].Modified >= last.Modified {
			return rotated[i:]
		}
	}
	return nil
}

// withLog returns list with the log itself behind it. With copies, it marks the
// files of list as copies.
func withLog(list []*source, current *source, copies bool) []*source {
	list = slices.Clone(list)
	if copies {
		for _, s := range list {
			s.Copy = true
		}
	}
	if current == nil || slices.ContainsFunc(list, func(s *source) bool { return s.same(current.place) }) {
		return list // the log was rotated while the directory was read
	}
	return append(list, current)
}

// earliest returns the index of the first file that is one of list, by its inode and what
// was read of it; behind all if none is. What is older than these is before it.
func earliest(rotated, list []*source) int {
	first := len(rotated)
	for _, s := range list {
		if i := byInode(rotated, s.place); i >= 0 && s.Offset > 0 {
			first = min(first, i)
		}
	}
	return first
}

// find returns the index of the file that is s, by its inode or else, between two indices,
// by its content; -1 if there is none.
func find(rotated []*source, after, before int, s *source) int {
	i := byInode(rotated, s.place)
	at := s.place
	if i < 0 && s.content != nil {
		var err error
		if at, err = s.end(); err != nil {
			return -1
		}
	}
	if i < 0 && at.Offset > 0 {
		i = byContent(rotated, after, before, at)
	}
	return i
}

// byContent returns the index of the file, between two indices, that begins as the one of p
// did; -1 if there is none. Few bytes identify only a compressed file, which has another
// inode. If several do, it is the one that has grown least since, then the one that is
// least older than p: a copy or a compressed file is not, or by less than 1 s.
func byContent(rotated []*source, after, before int, p place) int {
	best := -1
	var bestGrown, bestOlder int64 // in bytes, and in ns
	for i := after + 1; i < before; i++ {
		s := rotated[i]
		if !p.in(s.content) {
			continue
		}
		if p.Offset >= fingerprint {
			return i
		}
		size, err := contentSize(s.content)
		if err != nil || size < p.Size || p.Offset < fewBytes && (size > p.Size || !s.packed) {
			continue
		}
		grown, older := size-p.Size, max(0, p.Modified-s.Modified)
		if best < 0 || cmp.Or(cmp.Compare(grown, bestGrown), cmp.Compare(older, bestOlder)) < 0 {
			best, bestGrown, bestOlder = i, grown, older
		}
	}
	return best
}

// fewBytes are too few to identify a file by.
const fewBytes = 32

// byInode returns the index of the file that has the inode of p and can contain it;
// -1 if there is none.
func byInode(rotated []*source, p place) int {
	return slices.IndexFunc(rotated, func(s *source) bool { return s.same(p) && (p.Offset == 0 || p.in(s.content) && !s.reused(p)) })
}

// reused reports whether s has the inode of the file of p because that is gone: a rotated file
// does not shrink, nor does a compressed one grow. What identifies a file of which much was
// read is its content.
func (s *source) reused(p place) bool {
	few := s.packed && p.Offset < fewBytes
	if p.Offset >= fingerprint || p.Size <= p.Offset && !few {
		return false
	}
	size, err := contentSize(s.content)
	return err != nil || size < p.Size || few && size > p.Size
}

// found makes s read file, which was found to be the same, and returns s.
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

// withoutCopy returns rotated without a copy of the current log: one that is being
// made, or after which the log was not yet truncated.
func (r *following) withoutCopy(rotated []*source, current *source) []*source {
	n := len(rotated)
	if n == 0 || current == nil || rotated[n-1].packed || slices.ContainsFunc(r.files, func(s *source) bool {
		// The inode of a file that is not open may have been reused.
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
// Their names are the log's with a number, a date or "old" at the end or before the
// extension, and ".gz": messages.1, messages-20261121, messages.2.gz,
// ha_20261121-101500.txt.
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
	return nil, fmt.Errorf("%s: its rotated files keep changing", r.File)
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
	for name := range all { // while a file is being compressed, both exist
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

// rotationSuffix returns what rotation added to the name of a log, without ".gz"; ""
// if name is not a rotated file of it.
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
			err = fs.ErrNotExist // another file has the name now
		}
		if err != nil {
			return list, err
		}
		s.suffix = f.suffix
		list = append(list, s)
	}
	return list, nil
}

// sortRotated sorts rotated files, oldest first: by number or date if all names have
// one, else by the time of the last write.
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

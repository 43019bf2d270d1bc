package follow

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

// A cursor is how far the files of a log were read, with the oldest first.
type cursor struct {
	Files []place `json:"files"`
}

// A place is how far one file was read. The file is identified by its device and
// inode, and by its content: a truncated file or a reused inode has other bytes
// before Offset, and a copy has the same.
type place struct {
	Device   uint64 `json:"device"`
	Inode    uint64 `json:"inode"`
	Offset   int64  `json:"offset"`
	Head     []byte `json:"head"`           // digest of the first bytes, up to fingerprint and Offset
	Tail     []byte `json:"tail"`           // digest of as many bytes before Offset
	Size     int64  `json:"size"`           // bytes, when it was last read
	Modified int64  `json:"modified"`       // when it was last read, in ns since 1970
	Skip     bool   `json:"skip,omitempty"` // the line at Offset is too long, and its beginning was delivered
	Copy     bool   `json:"copy,omitempty"` // the next file continues its last line
}

// fingerprint is how many bytes identify a file.
const fingerprint = 512

// resume continues from a cursor.
func (r *following) resume(text []byte) error {
	var c cursor
	err := json.Unmarshal(text, &c)
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return fmt.Errorf("cursor of log %s is damaged: %w; to continue at the end of the log, move the state directory away", r.File, err)
	}
	for _, p := range c.Files {
		r.files = append(r.files, &source{place: p})
	}
	r.begun = true
	return nil
}

func (c cursor) check() error {
	if c.Files == nil {
		return errors.New("no files in it")
	}
	for _, p := range c.Files {
		if p.Offset < 0 || p.Inode == 0 || len(p.Head) != digestSize || len(p.Tail) != digestSize {
			return fmt.Errorf("impossible place %d in file %d", p.Offset, p.Inode)
		}
	}
	return nil
}

// in reports whether content is, up to p, that of the file of p.
func (p place) in(content io.ReaderAt) bool {
	n := min(p.Offset, fingerprint)
	head, err := digest(content, 0, n)
	if err != nil || !bytes.Equal(head, p.Head) {
		return false
	}
	tail, err := digest(content, p.Offset-n, n)
	return err == nil && bytes.Equal(tail, p.Tail)
}

const digestSize = 8

// digest returns a digest of n bytes of content, at most fingerprint.
func digest(content io.ReaderAt, from, n int64) ([]byte, error) {
	var b [fingerprint]byte
	if _, err := io.ReadFull(io.NewSectionReader(content, from, n), b[:n]); err != nil {
		return nil, err
	}
	s := sha256.Sum256(b[:n])
	return s[:digestSize], nil
}

// A source is a file of the log, and how far it was read.
type source struct {
	place
	content readable  // nil: not open
	packed  bool      // compressed, and so complete
	suffix  string    // what rotation added to the name
	grown   time.Time // when quiet last saw that it had grown
	size    int64     // bytes, when it was last seen
}

type readable interface {
	io.ReaderAt
	io.Closer
	Stat() (fs.FileInfo, error)
}

// openSource opens a file at its beginning.
func openSource(name string) (*source, error) {
	// A pipe with the name of the log must not block the agent.
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", name)
	}
	s := &source{content: file, packed: strings.HasSuffix(name, ".gz")}
	if s.packed {
		s.content = &unpacked{File: file}
	}
	if err == nil {
		s.Device, s.Inode = identity(info)
		err = s.moveTo(0)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
}

func identity(info fs.FileInfo) (device, inode uint64) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Dev), s.Ino
	}
	return 0, 0
}

func (p place) same(q place) bool { return p.Device == q.Device && p.Inode == q.Inode }

func (p place) is(info fs.FileInfo) bool {
	device, inode := identity(info)
	return p.Device == device && p.Inode == inode
}

// moveTo sets the place of s to an offset.
func (s *source) moveTo(offset int64) (err error) {
	info, err := s.content.Stat()
	if err != nil {
		return err
	}
	next := s.place
	n := min(offset, fingerprint)
	if s.Offset < fingerprint || s.Head == nil {
		if next.Head, err = digest(s.content, 0, n); err != nil {
			return err
		}
	}
	if next.Tail, err = digest(s.content, offset-n, n); err != nil {
		return err
	}
	next.Offset, next.Size, next.Modified = offset, info.Size(), info.ModTime().UnixNano()
	if s.packed {
		next.Size = offset
	}
	s.place = next
	return nil
}

// unread returns how many bytes are behind the place of s; 0 if the file is not open
// or compressed.
func (s *source) unread() int64 {
	if s.content == nil || s.packed {
		return 0
	}
	info, err := s.content.Stat()
	if err != nil {
		return 0
	}
	return info.Size() - s.Offset
}

// quiet reports whether s was not seen to grow for d, counted from the first call: a
// last write before that says nothing about the next one.
func (s *source) quiet(d time.Duration) bool {
	if s.content == nil || s.packed {
		return true
	}
	if size := s.Offset + s.unread(); size != s.size || s.grown.IsZero() {
		s.size, s.grown = size, time.Now()
	}
	return time.Since(s.grown) > d
}

// end returns the place at the end of an open source.
func (s *source) end() (place, error) {
	size, err := contentSize(s.content)
	if err != nil {
		return s.place, err
	}
	at := *s
	err = at.moveTo(size)
	return at.place, err
}

func (s *source) close() {
	if s.content != nil {
		s.content.Close()
		s.content = nil
	}
}

func closeAll(list []*source) {
	for _, s := range list {
		s.close()
	}
}

// lastLineEnd returns the offset behind the last complete line before size. If the
// last batchSize bytes have no line end, it returns size, and that this is in a line.
func lastLineEnd(file io.ReaderAt, size int64) (offset int64, inLine bool) {
	start := max(0, size-batchSize)
	tail := make([]byte, size-start)
	n, _ := file.ReadAt(tail, start)
	end := bytes.LastIndexByte(tail[:n], '\n') + 1
	if end == 0 && start > 0 {
		return size, true
	}
	return start + int64(end), false
}

// contentSize returns the size of content, uncompressed.
func contentSize(content readable) (int64, error) {
	if _, packed := content.(*unpacked); packed {
		return io.Copy(io.Discard, io.NewSectionReader(content, 0, 1<<62))
	}
	info, err := content.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// unpacked reads a gzip file at offsets of its uncompressed content. To go back by
// more than windowSize, it starts again.
type unpacked struct {
	*os.File
	z      *gzip.Reader
	window []byte // the last bytes that were read
	start  int64  // offset of window
	end    bool   // window ends with the content
}

// windowSize is the size of a window before a fill, in bytes.
const windowSize = 2 * batchSize

// ReadAt implements [io.ReaderAt].
func (u *unpacked) ReadAt(p []byte, offset int64) (n int, err error) {
	if u.z == nil || offset < u.start {
		if _, err := u.Seek(0, io.SeekStart); err != nil {
			return 0, err
		}
		if u.z, err = gzip.NewReader(u.File); err != nil {
			return 0, fmt.Errorf("%s: %w", u.Name(), err)
		}
		u.window, u.start, u.end = nil, 0, false
	}
	for !u.end && u.start+int64(len(u.window)) < offset+int64(len(p)) {
		if err := u.fill(); err != nil {
			u.z = nil
			return 0, fmt.Errorf("%s: %w", u.Name(), err)
		}
	}
	if at := offset - u.start; at < int64(len(u.window)) {
		n = copy(p, u.window[at:])
	}
	if n < len(p) {
		err = io.EOF
	}
	return n, err
}

// fill reads more into the window, and drops old bytes from it.
func (u *unpacked) fill() error {
	if extra := len(u.window) - windowSize; extra > 0 {
		u.window = append(u.window[:0], u.window[extra:]...)
		u.start += int64(extra)
	}
	had := len(u.window)
	u.window = append(u.window, make([]byte, batchSize)...)
	n, err := io.ReadFull(u.z, u.window[had:])
	u.window = u.window[:had+n]
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		u.end = true
		if err == io.ErrUnexpectedEOF && !u.complete() {
			return io.ErrUnexpectedEOF
		}
		return nil
	}
	return err
}

// complete reports whether a short read was at the end of the stream, rather than in
// a file that is cut off.
func (u *unpacked) complete() bool {
	_, err := u.z.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}

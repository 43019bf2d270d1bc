package follow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
)

// A move is the new place in one file after lines are delivered.
type move struct {
	file   *source
	offset int64
	skip   bool
}

// drain delivers every complete line of files, in order.
func (r *following) drain(ctx context.Context) error {
	for i := 0; i < len(r.files) && ctx.Err() == nil; {
		if r.files[i].content == nil {
			i++
			continue
		}
		text, moves, err := r.next(i)
		if err != nil {
			return err
		}
		if moves == nil {
			if r.blocks(i) {
				return nil
			}
			i++
			continue
		}
		// The text counts if it is still there, and nothing was written to an
		// older file before it was read.
		changed, err := r.arrange()
		if err != nil {
			return err
		}
		if changed {
			i = 0
			continue
		}
		if j := r.grown(i); j < i {
			i = j
			continue
		}
		if err := r.commit(text, moves...); err != nil {
			return err
		}
	}
	return nil
}

// grown returns the index of the first file before i with unread text; i if there is
// none.
func (r *following) grown(i int) int {
	for j, s := range r.files[:i] {
		if s.unread() > 0 && !s.Copy {
			return j
		}
	}
	return i
}

// blocks reports whether the files behind i must wait because the last line of i is
// not complete.
func (r *following) blocks(i int) bool {
	s := r.files[i]
	return i < len(r.files)-1 && (s.unread() > 0 || s.Copy && s.Skip)
}

// next returns the next text in a file, and the moves past it; nil if there is no
// complete line.
func (r *following) next(i int) (text []byte, moves []move, err error) {
	s := r.files[i]
	n, err := s.content.ReadAt(r.buffer, s.Offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	chunk := r.buffer[:n]
	end := bytes.LastIndexByte(chunk, '\n') + 1
	switch {
	case end > 0:
		text = chunk[:end]
		if s.Skip {
			text = text[bytes.IndexByte(text, '\n')+1:]
		}
		return text, []move{{s, s.Offset + int64(end), false}}, nil
	case n > 0 && chunk[0] == 0: // a hole
		hole := n - len(bytes.TrimLeft(chunk, "\x00"))
		return nil, []move{{s, s.Offset + int64(hole), s.Skip}}, nil
	case n > 0 && (n == len(r.buffer) || s.Skip):
		if !s.Skip {
			text = chunk
		}
		return text, []move{{s, s.Offset + int64(n), true}}, nil
	case i == len(r.files)-1:
		return nil, nil, nil
	case s.Copy && (n > 0 || s.Skip):
		return r.join(i, bytes.Clone(chunk))
	case n > 0 && s.quiet(r.patience(i)):
		return chunk, []move{{s, s.Offset + int64(n), false}}, nil
	}
	return nil, nil, nil
}

// patience returns how long a renamed file must have been quiet until half a line at
// its end is complete.
func (r *following) patience(i int) time.Duration {
	d := r.settle
	if d == 0 {
		d = settle
	}
	for _, s := range r.files[i+1:] {
		if s.packed || s.unread() > 0 || s.Offset > 0 {
			return d
		}
	}
	return d * (abandoned / settle)
}

// join reads the line that begins at the end of a copy and continues in the next
// file: the log was truncated within it.
func (r *following) join(i int, line []byte) (text []byte, moves []move, err error) {
	s := r.files[i]
	moves = []move{{s, s.Offset + int64(len(line)), false}}
	for _, next := range r.files[i+1:] {
		n, err := next.content.ReadAt(r.buffer, next.Offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, nil, err
		}
		chunk := r.buffer[:n]
		if hole := n - len(bytes.TrimLeft(chunk, "\x00")); hole > 0 {
			return nil, []move{{next, next.Offset + int64(hole), next.Skip}}, nil
		}
		end := bytes.IndexByte(chunk, '\n') + 1
		if s.Skip || len(line)+n >= len(r.buffer) && end == 0 { // too long
			return line, append(moves, move{next, next.Offset, true}), nil
		}
		if end > 0 {
			return append(line, chunk[:end]...), append(moves, move{next, next.Offset + int64(end), false}), nil
		}
		if !next.Copy {
			break
		}
		line = append(line, chunk...)
		moves = append(moves, move{next, next.Offset + int64(n), false})
	}
	return nil, nil, nil
}

// commit delivers text with the cursor after moves. On an error it undoes them.
func (r *following) commit(text []byte, moves ...move) error {
	old := make([]place, len(moves))
	for i, m := range moves {
		old[i] = m.file.place
	}
	err := r.advance(text, moves)
	if err != nil {
		for i, m := range moves {
			m.file.place = old[i]
		}
	}
	return err
}

func (r *following) advance(text []byte, moves []move) error {
	for _, m := range moves {
		if err := m.file.moveTo(m.offset); err != nil {
			return err
		}
		m.file.Skip = m.skip
	}
	// Between the newest file of which something was read and the log, the cursor has
	// none: those are found again even if they are compressed by then.
	read := len(r.files) - 1
	for read > 0 && r.files[read].Offset == 0 {
		read--
	}
	c := cursor{Files: []place{}}
	for i, s := range r.files {
		old := i < len(r.files)-1
		if !old || s.Offset > 0 && i <= read { // an empty file could not be identified
			c.Files = append(c.Files, s.place)
		}
	}
	position, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := r.deliver(r.lines(text), position); err != nil {
		return err
	}
	r.moved = false
	return nil
}

func (f *Follower) lines(text []byte) []hsm.LogLine {
	if len(text) == 0 {
		return nil
	}
	lines := make([]hsm.LogLine, 0, bytes.Count(text, []byte{'\n'})+1)
	for line := range bytes.Lines(text) {
		switch s := lineText(line); {
		case s == "":
		case f.Read != nil:
			lines = append(lines, f.Read(s))
		default:
			lines = append(lines, syslog.ParseLine(s))
		}
	}
	return lines
}

// prune drops old files that were read to their end and are quiet for linger. It
// closes but does not drop the newest of them that is not empty: by that, later
// rotated files are known to be newer.
func (r *following) prune() {
	mark := len(r.files) - 2
	for mark > 0 && r.files[mark].Offset == 0 {
		mark--
	}
	var list []*source
	for i, s := range r.files {
		switch done := i < len(r.files)-1 && s.unread() <= 0 && !s.Skip; {
		case done && i < mark && (s.quiet(linger) || len(r.files)-i > maxFinished):
			s.close()
			r.moved = true
			continue
		case done && i == mark && s.quiet(linger):
			s.close() // so that its space is free once it is deleted
		}
		list = append(list, s)
	}
	r.files = list
}

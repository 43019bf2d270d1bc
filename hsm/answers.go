package hsm

import (
	"bytes"
	"compress/flate"
	"container/list"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// The bounds of [Answers], in bytes.
const (
	maxKept   = 16 << 20  // of all answers, deflated: those of some 500 HSMs
	maxAnswer = 256 << 10 // of one answer; what is behind is cut off
)

// An Answer is what a source said.
type Answer struct {
	Source string    `json:"source"`
	At     time.Time `json:"at"`
	Text   string    `json:"text"`
	Cut    bool      `json:"cut,omitempty"` // there was more
}

// Answers has the newest answer of each source of each device as it came, for people who
// doubt a value; of those above 16 MB, deflated, the oldest go. The zero value is empty. It is safe for concurrent use.
type Answers struct {
	mu       sync.Mutex
	kept     map[origin]*list.Element // of keptAnswer
	byAge    list.List                // oldest first
	size     int                      // of all deflated texts
	deflater *flate.Writer
}

type origin struct{ device, source string }

type keptAnswer struct {
	origin
	at       time.Time
	deflated []byte
	cut      bool
}

// Keep replaces the answer of a source. One without text is not kept, nor does it replace.
func (s *Answers) Keep(device, source string, at time.Time, text string) {
	if text == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = make(map[origin]*list.Element)
		s.deflater, _ = flate.NewWriter(nil, flate.BestSpeed)
	}
	k := keptAnswer{origin: origin{device, source}, at: at, cut: len(text) > maxAnswer}
	var deflated bytes.Buffer
	s.deflater.Reset(&deflated)
	io.WriteString(s.deflater, text[:min(len(text), maxAnswer)])
	s.deflater.Close()
	k.deflated = bytes.Clone(deflated.Bytes())
	if old := s.kept[k.origin]; old != nil {
		s.drop(old)
	}
	s.kept[k.origin] = s.byAge.PushBack(k)
	for s.size += len(k.deflated); s.size > maxKept; {
		s.drop(s.byAge.Front())
	}
}

// drop forgets an answer. s.mu is held.
func (s *Answers) drop(e *list.Element) {
	k := s.byAge.Remove(e).(keptAnswer)
	s.size -= len(k.deflated)
	delete(s.kept, k.origin)
}

// Of returns the answers of a device, sorted by source; of one source, if it is named.
func (s *Answers) Of(device, source string) (list []Answer) {
	s.mu.Lock()
	var all []keptAnswer
	for n, e := range s.kept {
		if n.device == device && (source == "" || n.source == source) {
			all = append(all, e.Value.(keptAnswer))
		}
	}
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b keptAnswer) int { return strings.Compare(a.source, b.source) })
	for _, k := range all {
		text, _ := io.ReadAll(flate.NewReader(bytes.NewReader(k.deflated)))
		list = append(list, Answer{k.source, k.at, string(text), k.cut})
	}
	return list
}

// Forget drops the answers of devices that are not watched any more.
func (s *Answers) Forget(devices ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, e := range s.kept {
		if slices.Contains(devices, n.device) {
			s.drop(e)
		}
	}
}

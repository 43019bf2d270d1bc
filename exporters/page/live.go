package page

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Bounds of what is live.
const (
	MostClients = 50               // pages that are open at once
	liveEvery   = time.Second      // between two renderings, at least
	liveAtLeast = 5 * time.Second  // between two renderings, at most: data grow stale
	beatEvery   = 5 * time.Second  // a page that hears nothing for two of them says so
	writeWithin = 10 * time.Second // a client that takes nothing for so long is dropped
	longestURI  = 1000             // of a page, in bytes
)

// A hub sends each open page what changes on it. It renders a page once, however many
// have it open, and nothing while nobody has one open.
type hub struct {
	mu     sync.Mutex
	topics map[string]*topic // by topicKey
	count  int
	joined chan struct{} // holds one while somebody is new; made by init
	ended  chan struct{} // closed when Run ends
	once   sync.Once
}

func (h *hub) init() {
	h.once.Do(func() {
		h.topics, h.joined, h.ended = make(map[string]*topic), make(chan struct{}, 1), make(chan struct{})
	})
}

// A topic is a page that somebody has open: who may act has others than who may not.
type topic struct {
	key     string
	acting  bool
	url     *url.URL
	clients map[*client]bool
	sent    map[string]block // by ID; nil: not rendered yet
}

// A client is one open page.
type client struct {
	events chan []byte // closed when it is dropped
	synced bool
}

func topicKey(u *url.URL, acting bool) string {
	if acting {
		return "acting " + u.RequestURI()
	}
	return u.RequestURI()
}

// join adds a client; false: there are too many.
func (h *hub) join(u *url.URL, acting bool) (*client, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.count >= MostClients {
		return nil, false
	}
	key := topicKey(u, acting)
	t := h.topics[key]
	if t == nil {
		t = &topic{key: key, acting: acting, url: u, clients: make(map[*client]bool)}
		h.topics[key] = t
	}
	c := &client{events: make(chan []byte, 8)}
	t.clients[c] = true
	h.count++
	select {
	case h.joined <- struct{}{}:
	default:
	}
	return c, true
}

// leave removes c, if it is still there.
func (h *hub) leave(u *url.URL, acting bool, c *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := h.topics[topicKey(u, acting)]; t != nil {
		h.drop(t, c)
	}
}

// drop removes c from t. h.mu is held.
func (h *hub) drop(t *topic, c *client) {
	if !t.clients[c] {
		return
	}
	delete(t.clients, c)
	close(c.events)
	h.count--
	if len(t.clients) == 0 {
		delete(h.topics, t.key)
	}
}

// Run keeps open pages up to date until ctx is done.
func (s *Site) Run(ctx context.Context) error {
	h := &s.hub
	h.init()
	defer close(h.ended)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.joined:
		}
		if err := s.watched(ctx); err != nil {
			return nil
		}
	}
}

// watched renders what is open until nothing is.
func (s *Site) watched(ctx context.Context) error {
	var state AlarmState
	var changed <-chan struct{}
	for {
		if changed == nil || isClosed(changed) {
			changed = s.Changed()
			state = s.Alarms()
		}
		m := s.moment(state)
		if !s.hub.render(s, m) {
			return nil
		}
		if err := pause(ctx, liveEvery); err != nil {
			return err
		}
		s.await(ctx, m, changed)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// await blocks until something differs from m, somebody has joined, or it is time to
// look at what grows stale.
func (s *Site) await(ctx context.Context, m *moment, changed <-chan struct{}) {
	ctx, stop := context.WithTimeout(ctx, liveAtLeast)
	defer stop()
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = s.Store.Wait(ctx, m.snapshot)
	}()
	select {
	case <-read:
	case <-changed:
	case <-s.hub.joined:
	}
	stop()
	<-read
}

// A patch is what a page is sent.
type patch struct {
	At    int64    `json:"at"` // Unix time, in milliseconds
	Parts []block  `json:"parts,omitempty"`
	Gone  []string `json:"gone,omitempty"`
}

// render sends every open page what has changed on it; false: none is open. Pages are made
// without the lock, so that nobody waits for them.
func (h *hub) render(s *Site, m *moment) bool {
	h.mu.Lock()
	open := make([]*topic, 0, len(h.topics))
	for _, t := range h.topics {
		open = append(open, t)
	}
	h.mu.Unlock()
	for _, t := range open {
		seen := *m
		seen.alarms.acting = t.acting
		v, found := s.view(t.url, &seen)
		if !found {
			v = view{}
		}
		now := blocks(v, &seen)
		h.mu.Lock()
		h.publish(t, now, m.now)
		h.mu.Unlock()
	}
	return len(open) > 0
}

// publish sends the clients of t what differs from what they have. h.mu is held.
func (h *hub) publish(t *topic, now []block, at time.Time) {
	p := patch{At: at.UnixMilli()}
	hashes, next := make(map[string]string, len(now)), make(map[string]block, len(now))
	for _, b := range now {
		if old, known := t.sent[b.ID]; !known || old.Hash != b.Hash {
			p.Parts = append(p.Parts, b)
		}
		hashes[b.ID], next[b.ID] = b.Hash, b
	}
	for id := range t.sent {
		if _, still := next[id]; !still {
			p.Gone = append(p.Gone, id)
		}
	}
	t.sent = next
	var changes, all []byte
	for c := range t.clients {
		var event []byte
		switch {
		case !c.synced:
			if all == nil {
				all = encoded("sync", map[string]any{"at": p.At, "parts": hashes})
			}
			event, c.synced = all, true
		case len(p.Parts)+len(p.Gone) > 0:
			if changes == nil {
				changes = encoded("patch", p)
			}
			event = changes
		default:
			continue
		}
		select {
		case c.events <- event:
		default:
			h.drop(t, c) // it connects again, and gets everything
		}
	}
}

// encoded returns an event as the stream has it.
func encoded(event string, data any) []byte {
	text, err := json.Marshal(data)
	if err != nil {
		return nil
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", event, bytes.ReplaceAll(text, []byte("\n"), nil))
}

// live streams what changes on the page that the query names, as at=/hsms/luna-a.
func (s *Site) live(w http.ResponseWriter, r *http.Request) {
	u, err := url.ParseRequestURI(r.URL.Query().Get("at"))
	if err != nil || u.Host != "" || len(u.RequestURI()) > longestURI {
		http.Error(w, "at must be the path of a page.", http.StatusBadRequest)
		return
	}
	s.hub.init()
	_, why := s.who(r)
	c, ok := s.hub.join(u, why == nil)
	if !ok {
		w.Header().Set("Retry-After", "30")
		http.Error(w, "Too many pages are open.", http.StatusServiceUnavailable)
		return
	}
	defer s.hub.leave(u, why == nil, c)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	s.stream(w, r, c)
}

// stream writes the events of c, and signs of life, until either side ends.
func (s *Site) stream(w http.ResponseWriter, r *http.Request, c *client) {
	control := http.NewResponseController(w)
	write := func(event []byte) bool {
		_ = control.SetWriteDeadline(time.Now().Add(writeWithin)) // a test's writer has none
		_, err := w.Write(event)
		return err == nil && control.Flush() == nil
	}
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	if !write([]byte("retry: 2000\n\n")) {
		return
	}
	for {
		var event []byte
		select {
		case <-r.Context().Done():
			return
		case <-s.hub.ended:
			return
		case <-beat.C:
			event = encoded("beat", s.Now().UnixMilli())
		case e, open := <-c.events:
			if !open {
				return
			}
			event = e
		}
		if !write(event) {
			return
		}
	}
}

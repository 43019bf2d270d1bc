package page

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// opened has somebody open a page.
func (e *pretence) opened(t *testing.T, path string) *client {
	t.Helper()
	u, err := url.ParseRequestURI(path)
	if err != nil {
		t.Fatal(err)
	}
	e.site.hub.init()
	c, ok := e.site.hub.join(u, false)
	if !ok {
		t.Fatalf("%s: too many", path)
	}
	return c
}

// running has the site run in a bubble until the test ends.
func (e *pretence) running(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- e.site.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// got returns the events that have come, as their names and the parts in them.
func got(t *testing.T, c *client) (list []string) {
	t.Helper()
	synctest.Wait()
	for {
		select {
		case event, open := <-c.events:
			if !open {
				return append(list, "dropped")
			}
			head, data, _ := strings.Cut(string(event), "\ndata: ")
			var p patch
			if strings.HasSuffix(head, "patch") {
				if err := json.Unmarshal([]byte(data), &p); err != nil {
					t.Fatal(err)
				}
			}
			var ids []string
			for _, part := range p.Parts {
				ids = append(ids, part.ID)
			}
			for _, id := range p.Gone {
				ids = append(ids, "-"+id)
			}
			slices.Sort(ids)
			list = append(list, strings.TrimSpace(strings.TrimPrefix(head, "event: ")+" "+strings.Join(ids, " ")))
		default:
			return list
		}
	}
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// TestLive: an open page is sent what changes on it, once, at most once a second, and
// nothing else.
func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := small(noon)
		estate, one, alarm := e.opened(t, "/"), e.opened(t, "/hsms/luna-a"), e.opened(t, "/alarms/2")
		e.running(t)
		same(t, "at first", got(t, estate), "sync")
		same(t, "of one HSM at first", got(t, one), "sync")
		same(t, "of one alarm at first", got(t, alarm), "sync")
		hot := func(celsius float64) {
			show := e.store.Latest().Device("luna-a").Show.Value
			environment := *show.Environment
			environment.TemperatureCelsius = hsm.Some(celsius)
			show.Environment = &environment
			e.read("luna-a", "hsm show", show)
		}
		time.Sleep(time.Minute + 3*time.Second)
		same(t, "while nothing changes", got(t, estate))
		hot(60)
		same(t, "a value", got(t, estate), "patch hsm-luna-a")
		hot(61)
		hot(62)
		same(t, "within the second", got(t, estate))
		time.Sleep(liveEvery)
		same(t, "after the second", got(t, estate), "patch hsm-luna-a")
		same(t, "of one HSM", got(t, one), "patch section-environment state", "patch section-environment state")
		time.Sleep(liveEvery)
		e.change(func(s *AlarmState) { s.Active = s.Active[1:] })
		same(t, "an alarm clears", got(t, estate), "patch active counts hsm-luna-b")
		same(t, "its page", got(t, alarm), "patch -alarm counts")
		e.store.Forget("luna-c")
		time.Sleep(liveEvery)
		if list := got(t, estate); !slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, "ha") }) {
			t.Errorf("an HSM is not watched any more: %q", list)
		}
	})
}

// TestStaleIsLive: what grows stale changes on open pages though nothing is read.
func TestStaleIsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := small(noon)
		e.alarms.Active = nil
		e.running(t)
		c := e.opened(t, "/")
		same(t, "at first", got(t, c), "sync")
		e.mu.Lock()
		e.at = noon.Add(time.Hour - time.Minute)
		e.mu.Unlock()
		time.Sleep(liveAtLeast + liveEvery)
		if list := got(t, c); len(list) == 0 || !strings.Contains(list[0], "counts") || !strings.Contains(list[0], "hsm-luna-a hsm-luna-b hsm-luna-c") {
			t.Errorf("%q", list)
		}
	})
}

// TestNobodyWatches: nothing is rendered while no page is open.
func TestNobodyWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := small(noon)
		e.running(t)
		time.Sleep(time.Hour)
		e.change(func(*AlarmState) {})
		synctest.Wait()
		if e.made != 0 {
			t.Errorf("asked for alarms %d times before a page is open", e.made)
		}
		u, _ := url.ParseRequestURI("/")
		c := e.opened(t, "/")
		same(t, "at first", got(t, c), "sync")
		e.site.hub.leave(u, false, c)
		time.Sleep(2 * liveAtLeast)
		synctest.Wait()
		before := e.made
		for range 10 {
			e.change(func(*AlarmState) {})
			time.Sleep(time.Minute)
		}
		synctest.Wait()
		if e.made != before || len(e.site.hub.topics) != 0 || e.site.hub.count != 0 {
			t.Errorf("asked for alarms %d times after the last page is closed; %d topics, %d clients", e.made-before, len(e.site.hub.topics), e.site.hub.count)
		}
	})
}

// TestRenderedOnce: all who have the same page open get the same bytes, and one that takes
// nothing is dropped without delay to the others.
func TestRenderedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := small(noon)
		a, b, deaf := e.opened(t, "/"), e.opened(t, "/"), e.opened(t, "/")
		e.running(t)
		same(t, "a", got(t, a), "sync")
		same(t, "b", got(t, b), "sync")
		for i := range 2 * cap(deaf.events) {
			time.Sleep(liveEvery)
			e.add(i+1, "luna-a")
			synctest.Wait()
			x, y := <-a.events, <-b.events
			if &x[0] != &y[0] {
				t.Fatal("made twice")
			}
		}
		for range cap(deaf.events) {
			<-deaf.events // what was kept for it
		}
		select {
		case _, open := <-deaf.events:
			if open || e.site.hub.count != 2 {
				t.Errorf("more is kept: %v; %d clients", open, e.site.hub.count)
			}
		default:
			t.Error("who takes nothing is not dropped")
		}
	})
}

// TestMostClients: the number of open pages is bounded, and one that is closed makes room.
func TestMostClients(t *testing.T) {
	e := small(noon)
	u, _ := url.ParseRequestURI("/")
	var last *client
	for range MostClients {
		last = e.opened(t, "/")
	}
	w := httptest.NewRecorder()
	gone, leave := context.WithCancel(t.Context())
	leave()
	e.site.Handler().ServeHTTP(w, httptest.NewRequestWithContext(gone, http.MethodGet, "/live?at=/", nil))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one too many: %d", w.Code)
	}
	e.site.hub.leave(u, false, last)
	e.site.hub.leave(u, false, last)
	if e.opened(t, "/"); e.site.hub.count != MostClients {
		t.Errorf("%d clients", e.site.hub.count)
	}
	for _, at := range []string{"", "x", "http://example.org/", "/" + strings.Repeat("x", longestURI)} {
		w := httptest.NewRecorder()
		e.site.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/live?at="+url.QueryEscape(at), nil))
		if w.Code != http.StatusBadRequest {
			t.Errorf("%.20q: %d", at, w.Code)
		}
	}
}

// TestSignsOfLife: a page hears something each five seconds, and streams end with the
// site.
func TestSignsOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := small(noon)
		ctx, stop := context.WithCancel(t.Context())
		go func() { _ = e.site.Run(ctx) }()
		w := httptest.NewRecorder()
		done := make(chan struct{})
		go func() {
			defer close(done)
			e.site.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/live?at=/alarms", nil))
		}()
		time.Sleep(3*beatEvery + time.Second)
		stop()
		<-done
		if n := strings.Count(w.Body.String(), "event: beat\ndata: "+fmt.Sprint(noon.UnixMilli())+"\n\n"); n != 3 || !strings.Contains(w.Body.String(), "event: sync\n") || w.Header().Get("Content-Type") != "text/event-stream" {
			t.Errorf("%d signs of life in\n%s", n, w.Body)
		}
	})
}

// BenchmarkRender is one rendering of an open estate: of which nothing has changed, one
// HSM, or a tenth.
//
//	go test ./exporters/page -run '^$' -bench Render
func BenchmarkRender(b *testing.B) {
	for _, n := range []int{3, 300, 1000} {
		for name, every := range map[string]int{"none": 0, "one": n, "tenth": 10} {
			b.Run(fmt.Sprintf("hsms=%d/changed=%s", n, name), func(b *testing.B) {
				e := large(noon, n)
				u, _ := url.ParseRequestURI("/")
				e.site.hub.init()
				c, _ := e.site.hub.join(u, false)
				m := e.site.moment(e.alarms)
				e.site.hub.render(e.site, m)
				for b.Loop() {
					for i := 0; every > 0 && i < n; i += every {
						e.read(fmt.Sprintf("luna-%03d", i), "ntls show", hsm.NTLS{Status: hsm.NTLSUp})
					}
					for len(c.events) > 0 {
						<-c.events
					}
					e.site.hub.render(e.site, e.site.moment(e.alarms))
				}
			})
		}
	}
}

// BenchmarkPage is a whole page for somebody who opens it.
func BenchmarkPage(b *testing.B) {
	for _, n := range []int{3, 300, 1000} {
		b.Run(fmt.Sprintf("hsms=%d", n), func(b *testing.B) {
			e := large(noon, n)
			h := e.site.Handler()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Accept-Encoding", "gzip")
			for b.Loop() {
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}

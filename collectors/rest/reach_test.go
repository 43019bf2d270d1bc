package rest

import (
	"context"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// never is a poll that nobody waits for.
var never = poll.Intervals{time.Hour, time.Hour, time.Hour}

// A watched is a poller that runs, and what it has reported.
type watched struct {
	t    *testing.T
	api  *API
	mu   sync.Mutex // guards seen
	seen []hsm.Observation
}

func watch(t *testing.T, api *API) *watched {
	w := &watched{t: t, api: api}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	p := &Poller{Device: "a", API: api, Intervals: never}
	go func() {
		defer close(ended)
		_ = p.Run(ctx, func(o hsm.Observation) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.seen = append(w.seen, o)
		})
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return w
}

func (w *watched) observed() []hsm.Observation {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]hsm.Observation(nil), w.seen...)
}

// until waits for an observation after the first n that is as wanted, and returns how
// many there are then.
func (w *watched) until(what string, n int, is func(hsm.Observation) bool) int {
	w.t.Helper()
	until(w.t, what, func() bool {
		seen := w.observed()
		i := slices.IndexFunc(seen[n:], is)
		n += i + 1
		return i >= 0
	})
	return n
}

// until waits for a condition.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not seen: %s", what)
		}
	}
}

// ended reports whether a source was read, or not, in one way.
func ended(source string, f hsm.Failure) func(hsm.Observation) bool {
	return func(o hsm.Observation) bool { return o.Source == source && o.Failure == f }
}

// TestGoneBetweenPolls has the web server of an appliance go and come back that is
// polled once an hour.
func TestGoneBetweenPolls(t *testing.T) {
	e := collectortest.StartEstate(t, "")
	w := watch(t, apiOf(t, e, "luna72"))
	n := w.until("it is read to the end", 0, ended("rest certificate", hsm.None))
	e.Fault(t, "luna72", "gone", "rest")
	n = w.until("it is gone", n, ended("rest hsm", hsm.Unreachable))
	n = w.until("it is gone for a second poll", n, ended("rest hsm", hsm.Unreachable))
	e.Fault(t, "luna72", "heal")
	w.until("it is back", n, ended("rest hsm", hsm.None))
}

// TestIdleConnectionClosed has a web server end the idle connection, as it may at any
// time: a new one is opened, over which nothing is asked, and nobody logs in.
func TestIdleConnectionClosed(t *testing.T) {
	f := newFake(t, nil)
	w := watch(t, f.client())
	until(t, "it is read", func() bool {
		asked, _ := f.asked()
		return slices.Contains(asked, "GET /api/lunasa/ntls/certificate") && f.idle.Load()
	})
	asked, logins := f.asked()
	seen := len(w.observed())
	opened := f.opened.Load()
	f.CloseClientConnections()
	until(t, "a new connection is open", func() bool { return f.opened.Load() > opened })
	if now, n := f.asked(); len(now) != len(asked) || n != logins || len(w.observed()) != seen {
		t.Errorf("%d requests, %d logins, %d polls after it ended the idle connection", len(now)-len(asked), n-logins, len(w.observed())-seen)
	}
	if _, err := w.api.Get(t.Context(), ntlsPath); err != nil {
		t.Error(err)
	}
	if _, n := f.asked(); n != logins {
		t.Error("the session was not kept")
	}
}

// TestSilenceIsNoticedByTheKernel reads the options of the socket: they bound for how
// long a silent appliance looks alive.
func TestSilenceIsNoticedByTheKernel(t *testing.T) {
	f := newFake(t, nil)
	r := f.client()
	r.Reach = poll.Timing{Every: 5 * time.Second, Timeout: 3 * time.Second, Connect: time.Second}
	conn, err := r.dialer()(t.Context(), "tcp", r.Address)
	check.Must(t, err)
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	check.Must(t, err)
	for option, want := range map[int]int{unix.TCP_KEEPIDLE: 5, unix.TCP_KEEPINTVL: 1, unix.TCP_KEEPCNT: 3, unix.TCP_USER_TIMEOUT: 7500} {
		var got int
		check.Must(t, raw.Control(func(fd uintptr) { got, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, option) }))
		if err != nil || got != want {
			t.Errorf("option %d is %d, %v, want %d", option, got, err, want)
		}
	}
}

// TestRESTLayers asks servers of which one layer after the other is dead.
func TestRESTLayers(t *testing.T) {
	hangs := func(path string) func(http.ResponseWriter, *http.Request) bool {
		return func(out http.ResponseWriter, q *http.Request) bool {
			if q.URL.Path != path {
				return false
			}
			<-q.Context().Done()
			return true
		}
	}
	for _, test := range []struct {
		name   string
		handle func(http.ResponseWriter, *http.Request) bool
		change func(*testing.T, *API)
		want   hsm.Layer
	}{
		{"nobody listens", nil, func(t *testing.T, r *API) { r.Address = "127.0.0.1:1" }, hsm.LayerPortRefused},
		{"it says nothing", nil, func(t *testing.T, r *API) { r.Address, r.Reach.Connect = mute(t), 300*time.Millisecond }, hsm.LayerHandshake},
		{"another certificate", nil, func(t *testing.T, r *API) { r.Certificate = "SHA256:" + zeros }, hsm.LayerIdentity},
		{"the account", nil, func(t *testing.T, r *API) { writeFile(t, string(r.PasswordFile), "wide open\n") }, hsm.LayerAccount},
		{"the login is silent", hangs(loginPath), nil, hsm.LayerShell},
		{"the web service is silent", hangs("/api/lunasa"), nil, hsm.LayerShell},
		{"the HSM is silent", hangs("/api/lunasa/hsms/123"), nil, hsm.LayerCard},
		{"it ends in its midst", func(out http.ResponseWriter, q *http.Request) bool {
			if q.URL.Path != "/api/lunasa/hsms/123" {
				return false
			}
			panic(http.ErrAbortHandler)
		}, nil, hsm.LayerSessionLost},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newFake(t, test.handle).client()
			r.Timeout, r.Reach = time.Second, poll.Timing{Every: time.Hour, Timeout: time.Second, Connect: 10 * time.Second}
			if test.change != nil {
				test.change(t, r)
			}
			err := r.Confirm(t.Context())
			if err == nil {
				_, _, err = (&Poller{API: r}).askHSM(t.Context())
			}
			if got := collectors.LayerOf(err); got != test.want {
				t.Errorf("%v: layer %q, want %q", err, got, test.want)
			}
		})
	}
}

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"

// mute returns the address of a server that accepts connections and says nothing.
func mute(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	t.Cleanup(func() { ln.Close() })
	return ln.Addr().String()
}

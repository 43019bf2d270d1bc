package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/lunawatch/lunawatch/internal/wait"
)

// ErrAway means that etcd did not answer in time, or that it takes nothing: whether
// what was sent to it is written is unknown.
var ErrAway = errors.New("etcd is away")

// attempt is how long one server may take before the next is asked. A server that is
// stopped keeps its connections, so that the client's own balancer stays with it.
const attempt = 400 * time.Millisecond

// A link has a connection to each server of etcd.
type link struct {
	ends    []*end
	current atomic.Int32
}

type end struct {
	url    string
	client *clientv3.Client

	mu      sync.Mutex
	err     error         // of the last request; nil: it answered
	latency time.Duration // of the last that answered
	asked   bool
}

func dial(s Settings) (*link, error) {
	config, err := s.tls()
	if err != nil {
		return nil, err
	}
	l := new(link)
	for _, url := range s.Endpoints {
		client, err := clientv3.New(clientv3.Config{
			Endpoints:            []string{url},
			TLS:                  config,
			DialKeepAliveTime:    10 * time.Second, // servers refuse less than 5 s
			DialKeepAliveTimeout: 3 * time.Second,
			BackoffWaitBetween:   50 * time.Millisecond,
			// By default a server that was away for an hour is tried again after two minutes.
			DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
				MinConnectTimeout: 2 * time.Second,
			})},
			Logger: zap.NewNop(), // what fails is an error here
		})
		if err != nil {
			l.close()
			return nil, fmt.Errorf("cluster.endpoints: %s: %w", url, err)
		}
		l.ends = append(l.ends, &end{url: url, client: client})
	}
	return l, nil
}

func (l *link) close() {
	for _, e := range l.ends {
		_ = e.client.Close() // only what its context ended with
	}
}

// at returns the server that answered last, or is to be asked next.
func (l *link) at() (*end, int32) {
	i := l.current.Load()
	return l.ends[i], i
}

// skip has another server asked than the i-th, which did not answer.
func (l *link) skip(i int32) { l.current.CompareAndSwap(i, (i+1)%int32(len(l.ends))) }

// do asks one server after the other, until one answers or within has passed. ask may
// be called several times, and must mean the same each time.
func (l *link) do(ctx context.Context, within time.Duration, ask func(context.Context, *clientv3.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var err error
	for n := 0; ; n++ {
		e, i := l.at()
		if err = e.do(ctx, max(attempt, within/3), ask); err == nil || !unanswered(err) {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", ErrAway, err)
		}
		l.skip(i)
		if n%len(l.ends) == len(l.ends)-1 && !wait.Sleep(ctx, 50*time.Millisecond) {
			return fmt.Errorf("%w: %w", ErrAway, err)
		}
	}
}

// probeEvery is how old what is said of a server may be.
const probeEvery = 5 * time.Second

// probe asks every server now and then until ctx is done: of those that are not used, too,
// it is to be known whether they answer.
func (l *link) probe(ctx context.Context, key string) {
	for wait.Sleep(ctx, probeEvery) {
		for _, e := range l.ends {
			_ = e.do(ctx, attempt, func(ctx context.Context, client *clientv3.Client) error {
				_, err := client.Get(ctx, key, clientv3.WithCountOnly(), clientv3.WithSerializable())
				return err
			})
		}
	}
}

func (e *end) do(ctx context.Context, within time.Duration, ask func(context.Context, *clientv3.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	begun := time.Now()
	err := ask(ctx, e.client)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = true
	if e.err = nil; unanswered(err) {
		e.err = err
	} else {
		e.latency = time.Since(begun)
	}
	return err
}

// unanswered reports whether err says that a server, or the whole cluster, did not do
// what it was asked, and may do so later.
func unanswered(err error) bool {
	if err == nil {
		return false
	}
	if errors.Is(err, rpctypes.ErrNoSpace) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return true
	}
	code := status.Code(err)
	if etcd, ok := errors.AsType[rpctypes.EtcdError](err); ok {
		code = etcd.Code()
	}
	switch code {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Unknown, codes.ResourceExhausted, codes.Internal, codes.Aborted:
		return !errors.Is(err, rpctypes.ErrRequestTooLarge) && !errors.Is(err, rpctypes.ErrTooManyOps)
	default:
		return false
	}
}

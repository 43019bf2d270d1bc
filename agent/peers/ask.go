package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

const (
	quorumWithin  = 400 * time.Millisecond
	connectWithin = hsm.AnswersWithin - 250*time.Millisecond
	maxAnswer     = 64 << 10 // bytes
	maxError      = 200      // of the text why an agent gets no connection
)

// Elsewhere asks all other members at once whether they reach etcd. quorum: one of them
// does. known: there are others, and every one answered within 400 ms.
func (p *Peers) Elsewhere(ctx context.Context) (quorumThere, known bool) {
	ctx, cancel := context.WithTimeout(ctx, quorumWithin)
	defer cancel()
	others := p.others()
	known = len(others) > 0
	for _, a := range askAll[quorum](ctx, p, p.client, others, "/quorum") {
		quorumThere = quorumThere || a.got.Reaches
		known = known && a.err == nil
	}
	return quorumThere, known
}

// Connect has all other members try to connect to an HSM. It returns what those found that
// did try, sorted by name, in less than 3 s; none: that is not known.
func (p *Peers) Connect(ctx context.Context, device string) (found []hsm.Opinion) {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	for _, a := range askAll[connection](ctx, p, p.connects, p.others(), "/connect?device="+url.QueryEscape(device)) {
		if a.err == nil {
			why := a.got.Error[:min(len(a.got.Error), maxError)]
			found = append(found, hsm.Opinion{Agent: a.of, OK: a.got.OK, Err: strings.ToValidUTF8(why, "")})
		}
	}
	slices.SortFunc(found, func(a, b hsm.Opinion) int { return strings.Compare(a.Agent, b.Agent) })
	return found
}

// An answered is the answer of one member.
type answered[T any] struct {
	of  string
	got T
	err error // it did not answer
}

// askAll asks members at once, and returns as many answers.
func askAll[T any](ctx context.Context, p *Peers, client *http.Client, members []Member, path string) []answered[T] {
	answers := make(chan answered[T], len(members))
	for _, m := range members {
		go func() {
			a := answered[T]{of: m.Name}
			a.err = p.ask(ctx, client, m, path, &a.got)
			answers <- a
		}()
	}
	all := make([]answered[T], 0, len(members))
	for range members {
		all = append(all, <-answers)
	}
	return all
}

// ask reads the answer of a member into v.
func (p *Peers) ask(ctx context.Context, client *http.Client, m Member, path string, v any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url(m, path), nil)
	if err != nil {
		return err
	}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", m.Name, response.Status)
	}
	return json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(v)
}

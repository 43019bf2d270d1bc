package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/simulator"
)

// settle waits until every agent shows what the events left behind, or a minute has
// passed, ends the agents, and says what differs.
func (s *stage) settle(ctx context.Context, events []event) string {
	var b strings.Builder
	want := expected(events)
	begun := time.Now()
	err := until(ctx, time.Minute, "every agent shows the same", func() bool {
		for _, n := range s.agents {
			if got, err := s.shown(ctx, n); err != nil || !slices.Equal(got, want) {
				return false
			}
		}
		return true
	})
	fmt.Fprintf(&b, "\nEvery agent shows the %d alarms that are active after the last event: ", len(want))
	if err == nil {
		fmt.Fprintf(&b, "yes, after %.1f s\n", time.Since(begun).Seconds())
	} else {
		fmt.Fprintf(&b, "NO, %v\n", err)
		for _, n := range s.agents {
			got, err := s.shown(ctx, n)
			fmt.Fprintf(&b, "%s: %v; missing %q, too many %q\n", n.name, err, without(want, got), without(got, want))
		}
	}
	if err := s.quiet(ctx); err != nil {
		fmt.Fprintln(&b, err)
	}
	counts, err := simulator.CountsOf(ctx, filepath.Join(s.dir, "sim"))
	fmt.Fprintf(&b, "Simulated HSMs: %d; %d logins, %d of them beyond the first of each, for %d changes of an owner; %d commands (%v)\n", polled, counts.Logins, counts.Logins-polled, s.owners.moved(), counts.Commands, err)
	for _, n := range s.agents {
		r, err := n.client.Cluster(ctx)
		fmt.Fprintf(&b, "%s: trouble %q, degraded %t, waiting %d (%v)\n", n.name, r.Trouble, r.Degraded, r.Waiting, err)
	}
	for _, n := range s.agents {
		if err := n.stop(syscall.SIGTERM); err != nil {
			fmt.Fprintln(&b, err)
		}
	}
	b.WriteString(s.replicas())
	return b.String()
}

// quiet waits until the receivers have been sent nothing for a while: the queues are empty.
// A retry comes after a minute at most.
func (s *stage) quiet(ctx context.Context) error {
	n, since := 0, time.Now()
	return until(ctx, 2*time.Minute, "the receivers are sent nothing", func() bool {
		if now := len(s.book.all()); now != n {
			n, since = now, time.Now()
		}
		return time.Since(since) > 15*time.Second
	})
}

// expected returns the alarms that are active after all events.
func expected(events []event) []string {
	active := make(map[string]bool)
	for _, e := range events {
		if name := e.Device + "/" + e.Group; e.Raises {
			active[name] = true
		} else {
			delete(active, name)
		}
	}
	return slices.Sorted(maps.Keys(active))
}

// shown returns the alarms of pretended HSMs that an agent shows.
func (s *stage) shown(ctx context.Context, n *node) (names []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	list, err := n.client.Alarms(ctx)
	for _, a := range list {
		if slices.Contains(pretended(), a.Device) {
			names = append(names, a.Key.String())
		}
	}
	slices.Sort(names)
	return names, err
}

func without(all, these []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(these, name) })
}

// replicas compares what the journals of all agents hold of pretended HSMs.
func (s *stage) replicas() string {
	var b strings.Builder
	var first map[string]string
	for i, n := range s.agents {
		state, err := journal.Read(filepath.Join(s.dir, n.name+".state"))
		if err != nil {
			fmt.Fprintf(&b, "journal of %s: %v\n", n.name, err)
			continue
		}
		held := make(map[string]string)
		for key, a := range state.Active {
			if slices.Contains(pretended(), a.Device) {
				held[key.String()] = text(a)
			}
		}
		if i == 0 {
			first = held
		}
		differ := 0
		for key := range maps.Keys(held) {
			if first[key] != held[key] {
				differ++
			}
		}
		fmt.Fprintf(&b, "journal of %s: %d alarms, %d of them other than in the first\n", n.name, len(held), differ+max(0, len(first)-len(held)))
	}
	return b.String()
}

// text is what must be equal of an alarm in all journals.
func text(a alarms.Alarm) string {
	text, err := json.Marshal(a)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

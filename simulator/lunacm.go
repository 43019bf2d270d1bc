package simulator

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
)

// A LunaCM is the pretend LunaCM of a host that has the cards of a scenario in it and is
// a client of its appliances. Like the vendor's it reads commands on its standard input
// without echo, does not update its list of slots after it starts, and ends with status
// 0 whatever failed.
type LunaCM struct {
	ask func(context.Context, lunacmLine) (lunacmReply, error)
}

// A lunacmLine is one command line, and the state of its LunaCM.
type lunacmLine struct {
	Line     string
	Slots    []string `json:",omitempty"` // appliance, or appliance/partition, of each slot; nil: LunaCM starts
	Current  int      // slot
	Password string   `json:",omitempty"` // that was typed at the prompt of the line
}

// A lunacmReply is what LunaCM prints; between two parts it reads a password.
type lunacmReply struct {
	Parts []string
	Slots []string // when LunaCM starts
	Hang  bool     // it waits in the driver forever
}

// LunaCMOf returns a LunaCM of the simulation that runs in the state directory.
func LunaCMOf(stateDir string) *LunaCM {
	return &LunaCM{func(ctx context.Context, l lunacmLine) (lunacmReply, error) {
		r, err := send(ctx, stateDir, request{LunaCM: &l})
		if err == nil && r.LunaCM == nil {
			err = errors.New("the simulation has no LunaCM")
		}
		if err != nil {
			return lunacmReply{}, err
		}
		return *r.LunaCM, nil
	}}
}

// LunaCMAlone returns a LunaCM of a scenario without a running simulation; "": of the
// built-in scenario.
func LunaCMAlone(scenario string) (*LunaCM, error) {
	e, err := newEstate(Config{Scenario: scenario, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return &LunaCM{func(ctx context.Context, l lunacmLine) (lunacmReply, error) { return e.lunacm(ctx, l), nil }}, nil
}

// Run speaks the dialogue until exit or the end of the input.
func (l *LunaCM) Run(ctx context.Context, in io.Reader, out io.Writer) error {
	r, err := l.ask(ctx, lunacmLine{})
	if err != nil {
		return err
	}
	io.WriteString(out, r.Parts[0])
	q := lunacmLine{Slots: r.Slots}
	lines := bufio.NewScanner(in)
	for {
		io.WriteString(out, "lunacm:>")
		if !lines.Scan() {
			return lines.Err()
		}
		q.Line, q.Password = strings.TrimSpace(lines.Text()), ""
		if q.Line == "exit" {
			return nil
		}
		if q.Line == "" {
			continue
		}
		if text, ok := q.set(); ok {
			io.WriteString(out, text)
			continue
		}
		r, err := l.ask(ctx, q)
		if err != nil {
			return err
		}
		if r.Hang {
			<-ctx.Done()
			return nil
		}
		for i, part := range r.Parts {
			if i > 0 && lines.Scan() && lines.Text() != "" {
				q.Password = lines.Text()
				if _, err := l.ask(ctx, q); err != nil {
					return err
				}
			}
			io.WriteString(out, part)
		}
	}
}

const lunacmGood = "\nCommand Result : No Error\n\n"

func lunacmBad(text, code string) string {
	return "\n" + text + "\n\nCommand Result : " + code + "\n\n"
}

// set runs "slot set -slot N", which needs no simulation.
func (q *lunacmLine) set() (text string, ok bool) {
	number, ok := strings.CutPrefix(q.Line, "slot set -slot ")
	if !ok {
		return "", false
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n >= len(q.Slots) {
		return lunacmBad("Error: the slot does not exist.", "0x3 (CKR_SLOT_ID_INVALID)"), true
	}
	q.Current = n
	return fmt.Sprintf("\n        Current Slot Id:    %d     (%s)\n%s", n, q.Slots[n], lunacmGood), true
}

// A lunacmCommand is a command of the pretend LunaCM, in the slot of a card or of a
// partition.
type lunacmCommand struct {
	words  string
	admin  bool // only in the slot of a card
	modern bool // only with a K7 card
	render func(s *state, part *partition, slot int) string
}

var lunacmCommands = []lunacmCommand{
	{words: "hsm showinfo", admin: true, render: cardInfo},
	{words: "hsm envshow", admin: true, modern: true, render: func(s *state, _ *partition, _ int) string { return "\n" + cardEnvironment(s) }},
	{words: "hsm tampershow", admin: true, modern: true, render: func(s *state, _ *partition, _ int) string {
		text, _ := tamperShow(s, nil)
		return text
	}},
	{words: "hsm showpolicies", admin: true, render: cardPolicies},
	{words: "partition showinfo", render: partitionInfo},
	{words: "partition showpolicies", render: partitionPolicies},
	{words: "role show -name co", render: roleShow},
}

// lunacm answers one line.
func (e *Estate) lunacm(ctx context.Context, q lunacmLine) lunacmReply {
	if q.Slots == nil {
		slots, text := e.slots()
		if slots == nil {
			slots = []string{}
		}
		return lunacmReply{Slots: slots, Parts: []string{"LunaCM v7.2.0-220. Copyright (c) 2018 SafeNet. All rights reserved.\n\n\n        Available HSMs:\n\n" + text + currentSlot(lunacmLine{Slots: slots}) + "\n"}}
	}
	if q.Line == "slot list" {
		return lunacmReply{Parts: []string{"\n" + e.slotsText(q.Slots) + currentSlot(q) + "\n" + lunacmGood}}
	}
	if q.Line == "hagroup listgroups" {
		if q.Password != "" {
			e.ha.guess()
		}
		return lunacmReply{Parts: e.ha.list()}
	}
	if q.Current >= len(q.Slots) {
		return lunacmReply{Parts: []string{lunacmBad("Error: there is no slot.", "0x3 (CKR_SLOT_ID_INVALID)")}}
	}
	name, part, _ := strings.Cut(q.Slots[q.Current], "/")
	a := e.find(name)
	if a == nil {
		return lunacmReply{Parts: []string{lunacmBad("Error: not for this slot.", "0x54 (CKR_FUNCTION_NOT_SUPPORTED)")}}
	}
	if w, _ := a.wireNow(); w.hangs(true) {
		return lunacmReply{Hang: true}
	}
	if q.Line == "hsm monitor" && part == "" {
		var out strings.Builder
		if err := monitor(ctx, a, params{}, &out); err != nil {
			return lunacmReply{Parts: []string{lunacmBad("Error: the HSM does not answer.", "0x30 (CKR_DEVICE_ERROR)")}}
		}
		return lunacmReply{Parts: []string{out.String() + lunacmGood}}
	}
	var text string
	a.do(func(s *state) { text = s.lunacm(q, part) })
	return lunacmReply{Parts: []string{text}}
}

// lunacm renders one command in the slot of the card, or of a partition.
func (s *state) lunacm(q lunacmLine, part string) string {
	i := slices.IndexFunc(lunacmCommands, func(c lunacmCommand) bool {
		return c.words == q.Line && (!c.admin || part == "") && (!c.modern || s.modern())
	})
	at := slices.IndexFunc(s.partitions, func(p partition) bool { return p.name == part })
	var p *partition
	if at >= 0 {
		p = &s.partitions[at]
	}
	switch {
	case i < 0:
		return lunacmBad("Error: '"+q.Line+"' is an unknown command here.", "0x54 (CKR_FUNCTION_NOT_SUPPORTED)")
	case !s.visible() || part != "" && p == nil:
		return lunacmBad("Error: the HSM does not answer.", "0x30 (CKR_DEVICE_ERROR)")
	}
	s.charge(cardRequests)
	return lunacmCommands[i].render(s, p, q.Current) + lunacmGood
}

func (e *Estate) find(name string) *appliance {
	i := slices.IndexFunc(e.appliances, func(a *appliance) bool { return a.spec.name == name })
	if i < 0 {
		return nil
	}
	return e.appliances[i]
}

// visible reports whether the host sees the card, or the network HSM.
func (s *state) visible() bool {
	return s.answers() && !s.wire.away() && (s.spec.card || s.ntlsUp)
}

// slots returns the slots that the host sees now, and their text.
func (e *Estate) slots() (slots []string, text string) {
	for _, a := range e.appliances {
		a.do(func(s *state) {
			if !s.visible() {
				return
			}
			for _, p := range s.partitions {
				slots = append(slots, s.spec.name+"/"+p.name)
			}
			if s.spec.card {
				slots = append(slots, s.spec.name)
			}
		})
	}
	return slots, e.slotsText(slots)
}

// Package top shows an estate on a whole terminal, live. Its [Model] is pure: a message
// makes the next state of it, and a state has one frame, so that frames are compared in
// tests without a terminal. What is asked of the agent, and done there, is in [Agent].
package top

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/hsm"
)

// An Agent is what is asked of the running agent.
type Agent struct {
	Ask         func(context.Context) (Answer, error)
	Acknowledge func(ctx context.Context, alarm, comment string) error
	Silence     func(context.Context, alarms.Silence) (alarms.Silence, error)
	Answers     func(ctx context.Context, device, source string) ([]hsm.Answer, error) // source "": of all
	Duration    func(string) (time.Duration, error)                                    // reads one as the flags of other commands do
}

// An Answer is what the agent knows.
type Answer struct {
	Snapshot *hsm.Snapshot
	Active   []alarms.Active
}

const (
	every   = time.Second     // from one question to the next
	patient = 3 * time.Second // without an answer, until what is shown is old
	longest = 5 * time.Second // a question lasts
)

// The messages that the model gets, beside keys and sizes.
type (
	tick     time.Time // the clock, once a second
	answered struct {
		answer Answer
		err    error
		at     time.Time
	}
	said struct { // what sources of a device said
		of      entry
		answers []hsm.Answer
		err     error
	}
	acted struct { // what an operator did
		done string
		err  error
	}
)

// A Model is the state of the screen. [New] makes one.
type Model struct {
	agent         Agent
	colour, plain bool
	width, height int // of the terminal; 0: not known yet

	now    time.Time
	begun  time.Time // when top began
	asking bool      // a question is under way
	heard  time.Time // when the last answer came; zero: none yet
	why    string    // why there is no newer one; "": it was a success
	known  Answer
	estate glance.Estate
	values history

	page   int    // of pages
	before int    // the page that Esc goes back to from one HSM
	device string // whose page is shown; "": that of the cursor
	places [5]place
	filter [5]string
	over   *overlay // a text over the page; nil: none
	prompt *prompt  // a question to the operator; nil: none
	notice string   // what became of the last act; "": nothing to say
	sheet  sheet    // what the page holds
}

// A Look is what a terminal can show.
type Look struct {
	Colour bool // severities are coloured
	Plain  bool // only letters of ASCII
}

// New returns a Model before anything is known, at now.
func New(agent Agent, look Look, now time.Time) Model {
	return Model{agent: agent, colour: look.Colour, plain: look.Plain, now: now, begun: now, asking: true}
}

// Init implements [tea.Model].
func (m Model) Init() tea.Cmd { return tea.Batch(m.ask(), clock()) }

func clock() tea.Cmd { return tea.Tick(every, func(at time.Time) tea.Msg { return tick(at) }) }

func (m Model) ask() tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), longest)
		defer cancel()
		answer, err := m.agent.Ask(ctx)
		return answered{answer, err, time.Now()}
	}
}

// Update implements [tea.Model].
func (m Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	next, cmd := m.after(msg)
	return next.laidOut(), cmd
}

// after returns the state after a message, and what is to be done then.
func (m Model) after(msg tea.Msg) (Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tick:
		m.now = time.Time(msg)
		m.judge()
		if m.asking {
			return m, clock()
		}
		m.asking = true
		return m, tea.Batch(m.ask(), clock())
	case answered:
		return m.hear(msg), nil
	case said:
		return m.shownRaw(msg), nil
	case acted:
		m.notice = msg.done
		if msg.err != nil {
			m.notice = "NOT DONE: " + msg.err.Error()
		} else if !m.asking {
			m.asking = true
			return m, m.ask()
		}
	case tea.PasteMsg:
		if m.prompt != nil {
			m = m.typed(msg.Content)
		}
	case tea.KeyPressMsg:
		return m.key(msg)
	}
	return m, nil
}

// hear takes an answer. One that failed changes no value.
func (m Model) hear(a answered) Model {
	m.asking = false
	if a.at.After(m.now) {
		m.now = a.at
	}
	if a.err != nil {
		m.why = a.err.Error()
	} else {
		m.why, m.heard, m.known = "", a.at, a.answer
		m.values = m.values.with(a.answer.Snapshot, a.at)
	}
	m.judge()
	return m
}

// judge says how the estate is at m.now: what has not been read again becomes stale.
func (m *Model) judge() {
	if m.known.Snapshot != nil {
		m.estate = glance.Of(m.known.Snapshot, m.known.Active, m.now)
	}
}

// old reports whether what is shown is not what is: the agent does not answer.
func (m Model) old() bool {
	return m.why != "" || m.now.Sub(m.lastHeard()) > patient
}

// lastHeard returns when the agent last answered, or else when the first question was asked.
func (m Model) lastHeard() time.Time {
	if m.heard.IsZero() {
		return m.begun
	}
	return m.heard
}

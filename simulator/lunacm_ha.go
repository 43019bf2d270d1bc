package simulator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/internal/wait"
)

// An haClient is the client side of HA on the host of LunaCM: an application that uses
// the groups, writes the HA log and tries to recover lost members.
type haClient struct {
	dir    string // of Chrystoki.conf and of the log; "": neither is written
	groups []*haGroup

	mu     sync.Mutex
	parent bool // the application runs as the parent of this process
}

// An haGroup is a group as the application sees it.
type haGroup struct {
	label    string
	attempts int // of recovery; 0: none
	interval time.Duration
	members  []*haSimMember
	offline  bool // it has logged that
}

// An haSimMember is a member as the application sees it.
type haSimMember struct {
	a         *appliance
	part      string
	serial    uint64
	lost      bool
	unknown   bool // lost when the application started, which never tries to recover it
	exhausted bool
	attempt   int
	next      time.Time // of the next attempt
}

// A scenarioGroup is an HA group in a scenario.
type scenarioGroup struct {
	Label    text
	Members  []text // appliance/partition
	Attempts int    // of recovery; 0: recovery is disabled
	Interval text   // between two attempts; "": 60s
}

func (g scenarioGroup) make(e *Estate) (*haGroup, error) {
	out := &haGroup{label: g.Label.value, attempts: g.Attempts, interval: time.Minute}
	if g.Interval.value != "" {
		d, err := time.ParseDuration(g.Interval.value)
		if err != nil || d < time.Second {
			return nil, g.Interval.errorf("interval %q is not a duration from 1s on", g.Interval.value)
		}
		out.interval = d
	}
	if out.label == "" || len(g.Members) == 0 {
		return nil, g.Label.errorf("an HA group needs a label and members")
	}
	for _, m := range g.Members {
		name, part, _ := strings.Cut(m.value, "/")
		a := e.find(name)
		if a == nil {
			return nil, m.errorf("no appliance called %s", name)
		}
		i := slices.IndexFunc(a.spec.partitions, func(p partition) bool { return p.name == part })
		if i < 0 {
			return nil, m.errorf("%s has no partition called %s", name, part)
		}
		out.members = append(out.members, &haSimMember{a: a, part: part, serial: a.spec.partitions[i].serial})
	}
	return out, nil
}

func (g *haGroup) serial() string { return fmt.Sprintf("1%d", g.members[0].serial) }

// reach returns whether a process reaches a member, and whether that is activated.
func (m *haSimMember) reach() (reachable, active bool) {
	m.a.do(func(s *state) {
		if !s.visible() {
			return
		}
		for _, p := range s.partitions {
			if p.name == m.part {
				reachable, active = true, p.activated
			}
		}
	})
	return reachable, active
}

// run runs the application until ctx is done.
func (h *haClient) run(ctx context.Context) error {
	if len(h.groups) == 0 {
		return nil
	}
	if err := h.configure(); err != nil {
		return err
	}
	h.mu.Lock()
	err := h.begin()
	h.mu.Unlock()
	for err == nil && wait.Sleep(ctx, 200*time.Millisecond) {
		h.mu.Lock()
		err = h.step(time.Now())
		h.mu.Unlock()
	}
	return err
}

// restart ends the application and starts it again, as another process.
func (h *haClient) restart() error {
	if len(h.groups) == 0 {
		return errors.New("the scenario has no HA group")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, g := range h.groups {
		if err := h.log(g, "management thread terminated"); err != nil {
			return err
		}
	}
	h.parent = !h.parent
	return h.begin()
}

// begin is the start of the application: members that are missing then are not used.
func (h *haClient) begin() error {
	for _, g := range h.groups {
		g.offline = false
		lines := []string{"management thread started"}
		for _, m := range g.members {
			reachable, active := m.reach()
			m.lost, m.unknown, m.exhausted, m.attempt = !reachable || !active, !reachable, false, 0
			m.next = time.Now().Add(g.interval)
			switch {
			case !reachable:
				lines = append(lines, fmt.Sprintf("unable to reach member: %d. Manual Recover or Auto Recovery will be able to recover this member", m.serial))
			case !active:
				lines = append(lines, fmt.Sprintf("member %d is not activated and is excluded from the HA group", m.serial))
			}
		}
		for _, l := range lines {
			if err := h.log(g, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// step is one check of the members by the application.
func (h *haClient) step(now time.Time) error {
	for _, g := range h.groups {
		left := 0
		for _, m := range g.members {
			for _, l := range g.lookAt(m, now) {
				if err := h.log(g, l); err != nil {
					return err
				}
			}
			if !m.lost {
				left++
			}
		}
		if left == 0 && !g.offline {
			if err := h.log(g, "all members gone offline."); err != nil {
				return err
			}
		}
		g.offline = left == 0
	}
	return nil
}

func (g *haGroup) lookAt(m *haSimMember, now time.Time) (lines []string) {
	reachable, active := m.reach()
	switch {
	case !m.lost && reachable && active:
	case !m.lost:
		m.lost, m.unknown, m.exhausted, m.attempt, m.next = true, false, false, 0, now.Add(g.interval)
		if reachable {
			return []string{fmt.Sprintf("member: %d deactivated", m.serial)}
		}
		return []string{fmt.Sprintf("has dropped member: %d", m.serial)}
	case m.unknown || m.exhausted || g.attempts == 0 || now.Before(m.next):
	case reachable && active:
		m.lost = false
		return []string{fmt.Sprintf("recovery attempt #%d succeeded for member: %d", m.attempt+1, m.serial)}
	case reachable:
		m.next = now.Add(g.interval)
		return []string{fmt.Sprintf("recovery attempt %d is not activated and cannot be reintroduced back into the HA group", m.serial)}
	default:
		m.attempt++
		m.next = now.Add(g.interval)
		lines = append(lines, fmt.Sprintf("recovery attempt #%d failed for member: %d. Code: 0x30 : CKR_DEVICE_ERROR.", m.attempt, m.serial))
		if m.attempt >= g.attempts {
			m.exhausted = true
			lines = append(lines, fmt.Sprintf("exceeded maximum number of autorecovery attempts for member: %d. Autorecovery will be disabled", m.serial))
		}
	}
	return lines
}

// pid returns the ID of a running process, which is found as the application.
func (h *haClient) pid() int {
	if h.parent {
		return os.Getppid()
	}
	return os.Getpid()
}

func (h *haClient) log(g *haGroup, message string) error {
	if h.dir == "" {
		return nil
	}
	line := fmt.Sprintf("%s : [%d] HA group: %s %s\n", time.Now().Format("Mon Jan _2 15:04:05 2006"), h.pid(), g.serial(), message)
	return appendFile(filepath.Join(h.dir, "haErrorLog.txt"), line)
}

// configure writes the Chrystoki.conf of the host.
func (h *haClient) configure() error {
	if err := os.MkdirAll(h.dir, 0o755); err != nil {
		return err
	}
	var p page
	p.line("Chrystoki2 = {\n   LibUNIX64 = /usr/lib/libCryptoki2_64.so;\n}\nVirtualToken = {")
	for i, g := range h.groups {
		var serials []string
		for _, m := range g.members {
			serials = append(serials, fmt.Sprint(m.serial))
		}
		p.line("   VirtualToken%02dLabel = %s;", i, g.label)
		p.line("   VirtualToken%02dSN = %s;", i, g.serial())
		p.line("   VirtualToken%02dMembers = %s;", i, strings.Join(serials, ", "))
	}
	p.line("   VirtualTokenActiveRecovery = activeBasic;\n}\nHASynchronize = {")
	for _, g := range h.groups {
		p.line("   %s = 1;", g.label)
	}
	p.line("}\nHAConfiguration = {\n   haLogPath = %s;\n   haLogStatus = enabled;\n   logLen = 262144;\n   failover_on_deactivation = 1;", h.dir)
	p.line("   AutoReconnectInterval = %d;", int(h.groups[0].interval.Seconds()))
	p.line("   reconnAtt = %d;\n}", h.groups[0].attempts)
	return os.WriteFile(filepath.Join(h.dir, "Chrystoki.conf"), []byte(p.String()), 0o644)
}

// list returns what hagroup listgroups prints; a password is read after each part but
// the last.
func (h *haClient) list() (parts []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var p page
	for _, g := range h.groups {
		parts = append(parts, fmt.Sprintf("\n    If you would like to see synchronization data for group %s,\n    please enter the password for the group members. Sync info\n    not available in HA Only mode.\n\n    Enter the password: ", g.label))
	}
	attempts, interval := 0, time.Minute
	if len(h.groups) > 0 {
		attempts, interval = h.groups[0].attempts, h.groups[0].interval
	}
	on := func(b bool) string { return choose(b, "enabled", "disabled") }
	row := func(label string, value any) { p.line("%30s:  %v", label, value) }
	p.line("")
	row("HA auto recovery", on(attempts > 0))
	row("HA recovery mode", "activeBasic")
	row("Maximum auto recovery retry", attempts)
	row("Auto recovery poll interval", fmt.Sprintf("%d seconds", int(interval.Seconds())))
	row("HA logging", on(len(h.groups) > 0))
	row("Only Show HA Slots", "no")
	for _, g := range h.groups {
		var serials []string
		for _, m := range g.members {
			serials = append(serials, fmt.Sprint(m.serial))
		}
		p.line("")
		row("HA Group Label", g.label)
		row("HA Group Number", g.serial())
		row("HA Group Slot ID", "Not Available")
		row("Synchronization", "enabled")
		row("Group Members", strings.Join(serials, ", "))
		row("Needs sync", "no")
		row("Standby Members", "<none>")
		p.line("\nSlot #    Member S/N                      Member Label    Status\n======    ==========                      ============    ======")
		for _, m := range g.members {
			reachable, active := m.reach()
			p.line("------  %d  %s  %s", m.serial, choose(reachable, m.part, "------------"), choose(reachable && active, "alive", "down"))
		}
	}
	return append(parts, p.String()+lunacmGood)
}

// guess is a password at the prompt of a group: a failed login on each member.
func (h *haClient) guess() {
	for _, g := range h.groups {
		for _, m := range g.members {
			m.a.do(func(s *state) {
				for i := range s.partitions {
					if s.partitions[i].name == m.part {
						s.partitions[i].attempts--
					}
				}
			})
		}
	}
}

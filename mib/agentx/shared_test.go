package agentx_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

// entities is a subtree that several subagents of a host may want to serve.
var entities = agentx.OID{1, 3, 6, 1, 2, 1, 47}

// serveName has a subagent serve one instance below a subtree until it is ended.
func serveName(t *testing.T, socket, name string, subtree, instance agentx.OID, priority byte) (end func()) {
	t.Helper()
	view, err := mib.NewView([]mib.Row{{OID: instance, Value: agentx.Text(name)}})
	need(t, err)
	session := agentx.New(agentx.Config{
		Socket: socket, Registrations: []agentx.Registration{{Subtree: subtree, Priority: priority}},
		Description: name, PingInterval: time.Second, Current: func() agentx.Handler { return view },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- session.Run(ctx) }()
	until(t, name+" is registered or refused", func() bool {
		s := session.Stats()
		return s.Connected && len(s.Registered) == 1
	})
	return func() {
		cancel()
		need(t, <-ended)
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestTheLastPriorityGivesWay: with the last priority a subagent serves what nobody else
// does, whoever comes first, and again once the other has gone.
func TestTheLastPriorityGivesWay(t *testing.T) {
	instance := entities.Append(1, 1, 1, 1, 7, 1001)
	for _, c := range []struct {
		name    string
		subtree agentx.OID // of the other
		both    string     // who is asked while both are there
	}{
		{"same", entities, "theirs"},
		{"part", entities.Append(1, 1, 1), "theirs"},
		{"above", entities[:6], "ours"}, // of two subtrees the longer one wins, whatever their priorities
	} {
		for _, oursFirst := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s-%v", c.name, oursFirst), func(t *testing.T) {
				agent, err := netsnmp.StartAgent(t.Context(), t.TempDir(), netsnmp.Config{})
				need(t, err)
				t.Cleanup(func() { agent.Kill() })
				shown := func() string {
					lines, _ := snmp(t.Context(), "snmpget", "public", agent.Address, "-Oqv", instance.String())
					return strings.Trim(lines[0], `"`)
				}
				if oursFirst {
					ours := serveName(t, agent.Socket, "ours", entities, instance, agentx.LastPriority)
					defer ours()
					until(t, "ours is shown", func() bool { return shown() == "ours" })
				}
				end := serveName(t, agent.Socket, "theirs", c.subtree, instance, 0)
				if !oursFirst {
					ours := serveName(t, agent.Socket, "ours", entities, instance, agentx.LastPriority)
					defer ours()
				}
				until(t, c.both+" is shown", func() bool { return shown() == c.both })
				end()
				until(t, "ours is shown again", func() bool { return shown() == "ours" })
			})
		}
	}
}

// TestSnmpdServesItItself: what snmpd serves itself, here by a program of its configuration,
// is never shadowed; at the same priority the registration is refused.
func TestSnmpdServesItItself(t *testing.T) {
	instance := entities.Append(1, 1, 1, 1, 7, 1001)
	dir := t.TempDir()
	script := filepath.Join(dir, "pass")
	need(t, os.WriteFile(script, []byte("#!/bin/sh\necho .1.3.6.1.2.1.47.1.1.1.1.7.1001\necho string\necho theirs\n"), 0o755))
	for _, c := range []struct {
		options string
		granted bool
	}{{"", true}, {"-p 10 ", true}, {"-p 255 ", false}} {
		t.Run(strings.Trim(c.options, "- p"), func(t *testing.T) {
			agent, err := netsnmp.StartAgent(t.Context(), t.TempDir(), netsnmp.Config{Lines: []string{"pass " + c.options + ".1.3.6.1.2.1.47 " + script}})
			need(t, err)
			t.Cleanup(func() { agent.Kill() })
			view, err := mib.NewView([]mib.Row{{OID: instance, Value: agentx.Text("ours")}})
			need(t, err)
			session := agentx.New(agentx.Config{Socket: agent.Socket, Registrations: []agentx.Registration{
				{Subtree: root}, {Subtree: entities, Priority: agentx.LastPriority}, {Subtree: root.Append(1)},
			}, Current: func() agentx.Handler { return view }})
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- session.Run(ctx) }()
			until(t, "the last subtree is registered", func() bool {
				return slices.ContainsFunc(session.Stats().Registered, func(o agentx.OID) bool { return o.Compare(root.Append(1)) == 0 })
			})
			lines, _ := snmp(t.Context(), "snmpget", "public", agent.Address, "-Oqv", instance.String())
			granted := slices.ContainsFunc(session.Stats().Registered, func(o agentx.OID) bool { return o.Compare(entities) == 0 })
			if strings.Trim(lines[0], `"`) != "theirs" || granted != c.granted {
				t.Errorf("%s is shown, and registered is %v", lines[0], granted)
			}
			cancel()
			need(t, <-ended)
		})
	}
}

package exporters

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// HAText prints the HA groups of a client host.
func HAText(w io.Writer, d *hsm.Device, now time.Time) {
	heading(w, d.Name+": "+readAt(d.HA, now))
	if d.HA.IsZero() {
		return
	}
	h := d.HA.Value
	lines(w, "HA of this host", [][2]string{
		{"HA auto recovery", choose(h.Recovery.Enabled, "enabled", "disabled")},
		{"Maximum auto recovery retry", stated(h.Recovery.MaxRetries)},
		{"HA logging", choose(h.Logging, "enabled", "disabled")},
		{"HA log file", Plain(dash(h.LogFile))},
	})
	for _, g := range h.Groups {
		state := "redundancy " + stated(g.Redundancy)
		if g.Offline {
			state = "OFFLINE"
		}
		if hsm.Is(g.StandbyInUse, true) {
			state += ", STANDBY IN USE"
		}
		if g.RecoveryDisabled {
			state += ", RECOVERY DISABLED"
		}
		fmt.Fprintf(w, "\n   Group %s (%s): %d of %d alive, %d standby, %s\n\n", Plain(dash(g.Label)), Plain(dash(g.Serial)), g.Alive, g.Expected, g.Standby, state)
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tw, "   MEMBER\tLABEL\tSTATE\tSINCE\tATTEMPT\tREACHABLE\tLOST BY\tCODE")
		for _, m := range g.Members {
			name, since := string(m.State), "-"
			if m.Standby {
				name += " (standby)"
			}
			if !m.Since.IsZero() {
				since = clock(m.Since, now)
			}
			attempt := stated(m.Attempt)
			if m.Attempt.Known && m.MaxAttempts.Known && m.MaxAttempts.Value > 0 {
				attempt += fmt.Sprintf(" of %d", m.MaxAttempts.Value)
			}
			lost := strings.Trim(fmt.Sprint(m.LostBy), "[]")
			fmt.Fprintf(tw, "   %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", Plain(m.Serial), Plain(label(m.Label)), name, since, attempt, yes(m.Reachable), dash(lost), Plain(dash(m.Code)))
		}
		tw.Flush()
	}
	for _, c := range h.Certificates {
		fmt.Fprintf(w, "\n   Certificate (%s) %s: until %s\n", c.Role, Plain(c.Subject), c.NotAfter.UTC().Format(time.DateOnly))
	}
}

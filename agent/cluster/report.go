package cluster

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

// A Report is a [Status] for people and programs.
type Report struct {
	Agent    string       `json:"agent"` // that says so
	Trouble  string       `json:"trouble,omitempty"`
	Estate   string       `json:"estate"`   // as of [Member]
	Degraded bool         `json:"degraded"` // it goes on without etcd
	Waiting  int          `json:"waiting"`  // changes that etcd does not have
	Members  []Share      `json:"members"`  // by name
	Moves    []Wish       `json:"moves,omitempty"`
	Lease    float64      `json:"lease_age_seconds"` // since its last proof
	Etcd     []EtcdServer `json:"etcd"`
}

// A Share is what one member does. The name "" is nobody.
type Share struct {
	Member
	Draining bool     `json:"draining"`
	Shards   int      `json:"shards"`
	HSMs     []string `json:"hsms"`
}

// A Wish is that of an operator for a shard.
type Wish struct {
	Shard int    `json:"shard"`
	To    string `json:"to"`
}

// An EtcdServer is how one server of etcd answers.
type EtcdServer struct {
	URL     string  `json:"url"`
	Latency float64 `json:"latency_seconds"`
	Error   string  `json:"error,omitempty"`
}

// Report returns how the cluster is, with the configured HSMs of each member.
func (c *Cluster) Report(hsms []string, waiting int) Report {
	s := c.Status()
	r := Report{Agent: c.Settings.Name, Estate: Estate(hsms), Trouble: c.Trouble(), Degraded: s.Degraded, Waiting: waiting, Members: []Share{}, Lease: s.Lease.Seconds()}
	index := make(map[string]int)
	for _, m := range append(s.Members, Member{}) {
		index[m.Name] = len(r.Members)
		r.Members = append(r.Members, Share{Member: m, Draining: m.Draining, HSMs: []string{}})
	}
	of := func(shard int) *Share {
		i, known := index[s.Owners[shard]]
		if !known {
			i = index[""]
		}
		return &r.Members[i]
	}
	for n := range Shards {
		of(n).Shards++
		if to, moved := s.Moves[n]; moved {
			r.Moves = append(r.Moves, Wish{n, to})
		}
	}
	for _, name := range hsms {
		share := of(Shard(name))
		share.HSMs = append(share.HSMs, name)
	}
	if last := len(r.Members) - 1; r.Members[last].Shards == 0 {
		r.Members = r.Members[:last]
	}
	for _, e := range s.Etcd {
		server := EtcdServer{URL: e.URL, Latency: e.Latency.Seconds()}
		if e.Err != nil {
			server.Error = e.Err.Error()
		}
		r.Etcd = append(r.Etcd, server)
	}
	return r
}

// Trouble returns what is wrong between this agent and etcd; "": nothing is.
func (c *Cluster) Trouble() string {
	switch s := c.Status(); {
	case s.Degraded:
		return fmt.Sprintf("etcd has not answered for %s: this agent goes on alone, and no other one can take over", s.Since.Round(time.Second))
	case s.Since > 0 && s.Joined:
		return fmt.Sprintf("etcd has not answered for %s", s.Since.Round(time.Second))
	case !s.Joined:
		return "this agent is not in the cluster: etcd does not answer it, or its name is taken; it watches no HSM"
	case s.Away:
		return "etcd does not take what is written"
	}
	return ""
}

// Estate returns the names of HSMs as one word.
func Estate(hsms []string) string {
	sum := sha256.Sum256([]byte(strings.Join(slices.Sorted(slices.Values(hsms)), "\n")))
	return hex.EncodeToString(sum[:8])
}

// Findings returns what is wrong with the cluster, and what is not.
func (r Report) Findings(now time.Time) []alarms.Finding {
	finding := func(object, text string, severity alarms.Severity) alarms.Finding {
		f := alarms.Finding{Key: alarms.Key{Device: alarms.Self, Group: "cluster", Object: object}, Evidence: alarms.Evidence{At: now, Text: "the cluster is well"}}
		if text != "" {
			f.Condition, f.Severity, f.Text, f.Evidence.Text = alarms.Bad, severity, text, text
		}
		return f
	}
	alone, willing := "", 0
	var differ []string
	for _, m := range r.Members {
		if m.Name != "" && m.Estate != r.Estate {
			differ = append(differ, m.Name)
		}
		if m.Name != "" && !m.Draining {
			willing++
		}
	}
	if r.Trouble == "" && willing < 2 {
		alone = fmt.Sprintf("%s is the only agent: nobody takes over if it ends", r.Agent)
	}
	other := ""
	if len(differ) > 0 {
		other = fmt.Sprintf("%s and %s have different HSMs in their configurations: one that not all have may be watched by nobody", strings.Join(differ, ", "), r.Agent)
	}
	return []alarms.Finding{finding("etcd", r.Trouble, alarms.Major), finding("standby", alone, alarms.Warning), finding("estate", other, alarms.Major)}
}

// Tables are the agents and the servers of etcd, in rows of which the first are headings.
func (r Report) Tables() [][][]string {
	agents := [][]string{{"Agent", "Shards", "HSMs", "Version", "Address", ""}}
	for _, m := range r.Members {
		note := ""
		switch {
		case m.Name == "":
			m.Name, note = "-", "watched by nobody"
		case m.Draining:
			note = "draining"
		case m.Name == r.Agent:
			note = "this one"
		}
		agents = append(agents, []string{m.Name, strconv.Itoa(m.Shards), strconv.Itoa(len(m.HSMs)), m.Version, m.Address, note})
	}
	servers := [][]string{{"etcd", "State"}}
	for _, e := range r.Etcd {
		servers = append(servers, []string{e.URL, cmp.Or(e.Error, "answers")})
	}
	return [][][]string{agents, servers}
}

// Write writes r for people.
func (r Report) Write(w io.Writer) {
	trouble := fmt.Sprintf("etcd takes what is written, and has proved its lease %.1f s ago", r.Lease)
	if r.Trouble != "" {
		trouble = r.Trouble
	}
	fmt.Fprintf(w, "As %s sees it: %s.\n", r.Agent, trouble)
	if r.Waiting > 0 {
		fmt.Fprintf(w, "%d changes wait for etcd.\n", r.Waiting)
	}
	for _, rows := range r.Tables() {
		for i, heading := range rows[0] {
			rows[0][i] = strings.ToUpper(heading)
		}
		table(w, rows)
	}
	for _, m := range r.Moves {
		fmt.Fprintf(w, "\nShard %d is to be %s's.\n", m.Shard, m.To)
	}
}

// table writes rows after an empty line, in columns.
func table(w io.Writer, rows [][]string) {
	var text strings.Builder
	t := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	t.Flush()
	for line := range strings.Lines("\n" + text.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

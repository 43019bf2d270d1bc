package ha

import (
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// ConfigFormat is the format of the configuration of a Luna client: Chrystoki.conf,
// or crystoki.ini on Windows.
var ConfigFormat = answer.Format{Name: "chrystoki-conf", Command: "/etc/Chrystoki.conf, crystoki.ini", File: true, Read: readConfig}

func readConfig(s answer.Session) (hsm.Fact, []string, error) {
	config, unread, err := ParseClientConfig(s.Text)
	if err != nil {
		return nil, unread, err
	}
	return config, unread, nil
}

// ParseClientConfig reads the text of a Luna client's configuration, which has no
// password in it. The last line is not read if it may be cut off, so text that is
// known to be whole must end with a line end. ParseClientConfig also returns the
// lines that it did not understand; the error is [answer.ErrUnrecognised] if it
// understood nothing.
//
//   - /etc/Chrystoki.conf has sections "Name = {" to "}" of "Key = value;".
//     "//" behind a blank begins a comment. A value that is empty or ends with a
//     comma may continue on the next line; a missing ";" is accepted. Names are
//     case-sensitive.
//   - crystoki.ini has lines "[Name]" and "Key=value". Names are not
//     case-sensitive.
func ParseClientConfig(text string) (hsm.ClientConfig, []string, error) {
	c := readConf(text)
	if len(c.entries) == 0 {
		return hsm.ClientConfig{}, c.unread.List(c.cut), answer.Wrap("chrystoki-conf", answer.ErrUnrecognised)
	}
	return c.config(), c.unread.List(c.cut), nil
}

// conf is a configuration file while it is parsed.
type conf struct {
	entries []confEntry // in the order of the file
	windows bool        // it is a crystoki.ini
	unread  answer.Unread
	cut     string // the last line, if it may be cut

	section string
	open    bool   // within section
	heading string // name of a section whose "{" is not read yet
	key     string // of a value that continues on the next line; "": none
	value   string // so far
}

type confEntry struct{ section, key, value string }

func readConf(text string) *conf {
	c := new(conf)
	lines := strings.Split(answer.Clean(text), "\n")
	for i, line := range lines {
		line = strings.TrimSpace(line)
		ended := i < len(lines)-1
		if line = cutComment(line); line == "" {
			continue
		}
		switch {
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			c.section, c.open, c.windows = strings.TrimSpace(line[1:len(line)-1]), true, true
		case c.windows && ended:
			c.windowsLine(line)
		case c.windows:
			c.cut = line
		default:
			c.unixLine(line, ended)
		}
	}
	return c
}

// cutComment cuts a comment off, but not the "//" in a path.
func cutComment(line string) string {
	if strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
		return ""
	}
	for i := 0; i+1 < len(line); i++ {
		if line[i] == '/' && line[i+1] == '/' && (i == 0 || strings.IndexByte(" \t;{}", line[i-1]) >= 0) {
			return strings.TrimSpace(line[:i])
		}
	}
	return line
}

func (c *conf) windowsLine(line string) {
	key, value, ok := strings.Cut(strings.TrimSuffix(line, ";"), "=")
	if key = strings.TrimSpace(key); !ok || key == "" {
		c.unread.Add(line)
		return
	}
	c.add(key, value)
}

// unixLine reads any number of headings, entries and ends of sections.
func (c *conf) unixLine(line string, ended bool) {
	for rest := line; rest != ""; rest = strings.TrimSpace(rest) {
		switch {
		case rest[0] == '}':
			c.finish()
			c.open, c.heading, rest = false, "", rest[1:]
		case rest[0] == '{':
			if c.heading == "" && c.value == "" { // the section before it has no "}"
				c.heading = c.key
			}
			c.section, c.open, c.heading, c.key, rest = c.heading, c.heading != "", "", "", rest[1:]
		case c.key != "" && !beginsEntry(rest):
			rest = c.continued(rest, ended)
		default:
			c.finish()
			rest = c.entry(rest, ended)
		}
	}
}

// beginsEntry reports whether there is a "=" before any ";".
func beginsEntry(s string) bool {
	i := strings.IndexAny(s, "=;")
	return i >= 0 && s[i] == '='
}

// continued takes more of a value that began on an earlier line, and returns the
// text behind it.
func (c *conf) continued(s string, ended bool) (rest string) {
	more, rest, whole := strings.Cut(s, ";")
	c.value = strings.TrimSpace(c.value + " " + strings.TrimSpace(more))
	switch {
	case whole:
		c.finish()
	case !ended:
		c.cut, c.key = s, ""
	case !continues(c.value):
		c.finish()
	}
	return rest
}

// entry takes a heading or an entry, and returns the text behind it.
func (c *conf) entry(s string, ended bool) (rest string) {
	name, value, ok := strings.Cut(s, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	switch {
	case ok && strings.HasPrefix(value, "{"), ok && value == "" && !c.open && ended:
		c.heading, c.open = name, false
		return value
	case !ok && strings.HasSuffix(s, "{") && !c.open:
		c.heading = strings.TrimSpace(strings.TrimSuffix(s, "{"))
		return "{"
	case !ok || name == "" || !c.open || strings.Contains(name, ";"):
		c.unknown(s, ended)
		return ""
	}
	value, rest, whole := strings.Cut(value, ";")
	if before, after, closed := strings.Cut(value, " }"); closed && !whole {
		value, rest, whole = before, "}"+after, true
	}
	switch {
	case whole:
		c.add(name, value)
	case !ended:
		c.cut = s
	case continues(value):
		c.key, c.value = name, value
	default:
		c.add(name, value)
	}
	return rest
}

// continues reports whether a value without its ";" continues on the next line.
func continues(value string) bool { return value == "" || strings.HasSuffix(value, ",") }

// unknown takes text that is not understood.
func (c *conf) unknown(s string, ended bool) {
	if ended {
		c.unread.Add(s)
		return
	}
	c.cut = s
}

// finish adds the value being read, which ends here.
func (c *conf) finish() {
	if c.key != "" {
		c.add(c.key, c.value)
		c.key = ""
	}
}

func (c *conf) add(key, value string) {
	value = strings.TrimSpace(value)
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		value = value[1 : n-1]
	}
	c.key = ""
	if c.open {
		c.entries = append(c.entries, confEntry{c.section, key, value})
	}
}

// same reports whether two names of sections or keys are equal.
func (c *conf) same(a, b string) bool { return a == b || c.windows && strings.EqualFold(a, b) }

// cutKey cuts prefix off a key.
func (c *conf) cutKey(key, prefix string) (rest string, ok bool) {
	if c.windows {
		return answer.CutPrefixFold(key, prefix)
	}
	return strings.CutPrefix(key, prefix)
}

// in returns the entries of one section.
func (c *conf) in(section string) []confEntry {
	var list []confEntry
	for _, e := range c.entries {
		if c.same(e.section, section) {
			list = append(list, e)
		}
	}
	return list
}

// get returns the last value of a key; ok is false if there is none.
func (c *conf) get(section, key string) (value string, ok bool) {
	for _, e := range c.in(section) {
		if c.same(e.key, key) {
			value, ok = e.value, true
		}
	}
	return value, ok
}

// config returns what the entries mean.
func (c *conf) config() hsm.ClientConfig {
	out := hsm.ClientConfig{Sections: make(map[string]map[string]string)}
	for _, e := range c.entries {
		if out.Sections[e.section] == nil {
			out.Sections[e.section] = make(map[string]string)
		}
		out.Sections[e.section][e.key] = e.value
	}
	out.Servers = c.servers()
	out.ClientCert, _ = c.get("LunaSA Client", "ClientCertFile")
	out.ServerCA, _ = c.get("LunaSA Client", "ServerCAFile")
	out.HA = c.ha()
	return out
}

// numbered is a key such as ServerName00, split into its parts, and its value.
type numbered struct{ index, name, value string }

// numbered returns the keys of a section that begin with prefix and have a number
// behind it or behind their name: "VirtualToken" 00 "Label", or "Server" "Name" 00.
func (c *conf) numbered(section, prefix string) []numbered {
	var all []numbered
	for _, e := range c.in(section) {
		rest, ok := c.cutKey(e.key, prefix)
		if !ok {
			continue
		}
		name := strings.TrimLeft(rest, "0123456789")
		index := rest[:len(rest)-len(name)]
		if index == "" {
			name = strings.TrimRight(rest, "0123456789")
			index = rest[len(name):]
		}
		if index != "" {
			all = append(all, numbered{index, name, e.value})
		}
	}
	return all
}

// servers returns the appliances by ServerName00, ServerPort00, ServerHtl00.
func (c *conf) servers() []hsm.ClientServer {
	keys := c.numbered("LunaSA Client", "Server")
	var all []hsm.ClientServer
	at := make(map[string]int)
	for _, k := range keys {
		if !c.same(k.name, "Name") || k.value == "" {
			continue
		}
		if i, repeated := at[k.index]; repeated {
			all[i].Name = k.value
			continue
		}
		at[k.index] = len(all)
		all = append(all, hsm.ClientServer{Name: k.value})
	}
	for _, k := range keys {
		i, ok := at[k.index]
		switch {
		case !ok:
		case c.same(k.name, "Port"):
			answer.Whole(&all[i].Port, k.value)
		case c.same(k.name, "Htl"):
			onOff(&all[i].HTL, k.value)
		}
	}
	return all
}

// ha returns the groups and settings of HA.
func (c *conf) ha() hsm.HAConfig {
	ha := hsm.HAConfig{Groups: c.groups()}
	ha.Recovery.Mode, _ = c.get("VirtualToken", "VirtualTokenActiveRecovery")
	if v, ok := c.get("HAConfiguration", "reconnAtt"); ok && retries(&ha.Recovery.MaxRetries, v) {
		ha.Recovery.Enabled = hsm.Some(ha.Recovery.MaxRetries.Value != 0)
	}
	for _, e := range c.in("HAConfiguration") {
		switch {
		case c.same(e.key, "AutoReconnectInterval"):
			answer.Whole(&ha.Recovery.Interval, e.value)
		case c.same(e.key, "haLogStatus"):
			onOff(&ha.Log.Enabled, e.value)
		case c.same(e.key, "haLogPath"):
			ha.Log.Path = e.value
		case c.same(e.key, "logLen"):
			answer.Whole(&ha.Log.MaxBytes, e.value)
		case c.same(e.key, "HAOnly"):
			onOff(&ha.HAOnly, e.value)
		case c.same(e.key, "failover_on_deactivation"):
			onOff(&ha.FailoverOnDeactivation, e.value)
		}
	}
	return ha
}

// groups returns the HA groups by VirtualToken00Label, ...SN and ...Members;
// standby members are in HAConfiguration, by the group's label.
func (c *conf) groups() []hsm.HAGroup {
	var all []hsm.HAGroup
	at := make(map[string]int)
	for _, k := range c.numbered("VirtualToken", "VirtualToken") {
		i, ok := at[k.index]
		if !ok {
			i = len(all)
			at[k.index], all = i, append(all, hsm.HAGroup{})
		}
		switch {
		case c.same(k.name, "Label"):
			all[i].Label = k.value
		case c.same(k.name, "SN"):
			answer.Serial(&all[i].Serial, k.value)
		case c.same(k.name, "Members"):
			list, _ := serials(k.value)
			all[i].Members = all[i].Members[:0:0]
			for _, n := range list {
				member(&all[i].Members, n)
			}
		}
	}
	for i := range all {
		c.labelled(&all[i])
	}
	return all
}

// labelled adds what is configured for a group by its label.
func (c *conf) labelled(g *hsm.HAGroup) {
	if v, ok := c.get("HASynchronize", g.Label); ok && g.Label != "" {
		onOff(&g.Synchronization, v)
	}
	v, ok := c.get("HAConfiguration", g.Label+"StandbyMembers")
	list, isList := serials(v)
	if !ok || !isList {
		return
	}
	for _, n := range list {
		member(&g.Members, n)
	}
	for i := range g.Members {
		g.Members[i].Standby = hsm.Some(slices.Contains(list, g.Members[i].Serial))
	}
}

// onOff reads 1 and 0, enabled and disabled, yes and no.
func onOff(to *hsm.Opt[bool], v string) bool {
	switch v {
	case "1":
		*to = hsm.Some(true)
	case "0":
		*to = hsm.Some(false)
	default:
		return enabled(to, v)
	}
	return true
}

package snmp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gosnmp/gosnmp"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// An oid is an object identifier.
type oid []uint32

// parseOID reads ".1.3.6.1".
func parseOID(s string) (oid, bool) {
	var o oid
	for part := range strings.SplitSeq(strings.TrimPrefix(s, "."), ".") {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil || len(o) == 128 {
			return nil, false
		}
		o = append(o, uint32(n))
	}
	return o, true
}

// String returns ".1.3.6.1".
func (o oid) String() string {
	var b strings.Builder
	for _, n := range o {
		fmt.Fprintf(&b, ".%d", n)
	}
	return b.String()
}

// below reports whether o is an object in the subtree of root.
func (o oid) below(root oid) bool { return len(o) > len(root) && slices.Equal(o[:len(root)], root) }

// A varbind is one object instance and its value.
type varbind struct {
	oid   oid
	value any // as of gosnmp
}

// String returns the value for people.
func (v varbind) String() string {
	if s, ok := v.text(); ok {
		return strconv.Quote(answer.Clip(s, 60))
	}
	if n, ok := v.number(); ok {
		return strconv.FormatUint(n, 10)
	}
	return "of another type"
}

// number returns an integer, counter or gauge that is not negative.
func (v varbind) number() (uint64, bool) {
	switch n := v.value.(type) {
	case int:
		return uint64(n), n >= 0
	case uint:
		return uint64(n), true
	case uint32:
		return uint64(n), true
	case uint64:
		return n, true
	}
	return 0, false
}

// text returns a DisplayString, which some agents end with a zero octet.
func (v varbind) text() (string, bool) {
	b, ok := v.value.([]byte)
	s := strings.TrimRight(string(b), "\x00")
	return answer.CleanLine(s), ok && len(s) <= 255 && utf8.ValidString(s)
}

// roots are the subtrees that are walked, in this order.
var roots = []oid{chrysalisUTSP, safenetHSM, safenetAppliance}

// A walked is what an agent serves below the roots, as far as it is certain.
type walked struct {
	vars    []varbind // in the order of their OIDs within a root
	stopped []stopped // one for each walk that stopped early
}

// A stopped is where a walk stopped early: no object of root after last is known.
type stopped struct {
	root, last oid
	err        error
}

// whole returns nil if every object of a table was read, and else the reason why its
// walk stopped before.
func (a walked) whole(table oid) error {
	for _, s := range a.stopped {
		past := slices.Compare(s.last, table) > 0 && !s.last.below(table)
		if table.below(s.root) && !past {
			return s.err
		}
	}
	return nil
}

// under returns the objects of a subtree.
func (a walked) under(root oid) []varbind {
	var vars []varbind
	for _, v := range a.vars {
		if v.oid.below(root) {
			vars = append(vars, v)
		}
	}
	return vars
}

// A bulkGetter sends one GetBulk request for the objects after an OID.
type bulkGetter func(after oid, repetitions uint32) (*gosnmp.SnmpPacket, error)

const (
	maxRepetitions = 20    // which fit into one Ethernet packet
	maxVars        = 20000 // of one subtree; an appliance has about a thousand
)

// errDisorder means that an agent did not answer in ascending order. Such an agent
// could repeat itself forever.
var errDisorder = errors.New("the agent's answer is out of order")

// walkAll connects and walks every root. It returns an error if it read nothing.
func (a *Agent) walkAll(ctx context.Context) (walked, error) {
	if err := a.unconfirmed; err != nil {
		a.unconfirmed = nil
		return walked{}, err
	}
	c, err := a.connect(ctx)
	if err != nil {
		return walked{}, err
	}
	defer c.close()
	if _, err := c.greet(); err != nil {
		return walked{}, err
	}
	return walkRoots(c.getBulk)
}

// walkRoots walks every root. It continues with the next one if one cannot be walked to
// its end, unless the agent no longer answers.
func walkRoots(get bulkGetter) (answer walked, err error) {
	answered := false
	for i, root := range roots {
		vars, err := walkRoot(get, root)
		answered = answered || err == nil || len(vars) > 0 || errors.Is(err, errDisorder)
		answer.vars = append(answer.vars, vars...)
		if err == nil {
			continue
		}
		last := root
		if len(vars) > 0 {
			last = vars[len(vars)-1].oid
		}
		answer.stopped = append(answer.stopped, stopped{root, last, err})
		switch f := collectors.FailureOf(err); {
		case !answered && f != hsm.Command:
			return walked{}, err
		case f.OfSession() || f == hsm.Timeout:
			for _, next := range roots[i+1:] {
				answer.stopped = append(answer.stopped, stopped{next, next, err})
			}
			return answer, nil
		}
	}
	return answer, nil
}

// walkRoot returns the objects of root in order, and an error if it stopped before
// their end.
func walkRoot(get bulkGetter, root oid) (vars []varbind, err error) {
	repetitions := uint32(maxRepetitions)
	for last := root; ; {
		packet, err := get(last, repetitions)
		switch {
		case err != nil:
			return vars, err
		case packet.Error == gosnmp.TooBig && repetitions > 1:
			repetitions /= 2
			continue
		case packet.Error != gosnmp.NoError:
			return vars, collectors.Failf(hsm.Command, "after %s the agent answers with the error %s", last, packet.Error)
		case len(packet.Variables) == 0:
			return vars, collectors.Failf(hsm.Incomplete, "after %s the agent's answer is empty", last)
		}
		for _, pdu := range packet.Variables {
			at, ok := parseOID(pdu.Name)
			switch {
			case pdu.Type == gosnmp.EndOfMibView:
				return vars, nil
			case !ok || slices.Compare(at, last) <= 0:
				return vars, collectors.Failf(hsm.Incomplete, "%w: %s is followed by %s; the objects after that are not read", errDisorder, last, answer.Clip(pdu.Name, 100))
			case !at.below(root):
				return vars, nil
			case len(vars) == maxVars:
				return vars, collectors.Failf(hsm.Incomplete, "the agent serves more than %d objects below %s", maxVars, root)
			}
			last = at
			if pdu.Type != gosnmp.NoSuchInstance && pdu.Type != gosnmp.NoSuchObject {
				vars = append(vars, varbind{at, pdu.Value})
			}
		}
	}
}

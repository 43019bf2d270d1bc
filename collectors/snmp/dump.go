package snmp

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// WalkFile is what an SNMP agent serves, in a capture.
const WalkFile = "snmpwalk.txt"

// Capture implements [collectors.Source].
func (a *Agent) Capture(ctx context.Context, keep func(file, text string), report func(hsm.Observation)) {
	a.poll(ctx, func(ctx context.Context) (walked, error) {
		answer, err := a.walkAll(ctx)
		if err == nil {
			keep(WalkFile, answer.String())
		}
		return answer, err
	}, report)
}

// The form of a walk in a capture is that of snmpwalk -On, one object on each
// line, with strings in quotes and escaped as in Go. Where a walk broke off
// stands "# stopped: ROOT LAST".

// String writes a in the form of a capture.
func (a walked) String() string {
	var b strings.Builder
	for _, v := range a.vars {
		fmt.Fprintf(&b, "%s = %s\n", v.oid, dumped(v.value))
	}
	for _, s := range a.stopped {
		fmt.Fprintf(&b, "%s%s %s\n", stoppedMark, s.root, s.last)
	}
	return b.String()
}

const stoppedMark = "# stopped: "

func dumped(value any) string {
	switch v := value.(type) {
	case int:
		return fmt.Sprintf("INTEGER: %d", v)
	case uint:
		return fmt.Sprintf("Gauge32: %d", v)
	case uint32:
		return fmt.Sprintf("Timeticks: (%d)", v)
	case uint64:
		return fmt.Sprintf("Counter64: %d", v)
	case []byte:
		if utf8.Valid(v) {
			return "STRING: " + strconv.Quote(string(v))
		}
		return "Hex-STRING: " + hex.EncodeToString(v)
	}
	return "OTHER:" // of a type that no reader takes
}

// undumped reads what [dumped] or snmpwalk -On wrote.
func undumped(s string) (any, error) {
	kind, text, ok := strings.Cut(s, ":")
	text = strings.TrimSpace(text)
	if !ok {
		return nil, fmt.Errorf("no type in %q", answer.Clip(s, 60))
	}
	switch kind {
	case "INTEGER":
		n, err := strconv.ParseInt(text, 10, 32)
		return int(n), err
	case "Gauge32", "Counter32", "Unsigned32":
		n, err := strconv.ParseUint(text, 10, 32)
		return uint(n), err
	case "Timeticks":
		text, _, _ = strings.Cut(strings.TrimPrefix(text, "("), ")")
		n, err := strconv.ParseUint(text, 10, 32)
		return uint32(n), err
	case "Counter64":
		return strconv.ParseUint(text, 10, 64)
	case "STRING":
		text, err := strconv.Unquote(text)
		return []byte(text), err
	case "Hex-STRING":
		return hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	}
	return nil, nil
}

// readWalk reads what String or snmpwalk -On wrote. A last line without a line
// end may be cut and is an error, as is every line that is not understood: a
// table that is half there would tell of rows that are gone.
func readWalk(text string) (a walked, err error) {
	if text != "" && !strings.HasSuffix(text, "\n") {
		return a, errors.New("the last line has no line end: it may be cut")
	}
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if err := a.addLine(lines.Text()); err != nil {
			return walked{}, fmt.Errorf("line %d: %w", n, err)
		}
	}
	return a, lines.Err()
}

func (a *walked) addLine(line string) error {
	if stop, ok := strings.CutPrefix(line, stoppedMark); ok {
		first, second, _ := strings.Cut(stop, " ")
		root, ok1 := parseOID(first)
		last, ok2 := parseOID(second)
		if !ok1 || !ok2 {
			return fmt.Errorf("no OIDs in %q", answer.Clip(line, 60))
		}
		a.stopped = append(a.stopped, stopped{root, last, collectors.Failf(hsm.Incomplete, "the walk in this capture broke off after %s", last)})
		return nil
	}
	name, value, _ := strings.Cut(line, " = ")
	at, ok := parseOID(name)
	if !ok {
		return fmt.Errorf("no OID in %q", answer.Clip(line, 60))
	}
	v, err := undumped(value)
	if err != nil {
		return err
	}
	a.vars = append(a.vars, varbind{at, v})
	return nil
}

func (a *Agent) captured(context.Context) (walked, error) {
	text, err := os.ReadFile(filepath.Join(a.Replay, WalkFile))
	if err != nil {
		return walked{}, collectors.Failf(hsm.Unreachable, "replay: %w", err)
	}
	answer, err := readWalk(string(text))
	if err != nil {
		return walked{}, collectors.Failf(hsm.Unrecognised, "replay: %s: %w", WalkFile, err)
	}
	return answer, nil
}

// RedactWalk changes every text in a walk of a capture by redact, those within
// the index of an object, too.
func RedactWalk(text string, redact func(string) string) (string, error) {
	a, err := readWalk(text)
	if err != nil {
		return "", err
	}
	for i, v := range a.vars {
		a.vars[i].oid = redactIndex(v.oid, redact)
		if b, ok := v.value.([]byte); ok {
			a.vars[i].value = []byte(redact(string(b)))
		}
	}
	for i, s := range a.stopped {
		a.stopped[i].last = redactIndex(s.last, redact)
	}
	return a.String(), nil
}

// redactIndex changes the runs of characters in an OID, which are texts of its
// index, and the number of characters before them.
func redactIndex(o oid, redact func(string) string) oid {
	var out oid
	for len(o) > 0 {
		n := slices.IndexFunc(o, func(id uint32) bool { return id < ' ' || id > 126 })
		if n < 0 {
			n = len(o)
		}
		if n == 0 {
			out, o = append(out, o[0]), o[1:]
			continue
		}
		run, counted := o[:n], len(out) > 0 && out[len(out)-1] == uint32(n)
		if n > 1 && run[0] == uint32(n-1) { // the number looks like a character
			out, run, counted = append(out, run[0]), run[1:], true
		}
		s, _ := indexString(run)
		s = redact(s)
		if counted {
			out[len(out)-1] = uint32(len(s))
		}
		for i := range len(s) {
			out = append(out, uint32(s[i]))
		}
		o = o[n:]
	}
	return out
}

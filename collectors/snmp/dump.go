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

// WalkFile is the file of what an SNMP agent serves in a capture.
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

// String returns a in the form of a capture, which is that of snmpwalk -On: one object
// per line, with strings quoted as in Go. Each walk that stopped early has a line
// "# stopped: ROOT LAST".
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

// dumped returns the type and value of an object as in a capture.
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
	return "OTHER:" // a type that no table has
}

// undumped reads a type and value, as of [dumped] or snmpwalk -On. The value is nil
// for another type.
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

// readWalk reads a walk, as of String or snmpwalk -On. A last line without a line end,
// which may be cut off, is an error, and so is a line that is not understood: rows of
// an incomplete table would seem to be gone.
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
		a.stopped = append(a.stopped, stopped{root, last, collectors.Failf(hsm.Incomplete, "the walk in this capture stopped after %s", last)})
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

// captured reads the walk of the capture that is replayed.
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

// RedactWalk changes every text in the walk of a capture by redact, also those in the
// index of an object.
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

// redactIndex changes the runs of characters in an OID, which are texts in its index,
// and the lengths that precede them.
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
		if n > 1 && run[0] == uint32(n-1) { // the length is itself a character
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

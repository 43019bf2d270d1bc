package zabbixtest

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An evaluation is of the expressions of triggers.
type evaluation struct {
	history map[string][]string // values by key, the newest last
	macros  map[string]string
	failing map[string]bool // by name and expression

	rest string // of the expression
}

// errUnknown: an item has no value, and so the trigger stays what it was.
var errUnknown = errors.New("not known")

// evaluate names the problems among triggers.
func (e *evaluation) evaluate(r *Result, triggers []trigger) error {
	for _, t := range triggers {
		e.rest = t.Expression
		value, err := e.or()
		if err == nil && strings.TrimSpace(e.rest) != "" {
			err = fmt.Errorf("%q is left", e.rest)
		}
		if err != nil && !errors.Is(err, errUnknown) {
			return fmt.Errorf("%s: %w", t.Expression, err)
		}
		e.failing[t.Name+t.Expression] = err == nil && value == "1"
	}
	for _, t := range triggers {
		suppressed := slices.ContainsFunc(t.Dependencies, func(d trigger) bool { return e.failing[d.Name+d.Expression] })
		if e.failing[t.Name+t.Expression] && !suppressed {
			r.Problems = append(r.Problems, t.Name)
		}
	}
	slices.Sort(r.Problems)
	return nil
}

// levels are the operators, those that bind least first.
var levels = [][]string{{"or"}, {"and"}, {"<>", "<=", ">=", "<", ">", "="}, {"+", "-"}, {"*", "/"}}

func (e *evaluation) or() (string, error) { return e.level(0) }

func (e *evaluation) level(n int) (string, error) {
	if n == len(levels) {
		return e.operand()
	}
	left, err := e.level(n + 1)
	for {
		e.rest = strings.TrimSpace(e.rest)
		i := slices.IndexFunc(levels[n], func(operator string) bool { return strings.HasPrefix(e.rest, operator) })
		if i < 0 {
			return left, err
		}
		e.rest = strings.TrimSpace(e.rest[len(levels[n][i]):])
		right, errRight := e.level(n + 1)
		if err = errors.Join(err, errRight); err == nil {
			left, err = apply(levels[n][i], left, right)
		}
	}
}

func apply(operator, left, right string) (string, error) {
	x, errX := strconv.ParseFloat(left, 64)
	y, errY := strconv.ParseFloat(right, 64)
	numbers := errX == nil && errY == nil
	var is bool
	switch {
	case operator == "=":
		is = numbers && x == y || left == right
	case operator == "<>":
		is = !(numbers && x == y || left == right)
	case !numbers:
		return "", fmt.Errorf("%q %s %q", left, operator, right)
	case operator == "<":
		is = x < y
	case operator == "<=":
		is = x <= y
	case operator == ">":
		is = x > y
	case operator == ">=":
		is = x >= y
	case operator == "and":
		is = x != 0 && y != 0
	case operator == "or":
		is = x != 0 || y != 0
	default:
		return number(map[string]float64{"+": x + y, "-": x - y, "*": x * y, "/": x / y}[operator]), nil
	}
	if is {
		return "1", nil
	}
	return "0", nil
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

var (
	call    = regexp.MustCompile(`^(last|min|max|nodata)\(/[^/]+/(\w+(?:\[[^\]]*\])?)(?:,[^)]*)?\)`)
	literal = regexp.MustCompile(`^\d+(\.\d+)?`)
	text    = regexp.MustCompile(`^"([^"]*)"`)
	macro   = regexp.MustCompile(`^(\{\$[\w.]+)(?::"[^"]*")?\}`)
	period  = regexp.MustCompile(`^(\d+)([smhd])$`)
)

var seconds = map[string]float64{"s": 1, "m": 60, "h": 3600, "d": 86400}

func (e *evaluation) operand() (string, error) {
	e.rest = strings.TrimSpace(e.rest)
	if after, found := strings.CutPrefix(e.rest, "now()"); found {
		e.rest = after
		return number(float64(time.Now().Unix())), nil
	}
	for pattern, value := range map[*regexp.Regexp]func([]string) (string, error){
		call: e.function, literal: func(m []string) (string, error) { return m[0], nil }, text: func(m []string) (string, error) { return m[1], nil }, macro: e.macro,
	} {
		if m := pattern.FindStringSubmatch(e.rest); m != nil {
			e.rest = e.rest[len(m[0]):]
			return value(m)
		}
	}
	rest := e.rest
	return "", fmt.Errorf("not understood: %q", rest)
}

func (e *evaluation) macro(m []string) (string, error) {
	value, known := e.macros[m[1]+"}"]
	if !known {
		return "", fmt.Errorf("no macro %s", m[0])
	}
	if p := period.FindStringSubmatch(value); p != nil {
		n, err := strconv.ParseFloat(p[1], 64)
		return number(n * seconds[p[2]]), err
	}
	return value, nil
}

// function is of all values that there are: walks are as far apart as the test has them.
func (e *evaluation) function(m []string) (string, error) {
	all := e.history[m[2]]
	switch {
	case m[1] == "nodata" && len(all) == 0:
		return "1", nil
	case m[1] == "nodata":
		return "0", nil
	case len(all) == 0:
		return "", errUnknown
	case m[1] == "last":
		return all[len(all)-1], nil
	}
	var numbers []float64
	for _, v := range all {
		x, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return "", err
		}
		numbers = append(numbers, x)
	}
	if m[1] == "min" {
		return number(slices.Min(numbers)), nil
	}
	return number(slices.Max(numbers)), nil
}

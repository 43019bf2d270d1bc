// Package object reads the definitions of objects in the texts of MIB modules, for what is
// made of them for other systems.
package object

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// An Object is a scalar or a column of a MIB module.
type Object struct {
	Name, OID   string // the OID without a leading dot, and without an instance
	Syntax      string // its type as the module has it, without ranges and labels
	Units       string
	Description string // in one line
	Labels      []Label
	Bits        bool     // Labels are those of BITS: several can hold
	Accessible  bool     // not only in an index, or in notifications
	Index       []string // of a column: the objects whose values are its instance
}

// A Label is the name of a value of an enumeration.
type Label struct {
	Value int
	Name  string
}

var (
	comment    = regexp.MustCompile(`(?m)^\s*--.*$`)
	convention = regexp.MustCompile(`(?s)\n\s*([A-Z]\w*)\s*::=\s*TEXTUAL-CONVENTION\b.*?\n\s*SYNTAX\s+(\w[\w ]*?)\s*(\{.*?\}|\(|\n)`)
	defined    = regexp.MustCompile(`(?s)\n\s*([a-z][\w-]*)\s+OBJECT-TYPE\s+SYNTAX\s+(.*?)\s+(?:UNITS\s+"(.*?)"\s+)?MAX-ACCESS\s+(\S+)\s+STATUS\s+\S+\s+DESCRIPTION\s+"(.*?)"(.*?)::=\s*\{\s*([a-z][\w-]*)\s+(\d+)\s*\}`)
	named      = regexp.MustCompile(`(?s)\n\s*([a-z][\w-]*)\s+(?:OBJECT IDENTIFIER|MODULE-IDENTITY\b.*?|OBJECT-IDENTITY\b.*?)\s*::=\s*\{\s*([a-z][\w-]*)\s+(\d+)\s*\}`)
	indexed    = regexp.MustCompile(`(?s)\bINDEX\s*\{(.*?)\}`)
	augments   = regexp.MustCompile(`(?s)\bAUGMENTS\s*\{\s*(\S+?)\s*\}`)
	label      = regexp.MustCompile(`([a-z][\w-]*)\s*\(\s*(\d+)\s*\)`)
	typed      = regexp.MustCompile(`^(\w[\w ]*\w)`)
)

// Read returns the objects that texts of MIB modules define, in the order of the texts. What
// a type is must be in one of them. An error is a parent that none of them defines.
func Read(texts []string) (list []Object, err error) {
	all := "\n" + comment.ReplaceAllString(strings.Join(texts, "\n"), "")
	conventions := make(map[string]Object)
	for _, m := range convention.FindAllStringSubmatch(all, -1) {
		conventions[m[1]] = Object{Labels: labels(m[3]), Bits: m[2] == "BITS"}
	}
	parents, rows := make(map[string][2]string), make(map[string][]string)
	for _, m := range named.FindAllStringSubmatch(all, -1) {
		parents[m[1]] = [2]string{m[2], m[3]}
	}
	matches := defined.FindAllStringSubmatch(all, -1)
	for _, m := range matches {
		parents[m[1]] = [2]string{m[7], m[8]}
		if index := indexed.FindStringSubmatch(m[6]); index != nil {
			for name := range strings.SplitSeq(index[1], ",") {
				rows[m[1]] = append(rows[m[1]], strings.TrimPrefix(strings.TrimSpace(name), "IMPLIED "))
			}
		}
	}
	for _, m := range matches {
		if of := augments.FindStringSubmatch(m[6]); of != nil {
			rows[m[1]] = rows[of[1]]
		}
	}
	for _, m := range matches {
		if strings.HasPrefix(m[2], "SEQUENCE") || strings.HasSuffix(m[2], "Entry") {
			continue
		}
		o := Object{Name: m[1], Units: m[3], Description: strings.Join(strings.Fields(m[5]), " "), Index: rows[m[7]], Labels: labels(m[2])}
		o.Accessible = strings.HasPrefix(m[4], "read-")
		o.Syntax = typed.FindString(m[2])
		if c, known := conventions[o.Syntax]; known {
			o.Labels, o.Bits = c.Labels, c.Bits
		}
		if o.OID, err = Path(parents, o.Name); err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

func labels(text string) (list []Label) {
	if !strings.Contains(text, "{") {
		return nil
	}
	for _, m := range label.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			return nil
		}
		list = append(list, Label{n, m[1]})
	}
	return list
}

// Path follows the parents of a name, each with its number there, up to iso. It returns the
// OID without a leading dot.
func Path(parents map[string][2]string, name string) (string, error) {
	oid := ""
	for n := name; n != "iso"; n = parents[n][0] {
		if _, known := parents[n]; !known || len(oid) > 1000 {
			return "", fmt.Errorf("%s: nothing leads from %s to iso", name, n)
		}
		oid = "." + parents[n][1] + oid
	}
	return "1" + oid, nil
}

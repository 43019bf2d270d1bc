// Package traps makes what trap receivers need to know of notifications out of
// the MIB modules: definitions for SNMPTT and for Zabbix. Its test writes them.
package traps

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/contrib/object"
)

// A Notification is a NOTIFICATION-TYPE of a MIB module.
type Notification struct {
	Module, Name string
	OID          string   // with a leading dot, as net-snmp prints it
	Objects      []string // in the order of the variables of a trap
	Description  string   // in one line
}

var (
	begins    = regexp.MustCompile(`(?m)^\s*([A-Za-z][\w-]*)\s+DEFINITIONS\s*::=\s*BEGIN`)
	assigned  = regexp.MustCompile(`(?s)(?:^|\n)\s*([a-z][\w-]*)\s+(OBJECT IDENTIFIER|MODULE-IDENTITY|OBJECT-IDENTITY|NOTIFICATION-TYPE)\b(.*?)::=\s*\{\s*([a-z][\w-]*)\s+(\d+)\s*\}`)
	objects   = regexp.MustCompile(`(?s)OBJECTS\s*\{(.*?)\}`)
	described = regexp.MustCompile(`(?s)DESCRIPTION\s*"(.*?)"`)
)

// Notifications returns those that the texts of MIB modules define, in the order
// of the texts. An error is a module that does not begin, or a parent that none of
// the texts defines.
func Notifications(texts []string) (list []Notification, err error) {
	parents := make(map[string][2]string)
	for _, text := range texts {
		module := begins.FindStringSubmatch(text)
		if module == nil {
			return nil, fmt.Errorf("no MIB module: %.40q", text)
		}
		for _, m := range assigned.FindAllStringSubmatch(text, -1) {
			name, kind, body := m[1], m[2], m[3]
			parents[name] = [2]string{m[4], m[5]}
			if kind == "NOTIFICATION-TYPE" {
				list = append(list, Notification{Module: module[1], Name: name, Objects: names(body), Description: sentence(body)})
			}
		}
	}
	for i := range list {
		oid, err := object.Path(parents, list[i].Name)
		if err != nil {
			return nil, err
		}
		list[i].OID = "." + oid
	}
	return list, nil
}

func names(body string) (list []string) {
	m := objects.FindStringSubmatch(body)
	if m == nil {
		return nil
	}
	for name := range strings.SplitSeq(m[1], ",") {
		list = append(list, strings.TrimSpace(name))
	}
	return list
}

func sentence(body string) string {
	m := described.FindStringSubmatch(body)
	if m == nil {
		return ""
	}
	return strings.Join(strings.Fields(m[1]), " ")
}

// position returns the number that SNMPTT has for a variable: 1 is the first.
func (n Notification) position(object string) int { return slices.Index(n.Objects, object) + 1 }

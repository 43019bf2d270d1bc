package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/internal/near"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/modules"
)

func walk(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	numeric := flags.Bool("On", false, "print OIDs as numbers, as snmpwalk -On does")
	return func(ctx context.Context, words []string, std stdio) error {
		taken, err := under(optional(words, 0))
		if err != nil {
			return err
		}
		list, err := agent.NewClient(*socket).Walk(ctx)
		if err != nil {
			return err
		}
		list = slices.DeleteFunc(list, func(i agent.Instance) bool { return !taken(i) })
		for _, i := range list {
			name := i.Name
			if *numeric {
				name = "." + i.OID
			}
			fmt.Fprintf(std.out, "%s = %s\n", name, i.Value)
		}
		if len(list) == 0 {
			return fmt.Errorf("nothing is served there now; lunawatch walk shows all that is")
		}
		return nil
	}
}

// under returns which instances are at an OID, an object, a table or an instance, or
// below it. "" is everything; MODULE:: before a name is left out.
func under(object string) (func(agent.Instance) bool, error) {
	if _, name, ok := strings.Cut(object, "::"); ok {
		object = name
	}
	if object == "" {
		return func(agent.Instance) bool { return true }, nil
	}
	if strings.Trim(object[:1], ".0123456789") == "" {
		oid, err := agentx.ParseOID(object)
		if err != nil {
			return nil, usagef("%q is no OID: %w", object, err)
		}
		return below(oid), nil
	}
	if oid, ok := modules.Tables().OIDs()[object]; ok {
		return below(oid), nil
	}
	objects := maps.Collect(modules.Tables().Objects())
	name, _, _ := strings.Cut(object, ".")
	if _, ok := objects[name]; ok {
		return func(i agent.Instance) bool { return strings.HasPrefix(i.Name+".", object+".") }, nil
	}
	all := slices.Concat(slices.Sorted(maps.Keys(objects)), slices.Sorted(maps.Keys(modules.Tables().OIDs())))
	return nil, usagef("no object is named %q%s", name, didYouMean(near.Name(name, all), "lunawatch mibs writes the modules"))
}

// below returns whether an instance is at oid or below it.
func below(oid agentx.OID) func(agent.Instance) bool {
	return func(i agent.Instance) bool { return strings.HasPrefix(i.OID+".", oid.String()+".") }
}

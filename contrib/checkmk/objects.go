// Package checkmk makes what ships for Checkmk: the objects of LUNAWATCH-MIB as the
// plugin knows them, and the plugin as a package.
package checkmk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/contrib/object"
)

// Objects returns the objects below the OID root as a module of Python, from the texts of
// MIB modules: their numbers below root, and the words of those that have words. An error is
// a parent that none of the texts defines.
func Objects(root string, texts []string) (string, error) {
	list, err := object.Read(texts)
	if err != nil {
		return "", err
	}
	slices.SortFunc(list, func(a, b object.Object) int { return cmp.Compare(a.Name, b.Name) })
	var objects, words strings.Builder
	for _, o := range list {
		oid, below := strings.CutPrefix(o.OID, root+".")
		if !below {
			continue // of another module
		}
		fmt.Fprintf(&objects, "    %q: %q,\n", o.Name, oid)
		if len(o.Labels) == 0 {
			continue
		}
		fmt.Fprintf(&words, "    %q: {", o.Name)
		for i, l := range o.Labels {
			fmt.Fprintf(&words, "%s\"%d\": %q", strings.Repeat(", ", min(i, 1)), l.Value, l.Name)
		}
		words.WriteString("},\n")
	}
	return fmt.Sprintf("# Made of the MIB modules by go test ./contrib/checkmk -update: edits are lost.\n\nMODULE = %q\n\nOBJECTS = {\n%s}\n\nWORDS = {\n%s}\n", "."+root, &objects, &words), nil
}

package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lunawatch/lunawatch/mibs"
)

var mibsCommand = command{"mibs", "write the MIB modules into a directory", runMIBs}

func runMIBs(_ context.Context, args []string, std stdio) int {
	flags := newFlags("mibs", std)
	dir := flags.String("out", ".", "directory, such as /usr/share/snmp/mibs")
	if code, ok := parseFlags(flags, args, 0); !ok {
		return code
	}
	files, err := fs.Glob(mibs.Modules, "*.txt")
	if err != nil {
		return fail(std, "mibs", err)
	}
	for _, name := range files {
		text, err := mibs.Modules.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(*dir, name), text, 0o644)
		}
		if err != nil {
			return fail(std, "mibs", err)
		}
		fmt.Fprintln(std.out, filepath.Join(*dir, name))
	}
	return exitOK
}

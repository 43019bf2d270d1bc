package main

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lunawatch/lunawatch/mibs"
)

func mibsCommand(flags *flag.FlagSet) action {
	dir := flags.String("out", ".", "directory, such as /usr/share/snmp/mibs")
	return func(_ context.Context, _ []string, std stdio) error {
		files, err := fs.Glob(mibs.Modules, "*.txt")
		if err != nil {
			return err
		}
		for _, name := range files {
			text, err := mibs.Modules.ReadFile(name)
			if err == nil {
				err = os.WriteFile(filepath.Join(*dir, name), text, 0o644)
			}
			if err != nil {
				return err
			}
			fmt.Fprintln(std.out, filepath.Join(*dir, name))
		}
		return nil
	}
}

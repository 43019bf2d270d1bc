// Command mkp writes the plugin for Checkmk as an extension package.
package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/lunawatch/lunawatch/contrib/checkmk"
)

func main() {
	version := flag.String("version", "0", "version of the package")
	file := flag.String("o", "lunawatch.mkp", "`FILE` to write")
	flag.Parse()
	if err := write(*version, *file); err != nil {
		fmt.Fprintln(os.Stderr, "mkp:", err)
		os.Exit(1)
	}
}

// write makes the package, with SOURCE_DATE_EPOCH as the time of its files.
func write(version, file string) error {
	at := time.Unix(0, 0)
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
		at = time.Unix(seconds, 0)
	}
	packed, err := checkmk.Package(version, at)
	if err != nil {
		return err
	}
	return os.WriteFile(file, packed, 0o644)
}

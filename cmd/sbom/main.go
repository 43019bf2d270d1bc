// Command sbom lists the modules that are linked into a Go program, as CycloneDX
// 1.6. The same program gives the same list: it has no time and no serial number.
package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

func main() {
	licences := flag.String("licences", "docs/dependencies.md", "document with the licence of each module")
	out := flag.String("o", "", "file to write")
	flag.Parse()
	if flag.NArg() != 1 || *out == "" {
		fmt.Fprintln(os.Stderr, "usage: sbom [-licences FILE] -o FILE PROGRAM")
		os.Exit(2)
	}
	n, err := write(flag.Arg(0), *licences, *out)
	if err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
	fmt.Printf("%s: %d components\n", *out, n)
}

// write returns how many components it has listed.
func write(program, licences, out string) (int, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return 0, err
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return 0, err
	}
	document, err := os.ReadFile(licences)
	if err != nil {
		return 0, err
	}
	sum := sha256.Sum256(content)
	b, err := list(info, hex.EncodeToString(sum[:]), readLicences(string(document)))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", licences, err)
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(b); err != nil {
		return 0, err
	}
	return len(b.Components), os.WriteFile(out, text.Bytes(), 0o644)
}

package packaging

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
)

// program runs a program that the test cannot do without.
func program(t *testing.T, dir string, env []string, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
	}
	return out
}

// need skips the test unless there is such a program; with CI=true it fails.
func need(t *testing.T, name, debian string) {
	t.Helper()
	_, err := exec.LookPath(name)
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatalf("%s is missing: apt-get install %s", name, debian)
	case err != nil:
		t.Skipf("SKIPPED: %s is missing: apt-get install %s", name, debian)
	}
}

// nfpm returns the path of the release that the Makefile names.
func nfpm(t *testing.T) string {
	t.Helper()
	makefile, err := os.ReadFile("../Makefile")
	check.Must(t, err)
	m := regexp.MustCompile(`(?m)^NFPM\s*= (\S+)$`).FindSubmatch(makefile)
	if m == nil {
		t.Fatal("the Makefile names no nfpm")
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "install", string(m[1]))
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: nfpm cannot be fetched: %v\n%s", err, out)
	}
	return filepath.Join(dir, "nfpm")
}

// packages makes a .deb or .rpm of each version, of this source, and returns their paths.
func packages(t *testing.T, kind string, versions ...string) (paths []string) {
	t.Helper()
	nfpm, dir := nfpm(t), t.TempDir()
	top, err := filepath.Abs("..")
	check.Must(t, err)
	program(t, top, nil, "cp", "-r", "packaging", "mibs", "examples", "contrib", "LICENSE", "CHANGELOG.md", "lunawatch.yaml", dir)
	program(t, top, []string{"CGO_ENABLED=0", "GOFLAGS="}, "go", "build", "-o", filepath.Join(dir, "bin", "lunawatch"), "./cmd/lunawatch")
	program(t, dir, nil, filepath.Join(dir, "bin", "lunawatch"), "manuals", "-out", "bin/share")
	program(t, dir, nil, "sh", "-c", "gzip -9n bin/share/man/man?/*")
	program(t, top, nil, "go", "run", "./contrib/checkmk/mkp", "-version", "1.2.0", "-o", filepath.Join(dir, "bin", "share", "lunawatch.mkp"))
	for _, version := range versions {
		path := filepath.Join(dir, version+"."+kind)
		program(t, dir, []string{"SOURCE_DATE_EPOCH=1770000000", "ARCH=amd64", "VERSION=" + version}, nfpm, "package", "-f", "packaging/nfpm.yaml", "-p", kind, "-t", path)
		paths = append(paths, path)
	}
	return paths
}

// TestDeb holds what a .deb has in it: files with mode and owner, what dpkg takes for
// configuration, and what it needs. The scripts are ones that a shell can read.
func TestDeb(t *testing.T) {
	need(t, "dpkg-deb", "dpkg")
	deb := packages(t, "deb", "1.2.0")[0]
	var got bytes.Buffer
	entries(t, program(t, "", nil, "dpkg-deb", "--fsys-tarfile", deb), func(h *tar.Header, _ []byte) {
		fmt.Fprintf(&got, "%s %s/%s %s", h.FileInfo().Mode(), h.Uname, h.Gname, h.Name)
		if h.Linkname != "" {
			fmt.Fprintf(&got, " -> %s", h.Linkname)
		}
		got.WriteByte('\n')
	})
	entries(t, program(t, "", nil, "dpkg-deb", "--ctrl-tarfile", deb), func(h *tar.Header, text []byte) {
		switch name := filepath.Base(h.Name); name {
		case "conffiles":
			fmt.Fprintf(&got, "\n%s:\n%s", name, text)
		case "control":
			text = regexp.MustCompile(`(?m)^Installed-Size: .*\n`).ReplaceAll(text, nil)
			fmt.Fprintf(&got, "\n%s:\n%s", name, text)
		case "postinst", "prerm", "postrm":
			readable(t, name, text)
		}
	})
	check.Golden(t, "deb.txt", got.Bytes())
}

func entries(t *testing.T, archive []byte, each func(*tar.Header, []byte)) {
	t.Helper()
	r := tar.NewReader(bytes.NewReader(archive))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		check.Must(t, err)
		text, err := io.ReadAll(r)
		check.Must(t, err)
		each(h, text)
	}
}

// readable fails the test unless sh can read a script.
func readable(t *testing.T, name string, script []byte) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-n")
	cmd.Stdin = bytes.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", name, err, out)
	}
}

func TestScriptsAreReadable(t *testing.T) {
	files, err := filepath.Glob("scripts/*")
	check.Must(t, err)
	if len(files) != 7 {
		t.Errorf("%d scripts, want three of a .deb and four of an .rpm", len(files))
	}
	for _, f := range append(files, "version") {
		text, err := os.ReadFile(f)
		check.Must(t, err)
		readable(t, f, text)
	}
}

// TestUnitIsTight has systemd judge the unit: 2.0 of 10 or better, and no word of it
// unknown.
func TestUnitIsTight(t *testing.T) {
	need(t, "systemd-analyze", "systemd")
	unit := filepath.Join(t.TempDir(), "lunawatch.service")
	text, err := os.ReadFile("systemd/lunawatch.service")
	check.Must(t, err)
	check.Must(t, os.WriteFile(unit, text, 0o644))
	program(t, "", nil, "systemd-analyze", "security", "--offline=yes", "--threshold=20", unit)
	cmd := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", unit)
	if out, _ := cmd.CombinedOutput(); strings.Contains(string(out), unit+":") { // the program is not installed here
		t.Errorf("%s", out)
	}
}

// TestUserOfRPM: the user that rpm makes before there is a file is that of sysusers.conf.
func TestUserOfRPM(t *testing.T) {
	users, err := os.ReadFile("systemd/sysusers.conf")
	check.Must(t, err)
	before, err := os.ReadFile("scripts/rpm-pre")
	check.Must(t, err)
	for line := range strings.Lines(string(users)) {
		if !strings.HasPrefix(line, "#") && !strings.Contains(string(before), "'"+strings.TrimSpace(line)+"'") {
			t.Errorf("rpm-pre does not make %s", line)
		}
	}
}

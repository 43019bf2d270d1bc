package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
)

// TestRelease makes a release of the commit that is checked out, with a tag, in two
// places: the same files with the same bytes. Without a tag, with a change or without a
// section of the changelog there is none.
func TestRelease(t *testing.T) {
	if os.Getenv("LUNAWATCH_PACKAGE_TEST") == "" {
		t.Skip("SKIPPED: it takes a minute; LUNAWATCH_PACKAGE_TEST=1 runs it")
	}
	nfpm(t)
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "another", "place")
	program(t, "..", nil, "git", "clone", "-q", ".", one)
	refused := func(want string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "packaging/release")
		cmd.Dir = one
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v, and not %q:\n%s", err, want, out)
		}
	}
	git := func(args ...string) {
		t.Helper()
		program(t, one, nil, "git", append([]string{"-c", "user.name=anna", "-c", "user.email=anna@example.net"}, args...)...)
	}
	refused("this commit has no tag")
	git("tag", "v9.8.7")
	refused(`no section "## [9.8.7]"`)
	git("tag", "-d", "v9.8.7")
	changelog, err := os.ReadFile(filepath.Join(one, "CHANGELOG.md"))
	check.Must(t, err)
	section := "## [9.8.7] - 2026-03-01\n\n### Added\n\n- Something.\n\n## [9.8.6]\n\n- Earlier.\n"
	check.Must(t, os.WriteFile(filepath.Join(one, "CHANGELOG.md"), append(changelog, "\n"+section...), 0o644))
	git("commit", "-qam", "release 9.8.7")
	git("tag", "v9.8.7")
	check.Must(t, os.WriteFile(filepath.Join(one, "stray"), nil, 0o644))
	refused("something is not committed")
	check.Must(t, os.Remove(filepath.Join(one, "stray")))
	program(t, dir, nil, "git", "clone", "-q", one, two)
	sums := string(program(t, one, nil, "make", "-s", "release"))
	if again := string(program(t, two, nil, "make", "-s", "release")); again != sums {
		t.Errorf("%s\nand in another place\n%s", sums, again)
	}
	program(t, filepath.Join(two, "dist"), nil, "sha256sum", "--check", "--quiet", "SHA256SUMS")
	notes, err := os.ReadFile(filepath.Join(one, "dist", "CHANGELOG-9.8.7.md"))
	check.Must(t, err)
	if want := "### Added\n\n- Something.\n"; string(notes) != want {
		t.Errorf("%q, want %q", notes, want)
	}
	entries, err := os.ReadDir(filepath.Join(one, "dist"))
	check.Must(t, err)
	if len(entries) != 6 { // .deb, .rpm, program, SBOM, changelog, SHA256SUMS
		t.Errorf("%d files, want 6: %v", len(entries), entries)
	}
}

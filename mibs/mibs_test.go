package mibs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// tolerated are the warnings about what is the vendor's: names and numbers that managers
// know, which are not ours to change.
var tolerated = map[string]string{
	"SAFENET-APPLIANCE-MIB.txt notification-not-reversible": "the numbers of the vendor's traps",
	"SAFENET-GLOBAL-MIB.txt hyphen-in-object":               "the name safenet-inc",
	"SAFENET-HSM-MIB.txt index-element-accessible":          "managers read the index columns",
	"SAFENET-HSM-MIB.txt index-exceeds-too-large":           "two texts of 64 in the index of hsmClientPartitionAssignmentTable",
}

var finding = regexp.MustCompile(`(?m)^[^\n]*/(\S+\.txt):\d+: (?:\{([a-z0-9-]+)\} )?.*$`)

// TestSmilint: the strictest level finds nothing in any module that is served, but for what
// is the vendor's.
func TestSmilint(t *testing.T) {
	if _, err := exec.LookPath("smilint"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("smilint is missing: apt-get install smitools")
		}
		t.Skip("SKIPPED: smilint is missing: apt-get install smitools")
	}
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SMIPATH", here+":"+filepath.Join(here, "base"))
	files, _ := filepath.Glob("*.txt")
	if len(files) < 6 {
		t.Fatalf("modules: %v", files)
	}
	seen := make(map[string]bool)
	for _, file := range files {
		out, err := exec.Command("smilint", "-m", "-l", "6", "./"+file).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", file, err, out)
		}
		for _, m := range finding.FindAllStringSubmatch(string(out), -1) {
			what := m[1] + " " + m[2]
			if seen[what] = true; tolerated[what] == "" {
				t.Error(m[0])
			}
		}
		if rest := finding.ReplaceAllString(string(out), ""); len(regexp.MustCompile(`\S`).FindString(rest)) > 0 {
			t.Errorf("%s: %s", file, rest)
		}
	}
	for what, why := range tolerated {
		if !seen[what] {
			t.Errorf("%s (%s) is found no more: take it out of the list", what, why)
		}
	}
}

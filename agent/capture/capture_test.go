package capture

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors/formats"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// TestCapture captures captured answers: nothing that names the site may be
// left, the rest must say the same, and the capture can be replayed.
func TestCapture(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "messages")
	check.Must(t, os.WriteFile(log, []byte("2026 Mar  1 12:00:00 vault-7  kern info  kernel: k7pf0: [HSM] ALM2001: High temperature warning activated\n"), 0o600))
	source := filepath.Join("..", "..", "collectors", "formats", "testdata", "7.2")
	capture := New(t.Context(), config.Config{HSMs: []config.HSM{{Name: "vault-7", Replay: source, Logs: []string{log}}}}, nil, func(hsm.Observation) {})
	if len(capture.Files) < 12 {
		t.Fatalf("%d files, failed: %q", len(capture.Files), capture.Failed)
	}
	before := shown(t, source)
	for name, text := range capture.Files {
		for _, secret := range []string{"vault-7", before.Serial, before.Label.Value, before.Partitions[0].Serial, before.Partitions[0].Name} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}
	if text := capture.Files["hsm1/log1.txt"]; !strings.Contains(text, "ALM2001: High temperature warning activated") {
		t.Errorf("log: %s", text)
	}
	var archive bytes.Buffer
	check.Must(t, capture.Write(&archive))
	file := filepath.Join(dir, "c.tar")
	check.Must(t, os.WriteFile(file, archive.Bytes(), 0o600))
	c := config.Default()
	c.StateDirectory = dir
	check.Must(t, Replay(&c, file))
	after := shown(t, c.HSMs[0].Replay)
	if after.Firmware != before.Firmware || after.Storage != before.Storage || len(after.Partitions) != len(before.Partitions) {
		t.Errorf("the replay says something else:\n%+v\n%+v", after, before)
	}
	if len(after.Serial) != len(before.Serial) || after.Serial == before.Serial || len(c.HSMs[0].Logs) != 1 {
		t.Errorf("serial %q for %q, logs %q", after.Serial, before.Serial, c.HSMs[0].Logs)
	}
}

// TestCaptureNamesWhatFailed: who captures reads which HSM gave no answer, by the name
// that it has at the site, and nothing else of it.
func TestCaptureNamesWhatFailed(t *testing.T) {
	dir := t.TempDir()
	capture := New(t.Context(), config.Config{HSMs: []config.HSM{{Name: "vault-7", Replay: dir, Logs: []string{filepath.Join(dir, "vault-7.log")}}}}, nil, func(hsm.Observation) {})
	if len(capture.Failed) == 0 || len(capture.AtSite) != len(capture.Failed) {
		t.Fatalf("%q, %q", capture.AtSite, capture.Failed)
	}
	for i, why := range capture.AtSite {
		if !strings.HasPrefix(why, "vault-7: ") || strings.Count(why, "vault-7") != 1 || strings.Contains(capture.Failed[i], "vault-7") {
			t.Errorf("%q, %q", why, capture.Failed[i])
		}
	}
}

// TestCaptureOfUnknownAnswer: an answer that no parser understands is what a bug report
// is about. It is captured, without names, although none of it could be learned.
func TestCaptureOfUnknownAnswer(t *testing.T) {
	dir := t.TempDir()
	check.Must(t, os.WriteFile(filepath.Join(dir, "hsm-show.txt"), []byte("Owner of it is quavex 4711007\n\nCommand Result : 0 (Success)\n"), 0o600))
	capture := New(t.Context(), config.Config{HSMs: []config.HSM{{Name: "vault-7", Replay: dir}}}, nil, func(hsm.Observation) {})
	text := capture.Files["hsm1/hsm-show.unrecognised.txt"]
	if !strings.Contains(text, "Owner of it is ") || strings.Contains(text, "quavex") || strings.Contains(text, "4711007") || !strings.Contains(text, "Command Result : 0 (Success)") {
		t.Errorf("%q of %d files", text, len(capture.Files))
	}
}

func shown(t *testing.T, dir string) hsm.Show {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "hsm-show.txt"))
	check.Must(t, err)
	format, _ := formats.Named("hsm-show")
	fact, _, err := format.Parse(string(text))
	check.Must(t, err)
	return fact.(hsm.Show)
}

func TestReplayRefuses(t *testing.T) {
	dir := t.TempDir()
	evil := filepath.Join(dir, "evil.tar")
	var archive bytes.Buffer
	check.Must(t, Capture{Files: map[string]string{"../../etc/x": "x"}}.Write(&archive))
	check.Must(t, os.WriteFile(evil, archive.Bytes(), 0o600))
	for from, want := range map[string]string{
		evil:             "not a capture: it holds",
		dir + "/nowhere": "no such file",
		t.TempDir():      "holds no folder of captured answers",
	} {
		c := config.Default()
		c.StateDirectory = filepath.Join(dir, "state")
		if err := Replay(&c, from); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", from, err, want)
		}
	}
}

// TestReplayTruncated cuts an archive off: the file at the cut is not written.
func TestReplayTruncated(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "c.tar")
	var archive bytes.Buffer
	check.Must(t, Capture{Files: map[string]string{"hsm1/hsm-show.txt": strings.Repeat("x", 2000)}}.Write(&archive))
	check.Must(t, os.WriteFile(file, archive.Bytes()[:1000], 0o600))
	if err := unpack(file, filepath.Join(dir, "out")); err == nil || !strings.Contains(err.Error(), "not a capture") {
		t.Errorf("got %v", err)
	}
	if setting.File(filepath.Join(dir, "out", "hsm1", "hsm-show.txt")).Exists() {
		t.Error("half of a file is written")
	}
}

// TestReplayBounds unpacks archives that are small and claim much. GNU tar writes
// the sparse one.
func TestReplayBounds(t *testing.T) {
	dir := t.TempDir()
	many := map[string]string{}
	for i := range maxCaptureFiles + 1 {
		many[fmt.Sprintf("hsm1/%d.txt", i)] = ""
	}
	for name, files := range map[string]map[string]string{"many": many, "large": {"hsm1/a.txt": strings.Repeat("x", maxCapture/2), "hsm1/b.txt": strings.Repeat("x", maxCapture/2+1)}} {
		var archive bytes.Buffer
		check.Must(t, Capture{Files: files}.Write(&archive))
		check.Must(t, os.WriteFile(filepath.Join(dir, name+".tar"), archive.Bytes(), 0o600))
	}
	check.Must(t, os.Mkdir(filepath.Join(dir, "hsm1"), 0o700))
	hole := filepath.Join(dir, "hsm1", "hole.txt")
	check.Must(t, os.WriteFile(hole, nil, 0o600))
	check.Must(t, os.Truncate(hole, 1<<30))
	for _, format := range []string{"posix", "gnu"} {
		out, err := exec.Command("tar", "-C", dir, "-S", "--format="+format, "-cf", filepath.Join(dir, format+".tar"), "hsm1/hole.txt").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for _, name := range []string{"many", "large", "posix", "gnu"} {
		to := filepath.Join(dir, "out")
		if err := unpack(filepath.Join(dir, name+".tar"), to); err == nil || !strings.Contains(err.Error(), "not a capture") {
			t.Errorf("%s: %v", name, err)
		}
		if setting.File(filepath.Join(to, "hsm1", "hole.txt")).Exists() {
			t.Errorf("%s: the hole is written", name)
		}
	}
}

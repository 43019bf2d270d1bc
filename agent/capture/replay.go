package capture

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Replay makes c watch a capture, a directory or a tar archive, instead of its
// HSMs. An archive is unpacked into the state directory.
func Replay(c *config.Config, from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	dir := from
	if !info.IsDir() {
		dir = filepath.Join(c.StateDirectory, "replay")
		if err := unpack(from, dir); err != nil {
			return fmt.Errorf("replay: %s: %w", from, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	c.HSMs = nil
	c.LunaCM, c.HA, c.Host, c.Syslog = config.LunaCM{}, config.HA{}, config.Host{}, config.Syslog{Rate: c.Syslog.Rate}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		from := filepath.Join(dir, e.Name())
		set, err := readSettings(filepath.Join(from, settingsFile))
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		if e.Name() == hostDir {
			replayHost(c, from, set)
			continue
		}
		h := config.HSM{Name: e.Name(), Replay: from, Prefer: set.Prefer, ReplaySerial: set.SNMPSerial}
		h.Complete(c.Intervals)
		h.Logs, _ = filepath.Glob(filepath.Join(from, "log*.txt"))
		c.HSMs = append(c.HSMs, h)
	}
	if len(c.HSMs) == 0 && c.Host.Name == "" {
		return fmt.Errorf("replay: %s holds no folder of captured answers; lunawatch capture makes one", from)
	}
	return nil
}

// replayHost makes c watch the captured cards and HA groups of a host.
func replayHost(c *config.Config, dir string, set settings) {
	c.Host.Name = hostDir
	if setting.File(filepath.Join(dir, "cards")).Exists() {
		c.LunaCM = config.LunaCM{Enabled: true, Name: "card", Serials: set.Serials, Replay: dir}
		c.LunaCM.Intervals.Complete(c.Intervals)
	}
	if setting.File(filepath.Join(dir, "ha")).Exists() {
		c.HA = config.HA{Enabled: true, Interval: c.Intervals.Slow, Replay: dir}
	}
}

// readSettings reads the settings of a capture; old captures have none.
func readSettings(file string) (s settings, err error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = yaml.Unmarshal(text, &s)
	}
	return s, err
}

// What is unpacked is bounded: in bytes, whatever the archive's own size (a sparse
// entry of a few bytes may claim a terabyte), and in files.
const (
	maxCapture      = 64 << 20
	maxCaptureFiles = 20_000
)

// maxFolders is how deep the files of a capture can be: those of the roles of
// partitions are hsm1/rest/api/lunasa/hsms/1/partitions/2/roles/co.json.
const maxFolders = 9

// unpack writes the files of an archive below dir. It takes nothing but plain
// files in folders.
func unpack(file, dir string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	archive := tar.NewReader(io.LimitReader(f, 2*maxCapture))
	left := int64(maxCapture)
	for files := 0; ; files++ {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("not a capture: %w", err)
		}
		if h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) || !depth(h.Name) {
			return fmt.Errorf("not a capture: it holds %q", h.Name)
		}
		if left -= h.Size; left < 0 || files == maxCaptureFiles {
			return fmt.Errorf("not a capture: at %q it holds more than %d MB or %d files", h.Name, maxCapture>>20, maxCaptureFiles)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			return fmt.Errorf("not a capture: %w", err)
		}
		to := filepath.Join(dir, filepath.FromSlash(h.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(to, text, 0o640); err != nil {
			return err
		}
	}
}

// depth reports whether a file is in a folder, and not too deep.
func depth(name string) bool {
	n := strings.Count(path.Clean(name), "/")
	return n >= 1 && n <= maxFolders
}

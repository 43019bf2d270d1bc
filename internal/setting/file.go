package setting

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A File is a file that a key names, by its path or as credential:NAME, a credential
// of systemd's LoadCredential. Its content is read for each use and not stored, so a
// renewed secret counts at once, and no log or error contains it.
type File string

const credential = "credential:"

// Credential returns the credential with that name.
func Credential(name string) File { return File(credential + name) }

// IsCredential reports whether systemd provides f.
func (f File) IsCredential() bool { return strings.HasPrefix(string(f), credential) }

var (
	errNoCredentials  = errors.New("needs systemd's LoadCredential; CREDENTIALS_DIRECTORY is not set")
	errCredentialName = errors.New("is not the name of a credential")
)

// shown returns f for an error, unless it does not look like the name of a file: then it
// may be the secret itself.
func (f File) shown() string {
	if filePath.MatchString(string(f)) && !Hides("", string(f)) {
		return string(f)
	}
	return "a file " + notShown
}

// missing returns the error of a file that is not there, without what may be the secret
// itself, written in place of the file's name.
func (f File) missing(err error) error {
	if filePath.MatchString(string(f)) {
		return err
	}
	return fmt.Errorf("%s: %w", f.shown(), fs.ErrNotExist)
}

// Path returns the path of f.
func (f File) Path() (string, error) {
	name, ok := strings.CutPrefix(string(f), credential)
	if !ok {
		return string(f), nil
	}
	directory := os.Getenv("CREDENTIALS_DIRECTORY")
	switch {
	case directory == "":
		return "", fmt.Errorf("%s %w", f.shown(), errNoCredentials)
	case name == "" || name != filepath.Base(name) || name == "..":
		return "", fmt.Errorf("%s %w", f.shown(), errCredentialName)
	}
	return filepath.Join(directory, name), nil
}

// Validate returns what is wrong with the name of f. It does not read f.
func (f File) Validate() error {
	_, err := f.Path()
	return err
}

// Bytes returns the content of the file.
func (f File) Bytes() ([]byte, error) {
	path, err := f.Path()
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, f.missing(err)
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w; make it readable to the agent's user", err)
	}
	return b, err
}

// Exists reports whether the file or directory exists.
func (f File) Exists() bool {
	_, err := f.Changed()
	return err == nil
}

// Changed returns when the file was last written.
func (f File) Changed() (time.Time, error) {
	path, err := f.Path()
	if err != nil {
		return time.Time{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}, f.missing(err)
	}
	return info.ModTime(), nil
}

// Secret is [File.Line] with the key in its error.
func (f File) Secret(key string, shortest int) (string, error) {
	line, err := f.Line(shortest)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	return line, nil
}

// Line returns the first line of the file, which must have shortest bytes or more and
// not be blank. The error names the file and the remedy.
func (f File) Line(shortest int) (string, error) {
	b, err := f.Bytes()
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	line = strings.TrimRight(line, "\r")
	switch {
	case strings.TrimSpace(line) == "":
		return "", fmt.Errorf("%s is empty; write the secret into its first line", f)
	case len(line) < shortest:
		return "", fmt.Errorf("%s holds fewer than %d characters", f, shortest)
	}
	return line, nil
}

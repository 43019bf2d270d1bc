// Package setting has what the sections of the configuration share: faults with the
// path of their key, and the files that keys name. It knows no section.
package setting

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A Fault is what is wrong with one value of the configuration.
type Fault struct {
	Path string // of keys, from the section that reports it: intervals.fast, urls[1]; "": the section itself
	Err  error  // what is wrong, and the remedy
}

func (f *Fault) Error() string {
	if f.Path == "" {
		return f.Err.Error()
	}
	return f.Path + ": " + f.Err.Error()
}

func (f *Fault) Unwrap() error { return f.Err }

// Faultf returns a [Fault] of the value at path. A text of args that [Hides] is replaced.
func Faultf(path, format string, args ...any) error {
	for i, a := range args {
		if s, ok := a.(string); ok && Hides(path, s) {
			args[i] = notShown
		}
	}
	return &Fault{path, fmt.Errorf(format, args...)}
}

// At returns the faults of a section with path put before their own. path is that of
// the section in the one that contains it.
func At(path string, err error) error {
	var moved []error
	for _, f := range Faults(err) {
		moved = append(moved, &Fault{join(path, f.Path), f.Err})
	}
	return errors.Join(moved...)
}

func join(path, key string) string {
	if path == "" || key == "" || strings.HasPrefix(key, "[") {
		return path + key
	}
	return path + "." + key
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// Key returns a key that the configuration file chooses in the form of a path: quoted,
// unless it is a plain word. One that may hold a secret, because the blank after its
// colon is missing, is "...".
func Key(name string) string {
	if !plain.MatchString(name) && Hides("", name) {
		return `"..."`
	}
	if plain.MatchString(name) {
		return name
	}
	return strconv.Quote(name)
}

// Faults returns the faults that err joins, in order. An error without a path becomes a
// fault of the section itself.
func Faults(err error) (list []*Fault) {
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case nil:
		return nil
	case *Fault:
		return []*Fault{e}
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			list = append(list, Faults(one)...)
		}
		return list
	}
	return []*Fault{{Err: err}}
}

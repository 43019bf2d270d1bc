// Package program bounds what the programs that the agent starts are given, and
// what is kept of their output.
package program

import (
	"bytes"
	"os"
)

// Environ returns PATH and LANG, and those of keep that the agent itself has. The
// rest of the agent's environment may hold secrets, or change what a program loads
// and how it words its answers.
func Environ(keep ...string) []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	for _, name := range keep {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// A Head stores the first Max bytes that are written to it. Its buffer is not
// embedded: [io.Copy] would find ReadFrom there, which knows no bound.
type Head struct {
	Max int

	buffer bytes.Buffer
}

// Write implements [io.Writer].
func (h *Head) Write(p []byte) (int, error) {
	h.buffer.Write(p[:min(len(p), max(0, h.Max-h.buffer.Len()))])
	return len(p), nil
}

// String returns what is stored.
func (h *Head) String() string { return h.buffer.String() }

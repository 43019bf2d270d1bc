package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// InForce is which configuration an agent runs with. It has no secret.
type InForce struct {
	File   string            `json:"file"`   // absolute
	Sum    string            `json:"sum"`    // SHA-256 of its text, in hexadecimal
	Loaded time.Time         `json:"loaded"` // when it was read
	UID    int               `json:"uid"`    // of the agent's process
	Groups []int             `json:"groups"` // further groups of the agent's process
	HSMs   map[string]string `json:"hsms"`   // a sum of the section of each, by name
}

// InForce describes c, and the process that runs with it, for whoever compares it with
// the file.
func (c Config) InForce() InForce {
	f := InForce{Sum: c.Sum, Loaded: c.Loaded, UID: os.Geteuid(), HSMs: make(map[string]string)}
	if groups, err := os.Getgroups(); err == nil {
		f.Groups = append(groups, os.Getegid())
	}
	f.File, _ = filepath.Abs(c.File)
	for _, h := range c.HSMs {
		f.HSMs[h.Name] = h.Sum()
	}
	return f
}

// Sum returns the SHA-256 of the section of h, its defaults filled in, in hexadecimal.
func (h HSM) Sum() string {
	text, _ := json.Marshal(h) // it is all text, numbers and lists
	return sum(text)
}

func sum(text []byte) string {
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:])
}

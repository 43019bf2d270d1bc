package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"time"
)

// InForce is which configuration an agent runs with. It has no secret.
type InForce struct {
	File   string            `json:"file"`   // absolute
	Sum    string            `json:"sum"`    // SHA-256 of its text, in hexadecimal
	Loaded time.Time         `json:"loaded"` // when it was read
	UID    int               `json:"uid"`    // of the agent's user
	HSMs   map[string]string `json:"hsms"`   // a sum of the section of each, by name
}

// InForce describes c for whoever compares it with the file. uid is that of the agent.
func (c Config) InForce(uid int) InForce {
	f := InForce{Sum: c.Sum, Loaded: c.Loaded, UID: uid, HSMs: make(map[string]string)}
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

package cluster

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lunawatch/lunawatch/alarms/journal"
)

// A kind is what a key below the prefix is about.
type kind string

const (
	memberKey kind = "members" // /name: JSON of a Member, with its lease
	ownerKey  kind = "owners"  // /nnn: name, with its lease; the create revision is the fencing token
	moveKey   kind = "moves"   // /nnn: the name that an operator wants
	drainKey  kind = "drain"   // /name: an operator wants it to own nothing
	stateKey  kind = "state"   // /nnn/key or /all/key
)

// everybody is the shard of what no device owns.
const everybody = -1

// A place is a key taken apart.
type place struct {
	kind  kind
	shard int    // of owners, moves and state; everybody: /all/
	name  string // of members and drain; of state the Write.Key
}

func (p place) key(prefix string) string {
	at := prefix + string(p.kind) + "/"
	switch {
	case p.kind == memberKey || p.kind == drainKey:
		return at + p.name
	case p.kind != stateKey:
		return at + fmt.Sprintf("%03d", p.shard)
	case p.shard == everybody:
		return at + "all/" + p.name
	}
	return at + fmt.Sprintf("%03d/", p.shard) + p.name
}

// parse takes a key apart. ok is false for what a later version may have put there.
func parse(prefix, key string) (p place, ok bool) {
	rest, found := strings.CutPrefix(key, prefix)
	if !found {
		return p, false
	}
	k, rest, found := strings.Cut(rest, "/")
	if !found {
		return p, false
	}
	p.kind = kind(k)
	switch p.kind {
	case memberKey, drainKey:
		p.name = rest
		return p, rest != ""
	case ownerKey, moveKey:
		p.shard, ok = parseShard(rest)
		return p, ok
	case stateKey:
		var shard string
		if shard, p.name, found = strings.Cut(rest, "/"); !found {
			return p, false
		}
		if shard == "all" {
			p.shard = everybody
			return p, true
		}
		p.shard, ok = parseShard(shard)
		return p, ok
	}
	return p, false
}

func parseShard(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && len(text) == 3 && n >= 0 && n < Shards
}

// placeOf returns the key of a write.
func placeOf(w journal.Write) place {
	if w.Device == "" {
		return place{stateKey, everybody, w.Key}
	}
	return place{stateKey, Shard(w.Device), w.Key}
}

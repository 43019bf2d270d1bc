package journal

import (
	"time"

	"go.etcd.io/bbolt"

	"github.com/lunawatch/lunawatch/hsm"
)

// A Line is one of a device's log that its owner does not seem to have heard, as an agent
// that did forwards it.
type Line struct {
	Device    string      `json:"device"`
	Line      hsm.LogLine `json:"line"`
	At        time.Time   `json:"at"`   // when it was heard, by the clock of who did
	Peer      string      `json:"peer"` // who sent it
	Untrusted bool        `json:"untrusted"`

	name string
}

// Forward has the owner of a device evaluate a line. The same name is the same line.
func (j *Journal) Forward(name string, l Line) error {
	return j.update(func(tx *change) error { return tx.put(lineKind, "", []byte(name), l) })
}

// Heard removes a line: its owner has evaluated it.
func (j *Journal) Heard(l Line) error {
	return j.update(func(tx *change) error { return tx.remove(lineKind, "", []byte(l.name)) })
}

// Forwarded returns the lines that owners of devices may not have heard.
func (j *Journal) Forwarded() (list []Line, err error) {
	err = j.view(func(tx *bbolt.Tx) error {
		return each(tx.Bucket(lineBucket), func(name []byte, l Line) {
			l.name = string(name)
			list = append(list, l)
		})
	})
	return list, err
}

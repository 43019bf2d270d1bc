package snmp

import (
	"errors"

	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/internal/snmppeer"
)

// A Target is a manager that takes traps or informs.
type Target struct {
	snmppeer.Peer `yaml:",inline"`

	Inform bool  `yaml:"inform"` // confirmed; a trap to a closed port counts as sent
	Form   Forms `yaml:"form" names:"vendor lunawatch alarm-mib" default:"vendor"`
}

// Validate returns all that is wrong with t.
func (t Target) Validate() error {
	return errors.Join(setting.At("form", t.Form.Validate()), t.Peer.Validate())
}

package alarms

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/mib/agentx"
)

// A Notification is one change that a receiver is told of.
type Notification struct {
	ID       string    `json:"id"`       // the same at every retry
	Sequence uint64    `json:"sequence"` // of its queue
	At       time.Time `json:"at"`
	Change   Change    `json:"change"`
	Address  string    `json:"address"` // of the device; "" if it has none
	Label    string    `json:"label"`   // of the HSM; "" if it is not known
}

// A Notifier delivers one notification. Retry, order, durability and counters
// are written once, around it: an error means that it is tried again, unless
// it is [Rejected].
type Notifier interface {
	Notify(ctx context.Context, n Notification) error
}

// The objects of SAFENET-APPLIANCE-MIB that a trap carries.
var (
	ssTraps        = agentx.OID{1, 3, 6, 1, 4, 1, 23629, 1, 5, 2, 2}
	ssLogReference = ssTraps.Append(1)
)

// trapNumbers are the last sub-identifiers of the notifications.
var trapNumbers = map[Trap]uint32{
	FanAttention: 2, PowerSupplyAttention: 3, MotherboardAttention: 4,
	DiskDriveAttention: 5, NTLSAttention: 6, CryptoAttention: 7,
}

// VendorTrap returns n as the vendor's own trap agent would send it: the OID
// of the notification, and the value of its only object, ssLogReference
//
//	[host:ip / log file / date / process / flag]
//
// with flag 1 for an alarm and 0 for its end, in at most 256 characters: the
// parts are cut so that they fit, whatever a log says. The vendor sends ssLogReference
// without an instance. What was polled names its rule as the log.
func VendorTrap(n Notification) (oid, object agentx.OID, reference string) {
	a := n.Change.Alarm
	place := LogPlace{Host: a.Device, File: "lunawatch", Time: logTime(n.At), Process: a.Group}
	if e := a.Evidence; len(e) > 0 && e[len(e)-1].Log != nil {
		place = *e[len(e)-1].Log
	}
	flag := 1
	if n.Change.Kind == Ended {
		flag = 0
	}
	address, _, err := net.SplitHostPort(n.Address)
	if err != nil {
		address = n.Address
	}
	reference = printable(fmt.Sprintf("[%.64s:%.64s / %.32s / %.32s / %.48s / %d]", place.Host, address, place.File, place.Time, place.Process, flag))
	return ssTraps.Append(trapNumbers[GroupNamed(a.Group).Trap]), ssLogReference, reference
}

// printable keeps to the characters of a DisplayString.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

func logTime(t time.Time) string { return t.Format("2006 Jan _2 15:04:05") }

// placeOf tells where a line stands, in the line's own words.
func placeOf(l Line) *LogPlace {
	p := &LogPlace{Host: cmp.Or(l.Host, l.Device), File: filepath.Base(l.File), Time: logTime(l.At), Process: l.Process}
	switch {
	case l.Time.Known:
		p.Time = logTime(l.Time.Value)
	case l.Stamp != "":
		p.Time = l.Stamp
	}
	if l.PID.Known {
		p.Process += fmt.Sprintf("[%d]", l.PID.Value)
	}
	return p
}

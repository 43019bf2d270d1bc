package snmp

import (
	"fmt"
	"net"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// The objects of SAFENET-APPLIANCE-MIB that a trap carries.
var (
	ssTraps        = agentx.OID{1, 3, 6, 1, 4, 1, 23629, 1, 5, 2, 2}
	ssLogReference = ssTraps.Append(1)
)

// trapNumbers are the last sub-identifiers of the notifications.
var trapNumbers = map[alarms.Trap]uint32{
	alarms.FanAttention: 2, alarms.PowerSupplyAttention: 3, alarms.MotherboardAttention: 4,
	alarms.DiskDriveAttention: 5, alarms.NTLSAttention: 6, alarms.CryptoAttention: 7,
}

// VendorTrap returns n as the vendor's own trap agent would send it: the OID
// of the notification, and the value of its only object, ssLogReference
//
//	[host:ip / log file / date / process / flag]
//
// with flag 1 for an alarm and 0 for its clearing, in at most 256 characters:
// the parts are cut to fit, whatever a log says. The vendor sends
// ssLogReference without an instance. For what was polled, lunawatch is the log
// file and the group the process.
func VendorTrap(n alarms.Notification) (oid, object agentx.OID, reference string) {
	a := n.Change.Alarm
	place := alarms.LogPlace{Host: a.Device, File: "lunawatch", Time: alarms.LogTime(n.At), Process: a.Group}
	if e := a.Evidence; len(e) > 0 && e[len(e)-1].Log != nil {
		place = *e[len(e)-1].Log
	}
	flag := 1
	if n.Change.Kind == alarms.Cleared {
		flag = 0
	}
	address, _, err := net.SplitHostPort(n.Address)
	if err != nil {
		address = n.Address
	}
	reference = notify.Printable(fmt.Sprintf("[%.64s:%.64s / %.32s / %.32s / %.48s / %d]", place.Host, address, place.File, place.Time, place.Process, flag))
	return ssTraps.Append(trapNumbers[alarms.GroupNamed(a.Group).Trap]), ssLogReference, reference
}

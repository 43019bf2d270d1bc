package vendor

import (
	"iter"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// items makes rows of the items of a section, below the HSM's index.
func items[T any](section func(*hsm.Device) hsm.Section[[]T], index func(T) agentx.OID) func(mib.Source) iter.Seq[mib.Part[T]] {
	return mib.ByHSM(
		func(d mib.Device) []any { return []any{mib.StampOf(d, section(d.Device))} },
		func(d mib.Device) iter.Seq2[agentx.OID, T] {
			return func(yield func(agentx.OID, T) bool) {
				list, ok := section(d.Device).Get(d.Source.Now)
				if !ok {
					return
				}
				for _, item := range list {
					if i := index(item); i != nil && !yield(d.Index.Append(i...), item) {
						return
					}
				}
			}
		})
}

// partitionTable is SAFENET-HSM-MIB hsmPartitionTable, indexed by HSM serial
// and partition serial.
var partitionTable = mib.Table[hsm.Partition]{
	Name:  "hsmPartitionTable",
	Entry: safenetHSM.Append(4, 1),
	Parts: items(func(d *hsm.Device) hsm.Section[[]hsm.Partition] { return d.Partitions },
		func(p hsm.Partition) agentx.OID { return mib.Text(nil, p.Serial) }),
	Columns: []mib.Column[hsm.Partition]{
		{1, "hsmPartitionSerialNumber", func(p hsm.Partition) agentx.Value { return mib.Display(p.Serial) }},
		{2, "hsmPartitionLabel", partitionLabel},
		{3, "hsmPartitionActivated", func(p hsm.Partition) agentx.Value { return mib.Optional(p.Activated, mib.Truth) }},
		{4, "hsmPartitionStorageTotalBytes", func(p hsm.Partition) agentx.Value { return mib.Optional(p.Storage.Total, mib.Unsigned32) }},
		{5, "hsmPartitionStorageAllocatedBytes", func(p hsm.Partition) agentx.Value { return mib.Optional(p.Storage.Used, mib.Unsigned32) }},
		{6, "hsmPartitionStorageAvailableBytes", func(p hsm.Partition) agentx.Value { return mib.Optional(p.Storage.Free, mib.Unsigned32) }},
		{7, "hsmPartitionObjectCount", func(p hsm.Partition) agentx.Value { return mib.Optional(p.ObjectCount, mib.Unsigned32) }},
	},
}

// PartitionSerialNumber returns the instance of hsmPartitionSerialNumber for a partition.
func PartitionSerialNumber(serial, partition string) agentx.OID {
	return mib.Text(partitionTable.Entry.Append(1).Append(mib.HSMIndex(serial)...), partition)
}

// partitionLabel is the name where no label is stated: before 6.x a partition has only
// that.
func partitionLabel(p hsm.Partition) agentx.Value {
	if !p.Label.Known {
		return mib.Known(p.Name)
	}
	return mib.Display(p.Label.Value)
}

// licenseTable is SAFENET-HSM-MIB hsmLicenseTable, indexed by HSM serial and
// licence id.
var licenseTable = mib.Table[hsm.License]{
	Name:  "hsmLicenseTable",
	Entry: safenetHSM.Append(3, 1),
	Parts: items(func(d *hsm.Device) hsm.Section[[]hsm.License] { return d.Licenses },
		func(l hsm.License) agentx.OID { return mib.Text(nil, l.ID) }),
	Columns: []mib.Column[hsm.License]{
		{1, "hsmLicenseID", func(l hsm.License) agentx.Value { return mib.Display(l.ID) }},
		{2, "hsmLicenseDescription", func(l hsm.License) agentx.Value { return mib.Display(l.Description) }},
	},
}

// A client is a registered client of an HSM.
type client struct {
	hsm.Client
	device mib.Device
}

// clients yields the clients of an HSM, indexed by name alone: the vendor's table has no
// HSM in its index. A client of several HSMs is listed once.
func clients(d mib.Device) iter.Seq2[agentx.OID, client] {
	return func(yield func(agentx.OID, client) bool) {
		list, _ := d.Clients.Get(d.Source.Now)
		for _, c := range list {
			if d.Clients.Fresh(d.Source.Now) && !yield(mib.Text(nil, c.Name), client{c, d}) {
				return
			}
		}
	}
}

// readsClients is the stamp of what the tables of clients show.
func readsClients(d mib.Device) []any {
	return []any{mib.StampOf(d, d.Clients), mib.StampOf(d, d.Show), mib.StampOf(d, d.Partitions)}
}

// hasHTL reports whether the appliance's software has host trust links, which version 7
// removed.
func (c client) hasHTL() bool { return !strings.HasPrefix(c.device.Show.Value.SoftwareVersion, "7.") }

// clientTable is SAFENET-HSM-MIB hsmClientRegistrationTable, indexed by client
// name.
var clientTable = mib.Table[client]{
	Name:  "hsmClientRegistrationTable",
	Entry: safenetHSM.Append(7, 1),
	Parts: mib.OfHSMs(readsClients, clients),
	Columns: []mib.Column[client]{
		{1, "hsmClientName", func(c client) agentx.Value { return mib.Display(c.Name) }},
		{2, "hsmClientAddress", func(c client) agentx.Value { return mib.Known(c.Address) }},
		{3, "hsmClientRequiresHTL", func(c client) agentx.Value {
			if !c.hasHTL() {
				return mib.Truth(false)
			}
			return mib.Optional(c.RequiresHTL, mib.Truth)
		}},
		{4, "hsmClientOTTExpiry", func(c client) agentx.Value {
			if !c.hasHTL() {
				return agentx.Integer(-1)
			}
			return mib.Optional(c.OTTExpiry, func(n int64) agentx.Value { return agentx.Integer(int32(n)) })
		}},
	},
}

// An assignment is one partition that a client may use.
type assignment struct{ hsmSerial, partitionSerial string }

// assignmentTable is SAFENET-HSM-MIB hsmClientPartitionAssignmentTable,
// indexed by client name, HSM serial and partition serial.
var assignmentTable = mib.Table[assignment]{
	Name:  "hsmClientPartitionAssignmentTable",
	Entry: safenetHSM.Append(8, 1),
	Parts: mib.OfHSMs(readsClients, func(d mib.Device) iter.Seq2[agentx.OID, assignment] {
		return func(yield func(agentx.OID, assignment) bool) {
			for index, c := range clients(d) {
				for _, serial := range c.partitionSerials() {
					a := assignment{d.Serial(), serial}
					if !yield(mib.Text(mib.Text(slices.Clone(index), a.hsmSerial), a.partitionSerial), a) {
						return
					}
				}
			}
		}
	}),
	Columns: []mib.Column[assignment]{
		{1, "hsmClientHsmSerialNumber", func(a assignment) agentx.Value { return mib.Display(a.hsmSerial) }},
		{2, "hsmClientPartitionSerialNumber", func(a assignment) agentx.Value { return mib.Display(a.partitionSerial) }},
	},
}

// partitionSerials returns the serial numbers of partitions, which "client show" states
// by name and SNMP by serial number.
func (c client) partitionSerials() []string {
	show, _ := c.device.Show.Get(c.device.Source.Now)
	known, _ := c.device.Partitions.Get(c.device.Source.Now)
	var serials []string
	for _, p := range show.Partitions {
		if slices.Contains(c.Partitions, p.Name) {
			serials = append(serials, p.Serial)
		}
	}
	for _, p := range known {
		if slices.Contains(c.Partitions, p.Serial) {
			serials = append(serials, p.Serial)
		}
	}
	return serials
}

// appliance is the only scalar of SAFENET-APPLIANCE-MIB. With several appliances it
// lists every version among them.
var appliance = mib.Table[mib.Source]{
	Entry: safenetAppliance,
	Parts: mib.Scalar(func(src mib.Source) mib.Source { return src }),
	Columns: []mib.Column[mib.Source]{
		{1, "appSoftwareVersion", func(src mib.Source) agentx.Value {
			var versions []string
			for _, d := range src.Snapshot.HSMs() {
				if s, ok := d.Show.Get(src.Now); ok && s.SoftwareVersion != "" {
					versions = append(versions, s.SoftwareVersion)
				}
			}
			slices.Sort(versions)
			return mib.Known(strings.Join(slices.Compact(versions), ", "))
		}},
	},
}

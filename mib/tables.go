package mib

import (
	"iter"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// items makes rows of the items of a section, below the HSM's index.
func items[T any](section func(*hsm.Device) hsm.Section[[]T], index func(T) agentx.OID) func(Source) iter.Seq[part[T]] {
	return byHSM(
		func(d device) []any { return []any{stampOf(d, section(d.Device))} },
		func(d device) iter.Seq2[agentx.OID, T] {
			return func(yield func(agentx.OID, T) bool) {
				list, ok := section(d.Device).Get(d.src.Now)
				if !ok {
					return
				}
				for _, item := range list {
					if i := index(item); i != nil && !yield(d.index.Append(i...), item) {
						return
					}
				}
			}
		})
}

// partitionTable is SAFENET-HSM-MIB hsmPartitionTable, indexed by HSM serial
// and partition serial.
var partitionTable = table[hsm.Partition]{
	name:  "hsmPartitionTable",
	entry: safenetHSM.Append(4, 1),
	parts: items(func(d *hsm.Device) hsm.Section[[]hsm.Partition] { return d.Partitions },
		func(p hsm.Partition) agentx.OID { return text(nil, p.Serial) }),
	columns: []column[hsm.Partition]{
		{1, "hsmPartitionSerialNumber", func(p hsm.Partition) agentx.Value { return display(p.Serial) }},
		{2, "hsmPartitionLabel", partitionLabel},
		{3, "hsmPartitionActivated", func(p hsm.Partition) agentx.Value { return opt(p.Activated, truth) }},
		{4, "hsmPartitionStorageTotalBytes", func(p hsm.Partition) agentx.Value { return opt(p.Storage.Total, unsigned32) }},
		{5, "hsmPartitionStorageAllocatedBytes", func(p hsm.Partition) agentx.Value { return opt(p.Storage.Used, unsigned32) }},
		{6, "hsmPartitionStorageAvailableBytes", func(p hsm.Partition) agentx.Value { return opt(p.Storage.Free, unsigned32) }},
		{7, "hsmPartitionObjectCount", func(p hsm.Partition) agentx.Value { return opt(p.ObjectCount, unsigned32) }},
	},
}

// partitionLabel is the name where no label is stated: before 6.x a partition has only
// that.
func partitionLabel(p hsm.Partition) agentx.Value {
	if !p.Label.Known {
		return known(p.Name)
	}
	return display(p.Label.Value)
}

// licenseTable is SAFENET-HSM-MIB hsmLicenseTable, indexed by HSM serial and
// licence id.
var licenseTable = table[hsm.License]{
	name:  "hsmLicenseTable",
	entry: safenetHSM.Append(3, 1),
	parts: items(func(d *hsm.Device) hsm.Section[[]hsm.License] { return d.Licenses },
		func(l hsm.License) agentx.OID { return text(nil, l.ID) }),
	columns: []column[hsm.License]{
		{1, "hsmLicenseID", func(l hsm.License) agentx.Value { return display(l.ID) }},
		{2, "hsmLicenseDescription", func(l hsm.License) agentx.Value { return display(l.Description) }},
	},
}

// A client is a registered client of an HSM.
type client struct {
	hsm.Client
	device device
}

// clients yields the clients of an HSM, indexed by name alone: the vendor's table has no
// HSM in its index. A client of several HSMs is listed once.
func clients(d device) iter.Seq2[agentx.OID, client] {
	return func(yield func(agentx.OID, client) bool) {
		list, _ := d.Clients.Get(d.src.Now)
		for _, c := range list {
			if d.Clients.Fresh(d.src.Now) && !yield(text(nil, c.Name), client{c, d}) {
				return
			}
		}
	}
}

// readsClients is the stamp of what the tables of clients show.
func readsClients(d device) []any {
	return []any{stampOf(d, d.Clients), stampOf(d, d.Show), stampOf(d, d.Partitions)}
}

// hasHTL reports whether the appliance's software has host trust links, which version 7
// removed.
func (c client) hasHTL() bool { return !strings.HasPrefix(c.device.Show.Value.SoftwareVersion, "7.") }

// clientTable is SAFENET-HSM-MIB hsmClientRegistrationTable, indexed by client
// name.
var clientTable = table[client]{
	name:  "hsmClientRegistrationTable",
	entry: safenetHSM.Append(7, 1),
	parts: ofHSMs(readsClients, clients),
	columns: []column[client]{
		{1, "hsmClientName", func(c client) agentx.Value { return display(c.Name) }},
		{2, "hsmClientAddress", func(c client) agentx.Value { return known(c.Address) }},
		{3, "hsmClientRequiresHTL", func(c client) agentx.Value {
			if !c.hasHTL() {
				return truth(false)
			}
			return opt(c.RequiresHTL, truth)
		}},
		{4, "hsmClientOTTExpiry", func(c client) agentx.Value {
			if !c.hasHTL() {
				return agentx.Integer(-1)
			}
			return opt(c.OTTExpiry, func(n int64) agentx.Value { return agentx.Integer(int32(n)) })
		}},
	},
}

// An assignment is one partition that a client may use.
type assignment struct{ hsmSerial, partitionSerial string }

// assignmentTable is SAFENET-HSM-MIB hsmClientPartitionAssignmentTable,
// indexed by client name, HSM serial and partition serial.
var assignmentTable = table[assignment]{
	name:  "hsmClientPartitionAssignmentTable",
	entry: safenetHSM.Append(8, 1),
	parts: ofHSMs(readsClients, func(d device) iter.Seq2[agentx.OID, assignment] {
		return func(yield func(agentx.OID, assignment) bool) {
			for index, c := range clients(d) {
				for _, serial := range c.partitionSerials() {
					a := assignment{d.Serial(), serial}
					if !yield(text(text(slices.Clone(index), a.hsmSerial), a.partitionSerial), a) {
						return
					}
				}
			}
		}
	}),
	columns: []column[assignment]{
		{1, "hsmClientHsmSerialNumber", func(a assignment) agentx.Value { return display(a.hsmSerial) }},
		{2, "hsmClientPartitionSerialNumber", func(a assignment) agentx.Value { return display(a.partitionSerial) }},
	},
}

// partitionSerials returns the serial numbers of partitions, which "client show" states
// by name and SNMP by serial number.
func (c client) partitionSerials() []string {
	show, _ := c.device.Show.Get(c.device.src.Now)
	known, _ := c.device.Partitions.Get(c.device.src.Now)
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
var appliance = table[Source]{
	entry: safenetAppliance,
	parts: scalar(func(src Source) Source { return src }),
	columns: []column[Source]{
		{1, "appSoftwareVersion", func(src Source) agentx.Value {
			var versions []string
			for _, d := range src.Snapshot.HSMs() {
				if s, ok := d.Show.Get(src.Now); ok && s.SoftwareVersion != "" {
					versions = append(versions, s.SoftwareVersion)
				}
			}
			slices.Sort(versions)
			return known(strings.Join(slices.Compact(versions), ", "))
		}},
	},
}

package alarmstest

// Stamp begins a line of an appliance's log.
const Stamp = "2026 Mar  1 12:00:00 luna-a  "

// Lines of one alarm, as different ways deliver them.
const (
	LineOfAppliance = "2026 Mar  1 12:00:00 luna-a  kern info  kernel: k7pf0: [HSM] ALM2003: Battery low voltage warning"
	Line4sLater     = "2026 Mar  1 12:00:04 luna-a  kern info  kernel: k7pf0: [HSM] ALM2003: Battery low voltage warning"
	Line6sLater     = "2026 Mar  1 12:00:06 luna-a  kern info  kernel: k7pf0: [HSM] ALM2003: Battery low voltage warning"
	LineShort       = "<6>Mar  1 12:00:00 luna-a kernel: k7pf0: [HSM] ALM2003: Battery low voltage warning"
	LineNewYear     = "<6>Dec 31 23:59:59 luna-a kernel: k7pf0: [HSM] ALM2003: Battery low voltage warning"
	LineOldYear     = "2025 Dec 31 23:59:59 luna-a  kern info  kernel: k7pf0: [HSM] ALM2003: Battery low voltage warning"
	LineZoned       = "<6>1 2026-03-01T12:00:00+01:00 luna-a kernel - - - k7pf0: [HSM] ALM2003: Battery low voltage warning"
	LineOfRing      = "6,9,9731221934,-;k7pf0: [HSM] ALM2003: Battery low voltage warning"
	LineOtherCard   = "2026 Mar  1 12:00:00 luna-a  kern info  kernel: k7pf1: [HSM] ALM2003: Battery low voltage warning"
	LineOtherText   = "2026 Mar  1 12:00:00 luna-a  kern info  kernel: k7pf0: [HSM] ALM2003: Battery low voltage warning 2"
	LineOfATest     = "2026 Mar  1 12:00:00 luna-a  kern info  kernel: ***TEST : k7pf0: [HSM] ALM2003: Battery low voltage warning"
)

// Messages of the kernel, without what comes before them.
const (
	TransportLine = "k7pf0: [HSM] ALM2012: HSM in secure transport mode"
	RecoveredLine = "k7pf0: [HSM] ALM2013: HSM recovered from secure transport mode"
	BatteryLine   = "k7pf0: [HSM] ALM2003: Battery low voltage warning"
)

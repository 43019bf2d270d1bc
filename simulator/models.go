package simulator

// A model is what is the same for one software release on one generation of card.
type model struct {
	version  string // in scenarios
	card     string // "K6" or "K7"
	software string
	sysstat  string // the version as status sysstat show prints it
	firmware string
	hardware string // value of the model line of hsm show
	part     string // part number, K7 only
	banner   string // first line of a session

	storageBytes  int64
	maxPartitions int
	rate          float64  // HSM commands per second at full load
	interfaces    []string // Ethernet devices besides eth0
	codes         []int    // system status codes of a healthy appliance
	driver        string   // name of the kernel driver in log lines
}

// modern reports whether the card has battery, temperature, tampers and ALM codes.
func (m *model) modern() bool { return m.card == "K7" }

var models = []*model{
	{
		version: "5.4", card: "K6",
		software: "5.4.1-2", sysstat: "SA:5.4.1-2", firmware: "6.21.0", hardware: "Luna K6",
		banner:       "Luna SA 5.4.1-2 Command Line Shell - Copyright (c) 2001-2014 SafeNet, Inc. All rights reserved.",
		storageBytes: 2097152, maxPartitions: 20, rate: 1200,
		interfaces: []string{"eth1"}, codes: []int{100, 61}, driver: "viper0",
	},
	{
		version: "6.2", card: "K6",
		software: "6.2.2-5", sysstat: "SA:6.2.2-5", firmware: "6.24.2", hardware: "K6 Base",
		banner:       "Luna SA 6.2.2-5 Command Line Shell - Copyright (c) 2001-2016 SafeNet, Inc. All rights reserved.",
		storageBytes: 16252928, maxPartitions: 20, rate: 1200,
		interfaces: []string{"eth1"}, codes: []int{100, 61, 95}, driver: "viper0",
	},
	{
		version: "7.2", card: "K7",
		software: "7.2.0-220", sysstat: "SA:7.2.0-220", firmware: "7.2.0", hardware: "Luna K7", part: "808-000048-002",
		banner:       "Luna Network HSM Command Line Shell v7.2.0-220. Copyright (c) 2018 SafeNet. All rights reserved.",
		storageBytes: 33554432, maxPartitions: 100, rate: 4000,
		interfaces: []string{"eth1", "eth2", "eth3"}, codes: []int{100, 61, 62, 63, 95}, driver: "k7pf0",
	},
}

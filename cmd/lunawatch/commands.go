package main

// commands lists every subcommand, in the order of the help text.
var commands = []command{
	agentCommand,
	checkConfig,
	hsmShow,
	hsmInformationShow,
	hsmInformationMonitor,
	hsmPartitionList,
	haShow,
	alarmsList,
	alarmsClear,
	walk,
	mibsCommand,
	parseCommand,
	captureCommand,
	{"simulate", "run a pretend Luna estate, or inject an event into it", simulate},
	versionCommand,
}

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
	alarmsShow,
	alarmsHistory,
	alarmsAck,
	alarmsUnack,
	alarmsClear,
	alarmsSilence,
	alarmsUnsilence,
	alarmsSilences,
	alarmsTest,
	alarmsExplain,
	alarmsReplay,
	walk,
	mibsCommand,
	parseCommand,
	captureCommand,
	versionCommand,
}

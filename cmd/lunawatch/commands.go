package main

// commands lists every subcommand, in the order of the help text.
var commands = []command{
	parseCommand,
}

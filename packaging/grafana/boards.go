package grafana

// boards are all dashboards, by the names of their files.
var boards = map[string]board{"estate": estate, "hsm": one, "ha": ha, "agent": agent}

var estate = board{uid: "lunawatch-estate", title: "Lunawatch: estate", says: "All HSMs at a glance: what is wrong, what is not known, how loaded they are.", panels: []panel{
	{kind: "stat", title: "HSMs and hosts", unit: "short", says: "Devices that the agents watch.", exprs: []expr{{`count(device:luna_source_success:max)`, ""}}},
	{kind: "stat", title: "Without an answer", unit: "short", says: "Devices of which no source answers.", bad: new(1.0), exprs: []expr{{`count(device:luna_source_success:max == 0) or vector(0)`, ""}}},
	{kind: "stat", title: "Stale sections", unit: "short", says: "Sections of data past their maximum age. Their values are shown nowhere.", warn: new(1.0), exprs: []expr{{`sum(luna_data_stale)`, ""}}},
	{kind: "table", title: "Active alarms", unit: "none", says: "Each alarm that is active, as the agents see it.", exprs: []expr{{`sum by (device, group, object, severity) (luna_alarm_active{test="false"})`, ""}}},
	{kind: "timeseries", title: "Active alarms by severity", unit: "short", says: "How many alarms are active.", exprs: []expr{{`sum by (severity) (device:luna_alarm_active:count)`, "{{severity}}"}}},
	{kind: "timeseries", title: "Utilization", unit: "percentunit", says: "How busy each HSM is. From 90 % requests wait.", warn: new(0.7), bad: new(0.9), exprs: []expr{{`luna_hsm_utilization_ratio`, "{{device}}"}}},
	{kind: "timeseries", title: "Requests", unit: "reqps", says: "Requests of clients, or all where those are not counted.", exprs: []expr{{`device:luna_hsm_requests:rate5m`, "{{device}}"}}},
	{kind: "timeseries", title: "Requests that end in an error", unit: "percentunit", says: "The part of the requests of the last 5 minutes.", bad: new(0.1), exprs: []expr{{`device:luna_hsm_errors:ratio5m`, "{{device}}"}}},
	{kind: "timeseries", title: "Temperature below the threshold", unit: "celsius", says: "How far each card is from the temperature at which it warns. None where it is not known.", warn: new(5.0), bad: new(0.0), falling: true, exprs: []expr{{`luna_hsm_temperature_warning_celsius - luna_hsm_temperature_celsius`, "{{device}}"}}},
	{kind: "timeseries", title: "Battery above the threshold", unit: "volt", says: "How far each battery is from the voltage at which it warns. None where it is not known.", warn: new(0.05), bad: new(0.0), falling: true, exprs: []expr{{`luna_hsm_battery_volts - luna_hsm_battery_warning_volts`, "{{device}}"}}},
	{kind: "table", title: "Firmware", unit: "none", says: "Serial number, label, model and firmware of each HSM.", exprs: []expr{{`sum by (device, serial, label, model, firmware) (luna_hsm_info)`, ""}}},
	{kind: "table", title: "NTLS certificates", unit: "s", says: "How long the server certificates are still valid.", warn: new(2592000.0), bad: new(604800.0), falling: true, exprs: []expr{{`sum by (device) (luna_ntls_certificate_not_after_timestamp_seconds) - time()`, ""}}},
}}

var one = board{uid: "lunawatch-hsm", title: "Lunawatch: one HSM", says: "One HSM, its partitions and its appliance.", perDevice: true, panels: []panel{
	{kind: "table", title: "Active alarms", unit: "none", says: "Alarms of this HSM.", exprs: []expr{{`sum by (group, object, severity) (luna_alarm_active{device="$device",test="false"})`, ""}}},
	{kind: "timeseries", title: "Utilization", unit: "percentunit", says: "How busy the HSM is. From 90 % requests wait.", warn: new(0.7), bad: new(0.9), exprs: []expr{{`luna_hsm_utilization_ratio{device="$device"}`, "utilization"}}},
	{kind: "timeseries", title: "Requests", unit: "reqps", says: "Requests of clients and commands of all kinds.", exprs: []expr{{`device:luna_hsm_requests:rate5m{device="$device"}`, "requests"}, {`device:luna_hsm_commands:rate5m{device="$device"}`, "commands"}}},
	{kind: "timeseries", title: "Errors", unit: "reqps", says: "Requests that ended in an error.", exprs: []expr{{`device:luna_hsm_errors:rate5m{device="$device"}`, "errors"}}},
	{kind: "timeseries", title: "Temperature", unit: "celsius", says: "Of the card, with the threshold that it states.", warn: new(75.0), bad: new(80.0), exprs: []expr{{`luna_hsm_temperature_celsius{device="$device"}`, "card"}, {`luna_hsm_temperature_warning_celsius{device="$device"}`, "threshold"}}},
	{kind: "timeseries", title: "Battery", unit: "volt", says: "Of the card, with the threshold that it states.", warn: new(2.75), bad: new(2.5), falling: true, exprs: []expr{{`luna_hsm_battery_volts{device="$device"}`, "battery"}, {`luna_hsm_battery_warning_volts{device="$device"}`, "threshold"}}},
	{kind: "stat", title: "SO login attempts left", unit: "short", says: "At 0 the HSM erases itself.", warn: new(3.0), bad: new(2.0), falling: true, exprs: []expr{{`luna_hsm_so_login_attempts_left{device="$device"}`, ""}}},
	{kind: "stat", title: "Up for", unit: "s", says: "Since the HSM was last reset.", exprs: []expr{{`luna_hsm_uptime_seconds{device="$device"}`, ""}}},
	{kind: "stat", title: "Age of data", unit: "s", says: "How long ago each section was read.", exprs: []expr{{`max by (section) (luna_data_age_seconds{device="$device"})`, "{{section}}"}}},
	{kind: "timeseries", title: "Storage in use", unit: "percentunit", says: "Of the HSM, and of each partition.", warn: new(0.8), bad: new(0.9), exprs: []expr{{`device:luna_hsm_storage_used:ratio{device="$device"}`, "HSM"}, {`partition:luna_partition_storage_used:ratio{device="$device"}`, "{{partition}}"}}},
	{kind: "table", title: "Partitions activated", unit: "bool_yes_no", says: "Of the partitions that need activation.", bad: new(1.0), falling: true, exprs: []expr{{`sum by (partition) (luna_partition_activated{device="$device"})`, ""}}},
	{kind: "timeseries", title: "Objects", unit: "short", says: "Objects in each partition.", exprs: []expr{{`luna_partition_objects{device="$device"}`, "{{partition}}"}}},
	{kind: "stat", title: "NTLS", unit: "none", says: "The operational status: 1 for the one that holds.", exprs: []expr{{`luna_ntls_status{device="$device"} == 1`, "{{status}}"}}},
	{kind: "timeseries", title: "NTLS links and clients", unit: "short", says: "Links may exceed the clients.", exprs: []expr{{`luna_ntls_links{device="$device"}`, "links"}, {`luna_ntls_connected_clients{device="$device"}`, "clients"}}},
	{kind: "timeseries", title: "NTLS connections that failed", unit: "cps", says: "A certificate or an address of a client may be wrong.", exprs: []expr{{`rate(luna_ntls_failed_connections_total{device="$device"}[5m])`, "failed"}}},
	{kind: "timeseries", title: "Appliance: fans", unit: "rotrpm", says: "Speed of each fan.", exprs: []expr{{`luna_appliance_fan_speed_rpm{device="$device"}`, "{{sensor}}"}}},
	{kind: "timeseries", title: "Appliance: file systems", unit: "percentunit", says: "At 95 % of the log disk the appliance stops NTLS.", warn: new(0.7), bad: new(0.9), exprs: []expr{{`mountpoint:luna_appliance_filesystem_used:ratio{device="$device"}`, "{{mountpoint}}"}}},
	{kind: "timeseries", title: "Duration of reads", unit: "s", says: "How long each source took to answer.", exprs: []expr{{`luna_source_duration_seconds{device="$device"}`, "{{source}}"}}},
}}

var ha = board{uid: "lunawatch-ha", title: "Lunawatch: HA", says: "HA groups as the clients see them.", perDevice: true, panels: []panel{
	{kind: "stat", title: "Groups offline", unit: "short", says: "Groups without a member that works.", bad: new(1.0), exprs: []expr{{`sum(luna_ha_group_offline{device="$device"})`, ""}}},
	{kind: "stat", title: "Redundancy", unit: "short", says: "Members that can still be lost. None where it is not known.", bad: new(1.0), falling: true, exprs: []expr{{`luna_ha_group_redundancy{device="$device"}`, "{{group}}"}}},
	{kind: "stat", title: "Standby members in use", unit: "bool_yes_no", says: "Whether a group works with its standby members only.", bad: new(1.0), exprs: []expr{{`luna_ha_group_standby_in_use{device="$device"}`, "{{group}}"}}},
	{kind: "timeseries", title: "Members", unit: "short", says: "Members that work, on standby, and configured.", exprs: []expr{{`luna_ha_group_members_alive{device="$device"}`, "{{group}} alive"}, {`luna_ha_group_members_standby{device="$device"}`, "{{group}} standby"}, {`luna_ha_group_members_expected{device="$device"}`, "{{group}} configured"}}},
	{kind: "table", title: "States", unit: "none", says: "The state of each member.", exprs: []expr{{`sum by (group, member, state) (luna_ha_member_state{device="$device"} == 1)`, ""}}},
	{kind: "table", title: "In this state for", unit: "s", says: "How long each member is in its state.", exprs: []expr{{`time() - sum by (group, member) (luna_ha_member_since_timestamp_seconds{device="$device"})`, ""}}},
	{kind: "timeseries", title: "Attempts to recover", unit: "short", says: "Number of the last attempt to recover a member that is lost.", exprs: []expr{{`luna_ha_member_recovery_attempt{device="$device"}`, "{{group}} {{member}}"}}},
	{kind: "timeseries", title: "Processes that have lost a member", unit: "short", says: "By their latest report.", warn: new(1.0), exprs: []expr{{`luna_ha_member_lost_by_processes{device="$device"}`, "{{group}} {{member}}"}}},
	{kind: "stat", title: "Recovery disabled", unit: "bool_yes_no", says: "Whether nothing brings back members that are down.", bad: new(1.0), exprs: []expr{{`luna_ha_group_recovery_disabled{device="$device"}`, "{{group}}"}}},
}}

var agent = board{uid: "lunawatch-agent", title: "Lunawatch: agents", says: "Whether the agents work: receivers, sources, memory, load.", panels: []panel{
	{kind: "table", title: "Versions", unit: "none", says: "Of the agents that Prometheus scrapes.", exprs: []expr{{`sum by (instance, version, goversion) (luna_build_info)`, ""}}},
	{kind: "timeseries", title: "Notifications that wait", unit: "short", says: "By receiver.", warn: new(1.0), exprs: []expr{{`luna_notifications_waiting`, "{{instance}} {{receiver}}"}}},
	{kind: "timeseries", title: "Oldest notification", unit: "s", says: "Age of the oldest one that waits.", warn: new(60.0), bad: new(600.0), exprs: []expr{{`luna_notification_oldest_seconds`, "{{instance}} {{receiver}}"}}},
	{kind: "timeseries", title: "Attempts that failed", unit: "cps", says: "To deliver notifications.", exprs: []expr{{`rate(luna_notification_failed_attempts_total[5m])`, "{{instance}} {{receiver}}"}}},
	{kind: "stat", title: "Notifications given up in a day", unit: "short", says: "Rejected by their receivers, or too old.", bad: new(1.0), exprs: []expr{{`sum by (receiver) (increase(luna_notifications_rejected_total[1d]) + increase(luna_notifications_expired_total[1d]))`, "{{receiver}}"}}},
	{kind: "stat", title: "State in memory", unit: "bool_yes_no", says: "Whether a restart forgets what is new.", bad: new(1.0), exprs: []expr{{`luna_state_in_memory`, "{{instance}}"}}},
	{kind: "timeseries", title: "Sources that fail", unit: "short", says: "By HSM.", warn: new(1.0), exprs: []expr{{`count by (device) (luna_source_success == 0)`, "{{device}}"}}},
	{kind: "timeseries", title: "snmpd connected", unit: "bool_yes_no", says: "While it is not, SNMP managers see no HSM.", bad: new(1.0), falling: true, exprs: []expr{{`luna_agentx_connected`, "{{instance}}"}}},
	{kind: "timeseries", title: "Lines of logs dropped", unit: "cps", says: "By the syslog listener, and why.", exprs: []expr{{`rate(luna_syslog_dropped_total[5m])`, "{{instance}} {{reason}}"}}},
	{kind: "timeseries", title: "Memory", unit: "bytes", says: "Resident memory of the agent.", exprs: []expr{{`process_resident_memory_bytes{job="lunawatch"}`, "{{instance}}"}}},
	{kind: "timeseries", title: "CPU", unit: "percentunit", says: "CPU time of the agent, of one CPU.", exprs: []expr{{`rate(process_cpu_seconds_total{job="lunawatch"}[5m])`, "{{instance}}"}}},
	{kind: "timeseries", title: "Open files", unit: "short", says: "File descriptors of the agent.", exprs: []expr{{`process_open_fds{job="lunawatch"}`, "{{instance}}"}}},
}}

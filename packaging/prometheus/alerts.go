package prometheus

// records are what several panels and alerts compute.
var records = []record{
	{"device:luna_hsm_commands:rate5m", `rate(luna_hsm_commands_total[5m])`},
	{"device:luna_hsm_requests:rate5m", `rate(luna_hsm_crypto_operation_requests_total[5m]) or rate(luna_hsm_operation_requests_total[5m])`},
	{"device:luna_hsm_errors:rate5m", `rate(luna_hsm_crypto_operation_errors_total[5m]) or rate(luna_hsm_operation_errors_total[5m])`},
	{"device:luna_hsm_errors:ratio5m", `device:luna_hsm_errors:rate5m / (device:luna_hsm_requests:rate5m > 0)`},
	{"device:luna_hsm_storage_used:ratio", `luna_hsm_storage_used_bytes / luna_hsm_storage_size_bytes`},
	{"partition:luna_partition_storage_used:ratio", `luna_partition_storage_used_bytes / luna_partition_storage_size_bytes`},
	{"mountpoint:luna_appliance_filesystem_used:ratio", `luna_appliance_filesystem_used_bytes / luna_appliance_filesystem_size_bytes`},
	{"mountpoint:luna_host_filesystem_used:ratio", `luna_host_filesystem_used_bytes / luna_host_filesystem_size_bytes`},
	{"device:luna_source_success:max", `max by (device, instance, job) (luna_source_success)`},
	{"device:luna_alarm_active:count", `count by (device, instance, job, severity) (luna_alarm_active{test="false"})`},
}

var agentAlerts = []alert{
	{name: "LunawatchWatchdog", severity: none, expr: `vector(1)`, summary: "Prometheus and the way to its receivers work",
		says: "This always fires. A dead man's switch behind the Alertmanager reports when it does not."},
	{name: "LunawatchDown", severity: critical, wait: "2m", expr: `up{job="lunawatch"} == 0`, summary: "{{ $labels.instance }}: the agent cannot be scraped",
		says: "Nobody watches the HSMs, or Prometheus does not reach the agent. Check systemctl status lunawatch on its host, then the way to it."},
	{name: "LunawatchAbsent", severity: critical, wait: "5m", expr: `absent(up{job="lunawatch"})`, summary: "Prometheus has no agent to scrape",
		says: "There is no target of job lunawatch. Check the scrape configuration and the service discovery of Prometheus."},
	{name: "LunawatchMetricsAbsent", severity: critical, wait: "5m", expr: `absent(luna_build_info)`, summary: "There are no metrics of the agent itself",
		says: "The agent is scraped for single HSMs only, or something else answers in its place. Check that job lunawatch asks for device=lunawatch."},
	{name: "LunawatchWatchesNothing", severity: critical, wait: "10m", expr: `absent(luna_source_success)`, summary: "No HSM has metrics",
		says: "The agent has no HSM in its configuration, or Prometheus does not scrape them. Compare lunawatch status with the targets of job luna."},
	{name: "LunawatchTargetDown", severity: warning, wait: "5m", expr: `up{job="luna"} == 0`, summary: "{{ $labels.device }}: its metrics cannot be scraped",
		says: "The agent does not answer for this HSM, as one that has left the configuration. Check /sd of the agent and LunawatchDown."},
	{name: "LunawatchDeviceGone", severity: warning, wait: "10m", expr: `count by (device, instance, job) (luna_source_success offset 1h) unless count by (device, instance, job) (luna_source_success)`,
		summary: "{{ $labels.device }}: it had metrics an hour ago and has none",
		says:    "It was taken out of the configuration, or is not scraped any more. If that was planned, this ends by itself."},
	{name: "LunawatchEtcdDown", alarm: "cluster", severity: warning, wait: "1m", expr: `luna_cluster_etcd_up == 0`, summary: "{{ $labels.instance }}: {{ $labels.endpoint }} does not answer"},
	{name: "LunawatchStateInMemory", alarm: "journal", severity: warning, expr: `luna_state_in_memory == 1`, summary: "{{ $labels.instance }}: what is new is forgotten at a restart"},
	{name: "LunawatchNotificationsWait", alarm: "delivery", severity: critical, wait: "5m", expr: `luna_notification_oldest_seconds > 600`, summary: "{{ $labels.receiver }}: a notification has waited for {{ $value | humanizeDuration }}"},
	{name: "LunawatchNotificationsLost", alarm: "delivery", severity: critical, expr: `increase(luna_notifications_rejected_total[15m]) + increase(luna_notifications_expired_total[15m]) > 0`, summary: "{{ $labels.receiver }}: notifications were given up"},
	{name: "LunawatchStorm", alarm: "storm", severity: critical, expr: `luna_storm == 1`, summary: "{{ $labels.instance }}: many alarms are new"},
	{name: "LunawatchSyslogDropped", alarm: "log-dropped", severity: warning, expr: `increase(luna_syslog_dropped_total{reason!="unknown_sender"}[15m]) > 0`, summary: "{{ $labels.instance }}: lines of logs were dropped ({{ $labels.reason }})"},
	{name: "LunawatchSyslogRefused", alarm: "syslog-refused", severity: warning, expr: `increase(luna_syslog_dropped_total{reason="unknown_sender"}[15m]) > 0`, summary: "{{ $labels.instance }}: lines of an unknown sender were refused"},
	{name: "LunawatchSNMPDisconnected", severity: warning, wait: "5m", expr: `luna_agentx_connected == 0`, summary: "{{ $labels.instance }}: snmpd is not connected",
		says: "SNMP managers see no HSM. Check that snmpd runs, and the socket of its AgentX master."},
}

var dataAlerts = []alert{
	{name: "LunaUnreachable", alarm: "unreachable", severity: critical, wait: "2m", expr: `device:luna_source_success:max == 0`, summary: "{{ $labels.device }}: no source answers"},
	{name: "LunaNeverRead", alarm: "unreachable", severity: critical, wait: "10m", expr: `device:luna_source_success:max unless count by (device, instance, job) (luna_source_last_success_timestamp_seconds)`, summary: "{{ $labels.device }}: it was never read"},
	{name: "LunaSourceFails", alarm: "source-failing", severity: warning, wait: "15m", expr: `luna_source_success == 0 and on (device, instance, job) device:luna_source_success:max == 1`, summary: "{{ $labels.device }}: {{ $labels.source }} fails"},
	{name: "LunaDataStale", alarm: "data-stale", severity: warning, wait: "10m", expr: `luna_data_stale == 1 unless on (device, instance, job) device:luna_source_success:max == 0`, summary: "{{ $labels.device }}: {{ $labels.section }} is stale"},
	{name: "LunaSourcesDisagree", alarm: "sources-disagree", severity: warning, wait: "15m", expr: `luna_source_disagreement == 1`, summary: "{{ $labels.device }}: {{ $labels.source }} and {{ $labels.other }} differ in {{ $labels.what }}"},
}

var hsmAlerts = []alert{
	{name: "LunaTampered", alarm: "lock", severity: critical, expr: `luna_hsm_tampered == 1`, summary: "{{ $labels.device }}: tamper detected"},
	{name: "LunaZeroized", alarm: "zeroize", severity: critical, expr: `luna_hsm_zeroized == 1`, summary: "{{ $labels.device }}: the HSM is zeroized"},
	{name: "LunaSecureTransportMode", alarm: "stm", severity: critical, expr: `luna_hsm_secure_transport_mode == 1`, summary: "{{ $labels.device }}: the HSM is in secure transport mode"},
	{name: "LunaLastSOLoginAttempt", alarm: "so-login-attempts", severity: critical, expr: `luna_hsm_so_login_attempts_left <= 1 unless on (device, instance, job) luna_hsm_zeroized == 1`, summary: "{{ $labels.device }}: SO login attempts left: {{ $value }}"},
	{name: "LunaSOLoginAttempts", alarm: "so-login-attempts", severity: warning, expr: `luna_hsm_so_login_attempts_left == 2 unless on (device, instance, job) luna_hsm_zeroized == 1`, summary: "{{ $labels.device }}: SO login attempts left: {{ $value }}"},
	{name: "LunaBatteryDepleted", alarm: "battery", severity: critical, expr: `luna_hsm_battery_volts < 2.5`, summary: "{{ $labels.device }}: battery at {{ $value }} V"},
	{name: "LunaBatteryLow", alarm: "battery", severity: warning, wait: "10m", expr: `luna_hsm_battery_volts < luna_hsm_battery_warning_volts >= 2.5`, summary: "{{ $labels.device }}: battery at {{ $value }} V"},
	{name: "LunaTemperatureStops", alarm: "temp-warn", severity: critical, expr: `luna_hsm_temperature_celsius > 80`, summary: "{{ $labels.device }}: card at {{ $value }} C"},
	{name: "LunaTemperatureHigh", alarm: "temp-warn", severity: warning, wait: "5m", expr: `luna_hsm_temperature_celsius >= luna_hsm_temperature_warning_celsius <= 80`, summary: "{{ $labels.device }}: card at {{ $value }} C"},
	{name: "LunaTemperatureLow", alarm: "temp-low", severity: warning, wait: "5m", expr: `luna_hsm_temperature_celsius <= 2`, summary: "{{ $labels.device }}: card at {{ $value }} C"},
	{name: "LunaFanFailed", alarm: "fan", severity: warning, wait: "5m", expr: `luna_hsm_fan{state="failed"} == 1`, summary: "{{ $labels.device }}: {{ $labels.fan }} failed"},
	{name: "LunaStorage", alarm: "hsm-storage", severity: warning, wait: "15m", expr: `device:luna_hsm_storage_used:ratio >= 0.9`, summary: "{{ $labels.device }}: storage is {{ $value | humanizePercentage }} full"},
	{name: "LunaUtilization", alarm: "utilization", severity: warning, wait: "15m", expr: `luna_hsm_utilization_ratio >= 0.9`, summary: "{{ $labels.device }}: utilization {{ $value | humanizePercentage }}"},
	{name: "LunaProbeFailed", alarm: "probe-failed", severity: critical, wait: "10m", expr: `luna_probe_success == 0`, summary: "{{ $labels.device }}: probe {{ $labels.probe }} fails"},
	{name: "LunaErrorRatio", alarm: "error-ratio", severity: warning, wait: "10m", expr: `device:luna_hsm_errors:ratio5m >= 0.1 and device:luna_hsm_requests:rate5m * 300 >= 100`, summary: "{{ $labels.device }}: {{ $value | humanizePercentage }} of requests end in an error"},
	{name: "LunaCriticalEvents", alarm: "critical-events", severity: critical, expr: `increase(luna_hsm_critical_events_total[15m]) > 0`, summary: "{{ $labels.device }}: the HSM counts critical events"},
	{name: "LunaRestarted", alarm: "hsm-restarted", severity: warning, expr: `luna_hsm_uptime_seconds + 600 < luna_hsm_uptime_seconds offset 15m`, summary: "{{ $labels.device }}: the HSM has restarted"},
	{name: "LunaAuditCritical", alarm: "audit-event", severity: critical, expr: `increase(luna_hsm_audit_critical_events_total[15m]) > 0`, summary: "{{ $labels.device }}: a critical event in the audit log"},
	{name: "LunaFailedLogins", alarm: "failed-login", severity: warning, expr: `increase(luna_hsm_failed_logins_total[15m]) > 0`, summary: "{{ $labels.device }}: the HSM refused logins"},
	{name: "LunaPartitionStorage", alarm: "partition-storage", severity: warning, wait: "15m", expr: `partition:luna_partition_storage_used:ratio >= 0.9`, summary: "{{ $labels.device }}: partition {{ $labels.partition }} is {{ $value | humanizePercentage }} full"},
	{name: "LunaPartitionDeactivated", alarm: "partition-deactivated", severity: critical, wait: "2m", expr: `luna_partition_activated == 0 and max_over_time(luna_partition_activated[1d]) == 1`, summary: "{{ $labels.device }}: partition {{ $labels.partition }} is not activated any more"},
	{name: "LunaPartitionZeroized", alarm: "partition-zeroized", severity: critical, expr: `luna_partition_zeroized == 1 and on (device, partition, instance, job) min_over_time(luna_partition_zeroized[1d]) == 0`, summary: "{{ $labels.device }}: partition {{ $labels.partition }} has lost its keys"},
	{name: "LunaRoleLocked", alarm: "role-locked", severity: warning, expr: `luna_partition_role_locked_out == 1`, summary: "{{ $labels.device }}: {{ $labels.role }} of partition {{ $labels.partition }} is locked out"},
}

var applianceAlerts = []alert{
	{name: "LunaNTLSDown", alarm: "ntls", severity: critical, wait: "1m", expr: `luna_ntls_status{status="down"} == 1`, summary: "{{ $labels.device }}: NTLS is down"},
	{name: "LunaNTLSCertificateEnds", alarm: "ntls-certificate", severity: critical, expr: `luna_ntls_certificate_not_after_timestamp_seconds - time() < 7 * 86400`, summary: "{{ $labels.device }}: the NTLS certificate has {{ $value | humanizeDuration }} left"},
	{name: "LunaNTLSCertificateEndsSoon", alarm: "ntls-certificate", severity: warning, expr: `luna_ntls_certificate_not_after_timestamp_seconds - time() < 30 * 86400 >= 7 * 86400`, summary: "{{ $labels.device }}: the NTLS certificate has {{ $value | humanizeDuration }} left"},
	{name: "LunaLogDiskFull", alarm: "log-disk", severity: critical, expr: `mountpoint:luna_appliance_filesystem_used:ratio{mountpoint="/var/log"} >= 0.9`, summary: "{{ $labels.device }}: the log disk is {{ $value | humanizePercentage }} full"},
	{name: "LunaLogDiskFills", alarm: "log-disk", severity: warning, expr: `mountpoint:luna_appliance_filesystem_used:ratio{mountpoint="/var/log"} >= 0.7 < 0.9`, summary: "{{ $labels.device }}: the log disk is {{ $value | humanizePercentage }} full"},
	{name: "LunaDiskFails", alarm: "disk", severity: warning, expr: `luna_appliance_disk_smart_passed == 0`, summary: "{{ $labels.device }}: the disk fails its own test"},
	{name: "LunaApplianceFanSlow", alarm: "appliance-fan", severity: warning, wait: "5m", expr: `luna_appliance_fan_speed_rpm < on (device, sensor, instance, job) luna_appliance_fan_speed_threshold_rpm{threshold="lower_critical"}`, summary: "{{ $labels.device }}: {{ $labels.sensor }} turns at {{ $value }} RPM"},
	{name: "LunaPowerSupplyFails", alarm: "power-supply", severity: warning, wait: "2m", expr: `luna_appliance_power_supply_info{status=~"(?i)failure detected|power supply ac lost|ac lost or out-of-range|ac out-of-range|power supply inactive"} == 1`, summary: "{{ $labels.device }}: {{ $labels.sensor }}: {{ $labels.status }}"},
	{name: "LunaApplianceTemperature", alarm: "motherboard", severity: warning, wait: "5m", expr: `luna_appliance_temperature_celsius >= on (device, sensor, instance, job) luna_appliance_temperature_threshold_celsius{threshold="upper_critical"}`, summary: "{{ $labels.device }}: {{ $labels.sensor }} at {{ $value }} C"},
	{name: "LunaApplianceOutOfService", alarm: "system-status", severity: critical, wait: "5m", expr: `luna_appliance_state{state=~"OOS|OFL|OFT"} == 1`, summary: "{{ $labels.device }}: the appliance is {{ $labels.state }}"},
	{name: "LunaServiceDown", alarm: "service", severity: warning, wait: "10m", expr: `luna_appliance_service_running == 0 and luna_appliance_service_on_boot == 1`, summary: "{{ $labels.device }}: service {{ $labels.service }} does not run"},
	{name: "LunaApplianceLoad", alarm: "appliance-load", severity: warning, wait: "15m", expr: `luna_appliance_load_average{minutes="15"} >= 8`, summary: "{{ $labels.device }}: load average {{ $value }}"},
	{name: "LunaApplianceMemory", alarm: "appliance-load", severity: warning, wait: "15m", expr: `luna_appliance_memory_bytes{kind="available"} / ignoring (kind) luna_appliance_memory_bytes{kind="total"} <= 0.05`, summary: "{{ $labels.device }}: {{ $value | humanizePercentage }} of memory is available"},
	{name: "LunaHostDisk", alarm: "host-disk", severity: warning, wait: "15m", expr: `mountpoint:luna_host_filesystem_used:ratio >= 0.9`, summary: "{{ $labels.device }}: {{ $labels.mountpoint }} is {{ $value | humanizePercentage }} full"},
	{name: "LunaClientCertificateEnds", alarm: "client-certificate", severity: warning, expr: `luna_client_certificate_not_after_timestamp_seconds - time() < 30 * 86400`, summary: "{{ $labels.device }}: the certificate of {{ $labels.subject }} has {{ $value | humanizeDuration }} left"},
}

var haAlerts = []alert{
	{name: "LunaHAOffline", alarm: "ha-offline", severity: critical, expr: `luna_ha_group_offline == 1`, summary: "{{ $labels.device }}: HA group {{ $labels.group }} has no member left"},
	{name: "LunaHANoRedundancy", alarm: "ha-redundancy", severity: critical, wait: "2m", expr: `luna_ha_group_redundancy == 0 and luna_ha_group_members_expected > 1 unless luna_ha_group_offline == 1`, summary: "{{ $labels.device }}: HA group {{ $labels.group }} works with its last member"},
	{name: "LunaHAMemberLost", alarm: "ha-member", severity: warning, wait: "2m", expr: `luna_ha_group_members_alive + luna_ha_group_members_standby < luna_ha_group_members_expected`, summary: "{{ $labels.device }}: HA group {{ $labels.group }} has {{ $value }} members that work"},
	{name: "LunaHAStandbyInUse", alarm: "ha-standby-in-use", severity: critical, expr: `luna_ha_group_standby_in_use == 1`, summary: "{{ $labels.device }}: HA group {{ $labels.group }} works with its standby members"},
	{name: "LunaHARecoveryDisabled", alarm: "ha-recovery-disabled", severity: warning, wait: "5m", expr: `luna_ha_group_recovery_disabled == 1`, summary: "{{ $labels.device }}: nothing recovers the members of HA group {{ $labels.group }}"},
}

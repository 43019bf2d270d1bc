package prometheus

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters/runbook"
	"github.com/lunawatch/lunawatch/internal/check"
)

// files are what the packages install.
var files = map[string]file{"lunawatch.rules.yml": ofMetrics(), "lunawatch.alarms.rules.yml": ofAlarms()}

func TestFiles(t *testing.T) {
	for name, f := range files {
		text, err := f.text()
		check.Must(t, err)
		check.Golden(t, "../"+name, text)
	}
}

// TestAlarms: each alert that names an alarm names one, whose page it links to.
func TestAlarms(t *testing.T) {
	for _, g := range ofMetrics().Groups {
		for _, r := range g.Rules {
			if r.Labels.Alarm == "" {
				continue
			}
			page, known := runbook.Of(r.Labels.Alarm)
			if !known || r.Annotations.RunbookURL != "http://{{ $labels.instance }}"+runbook.Path+page.Name || !strings.Contains(r.Annotations.Description, page.Action) {
				t.Errorf("%s: alarm %q is not known, or not linked: %+v", r.Alert, r.Labels.Alarm, r.Annotations)
			}
		}
	}
}

// withoutAlert are the groups of which no alert rule judges metrics: their alarms come
// from lines of logs, or from what the agent alone knows. lunawatch.alarms.rules.yml
// has all of them.
var withoutAlert = strings.Fields(`soft-v soft-t soft hard-ht hard-lt hard-ov hard-osc hard-cfg hard chassis removal decom restart halt hw integrity comm activation
	fwupd capacity meta hsm-status hsm-silent hsm-crashed hsm-sessions audit-log ntls-log ha-exhausted ha-unasked ha-log configuration silence inventory
	inventory-partition inventory-member forecast test tamper-reboot destroyed hsm-log recover-login audit-change audit-gap appliance-chassis unit-replaced
	status-monitor partition-status unknown-state serial-twice function-unproven hsm-changed`)

// TestEveryGroup: each group has an alert, or is one of those that have none.
func TestEveryGroup(t *testing.T) {
	var have []string
	for _, g := range ofMetrics().Groups {
		for _, r := range g.Rules {
			have = append(have, r.Labels.Alarm)
		}
	}
	for _, g := range alarms.Groups() {
		if slices.Contains(have, g.Name) == slices.Contains(withoutAlert, g.Name) {
			t.Errorf("%s: an alert %v, and one of those without %v", g.Name, slices.Contains(have, g.Name), slices.Contains(withoutAlert, g.Name))
		}
	}
}

// A story is what Prometheus has scraped for three hours, and whether an alert fires of
// it. A series is a name, perhaps labels, and a value or values as promtool writes them;
// device, instance and job are added where it has none of them.
type story struct {
	alert        string
	fires, quiet string // series, by semicolons
	labels       string // of the alert, besides those of every series
	summary      string
}

const device, target = `device="luna-a",instance="mon1:9477",job="luna"`, `instance="mon1:9477",job="lunawatch"`

var stories = []story{
	{"LunawatchDown", `up{job="lunawatch",instance="mon1:9477"} 0`, `up{job="lunawatch",instance="mon1:9477"} 1`, target, "mon1:9477: the agent cannot be scraped"},
	{"LunawatchAbsent", `up 1`, `up{job="lunawatch",instance="mon1:9477"} 0`, `job="lunawatch"`, "Prometheus has no agent to scrape"},
	{"LunawatchMetricsAbsent", `up 1`, `luna_build_info 1`, ``, "There are no metrics of the agent itself"},
	{"LunawatchWatchesNothing", `luna_build_info 1`, `luna_source_success{source="hsm show"} 0`, ``, "No HSM has metrics"},
	{"LunawatchTargetDown", `up 0`, `up 1`, device, "luna-a: its metrics cannot be scraped"},
	{"LunawatchDeviceGone", `luna_source_success{source="x"} 1x140 _x60`, `luna_source_success{source="x"} 0`, device, "luna-a: it had metrics an hour ago and has none"},
	{"LunawatchStateInMemory", `luna_state_in_memory 1`, `luna_state_in_memory 0`, device, "mon1:9477: what is new is forgotten at a restart"},
	{"LunawatchEtcdDown", `luna_cluster_etcd_up{endpoint="https://etcd-1:2379"} 0`, `luna_cluster_etcd_up{endpoint="https://etcd-1:2379"} 1`, device + `,endpoint="https://etcd-1:2379"`, "mon1:9477: https://etcd-1:2379 does not answer"},
	{"LunawatchNotificationsWait", `luna_notification_oldest_seconds{receiver="pager"} 3600`, `luna_notification_oldest_seconds{receiver="pager"} 0`, device + `,receiver="pager"`, "pager: a notification has waited for 1h 0m 0s"},
	{"LunawatchNotificationsLost", `luna_notifications_rejected_total{receiver="pager"} 0; luna_notifications_expired_total{receiver="pager"} 0+1x200`, `luna_notifications_rejected_total{receiver="pager"} 9; luna_notifications_expired_total{receiver="pager"} 3`, device + `,receiver="pager"`, "pager: notifications were given up"},
	{"LunawatchStorm", `luna_storm 1`, `luna_storm 0`, device, "mon1:9477: many alarms are new"},
	{"LunawatchSyslogDropped", `luna_syslog_dropped_total{reason="rate"} 0+1x200`, `luna_syslog_dropped_total{reason="unknown_sender"} 0+1x200`, device + `,reason="rate"`, "mon1:9477: lines of logs were dropped (rate)"},
	{"LunawatchSyslogRefused", `luna_syslog_dropped_total{reason="unknown_sender"} 0+1x200`, `luna_syslog_dropped_total{reason="rate"} 0+1x200`, device + `,reason="unknown_sender"`, "mon1:9477: lines of an unknown sender were refused"},
	{"LunawatchSNMPDisconnected", `luna_agentx_connected 0`, `luna_agentx_connected 1`, device, "mon1:9477: snmpd is not connected"},

	{"LunaUnreachable", `luna_source_success{source="hsm show"} 0; luna_source_success{source="ntls"} 0`, `luna_source_success{source="hsm show"} 0; luna_source_success{source="ntls"} 1`, device, "luna-a: no source answers"},
	{"LunaNeverRead", `luna_source_success{source="hsm show"} 0`, `luna_source_success{source="hsm show"} 0; luna_source_last_success_timestamp_seconds{source="hsm show"} 5`, device, "luna-a: it was never read"},
	{"LunaSourceFails", `luna_source_success{source="hsm show"} 0; luna_source_success{source="ntls"} 1`, `luna_source_success{source="hsm show"} 0; luna_source_success{source="ntls"} 0`, device + `,source="hsm show"`, "luna-a: hsm show fails"},
	{"LunaDataStale", `luna_data_stale{section="show"} 1; luna_source_success{source="x"} 1`, `luna_data_stale{section="show"} 1; luna_source_success{source="x"} 0`, device + `,section="show"`, "luna-a: show is stale"},
	{"LunaSourcesDisagree", `luna_source_disagreement{what="label",source="a",other="b"} 1`, `luna_source_disagreement{what="label",source="a",other="b"} 0`, device + `,what="label",source="a",other="b"`, "luna-a: a and b differ in label"},

	{"LunaTampered", `luna_hsm_tampered 1`, `luna_hsm_tampered 0`, device, "luna-a: tamper detected"},
	{"LunaZeroized", `luna_hsm_zeroized 1`, `luna_hsm_zeroized 0`, device, "luna-a: the HSM is zeroized"},
	{"LunaSecureTransportMode", `luna_hsm_secure_transport_mode 1`, `luna_hsm_secure_transport_mode 0`, device, "luna-a: the HSM is in secure transport mode"},
	{"LunaLastSOLoginAttempt", `luna_hsm_so_login_attempts_left 1`, `luna_hsm_so_login_attempts_left 0; luna_hsm_zeroized 1`, device, "luna-a: SO login attempts left: 1"},
	{"LunaSOLoginAttempts", `luna_hsm_so_login_attempts_left 2; luna_hsm_zeroized 0`, `luna_hsm_so_login_attempts_left 3`, device, "luna-a: SO login attempts left: 2"},
	{"LunaBatteryDepleted", `luna_hsm_battery_volts 2.4`, `luna_hsm_battery_volts 2.5`, device, "luna-a: battery at 2.4 V"},
	{"LunaBatteryLow", `luna_hsm_battery_volts 2.7; luna_hsm_battery_warning_volts 2.75`, `luna_hsm_battery_volts 2.4; luna_hsm_battery_warning_volts 2.75`, device, "luna-a: battery at 2.7 V"},
	{"LunaTemperatureStops", `luna_hsm_temperature_celsius 81`, `luna_hsm_temperature_celsius 80`, device, "luna-a: card at 81 C"},
	{"LunaTemperatureHigh", `luna_hsm_temperature_celsius 75; luna_hsm_temperature_warning_celsius 75`, `luna_hsm_temperature_celsius 74; luna_hsm_temperature_warning_celsius 75`, device, "luna-a: card at 75 C"},
	{"LunaTemperatureLow", `luna_hsm_temperature_celsius -1`, `luna_hsm_temperature_celsius 3`, device, "luna-a: card at -1 C"},
	{"LunaFanFailed", `luna_hsm_fan{fan="Fan 2",state="failed"} 1`, `luna_hsm_fan{fan="Fan 2",state="failed"} 0; luna_hsm_fan{fan="Fan 2",state="active"} 1`, device + `,fan="Fan 2",state="failed"`, "luna-a: Fan 2 failed"},
	{"LunaStorage", `luna_hsm_storage_used_bytes 95; luna_hsm_storage_size_bytes 100`, `luna_hsm_storage_used_bytes 89; luna_hsm_storage_size_bytes 100`, device, "luna-a: storage is 95% full"},
	{"LunaUtilization", `luna_hsm_utilization_ratio 0.95`, `luna_hsm_utilization_ratio 0.95 0.5x20 0.95`, device, "luna-a: utilization 95%"},
	{"LunaProbeFailed", `luna_probe_success{device="luna-a",instance="mon1:9477",job="luna",probe="sign",partition=""} 0`, `luna_probe_success{device="luna-a",instance="mon1:9477",job="luna",probe="sign",partition=""} 1`, device + `,probe="sign"`, "luna-a: probe sign fails"},
	{"LunaErrorRatio", `luna_hsm_operation_requests_total 0+600x200; luna_hsm_operation_errors_total 0+150x200`, `luna_hsm_operation_requests_total 0+6x200; luna_hsm_operation_errors_total 0+6x200`, device, "luna-a: 25% of requests end in an error"},
	{"LunaCriticalEvents", `luna_hsm_critical_events_total 0+1x200`, `luna_hsm_critical_events_total 7`, device, "luna-a: the HSM counts critical events"},
	{"LunaRestarted", `luna_hsm_uptime_seconds 86400+60x174 60+60x20`, `luna_hsm_uptime_seconds 86400+60x200`, device, "luna-a: the HSM has restarted"},
	{"LunaAuditCritical", `luna_hsm_audit_critical_events_total 0+1x200`, `luna_hsm_audit_critical_events_total 3`, device, "luna-a: a critical event in the audit log"},
	{"LunaFailedLogins", `luna_hsm_failed_logins_total 0+1x200`, `luna_hsm_failed_logins_total 3`, device, "luna-a: the HSM refused logins"},
	{"LunaPartitionStorage", `luna_partition_storage_used_bytes{partition="1"} 95; luna_partition_storage_size_bytes{partition="1"} 100`, `luna_partition_storage_used_bytes{partition="1"} 5; luna_partition_storage_size_bytes{partition="1"} 100`, device + `,partition="1"`, "luna-a: partition 1 is 95% full"},
	{"LunaPartitionDeactivated", `luna_partition_activated{partition="1"} 1x100 0x100`, `luna_partition_activated{partition="1"} 0`, device + `,partition="1"`, "luna-a: partition 1 is not activated any more"},
	{"LunaPartitionZeroized", `luna_partition_zeroized{partition="1"} 0x100 1x100`, `luna_partition_zeroized{partition="1"} 1`, device + `,partition="1"`, "luna-a: partition 1 has lost its keys"},
	{"LunaRoleLocked", `luna_partition_role_locked_out{partition="1",role="Crypto Officer"} 1`, `luna_partition_role_locked_out{partition="1",role="Crypto Officer"} 0`, device + `,partition="1",role="Crypto Officer"`, "luna-a: Crypto Officer of partition 1 is locked out"},

	{"LunaNTLSDown", `luna_ntls_status{status="down"} 1`, `luna_ntls_status{status="unknown"} 1`, device + `,status="down"`, "luna-a: NTLS is down"},
	{"LunaNTLSCertificateEnds", `luna_ntls_certificate_not_after_timestamp_seconds 97200`, `luna_ntls_certificate_not_after_timestamp_seconds 864000`, device, "luna-a: the NTLS certificate has 1d 0h 0m 0s left"},
	{"LunaNTLSCertificateEndsSoon", `luna_ntls_certificate_not_after_timestamp_seconds 874800`, `luna_ntls_certificate_not_after_timestamp_seconds 86400000`, device, "luna-a: the NTLS certificate has 10d 0h 0m 0s left"},
	{"LunaLogDiskFull", `luna_appliance_filesystem_used_bytes{mountpoint="/var/log"} 95; luna_appliance_filesystem_size_bytes{mountpoint="/var/log"} 100`, `luna_appliance_filesystem_used_bytes{mountpoint="/"} 95; luna_appliance_filesystem_size_bytes{mountpoint="/"} 100`, device + `,mountpoint="/var/log"`, "luna-a: the log disk is 95% full"},
	{"LunaLogDiskFills", `luna_appliance_filesystem_used_bytes{mountpoint="/var/log"} 75; luna_appliance_filesystem_size_bytes{mountpoint="/var/log"} 100`, `luna_appliance_filesystem_used_bytes{mountpoint="/var/log"} 65; luna_appliance_filesystem_size_bytes{mountpoint="/var/log"} 100`, device + `,mountpoint="/var/log"`, "luna-a: the log disk is 75% full"},
	{"LunaDiskFails", `luna_appliance_disk_smart_passed 0`, `luna_appliance_disk_smart_passed 1`, device, "luna-a: the disk fails its own test"},
	{"LunaApplianceFanSlow", `luna_appliance_fan_speed_rpm{sensor="Fan1A"} 900; luna_appliance_fan_speed_threshold_rpm{sensor="Fan1A",threshold="lower_critical"} 2000`, `luna_appliance_fan_speed_rpm{sensor="Fan1A"} 900`, device + `,sensor="Fan1A"`, "luna-a: Fan1A turns at 900 RPM"},
	{"LunaPowerSupplyFails", `luna_appliance_power_supply_info{sensor="PSU1_Fan",status="Failure detected"} 1`, `luna_appliance_power_supply_info{sensor="PSU1_Fan",status="Presence detected"} 1`, device + `,sensor="PSU1_Fan",status="Failure detected"`, "luna-a: PSU1_Fan: Failure detected"},
	{"LunaApplianceTemperature", `luna_appliance_temperature_celsius{sensor="Inlet"} 41; luna_appliance_temperature_threshold_celsius{sensor="Inlet",threshold="upper_critical"} 40`, `luna_appliance_temperature_celsius{sensor="Inlet"} 39; luna_appliance_temperature_threshold_celsius{sensor="Inlet",threshold="upper_critical"} 40`, device + `,sensor="Inlet"`, "luna-a: Inlet at 41 C"},
	{"LunaApplianceOutOfService", `luna_appliance_state{state="OOS"} 1`, `luna_appliance_state{state="IST"} 1; luna_appliance_state{state="OOS"} 0`, device + `,state="OOS"`, "luna-a: the appliance is OOS"},
	{"LunaServiceDown", `luna_appliance_service_running{service="ntls"} 0; luna_appliance_service_on_boot{service="ntls"} 1`, `luna_appliance_service_running{service="ntls"} 0; luna_appliance_service_on_boot{service="ntls"} 0`, device + `,service="ntls"`, "luna-a: service ntls does not run"},
	{"LunaApplianceLoad", `luna_appliance_load_average{minutes="15"} 9`, `luna_appliance_load_average{minutes="1"} 9`, device + `,minutes="15"`, "luna-a: load average 9"},
	{"LunaApplianceMemory", `luna_appliance_memory_bytes{kind="available"} 4; luna_appliance_memory_bytes{kind="total"} 100`, `luna_appliance_memory_bytes{kind="available"} 40; luna_appliance_memory_bytes{kind="total"} 100`, device, "luna-a: 4% of memory is available"},
	{"LunaHostDisk", `luna_host_filesystem_used_bytes{mountpoint="/"} 95; luna_host_filesystem_size_bytes{mountpoint="/"} 100`, `luna_host_filesystem_used_bytes{mountpoint="/"} 5; luna_host_filesystem_size_bytes{mountpoint="/"} 100`, device + `,mountpoint="/"`, "luna-a: / is 95% full"},
	{"LunaClientCertificateEnds", `luna_client_certificate_not_after_timestamp_seconds{role="client",subject="web-01"} 97200`, `luna_client_certificate_not_after_timestamp_seconds{role="client",subject="web-01"} 86400000`, device + `,role="client",subject="web-01"`, "luna-a: the certificate of web-01 has 1d 0h 0m 0s left"},

	{"LunaHAOffline", `luna_ha_group_offline{group="pay"} 1`, `luna_ha_group_offline{group="pay"} 0`, device + `,group="pay"`, "luna-a: HA group pay has no member left"},
	{"LunaHANoRedundancy", `luna_ha_group_redundancy{group="pay"} 0; luna_ha_group_members_expected{group="pay"} 2; luna_ha_group_offline{group="pay"} 0`, `luna_ha_group_redundancy{group="pay"} 0; luna_ha_group_members_expected{group="pay"} 1; luna_ha_group_offline{group="pay"} 0`, device + `,group="pay"`, "luna-a: HA group pay works with its last member"},
	{"LunaHAMemberLost", `luna_ha_group_members_alive{group="pay"} 1; luna_ha_group_members_standby{group="pay"} 0; luna_ha_group_members_expected{group="pay"} 2`, `luna_ha_group_members_alive{group="pay"} 1; luna_ha_group_members_standby{group="pay"} 1; luna_ha_group_members_expected{group="pay"} 2`, device + `,group="pay"`, "luna-a: HA group pay has 1 members that work"},
	{"LunaHAStandbyInUse", `luna_ha_group_standby_in_use{group="pay"} 1`, `luna_ha_group_standby_in_use{group="pay"} 0`, device + `,group="pay"`, "luna-a: HA group pay works with its standby members"},
	{"LunaHARecoveryDisabled", `luna_ha_group_recovery_disabled{group="pay"} 1`, `luna_ha_group_recovery_disabled{group="pay"} 0`, device + `,group="pay"`, "luna-a: nothing recovers the members of HA group pay"},

	{"LunaAlarmCritical", `luna_alarm_active{group="lock",object="",severity="major",test="false"} 1; luna_alarm_suppressed{group="lock",object="",severity="major",test="false"} 0`, `luna_alarm_active{group="lock",object="",severity="major",test="false"} 1; luna_alarm_suppressed{group="lock",object="",severity="major",test="false"} 1`, device + `,group="lock",test="false"`, "luna-a: lock "},
	{"LunaAlarmWarning", `luna_alarm_active{group="fan",object="x",severity="minor",test="false"} 1`, `luna_alarm_active{group="fan",object="x",severity="minor",test="true"} 1; luna_alarm_active{group="fan",object="x",severity="critical",test="false"} 1`, device + `,group="fan",object="x",test="false"`, "luna-a: fan x"},
}

// at is when the alerts of a story are looked at: three hours after its begin.
const at = "180m"

// silent are the alerts that fire when nothing is there at all, as promtool names them.
var silent = []string{"LunawatchAbsent", "LunawatchMetricsAbsent", "LunawatchWatchdog", "LunawatchWatchesNothing"}

// TestPromtool: promtool takes the files, and each alert fires of its story, with what it
// says, and not of the quiet one; of nothing, only the dead man's switch and what is absent.
func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("promtool (package prometheus) is not installed")
	} else if err != nil {
		t.Skip("promtool (package prometheus) is not installed")
	}
	var paths []string
	rules := map[string]rule{}
	for name, f := range files {
		path, err := filepath.Abs(name)
		check.Must(t, err)
		paths = append(paths, path)
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				rules[r.Alert] = r
			}
		}
	}
	if out, err := exec.CommandContext(t.Context(), promtool, append([]string{"check", "rules"}, paths...)...).CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
	test := func(t *testing.T, files []string, tests ...any) {
		t.Helper()
		text, err := yaml.Marshal(map[string]any{"rule_files": files, "evaluation_interval": "1m", "tests": tests})
		check.Must(t, err)
		path := filepath.Join(t.TempDir(), "tests.yml")
		check.Must(t, os.WriteFile(path, text, 0o600))
		if out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", path).CombinedOutput(); err != nil {
			t.Errorf("promtool: %v\n%s", err, out)
		}
	}
	test(t, paths, map[string]any{"interval": "1m", "promql_expr_test": []any{expect(`count by (alertname) (ALERTS{alertstate="firing"})`, silent...)}})
	told := map[string]bool{"": true, "LunawatchWatchdog": true}
	for _, s := range stories {
		told[s.alert] = true
		t.Run(s.alert, func(t *testing.T) {
			t.Parallel()
			r := rules[s.alert]
			alone, err := file{[]group{{Name: "alone", Rules: append(recordsFor(r.Expr), r)}}}.text()
			check.Must(t, err)
			path := filepath.Join(t.TempDir(), "rules.yml")
			check.Must(t, os.WriteFile(path, alone, 0o600))
			test(t, []string{path},
				map[string]any{"interval": "1m", "input_series": series(s.fires), "alert_rule_test": []any{map[string]any{"eval_time": at, "alertname": s.alert, "exp_alerts": []any{s.alertOf(r)}}}},
				map[string]any{"interval": "1m", "input_series": series(s.quiet), "promql_expr_test": []any{expect(`count by (alertname) (ALERTS{alertstate="firing"})`)}})
		})
	}
	for name := range rules {
		if !told[name] {
			t.Errorf("%s has no story", name)
		}
	}
}

// recordsFor returns the recording rules that an expression rests on.
func recordsFor(expr string) (needed []rule) {
	for _, r := range slices.Backward(records) { // what one rests on is before it
		if strings.Contains(expr, r.name) {
			needed = append([]rule{{Record: r.name, Expr: r.expr}}, needed...)
			expr += " " + r.expr
		}
	}
	return needed
}

// expect has an expression give 1 for each of these alerts, and nothing else.
func expect(expr string, alerts ...string) any {
	samples := []any{}
	for _, name := range alerts {
		samples = append(samples, map[string]any{"labels": fmt.Sprintf("{alertname=%q}", name), "value": 1})
	}
	return map[string]any{"expr": expr, "eval_time": at, "exp_samples": samples}
}

var label = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)

// alertOf returns what promtool expects of an alert that fires.
func (s story) alertOf(r rule) any {
	labels := map[string]string{"severity": string(r.Labels.Severity)}
	if r.Labels.Alarm != "" {
		labels["alarm"] = r.Labels.Alarm
	}
	words := []string{}
	for _, m := range label.FindAllStringSubmatch(s.labels, -1) {
		labels[m[1]] = m[2]
		words = append(words, "{{ $labels."+m[1]+" }}", m[2])
	}
	for _, m := range label.FindAllStringSubmatch(s.fires, -1) { // the label severity of an alarm is the alert's own afterwards
		if m[1] == "severity" {
			words = append(words, "{{ $labels.severity }}", m[2])
		}
	}
	said := strings.NewReplacer(words...)
	return map[string]any{"exp_labels": labels, "exp_annotations": map[string]string{
		"summary": s.summary, "description": said.Replace(r.Annotations.Description), "runbook_url": said.Replace(r.Annotations.RunbookURL)}}
}

// series returns the series of a story as promtool takes them.
func series(list string) (all []any) {
	for one := range strings.SplitSeq(list, "; ") {
		end := strings.LastIndex(one, "} ") + 1
		if end == 0 {
			end = strings.Index(one, " ")
		}
		name, values := one[:end], one[end+1:]
		name = strings.TrimSuffix(strings.Replace(name, "{", " ", 1), "}")
		name, labels, _ := strings.Cut(name, " ")
		if !strings.Contains(labels, "instance=") {
			labels = strings.Trim(device+","+labels, ",")
		}
		var spread []string
		for v := range strings.FieldsSeq(values) {
			switch {
			case strings.Contains(v, "+"), strings.HasPrefix(v, "_"):
			case strings.Contains(v, "x"):
				v = strings.Replace(v, "x", "+0x", 1)
			case strings.Contains(values, " "):
			default:
				v += "+0x200"
			}
			spread = append(spread, v)
		}
		all = append(all, map[string]any{"series": name + "{" + labels + "}", "values": strings.Join(spread, " ")})
	}
	return all
}

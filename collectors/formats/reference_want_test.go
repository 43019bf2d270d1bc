package formats

// k6 and k7 are the values that the "hsm show" blocks of one generation share.
const (
	k6 = `secure_transport_mode null
environment null
tamper null
part_number null
`
	k7 = `model "Luna K7"
part_number "808-000048-002"
secure_transport_mode false
environment.battery_warning_volts 2.75
environment.temperature_warning_celsius 75
`
	noPartitions = `partitions []
`
)

// leftOut gives the reason why a block of the reference outputs is not parsed.
var leftOut = map[string]string{
	"hsm_information_show/05":    "the echo and result of a reset, no counters",
	"hsm_information_show/06":    "the echo and result of a reset, no counters",
	"hsm_information_monitor/01": "the syntax of the command",
	"partition_list_show/14":     "a template written to a file, no policies printed",
	"status_sysstat/04":          "the explanation of one code, no state",
	"status_sysstat/05":          "the explanation of the codes, no state",
	"hsm_tamper_misc/03":         "clears a tamper",
	"hsm_tamper_misc/05":         "clears a tamper",

	"ntls/03": ntlsOther, "ntls/05": ntlsOther, "ntls/10": ntlsOther, "ntls/11": ntlsOther, "ntls/12": ntlsOther,
	"ntls/13": ntlsOther, "ntls/14": ntlsOther, "ntls/15": ntlsOther, "ntls/16": ntlsOther, "ntls/17": ntlsOther,
	"ntls/18": ntlsOther, "ntls/19": ntlsOther, "ntls/20": ntlsOther, "ntls/21": ntlsOther,

	"hsm_tamper_misc/08": tamperOther,
	"hsm_tamper_misc/09": tamperOther, "hsm_tamper_misc/10": tamperOther, "hsm_tamper_misc/11": tamperOther,
	"hsm_tamper_misc/12": tamperOther, "hsm_tamper_misc/13": tamperOther, "hsm_tamper_misc/14": tamperOther,
	"hsm_tamper_misc/15": tamperOther, "hsm_tamper_misc/16": tamperOther, "hsm_tamper_misc/17": tamperOther,
	"hsm_tamper_misc/18": tamperOther,

	"status_cpu_mem_disk_interface/01": statusOther, "status_cpu_mem_disk_interface/02": statusOther,
	"status_cpu_mem_disk_interface/03": statusOther, "status_cpu_mem_disk_interface/04": statusOther,
	"status_cpu_mem_disk_interface/07": statusOther, "status_cpu_mem_disk_interface/08": statusOther,
	"status_cpu_mem_disk_interface/09": statusOther, "status_cpu_mem_disk_interface/10": statusOther,
	"status_cpu_mem_disk_interface/11": statusOther, "status_cpu_mem_disk_interface/12": statusOther,
	"status_cpu_mem_disk_interface/13": statusOther, "status_cpu_mem_disk_interface/14": statusOther,
	"status_cpu_mem_disk_interface/15": statusOther, "status_cpu_mem_disk_interface/16": statusOther,
	"status_cpu_mem_disk_interface/17": statusOther, "status_cpu_mem_disk_interface/18": statusOther,
	"status_cpu_mem_disk_interface/19": statusOther, "status_cpu_mem_disk_interface/20": statusOther,
	"status_cpu_mem_disk_interface/21": statusOther, "status_cpu_mem_disk_interface/22": statusOther,

	"lunash_session/01": bannerOnly, "lunash_session/02": bannerOnly, "lunash_session/03": bannerOnly,
	"lunash_session/04": bannerOnly, "lunash_session/05": bannerOnly, "lunash_session/06": bannerOnly,
	"lunash_session/07": bannerOnly,
	"lunash_session/11": "client fingerprint, which is not asked",

	"syslog_lines/06": logSettings, "syslog_lines/07": logSettings, "syslog_lines/08": logSettings,
	"syslog_lines/09": logSettings, "syslog_lines/10": logSettings, "syslog_lines/13": logSettings,
	"syslog_lines/14": logSettings, "syslog_lines/15": logSettings, "syslog_lines/16": logSettings,
	"syslog_lines/17": logSettings, "syslog_lines/18": logSettings, "syslog_lines/20": logTest,
	"alm_lines/02": logTest, "syslog_other/74": logTest, "syslog_other/75": logTest, "syslog_other/76": logTest,
	"syslog_other/77": logTest, "syslog_other/78": logTest, "syslog_other/79": logTest, "syslog_other/80": logTest,
	"alm_lines/14":     "a command that fails: no log lines",
	"syslog_smartd/01": "a table of smartctl, no log lines",
	"syslog_smartd/03": "a table of smartctl, no log lines",
	"syslog_smartd/12": "a process list, no log lines",
}

const (
	ntlsOther   = "another ntls or stc command, which is not asked"
	tamperOther = "another command, which is not asked"
	statusOther = "another status command, which is not asked"
	bannerOnly  = "a login banner, no answer"
	logSettings = "log settings, no log lines"
	logTest     = "the echo of a trap test, no log lines"
)

// referenceWant was written by reading the blocks.
var referenceWant = []referenceCase{
	{"hsm_show/01", "hsm-show", k6 + `. {"software_version":"5.2.0-1","label":"myluna","serial":"700022","firmware":"6.2.1","model":"Luna K6","authentication":"ped","so_logged_in":true,"so_login_attempts_left":3,"zeroized":false,"rpv":"initialized","audit_role":"yes","remote_login":true,"manually_zeroized":false,"fips":false}
		storage {"total_bytes":2097152,"used_bytes":209714,"free_bytes":1887438}
		partitions [{"serial":"700022006","name":"mypar2"},{"serial":"700022008","name":"mypar1"}]
		partitions_allowed null
		partitions_created null`, ""},
	{"hsm_show/02", "hsm-show", k6 + noPartitions + `. {"software_version":"5.1.0-25","label":"no label","serial":"700022","firmware":"6.2.1","so_logged_in":false,"so_login_attempts_left":null,"zeroized":true,"rpv":"initialized","audit_role":"yes","manually_zeroized":true,"fips":false}
		storage {"total_bytes":2097152,"used_bytes":0,"free_bytes":2097152}`, ""},
	{"hsm_show/03", "hsm-show", k7 + `. {"software_version":"7.1.0-380","label":"myluna","serial":"700022","firmware":"7.1.0","authentication":"ped","so_logged_in":true,"so_login_attempts_left":3,"zeroized":false,"rpv":"initialized","audit_role":"yes","manually_zeroized":false,"tamper":"none","fips":false}
		partitions [{"serial":"700022008","name":"P1"}]
		storage {"total_bytes":2097152,"used_bytes":2097152,"free_bytes":0}
		environment {"fans":null,"battery_volts":3.093,"temperature_celsius":35}`, ""},
	{"hsm_show/04", "hsm-show", k7 + noPartitions + `. {"software_version":"7.0.1-380","label":"no label","serial":"700022","firmware":"7.1.0","so_logged_in":false,"so_login_attempts_left":null,"zeroized":true,"audit_role":"yes","manually_zeroized":true,"tamper":"none","fips":false}
		storage {"total_bytes":2097152,"used_bytes":0,"free_bytes":2097152}
		environment {"battery_volts":3.093,"temperature_celsius":35}`, ""},
	{"hsm_show/05", "hsm-show", k7 + noPartitions + `. {"label":"lunasa7","serial":"29089","firmware":"7.1.0","authentication":"password","so_logged_in":false,"so_login_attempts_left":3,"zeroized":false,"rpv":"uninitialized","audit_role":"no","remote_login":false,"manually_zeroized":false,"tamper":"detected","partitions_allowed":100,"partitions_created":0,"fips":false}
		storage {"total_bytes":33554432,"used_bytes":0,"free_bytes":33554432}
		environment {"battery_volts":3.072,"temperature_celsius":35}`, ""},
	{"hsm_show/06", "hsm-show", k7 + noPartitions + `. {"label":"lunasa7","serial":"29089","so_logged_in":true,"so_login_attempts_left":3,"zeroized":false,"tamper":"none","partitions_allowed":100,"partitions_created":0}
		environment.battery_volts 3.072`, ""},
	{"hsm_show/07", "hsm-show", k7 + `. {"software_version":"7.1.0-380","label":"safenet","serial":"521173","firmware":"7.1.0","authentication":"password","so_logged_in":false,"so_login_attempts_left":3,"zeroized":false,"rpv":"uninitialized","audit_role":"yes","remote_login":false,"manually_zeroized":false,"tamper":"none","partitions_allowed":100,"partitions_created":2,"fips":false}
		partitions [{"serial":"1213450222959","name":"par1"},{"serial":"1213450222963","name":"par2"}]
		storage {"total_bytes":33554432,"used_bytes":671088,"free_bytes":32883344}
		environment {"fans":[{"name":"Fan 1","status":"standby"},{"name":"Fan 2","status":"active"}],"battery_volts":2.072,"battery_low":true,"temperature_celsius":80,"temperature_high":true}`, ""},
	{"hsm_show/08", "hsm-show", k6 + `. {"software_version":"5.4.0-5","label":"mysa5","serial":"700022","firmware":"6.20.0","rollback_firmware":null,"model":"Luna K6","authentication":"ped","so_logged_in":false,"so_login_attempts_left":3,"zeroized":false,"rpv":"initialized","audit_role":"no","remote_login":false,"manually_zeroized":false,"partitions":null,"fips":null}
		storage null`, ""},
	{"hsm_show/09", "hsm-show", k6 + `. {"software_version":"6.1.0-1","label":"mysa6","serial":"7000022","firmware":"6.20.0","model":"K6 Base","authentication":"ped","so_logged_in":false,"so_login_attempts_left":3,"partitions":null,"fips":null}`, ""},
	{"hsm_show/10", "hsm-show", k6 + `. {"software_version":"5.4.0-5","label":"mysa5","serial":"700022","firmware":"6.21.0","rollback_firmware":"6.20.0","model":"Luna K6","partitions":null,"fips":null}`, ""},
	{"hsm_show/11", "hsm-show", k6 + `. {"software_version":"5.1.0-25","label":"[none]","serial":"700022","firmware":"6.2.1","model":"Luna K6","authentication":"ped","so_logged_in":false,"so_login_attempts_left":3,"zeroized":true,"rpv":"initialized","audit_role":null,"manually_zeroized":false,"fips":false}
		storage {"total_bytes":2097152,"used_bytes":2097152,"free_bytes":0}
		partitions [{"serial":"700022012","name":"mypar1"},{"serial":"700022013","name":"mypar2"},{"serial":"700022016","name":"mypar3"}]`, ""},
	{"hsm_show/13", "hsm-show", k6 + `. {"software_version":"6.0.0-22","label":"mysahsm","serial":"7000022","firmware":"6.22.0","model":"Luna K6","authentication":"ped","so_logged_in":true,"so_login_attempts_left":3,"zeroized":false,"audit_role":"no","partitions_created":1,"fips":false}
		partitions [{"serial":"16298193222733","name":"mypsopar1"}]
		storage {"total_bytes":2097152,"used_bytes":20971,"free_bytes":2076181}`, ""},
	{"hsm_show/14", "hsm-show", k7 + `. {"software_version":"7.0.0","label":"myLunaHSM","serial":"532018","firmware":"7.0.1","authentication":"ped","so_logged_in":true,"so_login_attempts_left":3,"zeroized":false,"rpv":"uninitialized","audit_role":"no","tamper":"none","partitions_allowed":100,"partitions_created":1,"fips":false}
		partitions [{"serial":"154438865287","name":"LunaPar1"}]
		storage {"total_bytes":33554432,"used_bytes":335544,"free_bytes":33218888}
		environment {"battery_volts":3.093,"temperature_celsius":40}`, ""},
	{"hsm_show/15", "hsm-show", k6 + `. {"software_version":"6.0.0-22","label":"mysahsm","serial":"7000022","firmware":"6.22.0","model":"Luna K6","authentication":"password","so_logged_in":true,"zeroized":false,"partitions_created":1}
		partitions [{"serial":"16298193222733","name":"mypsopar1"}]
		storage.free_bytes 2076181`, ""},
	{"hsm_show/16", "hsm-show", k7 + `. {"software_version":"7.0.0","label":"myLunaHSM","serial":"66331","firmware":"7.0.1","authentication":"password","so_logged_in":true,"zeroized":false,"tamper":"none","partitions_allowed":100,"partitions_created":1}
		partitions [{"serial":"154438865287","name":"LunaPar1"}]
		environment {"battery_volts":3.072,"temperature_celsius":36}`, ""},
	{"hsm_show/17", "hsm-show", k6 + `. {"software_version":"6.0.0-33","label":"mysa6","serial":"7000022","firmware":"6.22.0","model":"K6 Base","authentication":"ped","so_logged_in":false,"so_login_attempts_left":3,"zeroized":false,"audit_role":"yes","remote_login":false,"partitions_allowed":100,"partitions_created":2,"fips":false}
		partitions [{"serial":"16298193222733","name":"mypsopar1"},{"serial":"16298193222735","name":"mylegacypar1"}]
		storage {"total_bytes":16252928,"used_bytes":325058,"free_bytes":15927870}`, ""},
	{"hsm_show/18", "hsm-show", k6 + `. {"software_version":"6.0.0-39","label":"JR","serial":"384","firmware":"6.10.6","model":"K6Base","authentication":"ped","so_logged_in":true,"zeroized":false,"partitions_allowed":20,"partitions_created":1}
		partitions [{"serial":"894069505","name":"mylegacypar1"}]
		storage {"total_bytes":2097152,"used_bytes":104857,"free_bytes":1992295}`, ""},
	{"hsm_show/20", "hsm-show", k6 + noPartitions + `. {"software_version":"5.1.0-25","label":"no label","serial":"156155","firmware":"6.2.1","model":"Luna K6","authentication":"password","so_logged_in":false,"so_login_attempts_left":null,"zeroized":true,"rpv":"uninitialized","audit_role":null,"manually_zeroized":false,"fips":false}
		storage {"total_bytes":2097152,"used_bytes":0,"free_bytes":2097152}`, ""},
	{"hsm_show/21", "hsm-show", k6 + `. {"software_version":"5.3.0-11","label":"patchLuna","serial":"157541","firmware":"6.10.1","model":"Luna K6","authentication":"password","so_logged_in":false,"so_login_attempts_left":3,"zeroized":false,"rpv":"uninitialized","audit_role":"no","remote_login":false,"manually_zeroized":false,"fips":false}
		partitions [{"serial":"157541008","name":"patchPart"}]
		storage {"total_bytes":2097152,"used_bytes":104857,"free_bytes":1992295}`, ""},

	{"lunash_session/08", "hsm-show", `. {"software_version":"7.0.0","serial":null,"label":null,"partitions":null}`, "310102 : LUNA_RET_SM_SESSION_REALLOC_ERROR"},
	{"lunash_session/09", "hsm-show", `. {"software_version":"4.4.0-27","serial":null,"label":null,"partitions":null}`, "65535 Luna Shell execution"},
	{"lunash_session/10", "client-list", ``, "C000040A : RC_OBJECT_NOT_IN_LIST"},

	{"hsm_information_show/01", "hsm-information-show", `. {"operation_requests":3083,"operation_errors":0,"crypto_requests":null,"crypto_errors":null,"critical_events":0,"noncritical_events":0}`, ""},
	{"hsm_information_show/02", "hsm-information-show", `. {"operation_requests":103560569,"operation_errors":199,"crypto_requests":88292416,"crypto_errors":60,"critical_events":0,"noncritical_events":0}`, ""},
	{"hsm_information_show/03", "hsm-information-show", `. {"operation_requests":21998,"operation_errors":1707,"crypto_requests":0,"crypto_errors":0,"critical_events":0,"noncritical_events":null}`, ""},

	{"hsm_information_monitor/02", "hsm-information-monitor", monitorOne, ""},
	{"hsm_information_monitor/03", "hsm-information-monitor", monitorSix, ""},
	{"hsm_information_monitor/04", "hsm-information-monitor", `samples.# 6
		samples.0 {"uptime_seconds":1117227,"commands":57471775,"commands_interval":1,"utilization_ratio":0.0127,"utilization_interval_ratio":0}
		samples.5 {"uptime_seconds":1117257,"commands":57471838,"commands_interval":1,"utilization_ratio":0.0127,"utilization_interval_ratio":0}
		. {"interval_seconds":6,"average_ratio":0.0006,"last_reset":"2013-05-31T14:59:46"}`, ""},
	{"hsm_information_monitor/06", "hsm-information-monitor", `samples.# 6
		samples.1 {"uptime_seconds":859376,"commands":103545569,"commands_interval":497,"utilization_ratio":0.0103,"utilization_interval_ratio":0.0046}
		samples.5.uptime_seconds 859400
		. {"interval_seconds":6,"average_ratio":0.0057,"last_reset":"2016-07-04T14:43:21"}`, ""},
	{"hsm_information_monitor/07", "hsm-information-monitor", monitorOne, ""},
	{"hsm_information_monitor/08", "hsm-information-monitor", monitorSix, ""},
	{"hsm_information_monitor/10", "hsm-information-monitor", `samples.# 6
		samples.4 {"uptime_seconds":98072,"commands":1547374,"commands_interval":253,"utilization_ratio":0.0136,"utilization_interval_ratio":0.0358}
		. {"interval_seconds":6,"average_ratio":0.0121,"last_reset":"2017-02-21T10:53:44"}`, ""},

	{"ntls/01", "ntls-information-show", ntlsUp, ""},
	{"ntls/02", "ntls-information-show", ntlsUp, ""},
	{"ntls/06", "ntls-certificate-show", `. {"not_before":null,"not_after":"2021-04-04T15:58:32Z"}`, ""},
	{"ntls/07", "ntls-certificate-show", `. {"not_before":null,"not_after":"2027-02-22T15:19:21Z"}`, ""},
	{"ntls/08", "ntls-certificate-show", `. {"not_before":"2011-05-04T12:19:12Z","not_after":"2021-05-05T12:19:12Z","subject":"C=CA, ST=Ontario, L=Ottawa, O=Chrysalis-ITS, CN=168.20.20.254","issuer":"C=CA, ST=Ontario, L=Ottawa, O=Chrysalis-ITS, CN=168.20.20.254"}`, ""},
	{"ntls/09", "ntls-certificate-show", `. {"not_before":"2017-02-20T15:19:21Z","not_after":"2027-02-22T15:19:21Z","subject":"C=CA, ST=Ontario, L=Ottawa, O=Chrysalis-ITS, CN=66331"}`, ""},
	{"status_sysstat/06", "ntls-information-show", `. {"status":"up","connected_clients":0,"links":0,"successful_connections":0,"failed_connections":0}`, ""},

	{"partition_list_show/01", "partition-list", `partitions [{"serial":"157826004","name":"testPar1","label":null,"activated":null,"object_count":0,"roles":null,"storage":{"total_bytes":102701,"used_bytes":0,"free_bytes":102701}},{"serial":"157826011","name":"testPar2","object_count":2,"storage":{"total_bytes":102701,"used_bytes":0,"free_bytes":102701}}]`, ""},
	{"partition_list_show/02", "partition-list", `partitions []`, ""},
	{"partition_list_show/02", "partition-show", `partitions []`, ""},
	{"partition_list_show/03", "partition-list", `partitions [{"serial":"700022006","name":"mypar2","object_count":0,"storage":{"total_bytes":102701,"used_bytes":0,"free_bytes":102701}},{"serial":"700022008","name":"mypar1","object_count":3,"storage":{"total_bytes":102701,"used_bytes":1800,"free_bytes":100901}}]`, ""},
	{"partition_list_show/04", "partition-list", `partitions.# 5
		partitions.0 {"serial":"154438865289","name":"partition1","object_count":6,"storage":{"total_bytes":150000,"used_bytes":1232,"free_bytes":148768}}
		partitions.4 {"serial":"154438865293","name":"partition5","object_count":0,"storage":{"total_bytes":325928,"used_bytes":0,"free_bytes":325928}}`, ""},
	{"partition_list_show/05", "partition-show", `partitions [{"serial":"65010001","name":"mypar1","label":null,"activated":true,"object_count":3,"storage":{"total_bytes":102701,"used_bytes":1800,"free_bytes":100901},"roles":[{"name":"Partition Owner","locked_out":false,"login_attempts_left":10,"pin_to_be_changed":false},{"name":"Crypto User","locked_out":false,"login_attempts_left":10,"challenge_to_be_changed":false}]}]`, ""},
	{"partition_list_show/06", "partition-show", `partitions.# 1
		partitions.0 {"activated":null,"storage":{"total_bytes":324096,"used_bytes":1232,"free_bytes":322864}}
		` + jon, ""},
	{"partition_list_show/08", "partition-show", `partitions.# 1
		partitions.0 {"activated":null,"storage":{"total_bytes":150000,"used_bytes":1232,"free_bytes":148768}}
		` + jon, ""},
	{"partition_list_show/09", "partition-show", `partitions [{"serial":"356654569703","name":"P1SA2","label":"P1SA2","activated":false,"object_count":0,"storage":{"total_bytes":2087864,"used_bytes":0,"free_bytes":2087864},"roles":[{"name":"Crypto Officer","activated":false,"locked_out":false,"login_attempts_left":10,"pin_to_be_changed":false,"challenge_to_be_changed":false},{"name":"Crypto User","activated":false,"locked_out":false,"login_attempts_left":10,"pin_to_be_changed":false,"challenge_to_be_changed":true}]}]`, ""},
	{"partition_list_show/10", "partition-show", `partitions.# 4
		partitions.0 {"serial":"16298193222737","name":"legacyfortemplate02","activated":false,"roles":[{"name":"Crypto Officer","login_attempts_left":9},{"name":"Crypto User","initialized":false,"locked_out":null,"login_attempts_left":null}]}
		partitions.1 {"serial":"16298193222736","activated":true,"roles":[{"login_attempts_left":10},{}]}
		partitions.2 {"serial":"16298193222735","name":"mylegacypar1","activated":false}
		partitions.3 {"serial":"16298193222734","name":"mypsopar1","label":"mysapsopar1","activated":null,"zeroized":false,"object_count":0,"storage":{"total_bytes":153209},"roles":[{"name":"Partition SO","login_attempts_left":10,"challenge_to_be_changed":false},{"name":"Crypto Officer","locked_out":false},{"name":"Crypto User","initialized":false}]}`, ""},
	{"partition_list_show/11", "partition-show", `partitions [{"serial":"356654569703","name":"P1SA2","label":"P1SA2","activated":false,"object_count":0,"storage":{"total_bytes":2087864,"used_bytes":0,"free_bytes":2087864},"roles":[{"name":"Crypto Officer","activated":false,"locked_out":false,"login_attempts_left":10},{"name":"Crypto User","initialized":false}]}]`, ""},
	{"partition_list_show/13", "partition-showpolicies", `. {"partition":"mypartition","serial":"65038002"}
		capabilities.# 26
		capabilities.1 {"id":null,"description":"Enable private key wrapping","value":"Disallowed"}
		capabilities.19 {"description":"Minimum pin length (inverted: 255 - min)","value":"248"}
		policies.# 23
		policies.0 {"id":null,"description":"Challenge for authentication not needed","value":"False"}
		policies.1 {"id":0,"description":"Allow private key cloning","value":"On"}
		policies.16 {"id":25,"description":"Minimum pin length (inverted: 255 - min)","value":"248"}
		policies.22 {"id":32,"description":"Allow secret key unmasking","value":"On","destructive":null}`, ""},
	{"partition_list_show/15", "partition-showpolicies", `capabilities.# 28
		policies.# 28
		capabilities.27 {"id":39,"description":"Enable Start/End Date Attributes","value":"1"}
		policies.18 {"id":25,"description":"Minimum pin length (inverted: 255 - min)","value":"248"}`, ""},
	{"partition_list_show/16", "partition-showpolicies", `capabilities.# 28
		policies.# 28
		policies.0 {"id":0,"description":"Allow private key cloning","value":"On","destructive":false}
		policies.1 {"id":1,"description":"Allow private key wrapping","value":"Off","destructive":true}
		policies.14 {"id":20,"description":"Max failed user logins allowed","value":"10","destructive":null}
		policies.27 {"id":39,"description":"Allow Start/End Date Attributes","value":"Off","destructive":false}`, ""},
	{"partition_list_show/17", "partition-show", `partitions [{"serial":"894069516","name":"John2","label":"Johnny2","activated":null,"zeroized":false,"object_count":0,"storage":{"total_bytes":20480,"used_bytes":0,"free_bytes":20480},"roles":[{"name":"Partition SO","login_attempts_left":10,"pin_to_be_changed":false,"challenge_to_be_changed":false},{"name":"Crypto Officer","initialized":false},{"name":"Crypto User","initialized":false}]}]`, ""},

	{"hsm_displaylicenses/01", "hsm-displaylicenses", `licenses [{"id":"0, 0","description":"Generic or Secure Authentication & Access Control configuration","total":12,"available":12}]`, ""},
	{"hsm_displaylicenses/02", "hsm-displaylicenses", `licenses [{"id":"621000153-000","description":"K7 base configuration"},{"id":"621010185-003","description":"Key backup via cloning protocol"},{"id":"621000046-002","description":"Maximum 100 partitions"},{"id":"621000135-002","description":"Enable allow decommissioning"},{"id":"621000021-002","description":"Performance level 15"}]`, ""},
	{"hsm_displaylicenses/03", "hsm-displaylicenses", `licenses [{"id":"1","description":"LUNA_PARTITIONS","total":10},{"id":"2","total":20},{"id":"3","total":10}]`, ""},

	{"hsm_showpolicies/01", "hsm-showpolicies", `capabilities.# 25
		capabilities.0 {"id":null,"description":"Enable PIN-based authentication","value":"Disallowed"}
		capabilities.2 {"description":"Performance level","value":"15"}
		capabilities.24 {"description":"Enable unmasking","value":"Allowed"}
		policies.# 13
		policies.0 {"id":null,"description":"PED-based authentication","value":"True","destructive":null}
		policies.2 {"id":6,"description":"Allow masking","value":"On","destructive":true}
		policies.8 {"id":21,"description":"Force user PIN change after set/reset","value":"Off","destructive":false}
		policies.12 {"id":30,"description":"Allow unmasking","value":"On","destructive":true}`, ""},
	{"hsm_showpolicies/02", "hsm-showpolicies", `capabilities.# 32
		capabilities.17 {"id":null,"description":"HSM non-volatile storage space","value":"33554432"}
		capabilities.31 {"description":"Enable Controlled Tamper Recovery","value":"Disallowed"}
		policies.# 12
		policies.0 {"id":null,"description":"PIN-based authentication","value":"True"}
		policies.1 {"id":7,"description":"Allow cloning","value":"On","destructive":true}
		policies.8 {"id":33,"description":"Current maximum number of partitions","value":"100","destructive":false}
		policies.11 {"id":46,"description":"Disable Decommission","value":"Off","destructive":true}`, ""},
	{"hsm_showpolicies/03", "hsm-showpolicies", `capabilities.# 21
		capabilities.2 {"id":2,"description":"Performance level","value":"9"}
		capabilities.20 {"id":23,"description":"Enable partition groups","value":"0"}
		policies.# 13
		policies.12 {"id":23,"description":"Allow partition groups","value":"0"}`, ""},
	{"hsm_showpolicies/04", "hsm-showpolicies", `capabilities.# 30
		capabilities.20 {"id":27,"description":"HSM non-volatile storage space","value":"2097152"}
		policies.# 21
		policies.5 {"id":15,"description":"SO can reset partition PIN","value":"1"}`, ""},
	{"hsm_showpolicies/05", "hsm-showpolicies", `capabilities.# 34
		capabilities.33 {"id":42,"description":"Enable partition re-initialize","value":"1"}
		policies.# 25
		policies.16 {"id":33,"description":"Current maximum number of partitions","value":"20"}`, ""},

	{"client_list_show/01", "client-list", fourClients, ""},
	{"client_list_show/02", "client-list", fourClients, ""},
	{"client_list_show/03", "client-list", `clients [{"name":"10.124.0.87","address":null,"partitions":null},{"name":"192.20.11.91"}]`, ""},
	{"client_list_show/04", "client-list", `clients [{"name":"client_name"},{"name":"client name with spaces"}]`, ""},
	{"client_list_show/05", "client-list", `clients []`, ""},
	{"client_list_show/06", "client-list", `clients [{"name":"myclient","address":"121.22.35.4","requires_htl":true,"ott_expiry_seconds":160,"partitions":["mypart1"]}]`, ""},
	{"client_list_show/07", "client-list", `clients [{"name":"myclient","address":"myclient.sfnt.local","requires_htl":true,"ott_expiry_seconds":160,"partitions":["mypart1"]}]`, ""},
	{"client_list_show/08", "client-list", `clients [{"name":"192.20.11.91","address":"192.20.11.91","requires_htl":null,"partitions":["par001"]}]`, ""},
	{"client_list_show/09", "client-list", `clients [{"name":"client1","address":"client1","partitions":["clientPar1","clientPar2","clientPar3"]}]`, ""},
	{"client_list_show/10", "client-list", `clients [{"name":"client2","address":"client2","requires_htl":false,"ott_expiry_seconds":null,"partitions":[]}]`, ""},
	{"client_list_show/11", "client-list", `clients [{"name":"myPC","address":"168.10.10.254","partitions":null}]`, ""},
	{"client_list_show/12", "client-list", `clients [{"name":"myPC","address":"168.10.10.254","partitions":null}]`, ""},

	{"status_sensors/01", "status-sensors", `sensors.# 32
		sensors.0 {"name":"Fan1A","reading":4300,"unit":"RPM","status":"ok","lower_nonrecoverable":1000,"lower_critical":2000,"upper_critical":null,"upper_nonrecoverable":null}
		sensors.10 {"name":"CHA DIMM 0","reading":null,"unit":"degrees C","status":"na","upper_critical":87,"upper_nonrecoverable":97}
		sensors.16 {"name":"RAM TMax","reading":null,"status":"ok"}
		sensors.17 {"name":"CPU_VCORE","reading":0.928,"unit":"Volts","lower_nonrecoverable":null,"lower_critical":0.632,"upper_critical":1.44,"upper_nonrecoverable":null}
		sensors.23 {"name":"PSU1_Present","reading":null,"unit":"discrete","status":"0x0200"}
		sensors.25 {"name":"PSU1_+12V_value","reading":12.024,"lower_nonrecoverable":11.232,"lower_critical":null,"upper_critical":null,"upper_nonrecoverable":13.392}
		sensors.31 {"name":"CPU_Thermtrip","status":"ok"}
		power_supplies [{"name":"CPU_Thermtrip","status":"OK"}]
		fans.# 8
		fans.1 {"name":"Fan1B","status":"OK","rpm":6300}
		chassis.# 12
		chassis {"Power Overload":"false","Cooling/Fan Fault":"false","Last Power Event":"ac-failed","Chassis Intrusion":"inactive"}`, ""},
	{"status_sensors/02", "status-sensors", `sensors.# 34
		sensors.9 {"name":"MEM","reading":51,"upper_critical":null,"upper_nonrecoverable":105}
		sensors.28 {"name":"PSU2_Voltage","reading":null,"unit":"discrete","status":"na"}
		sensors.31 {"name":"CPU_Thermtrip","status":"nr"}
		power_supplies.# 9
		power_supplies.0 {"name":"PSU1_Voltage","status":"Failure detected"}
		power_supplies.8 {"name":"PSU2_Present","status":"Presence detected"}
		fans.# 6
		fans.0 {"name":"FAN1A","status":"OK","rpm":4400}
		chassis {"Power Restore Policy":"previous"}`, ""},

	{"status_sysstat/01", "status-sysstat", `. {"state":"ISO","codes":[60],"running":true,"hostname":"snake21","check_time":"2012-10-27T20:47"}`, ""},
	{"status_sysstat/02", "status-sysstat", `. {"state":"ISO","codes":[60],"running":true,"hostname":"snake21","check_time":"2015-10-27T20:47"}`, ""},
	{"status_sysstat/03", "status-sysstat", `. {"state":"ISO","codes":[100,61,62,63,95],"running":true,"hostname":"sa7pw","check_time":"2017-03-01T10:17"}`, ""},

	{"hsm_tamper_misc/01", "hsm-tamper-show", `. {"tamper":"detected","tampers":["Chassis intrusion"]}`, ""},
	{"hsm_tamper_misc/02", "hsm-tamper-show", `. {"tamper":"none","tampers":[]}`, ""},
	{"hsm_tamper_misc/04", "hsm-tamper-show", `. {"tamper":"none","tampers":[]}`, ""},

	{"status_cpu_mem_disk_interface/05", "status-disk", `smart "PASSED"
		filesystems.# 8
		filesystems.4 {"mount":"/var/log","device":"/dev/sda11","total_bytes":2023927808,"used_bytes":41689088,"available_bytes":1879425024,"used_ratio":0.03}
		filesystems.7 {"mount":"/boot","used_ratio":0.15}`, ""},
	{"status_cpu_mem_disk_interface/06", "status-disk", `smart "PASSED"
		filesystems.# 10
		filesystems.7 {"mount":"/var/audit","device":"/dev/sda13","total_bytes":236609392640,"used_bytes":62951424,"available_bytes":224503758848,"used_ratio":0.01}
		filesystems.9.mount "/var/log/audit"`, ""},
}

const (
	monitorOne = `samples [{"uptime_seconds":1115399,"commands":57468854,"commands_interval":30,"utilization_ratio":0.0127,"utilization_interval_ratio":0.0021}]
		. {"interval_seconds":5,"average_ratio":0.0021,"last_reset":"2013-05-31T14:59:47"}`
	monitorSix = `samples.# 6
		samples.0 {"uptime_seconds":1116668,"commands":57470863,"commands_interval":1,"utilization_ratio":0.0127,"utilization_interval_ratio":0}
		samples.2 {"uptime_seconds":1116680,"commands":57470894,"commands_interval":30,"utilization_interval_ratio":0.0018}
		. {"interval_seconds":6,"average_ratio":0.0006,"last_reset":"2013-05-31T14:59:46"}`
	ntlsUp = `. {"status":"up","connected_clients":2,"links":2,"successful_connections":112,"failed_connections":1}`
	jon    = `partitions.0 {"serial":"154438865289","name":"partition1","label":"jon","zeroized":false,"object_count":6,"roles":[{"name":"Partition SO","locked_out":null,"login_attempts_left":10,"pin_to_be_changed":false},{"name":"Crypto Officer","locked_out":false,"login_attempts_left":10,"pin_to_be_changed":false},{"name":"Crypto User","locked_out":false,"login_attempts_left":10,"pin_to_be_changed":false}]}`

	fourClients = `clients [{"name":"brigitte","address":null,"partitions":null},{"name":"suzanne"},{"name":"pierre"},{"name":"dan"}]`
)

package formats

// lunacmLeftOut gives the reason why a block of the outputs of client hosts is
// not parsed.
var lunacmLeftOut = map[string]string{
	"lunacm_slot_list/28": "changes the current slot, prints nothing",
	"lunacm_slot_list/29": "the configuration of one slot, which is not asked",
	"lunacm_slot_list/30": "the configuration of one slot, which is not asked",
	"lunacm_slot_list/31": "names of partitions without slot or serial number",
	"lunacm_slot_list/32": "names of partitions without slot or serial number",

	"lunacm_partition/07": "a template written to a file, no policies printed",
	"lunacm_partition/13": "a list of role names and a help text, no state",
	"lunacm_partition/14": "a list of role names, no state",

	"lunacm_hagroup/22": haChange, "lunacm_hagroup/24": haChange, "lunacm_hagroup/28": haChange,
	"lunacm_hagroup/29": haChange, "lunacm_hagroup/30": haChange, "lunacm_hagroup/31": haChange,
	"lunacm_hagroup/32": haChange, "lunacm_hagroup/33": haChange, "lunacm_hagroup/34": haChange,
	"lunacm_hagroup/35": haChange, "lunacm_hagroup/36": haChange, "lunacm_hagroup/37": haChange,
	"lunacm_hagroup/38": haChange, "lunacm_hagroup/39": haChange, "lunacm_hagroup/40": haChange,
	"lunacm_hagroup/41": haChange,

	"chrystoki_conf/09": "the syntax of a command",
	"chrystoki_conf/10": "the syntax of two commands",
}

const haChange = "changes a setting, prints no group"

// lunacmWant was written by reading the blocks.
var lunacmWant = []referenceCase{
	{"lunacm_slot_list/01", "lunacm-slot-list", `slots [{"id":3,"label":"myluna","serial":"65130","model":"K3 Base","firmware":"4.5.1","configuration":null,"description":null,"hsm_status":null}]`, ""},
	{"lunacm_slot_list/02", "lunacm-slot-list", `slots.# 4
		slots.0 {"id":1,"tunnel_id":2,"label":"mypci-e","serial":"150022","model":"K6 Base","firmware":"6.22.0","configuration":"Luna HSM Admin Partition Signing With Cloning Mode","description":"Admin Token Slot","hsm_status":"OK"}
		slots.1 {"id":3,"label":"SafeG5","serial":"7001812","model":"G5Base"}
		slots.2 {"id":4,"tunnel_id":null,"label":"myG5pw","serial":"7001312","model":"G5Base","firmware":"6.10.4","configuration":"SafeNet USB HSM (PW) Signing With Cloning Mode","description":null,"hsm_status":"OK"}
		slots.3 {"id":4,"label":"myRBSG5Bk","serial":"7000329","model":"G5Backup","configuration":"Luna HSM Admin Partition (PW) Backup Mode","description":"Net Admin Token Slot","hsm_status":"OK"}`, ""},
	{"lunacm_slot_list/03", "lunacm-slot-list", `slots.# 4
		slots.0 {"id":0,"label":"par0","serial":"1238700701521","model":"LunaSA","firmware":"7.0.1","configuration":"Luna User Partition With SO (PED) Signing With Cloning Mode","description":"Net Token Slot","hsm_status":null}
		slots.2 {"id":2,"label":"par2","serial":"154438865317","model":"LunaSA 7.0.0"}
		slots.3 {"id":3,"label":"myRBSG5Bk","serial":"7000329","firmware":"6.22.0","hsm_status":"OK"}`, ""},
	{"lunacm_slot_list/04", "lunacm-slot-list", `slots.# 6
		slots.0 {"id":0,"label":"mylegacypar1","serial":"16298193222735","configuration":"Luna User Partition, No SO (PED) Signing With Cloning Mode"}
		slots.2 {"id":2,"tunnel_id":4,"label":"parwithpso","serial":"349297122742","description":"User Token Slot"}
		slots.5 {"id":6,"label":"SafeG5","serial":"7001812","model":"G5Base","firmware":"6.22.0","hsm_status":"OK"}`, ""},
	{"lunacm_slot_list/06", "lunacm-slot-list", standbySlots, ""},
	{"lunacm_slot_list/07", "lunacm-slot-list", standbySlots, ""},
	{"lunacm_slot_list/07", "lunacm-hagroup-listgroups", `groups.# 1
		groups.0.members [{"serial":"65003001","slot":0,"status":"alive"},{"serial":"65005001","slot":1,"status":"alive"},{"serial":"66010002","label":"sa172legpar1","slot":1,"status":"standby","standby":true}]`, ""},
	{"lunacm_slot_list/08", "lunacm-slot-list", newGroupSlots, ""},
	{"lunacm_slot_list/09", "lunacm-slot-list", `slots.# 3
		slots.0 {"id":0,"label":"par0","serial":"154438865287","model":"LunaSA 7.3.0","firmware":"7.3.0","configuration":"Luna User Partition With SO (PW) Key Export With Cloning Mode"}
		slots.2 {"id":5,"label":"myHAgroup","serial":"1154438865287","model":"LunaVirtual","description":null,"hsm_status":"N/A - HA Group"}`, ""},
	// The label of slot 2 and its serial number are on one line: a name may look so.
	{"lunacm_slot_list/10", "lunacm-slot-list", `slots.# 2
		slots.0 {"id":1,"label":"SA52_P1","serial":"500409014","model":"LunaSA","firmware":"7.0.1","hsm_status":"OK"}
		slots.1 {"id":2,"model":"G5Backup","firmware":"6.26.0","configuration":"Remote Backup HSM (PED) Backup Device","hsm_status":"OK"}`, ""},
	{"lunacm_slot_list/12", "lunacm-slot-list", `slots.# 3
		slots.0 {"id":1,"label":"SA82_P1","serial":"16298193222733","model":"LunaSA 7.0.0"}
		slots.2 {"id":3,"label":"G5backup","serial":"700101","firmware":"6.26.01","configuration":"Luna HSM (PED) Backup Device","hsm_status":"OK"}`, ""},
	{"lunacm_slot_list/13", "lunacm-slot-list", `slots.0 {"id":0,"label":"","serial":"16298193222733","model":"LunaSA 7.0.0","firmware":"7.0.1","description":"Net Token Slot"}
		slots.1 {"id":1,"label":"","serial":"16298193222735"}
		slots.2 {"id":2,"serial":"16298193222734"}
		slots.3 {"id":3,"label":"SAbck1","serial":"700101","model":"G5Backup"}`, ""},
	{"lunacm_slot_list/14", "lunacm-slot-list", `slots.# 3
		slots.0 {"id":0,"label":"par0","serial":"154438865287","configuration":"Luna User Partition With SO (PW) Key Export With Cloning Mode","description":"Net Token Slot"}
		slots.2 {"id":5,"label":"myHAgroup","firmware":"7.3.0","configuration":"Luna Virtual HSM (PW) Key Export With Cloning Mode","hsm_status":"N/A - HA Group"}`, ""},
	{"lunacm_slot_list/15", "lunacm-slot-list", psoSlots, ""},
	{"lunacm_slot_list/16", "lunacm-slot-list", `slots [{"id":0,"label":"stc_legacy","serial":"359693009024","model":"K6 Base"},{"id":1,"label":"","serial":"359693009027","model":"K6 Base","firmware":"6.22.0","configuration":"Luna User Partition, No SO (PW) Signing With Cloning Mode","description":"Net Token Slot"}]`, ""},
	{"lunacm_slot_list/18", "lunacm-slot-list", `slots [{"id":0,"label":"stc_legacy","serial":"359693009024"},{"id":1,"label":"","serial":"154438865304","model":"LunaSA","firmware":"7.0.1"}]`, ""},
	{"lunacm_slot_list/19", "lunacm-slot-list", `slots.# 3
		slots.1 {"id":2,"label":"G5PKI","serial":"701968008","model":"LunaSA","firmware":"6.10.1","configuration":"SafeNet Network HSM Slot (PED) Signing With Cloning Mode","hsm_status":"OK"}`, ""},
	{"lunacm_slot_list/20", "lunacm-slot-list", `slots.# 7
		slots.0 {"id":0,"label":"","serial":"16298193222733"}
		slots.4 {"id":5,"tunnel_id":7,"label":"","serial":"349297122734","hsm_status":null}
		slots.5 {"id":6,"tunnel_id":7,"label":"mypcie6","serial":"150022","hsm_status":"OK"}
		slots.6 {"id":8,"label":"myG5pw","serial":"7001312","firmware":"6.10.4","hsm_status":"OK"}`, ""},
	{"lunacm_slot_list/21", "lunacm-slot-list", `slots.# 2
		slots.0 {"id":1,"label":"SA52_P1","serial":"500409014","configuration":"SafeNet Network HSM Slot (PED) Signing With Cloning Mode"}
		slots.1 {"id":2,"model":"G5Backup","firmware":"6.22.0","hsm_status":"OK"}`, ""},
	{"lunacm_slot_list/22", "lunacm-slot-list", `slots.# 2
		slots.0 {"id":0,"label":"myG5par","serial":"16302360890475","hsm_status":null}
		slots.1 {"id":1,"label":"SafeG5","serial":"7001812","description":"Admin Token Slot","hsm_status":"OK"}`, ""},
	{"lunacm_slot_list/23", "lunacm-slot-list", `slots [{"id":3,"label":"no label","serial":"7002733","model":"G5Backup","firmware":"6.25.0","configuration":"Luna G5 (PED) Undefined Mode / Uninitialized","hsm_status":"Zeroized"}]`, ""},
	{"lunacm_slot_list/24", "lunacm-slot-list", `slots []`, ""},
	{"lunacm_slot_list/25", "lunacm-slot-list", verifiedSlots, ""},
	{"lunacm_slot_list/26", "lunacm-slot-list", verifiedSlots, ""},
	{"lunacm_slot_list/27", "lunacm-slot-list", verifiedSlots, ""},

	{"lunacm_hsm_showinfo_envshow/01", "lunacm-hsm-envshow", `environment {"fans":[{"name":"Fan 1","status":"standby"},{"name":"Fan 2","status":"active"}],"battery_volts":3.093,"battery_warning_volts":2.75,"battery_low":null,"temperature_celsius":35,"temperature_warning_celsius":75}`, ""},
	{"lunacm_hsm_showinfo_envshow/03", "lunacm-hsm-showinfo", `. {"label":"myLuna","serial":"150022","firmware":"6.2.1","rollback_firmware":null,"model":"K6 Base","hsm_status":"OK","authentication":null,"so_logged_in":false,"so_failed_logins":0,"so_login_attempts_left":null,"zeroized":false,"partitions_allowed":1,"partitions_created":1,"fips":false,"license_count":7,"environment":null,"tamper":null}
		storage {"total_bytes":2097152,"used_bytes":2097152,"free_bytes":0}`, ""},
	{"lunacm_hsm_showinfo_envshow/04", "lunacm-hsm-showinfo", adminInfo + `storage {"total_bytes":2097152,"used_bytes":174288,"free_bytes":1922864}`, ""},
	{"lunacm_hsm_showinfo_envshow/04", "lunacm-partition-showinfo", adminPartition, ""},
	{"lunacm_hsm_showinfo_envshow/05", "lunacm-hsm-showinfo", `. {"label":"myLuna","serial":"532018","firmware":"7.0.1","rollback_firmware":"7.0.1","model":"Luna K7","part_number":"808-000048-002","hsm_status":"L3 Device","authentication":"ped","so_logged_in":false,"zeroized":false,"rpv":"initialized","partitions_allowed":1,"partitions_created":1,"fips":false,"license_count":8}
		storage {"total_bytes":33554432,"used_bytes":333744,"free_bytes":33220688}
		environment {"fans":[{"name":"Fan 1","status":"standby"},{"name":"Fan 2","status":"active"}],"battery_volts":3.093,"battery_warning_volts":2.75,"temperature_celsius":39,"temperature_warning_celsius":75}`, ""},
	{"lunacm_hsm_showinfo_envshow/05", "lunacm-hsm-envshow", `environment.temperature_celsius 39`, ""},

	{"lunacm_partition/01", "lunacm-partition-showinfo", `partitions [{"serial":"321312","label":null,"activated":null,"object_count":null,"storage":null,"status":null}]`, ""},
	{"lunacm_partition/02", "lunacm-partition-showinfo", adminPartition, ""},
	{"lunacm_partition/02", "lunacm-hsm-showinfo", adminInfo + `storage {"total_bytes":2097152,"used_bytes":2097152,"free_bytes":0}`, ""},
	{"lunacm_partition/03", "lunacm-partition-showinfo", `partitions [{"serial":"349297122736","label":"mypciepsopar","status":"OK","activated":null,"object_count":0,"storage":{"total_bytes":2087864,"used_bytes":0,"free_bytes":2087864},"roles":null}]`, ""},
	{"lunacm_partition/04", "lunacm-partition-showinfo", `partitions [{"serial":"7001312","label":null,"status":"OK","object_count":2,"storage":{"total_bytes":2094996,"used_bytes":3116,"free_bytes":2091880},"roles":[{"name":"Crypto Officer","failed_logins":0,"login_attempts_left":null},{"name":"Crypto User","failed_logins":0}]}]`, ""},
	{"lunacm_partition/05", "lunacm-partition-showinfo", `partitions [{"serial":"154438865317","label":"par0","status":"L3 Device","object_count":0,"storage":{"total_bytes":324096,"used_bytes":0,"free_bytes":324096}}]`, ""},
	{"lunacm_partition/06", "partition-showpolicies", `capabilities.# 25
		policies.# 25
		capabilities.15 {"id":19,"description":"Max non-volatile storage space","value":"3"}
		policies.21 {"id":26,"description":"Maximum pin length","value":"255"}
		policies.24 {"id":30,"description":"Allow Remote Authentication","value":"0"}`, ""},
	{"lunacm_partition/08", "partition-showpolicies", `capabilities.# 28
		policies.# 28
		capabilities.27 {"id":39,"description":"Enable Start/End Date Attributes","value":"1"}
		policies.16 {"id":22,"description":"Allow activation","value":"0"}`, ""},
	{"lunacm_partition/09", "partition-showpolicies", `capabilities.# 28
		policies.# 28
		policies.16 {"id":22,"description":"Allow activation","value":"Off","destructive":false}
		policies.14 {"id":20,"description":"Max failed user logins allowed","value":"10","destructive":null}`, ""},
	{"lunacm_partition/10", "lunacm-role-show", rolesShown, ""},
	{"lunacm_partition/11", "lunacm-role-show", rolesShown, ""},
	{"lunacm_partition/12", "lunacm-slot-list", psoSlots, ""},

	{"hsm_information_monitor/07", "lunacm-hsm-monitor", monitorOne, ""},
	{"hsm_information_monitor/08", "lunacm-hsm-monitor", monitorSix, ""},
	{"hsm_information_monitor/10", "lunacm-hsm-monitor", `samples.# 6
		samples.1 {"uptime_seconds":98054,"commands":1547119,"commands_interval":253,"utilization_ratio":0.0136,"utilization_interval_ratio":0.0358}
		. {"interval_seconds":6,"average_ratio":0.0121,"last_reset":"2017-02-21T10:53:44"}`, ""},
	{"hsm_tamper_misc/04", "lunacm-hsm-tampershow", `. {"tamper":"none","tampers":[]}`, ""},
	{"hsm_tamper_misc/06", "lunacm-stm-show", `secure_transport_mode false`, ""},
	{"hsm_tamper_misc/07", "lunacm-stm-show", `secure_transport_mode false`, ""},

	{"lunacm_hagroup/01", "lunacm-hagroup-listgroups", `. {"auto_recovery":null,"ha_logging":null,"ha_only":null}
		groups [{"label":"myHA","serial":"150032","slot":null,"synchronization":null,"needs_sync":true,"members":[{"serial":"150032","status":null,"standby":null},{"serial":"951327","status":null}]}]`, ""},
	{"lunacm_hagroup/02", "lunacm-hagroup-listgroups", noGroups, ""},
	{"lunacm_hagroup/03", "lunacm-hagroup-listgroups", `. {"auto_recovery":{"enabled":true,"mode":"activeBasic","max_retries":-1,"interval_seconds":65},"ha_logging":true,"ha_log_file":"/luna_ha_temp/haErrorLog.txt","ha_log_max_bytes":300000,"ha_only":false}
		groups [{"label":"myHAgroup","serial":"1364882803566","slot":5,"synchronization":true,"needs_sync":false,"members":[{"serial":"364882803566","label":"MyPartition","slot":0,"status":"alive","standby":false},{"serial":"352691792984","label":"MyPartition","slot":1,"status":"alive","standby":false}]}]`, ""},
	{"lunacm_hagroup/03", "lunacm-slot-list", `slots.# 3
		slots.1 {"id":1,"label":"MyPartition","serial":"352691792984"}`, ""},
	{"lunacm_hagroup/04", "lunacm-hagroup-listgroups", noGroups, ""},
	{"lunacm_hagroup/05", "lunacm-hagroup-listgroups", `auto_recovery.enabled false
		groups [{"label":"myHAgroup","serial":"1154438865288","slot":7,"synchronization":true,"needs_sync":true,"members":[{"serial":"154438865288","label":"sa78-2","slot":0,"status":"alive","standby":false},{"serial":"1238700701515","label":"sa40-2","slot":2,"status":"alive","standby":false},{"serial":"154438865289","label":"sa78-3","slot":1},{"serial":"1238700701516","label":"sa40-3","slot":3,"status":"alive","standby":true}]}]`, ""},
	{"lunacm_hagroup/06", "lunacm-hagroup-listgroups", oneDown, ""},
	{"lunacm_hagroup/07", "lunacm-hagroup-listgroups", activeEnhanced + oneDown, ""},
	{"lunacm_hagroup/08", "lunacm-hagroup-listgroups", `groups.# 1
		groups.0 {"serial":"11238700701509","slot":5,"members":[{"serial":"154438865287","slot":0},{"serial":"1238700701509","slot":1},{"serial":"2855496365544","label":"par2","slot":2,"status":"alive","standby":false}]}`, ""},
	{"lunacm_hagroup/10", "lunacm-hagroup-listgroups", `auto_recovery null
		groups.0 {"label":"myHAgroup","serial":"1154438865287","slot":5,"synchronization":true,"needs_sync":false}
		groups.0.members.# 3`, ""},
	{"lunacm_hagroup/11", "lunacm-hagroup-listgroups", `groups.0.members [{"serial":"1238700701509","label":"par1","slot":1,"status":"alive"},{"serial":"2855496365544","label":"par2","slot":2,"status":"alive"}]`, ""},
	{"lunacm_hagroup/12", "lunacm-hagroup-listgroups", `auto_recovery {"enabled":false,"mode":"activeBasic","max_retries":0,"interval_seconds":60}
		` + oneDown, ""},
	{"lunacm_hagroup/13", "lunacm-hagroup-listgroups", activeEnhanced + oneDown, ""},
	{"lunacm_hagroup/14", "lunacm-hagroup-listgroups", `groups.0.members [{"serial":"154438865287","label":"par0","slot":0,"status":"alive"},{"serial":"1238700701509","label":null,"slot":null,"status":"down","standby":false},{"serial":"1238700701510","label":"par1","slot":1,"status":"alive"}]`, ""},
	{"lunacm_hagroup/15", "lunacm-hagroup-listgroups", `groups [{"label":"myHAgroup","serial":"742276409","slot":null,"synchronization":true,"needs_sync":false,"members":[{"serial":"65003001","label":"sa175legpar1","slot":0,"status":"alive","standby":null},{"serial":"65005001"},{"serial":"66010002","slot":1,"status":"alive"}]}]`, ""},
	{"lunacm_hagroup/15", "lunacm-slot-list", standbySlots, ""},
	{"lunacm_hagroup/17", "lunacm-hagroup-listgroups", `groups [{"label":"myhagroup","serial":"1349297122742","slot":null,"members":[{"serial":"349297122742","label":"parwithpso","slot":null,"status":"alive","standby":false}]}]`, ""},
	{"lunacm_hagroup/17", "lunacm-slot-list", `slots.# 7
		slots.6 {"id":10,"label":"myhagroup","serial":"1349297122742","model":"LunaVirtual"}`, ""},
	{"lunacm_hagroup/18", "lunacm-hagroup-listgroups", `groups.0 {"slot":10,"members":[{"serial":"349297122742","label":"parwithpso","slot":null},{"serial":"16302360890475","label":"myG5par","status":"alive"}]}`, ""},
	{"lunacm_hagroup/19", "lunacm-hagroup-listgroups", `groups.0.members.# 3
		groups.0.members.2 {"serial":"16298193222735","label":"mylegacypar1","slot":null,"status":"alive","standby":false}`, ""},
	{"lunacm_hagroup/20", "lunacm-hagroup-listgroups", `groups [{"label":"myHAgroup","serial":"1154438865287","slot":null,"members":[{"serial":"154438865287","label":"par0","slot":0,"status":"alive"}]}]`, ""},
	{"lunacm_hagroup/21", "lunacm-hagroup-listgroups", `groups [{"label":"myHAgroup","serial":"1154438865287","slot":5,"members":[{"serial":"154438865287","slot":0},{"serial":"1238700701509","label":"par1","slot":1,"status":"alive"}]}]`, ""},
	{"lunacm_hagroup/23", "lunacm-hagroup-listgroups", `. {"ha_logging":true,"ha_log_file":"c:\\Program Files\\SafeNet\\LunaClient\\halog\\haErrorLog.txt","ha_log_max_bytes":500000,"ha_only":null,"groups":null}`, ""},
	{"lunacm_hagroup/25", "lunacm-hagroup-listgroups", `groups [{"label":"myHAgroup","serial":"1154438865288","slot":null,"members":[{"serial":"154438865288","label":"sa78-2","slot":0,"status":"alive"}]}]`, ""},
	{"lunacm_hagroup/25", "lunacm-slot-list", newGroupSlots, ""},
	{"lunacm_hagroup/27", "lunacm-hagroup-listgroups", `groups.0 {"needs_sync":true,"members":[{"serial":"154438865288","label":"sa78-2"},{"serial":"1238700701515","label":"sa40-2","slot":1,"status":"alive"}]}`, ""},
	{"lunacm_hagroup/42", "lunacm-hagroup-listgroups", `. {"auto_recovery":{"enabled":false,"mode":null,"max_retries":0,"interval_seconds":60},"ha_logging":true,"ha_log_file":"C:\\Program Files\\SafeNet\\LunaClient\\haErrorLog.txt","ha_log_max_bytes":1000000,"ha_only":false}
		groups [{"label":"testgroup","serial":"1150520008","slot":6,"synchronization":true,"needs_sync":null,"members":[{"serial":"150520008","label":"zspar","slot":1,"status":"alive","standby":false}]}]`, ""},
	{"lunacm_hagroup/43", "lunacm-hagroup-listgroups", `. {"ha_logging":false,"ha_only":false}
		groups [{"label":"Com_HA","serial":"742276409","slot":3,"synchronization":true,"members":[{"serial":"65003001","status":null},{"serial":"65005001","status":null},{"serial":"150346008","label":"mypar1","slot":1,"status":"alive"},{"serial":"150470006","label":"mypar2","slot":2,"status":"alive"}]}]`, ""},
	{"lunacm_hagroup/44", "lunacm-hagroup-listgroups", `groups [{"serial":"1599447001","members":[{"serial":"599447001","status":"down","code_name":"CKR_DEVICE_ERROR"},{"serial":"78665001","status":"alive"}]}]`, ""},

	{"chrystoki_conf/01", "chrystoki-conf", `sections.# 4
		sections.HARecovery {"haGroup1":"1"}
		ha {"ha_only":true,"failover_on_deactivation":true,"recovery":{"enabled":true,"mode":"activeEnhanced","max_retries":120,"interval_seconds":null},"log":{"enabled":true,"path":"/tmp/halog","max_bytes":100000000}}
		ha.groups [{"label":"haGroup1","serial":"11234840370164","synchronization":true,"members":[{"serial":"1234840370164","standby":null},{"serial":"1234924189183"}]}]`, ""},
	{"chrystoki_conf/02", "chrystoki-conf", `sections.# 4
		sections.CardReader {"RemoteCommand":"1"}
		. {"servers":null,"client_certificate":"C:\\Program Files\\SafeNet\\LunaClient\\cert\\client\\ClientNameCert.pem","server_certificates":"C:\\Program Files\\SafeNet\\LunaClient\\cert\\server\\CAFile.pem"}
		ha {"groups":null,"ha_only":null}`, ""},
	{"chrystoki_conf/03", "chrystoki-conf", `sections.# 4
		sections.Luna {"DefaultTimeOut":"500000","PEDTimeout1":"100000","PEDTimeout2":"200000","PEDTimeout3":"10000","KeypairGenTimeOut":"2700000","CloningCommandTimeOut":"300000"}
		sections.Luna.# 6
		. {"client_certificate":"/usr/safenet/lunaclient/cert/client/ClientNameCert.pem","server_certificates":"/usr/safenet/lunaclient/cert/server/CAFile.pem"}`, ""},
	{"chrystoki_conf/04", "chrystoki-conf", `sections.# 2
		sections.CkLog2 {"LibNT":"c:\\Program Files\\SafeNet\\LunaClient\\cryptoki.dll","Enabled":"1","NewFormat":"1","LoggingMask":"ALL_FUNC"}`, ""},
	{"chrystoki_conf/05", "chrystoki-conf", `sections.# 2
		sections.CkLog2.# 6
		sections.CkLog2 {"File":"/tmp/cklog.txt","Error":"/tmp/error.txt"}`, ""},
	{"chrystoki_conf/06", "chrystoki-conf", `sections {"Chrystoki2":{"LibNT":"c:\\Program Files\\SafeNet\\LunaClient\\cklog201.dll"}}`, ""},
	{"chrystoki_conf/08", "chrystoki-conf", `sections {"CkLog2":{"LibUNIX":"/usr/lib/libCryptoki2.so"}}`, ""},
	{"chrystoki_conf/11", "chrystoki-conf", oneServer + `ha.groups null`, ""},
	{"chrystoki_conf/12", "chrystoki-conf", oneServer + `ha.groups [{"label":"SomeHAGrp","serial":"1154702011","synchronization":true,"members":[{"serial":"154702011"}]}]
		ha.recovery {"enabled":null,"max_retries":null}`, ""},
	{"chrystoki_conf/13", "chrystoki-conf", oneServer + twoMembers + `ha.ha_only null`, ""},
	{"chrystoki_conf/14", "chrystoki-conf", oneServer + twoMembers + `ha {"ha_only":true,"recovery":{"max_retries":null}}`, ""},
	{"chrystoki_conf/15", "chrystoki-conf", oneServer + twoMembers + `ha {"ha_only":true,"recovery":{"enabled":true,"max_retries":500}}`, ""},
	{"chrystoki_conf/16", "chrystoki-conf", `ha.groups [{"label":"myHAgroup","serial":"742276409","synchronization":null,"members":[{"serial":"65003001"}]}]`, ""},
	{"chrystoki_conf/17", "chrystoki-conf", `ha.groups [{"label":"myHAgroup","serial":"742276409","members":[{"serial":"65003001"},{"serial":"65005001"}]}]`, ""},
	{"chrystoki_conf/18", "chrystoki-conf", `sections.# 4
		servers null`, ""},
	{"chrystoki_conf/19", "chrystoki-conf", `sections.# 4
		. {"servers":null,"client_certificate":"C:\\Program Files\\SafeNet\\LunaClient\\cert\\client\\20.1.1.20.pem"}`, ""},

	{"ha_log/01", "ha-log", `events.4 {"time":"2017-10-04T16:29:21Z","pid":17469,"group":"11234840370164","kind":"unknown","text":"..."}`, ""},
	{"ha_log/02", "ha-log", `events [{"time":"2016-02-01T11:06:55Z","pid":6619,"group":"11079656446993","kind":"new_member","member":"286668019649","attempt":null,"code":null},{"time":"2016-02-01T11:07:25Z","pid":6619,"group":"11079656446993","kind":"recovered","member":"286668019649","attempt":1},{"time":"2016-02-01T11:07:45Z","pid":6619,"group":"11079656446993","kind":"member_revoked","member":"286668019649","text":"member: 286668019649 revoked"},{"time":"2016-01-31T21:01:52Z","pid":3820,"group":null,"kind":"server_detected","server":"172.20.11.175"},{"time":"2016-01-31T21:01:56Z","pid":3820,"group":null,"kind":"server_connected","server":"172.20.11.175"},{"time":"2016-02-02T15:45:12Z","pid":28001,"group":null,"kind":"server_removed","server":"172.20.11.86"}]`, ""},
	{"ha_log/03", "ha-log", `events [{"time":"2017-10-04T16:29:21Z","pid":17469,"group":"11234840370164","kind":"unknown","member":null,"text":"..."}]`, ""},
	{"ha_log/04", "ha-log", `events [{"time":"2017-10-04T16:29:21Z","pid":17469,"group":"11234840370164","kind":"configured_as_password","member":null},{"time":"2017-10-04T16:29:21Z","pid":17469,"group":"11234840370164","kind":"mgmt_thread_start"},{"time":"2017-10-04T16:30:02Z","pid":17469,"group":"11234840370164","kind":"drop_member","member":"1234924189183","attempt":null},{"time":"2017-10-04T16:31:03Z","pid":17469,"group":"11234840370164","kind":"recovery_failed","member":"1234924189183","attempt":1,"code":"0x00000030","code_name":"CKR_DEVICE_ERROR"},{"time":"2017-10-04T16:32:03Z","pid":17469,"group":"11234840370164","kind":"reintroducing","member":"1234924189183","attempt":2,"objects":3},{"time":"2017-10-04T16:32:03Z","pid":17469,"group":"11234840370164","kind":"recovered","member":"1234924189183","attempt":2,"code":null},{"time":"2017-10-04T17:00:00Z","pid":17469,"group":"11234840370164","kind":"member_deactivated","member":"1234924189183"},{"time":"2017-10-04T17:01:00Z","pid":17469,"group":"11234840370164","kind":"recovery_not_activated","member":"1234924189183","attempt":null},{"time":"2017-10-04T17:05:00Z","pid":17469,"group":"11234840370164","kind":"member_now_activated","member":"1234924189183","attempt":5},{"time":"2017-10-04T18:00:00Z","pid":17470,"group":"11234840370164","kind":"login_failed","member":"1234924189183","code":"0x000000A0","code_name":"CKR_PIN_INCORRECT"},{"time":"2017-10-04T18:00:01Z","pid":17470,"group":"11234840370164","kind":"drop_unrecoverable","member":"1234840370164"},{"time":"2017-10-04T18:59:59Z","pid":17470,"group":"11234840370164","kind":"recovery_exhausted","member":"1234924189183"},{"time":"2017-10-04T19:00:00Z","pid":17470,"group":"11234840370164","kind":"members_offline","member":null,"text":"all members gone offline."},{"time":"2017-10-04T19:00:01Z","pid":17470,"group":"11234840370164","kind":"mgmt_thread_terminate"}]`, ""},
}

const (
	standbySlots = `slots.# 4
		slots.0 {"id":0,"label":"sa175legpar1","serial":"65003001","model":"LunaSA","firmware":"6.22.0"}
		slots.2 {"id":2,"label":"sa177legpar1","serial":"66010002"}
		slots.3 {"id":3,"label":"myHAgroup","serial":"742276409","configuration":"Luna Virtual HSM (PW) Signing With Cloning Mode","hsm_status":"N/A - HA Group"}`
	newGroupSlots = `slots.# 3
		slots.0 {"id":0,"label":"sa78-2","serial":"154438865288"}
		slots.2 {"id":5,"label":"myHAgroup","serial":"1154438865288","hsm_status":"N/A - HA Group"}`
	psoSlots = `slots.# 3
		slots.0 {"id":0,"tunnel_id":2,"label":"mypciepsopar","serial":"349297122736"}
		slots.1 {"id":1,"tunnel_id":2,"label":"mypcie6","serial":"150022","hsm_status":"OK"}
		slots.2 {"id":3,"label":"myG5","serial":"7001312","configuration":"SafeNet USB HSM (PED) Signing With Cloning Mode","hsm_status":"OK"}`
	verifiedSlots = `slots [{"id":1,"label":"MyPartition","serial":"65091001","model":null},{"id":2,"label":"YourPartition","serial":"65097001"},{"id":3,"label":"HisPartition","serial":"65093001"}]`
	adminInfo     = `. {"label":"mypcie6","serial":"150022","firmware":"6.22.0","rollback_firmware":"6.21.0","model":"K6 Base","hsm_status":"OK","authentication":"ped","so_logged_in":false,"zeroized":false,"rpv":"initialized","partitions_allowed":1,"partitions_created":1,"fips":false,"license_count":9,"environment":null}
		`
	adminPartition = `partitions [{"serial":"150022","label":"mypcie6","status":"OK","object_count":0,"storage":{"total_bytes":262144,"used_bytes":0,"free_bytes":262144}}]`
	rolesShown     = `roles [{"name":"Crypto Officer","initialized":null,"login_attempts_left":10,"primary_authentication":"PED","secondary_authentication":"PIN"},{"name":"Crypto User","initialized":false,"login_attempts_left":null}]`
	noGroups       = `. {"auto_recovery":{"enabled":false,"mode":"activeBasic","max_retries":0,"interval_seconds":60},"ha_logging":false,"ha_only":false,"groups":[]}`
	activeEnhanced = `auto_recovery {"enabled":true,"mode":"activeEnhanced","max_retries":500,"interval_seconds":60}
		`
	oneDown = `ha_only true
		groups.# 1
		groups.0 {"serial":"1154438865287","slot":5,"synchronization":true,"needs_sync":false,"members":[{"serial":"154438865287","label":"par0","slot":null,"status":"alive","standby":false},{"serial":"1238700701509","label":null,"slot":null,"status":"down","standby":false}]}`
	oneServer = `servers [{"name":"20.1.1.20","port":1792}]
		`
	twoMembers = `ha.groups [{"label":"SomeHAGrp","serial":"1154702011","synchronization":true,"members":[{"serial":"154702011"},{"serial":"154702012"}]}]
		`
)

package simulator

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// members is a JSON object.
type members = map[string]any

// A restRow is a resource. Words in braces match one segment of the path each, and are
// passed to show in order; it returns nil for what does not exist.
type restRow struct {
	path string
	k7   bool // only with version 5 of the interface
	card bool // the HSM has to answer
	show func(s *state, args []string) any
}

// restRows are all resources that the simulation has.
var restRows = []restRow{
	{"api/lunasa", false, false, restRoot},
	{"api/lunasa/hsms", false, false, restHSMs},
	{"api/lunasa/hsms/{hsm}", false, true, restHSM},
	{"api/lunasa/hsms/{hsm}/counter", false, true, restCounter},
	{"api/lunasa/hsms/{hsm}/tamper", true, true, restTamper},
	{"api/lunasa/hsms/{hsm}/licenses", false, true, restLicenses},
	{"api/lunasa/hsms/{hsm}/policies", false, true, restPolicies},
	{"api/lunasa/hsms/{hsm}/policies/{policy}", false, true, restPolicy},
	{"api/lunasa/hsms/{hsm}/partitions", false, true, restPartitions},
	{"api/lunasa/hsms/{hsm}/partitions/{partition}", false, true, restPartition},
	{"api/lunasa/hsms/{hsm}/partitions/{partition}/roles/{role}", false, true, restRole},
	{"api/lunasa/ntls", false, false, restNTLS},
	{"api/lunasa/ntls/certificate", false, false, restCertificate},
	{"api/lunasa/ntls/clients", false, false, restClients},
	{"api/lunasa/ntls/clients/{client}", false, false, restClient},
	{"api/lunasa/services", false, false, restServices},
	{"api/lunasa/services/{service}", false, false, restService},
	{"api/lunasa/sensors", true, false, restSensors},
	{"api/lunasa/sensors/{sensor}", true, false, restSensor},
	{"api/lunasa/disk/partitions", true, false, restDisks},
	{"api/lunasa/disk/partitions/{disk}", true, false, restDisk},
	{"api/lunasa/disk/smart", true, false, func(*state, []string) any { return members{"selfAssessment": "passed"} }},
}

// rest answers a GET of a path.
func (s *state) rest(path []string) (int, any) {
	for _, r := range restRows {
		args, ok := matches(strings.Split(r.path, "/"), path)
		if !ok {
			continue
		}
		if r.k7 && !s.modern() {
			return restError(http.StatusNotImplemented, "API_NOT_IMPLEMENTED", "The resource is not in this version.")
		}
		if r.card {
			if args[0] != fmt.Sprint(s.spec.serial) {
				return restError(http.StatusNotFound, "HSMPLUGIN_INVALID_HSM", "There is no such HSM.")
			}
			s.charge(cardRequests)
			if !s.answers() || strings.Contains(r.path, "/partitions") && (s.transport || s.condition == locked) {
				return restError(http.StatusInternalServerError, "PLUGIN_HSM", "The HSM does not answer this.")
			}
		}
		if body := r.show(s, args); body != nil {
			return http.StatusOK, body
		}
		break
	}
	return restError(http.StatusNotFound, "API_NOT_FOUND", "There is no such resource.")
}

// matches returns whether a path matches a pattern, and the segments for its words.
func matches(pattern, path []string) (args []string, ok bool) {
	if len(pattern) != len(path) {
		return nil, false
	}
	for i, word := range pattern {
		switch {
		case strings.HasPrefix(word, "{"):
			args = append(args, path[i])
		case word != path[i]:
			return nil, false
		}
	}
	return args, true
}

// restList returns a list of resources in the form of the interface.
func restList(key, base string, ids []string, names ...string) any {
	list := []members{}
	for i, id := range ids {
		m := members{"id": id, "url": base + "/" + strings.ReplaceAll(id, " ", "%20")}
		if i < len(names) {
			m["name"] = names[i]
		}
		list = append(list, m)
	}
	return members{key: list}
}

func restRoot(s *state, _ []string) any {
	all := members{"version": s.software, "forceSoLogin": false}
	for _, name := range []string{"hsms", "ntls", "services", "sensors", "disk"} {
		if s.modern() || name != "sensors" && name != "disk" {
			all[name] = "/api/lunasa/" + name
		}
	}
	return all
}

func (s *state) restHSMPath() string { return fmt.Sprintf("/api/lunasa/hsms/%d", s.spec.serial) }

func restHSMs(s *state, _ []string) any {
	list := []members{}
	if s.answers() {
		list = append(list, members{"id": fmt.Sprint(s.spec.serial), "label": s.label, "url": s.restHSMPath()})
	}
	return members{"hsms": list}
}

func restHSM(s *state, _ []string) any {
	used := s.usedBytes()
	m := members{
		"label": s.label, "state": choose(s.zeroized, "zeroized", "initialized"), "model": s.hardware, "firmwareVersion": s.firmware,
		"authenticationMethod": choose(s.spec.ped, "ped", "password"), "loggedIn": "nobody", "soLoginsLeft": s.soAttempts,
		"rpvInitialized": s.spec.ped, "auditInitialized": s.spec.audit, "remoteLoginInitialized": false,
		"manuallyZeroized": s.byHand, "fipsModeEnabled": s.spec.fips, "pedPresent": false,
		"partitionsAllowed": s.maxPartitions, "partitionsCreated": len(s.partitions),
		"storageSpace": restSpace(s.storageBytes, used), "partNumber": nil,
		"indirectLoginEnabled": false,
	}
	links := []string{"actions", "capabilities", "certificate", "counter", "firmware", "indirect", "licenses", "partitions", "ped", "policies", "roles", "updates"}
	if s.modern() {
		m["partNumber"], m["isTransportMode"] = s.part, s.transport
		links = append(links, "tamper")
	}
	linked(m, s.restHSMPath(), links...)
	return m
}

// linked adds links to what is below a path.
func linked(m members, path string, names ...string) members {
	for _, name := range names {
		m[name] = path + "/" + name
	}
	return m
}

func restSpace(total, used int64) members {
	return members{"total": total, "used": used, "free": total - used}
}

func restCounter(s *state, _ []string) any {
	up := s.now.Sub(s.hsmReset).Seconds()
	return linked(members{
		"operationRequests": int64(s.operations), "operationErrors": int64(s.operationErrs),
		"cryptoOperationRequests": int64(s.crypto), "cryptoOperationErrors": int64(s.cryptoErrs),
		"criticalEvents": s.critical, "nonCriticalEvents": s.nonCritical,
		"uptime": up, "idletime": max(0, up-s.busySeconds), "commands": int64(s.commands),
	}, s.restHSMPath()+"/counter", "actions")
}

func restTamper(s *state, _ []string) any {
	m := members{"tampers": members{}, "tamperTime": nil, "Temperature": nil, "VBATVoltage": nil, "VCCIVoltage": nil, "VREFVoltage": nil}
	if s.tamper != nil {
		m["tampers"] = members{"0": s.tamper.shown}
	}
	return linked(m, s.restHSMPath()+"/tamper", "actions")
}

func restLicenses(s *state, _ []string) any {
	var ids, names []string
	for _, l := range cardLicenses {
		if s.modern() {
			ids, names = append(ids, l[0]), append(names, l[1])
		}
	}
	return restList("licenses", s.restHSMPath()+"/licenses", ids, names...)
}

func restPolicies(s *state, _ []string) any {
	var ids, names []string
	for _, p := range policySets[s.model.card].changeable {
		ids, names = append(ids, fmt.Sprint(p.code)), append(names, p.text)
	}
	return restList("policies", s.restHSMPath()+"/policies", ids, names...)
}

func restPolicy(s *state, args []string) any {
	for _, p := range policySets[s.model.card].changeable {
		if fmt.Sprint(p.code) != args[1] {
			continue
		}
		value := s.policyValue(p)
		switch value {
		case "On":
			value = 1
		case "Off":
			value = 0
		}
		erases := p.destructive == "Yes"
		return members{"id": args[1], "description": p.text, "value": value, "enabled": true, "changeable": true, "onToOffDestructive": erases, "offToOnDestructive": erases}
	}
	return nil
}

func restPartitions(s *state, _ []string) any {
	var ids, names []string
	for _, p := range s.partitions {
		ids, names = append(ids, fmt.Sprint(p.serial)), append(names, p.name)
	}
	return restList("partitions", s.restHSMPath()+"/partitions", ids, names...)
}

func (s *state) findPartition(serial string) *partition {
	i := slices.IndexFunc(s.partitions, func(p partition) bool { return fmt.Sprint(p.serial) == serial })
	if i < 0 {
		return nil
	}
	return &s.partitions[i]
}

func restPartition(s *state, args []string) any {
	p := s.findPartition(args[1])
	if p == nil {
		return nil
	}
	return linked(members{
		"name": p.name, "label": p.label(), "state": choose(p.zeroized, "zeroized", "initialized"), "loggedIn": "nobody", "objectCount": p.objects,
		"storageSpace": restSpace(p.bytes, p.usedBytes()),
	}, s.restHSMPath()+"/partitions/"+args[1], "capabilities", "objects", "policies", "roles", "stc")
}

func restRole(s *state, args []string) any {
	p := s.findPartition(args[1])
	if p == nil || args[2] != "co" {
		return nil
	}
	m := members{
		"id": "co", "name": "Crypto Officer", "initialized": !p.blank, "loginAttemptsLeft": p.attempts, "lockedOut": p.attempts == 0,
		"pinToBeChanged": false, "primaryAuthentication": choose(s.spec.ped, "PED", "PIN"), "secondaryAuthentication": "None",
	}
	if s.spec.ped {
		m["activated"], m["challengeToBeChanged"] = p.activated, false
	}
	return m
}

func restNTLS(s *state, _ []string) any {
	return members{
		"operationalStatus": choose(s.ntlsUp, "up", "down"), "connectedClients": s.connected(), "links": s.connected(),
		"successfulClientConnections": s.ntlsGood, "failedClientConnections": s.ntlsFailed,
		"clients": "/api/lunasa/ntls/clients", "certificate": "/api/lunasa/ntls/certificate",
	}
}

func restCertificate(s *state, _ []string) any {
	c, err := s.serverCertificate()
	if err != nil {
		return nil
	}
	return members{"certificate": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))}
}

func restClients(s *state, _ []string) any {
	var ids []string
	for _, c := range s.clients {
		ids = append(ids, c.name)
	}
	return restList("clients", "/api/lunasa/ntls/clients", ids)
}

func restClient(s *state, args []string) any {
	i := slices.IndexFunc(s.clients, func(c client) bool { return c.name == args[0] })
	if i < 0 {
		return nil
	}
	return linked(members{"clientID": args[0], "hostname": s.clients[i].address, "htlRequired": false}, "/api/lunasa/ntls/clients/"+args[0], "links")
}

// restRunning are the services; those that are not in the state run.
var restRunning = []string{"cbs", "lsta", "network", "ntls", "ntp", "snmp", "ssh", "stc", "syslog", "sysstat", "webserver"}

func restServices(*state, []string) any {
	return restList("services", "/api/lunasa/services", restRunning)
}

func restService(s *state, args []string) any {
	if !slices.Contains(restRunning, args[0]) {
		return nil
	}
	return members{"status": choose(args[0] != "ntls" || s.ntlsUp, "running", "stopped"), "onBoot": true}
}

func restSensors(s *state, _ []string) any {
	var ids []string
	for _, x := range sensors[s.version] {
		ids = append(ids, x.name)
	}
	return restList("sensors", "/api/lunasa/sensors", ids)
}

func restSensor(s *state, args []string) any {
	x := s.findSensor(args[0])
	if x == nil {
		return nil
	}
	limit := func(v float64) any {
		if v == 0 {
			return nil
		}
		return v
	}
	m := members{
		"id": x.name, "unit": x.unit, "value": nil, "variance": 0, "type": nil,
		"lowerNonRecoverable": limit(x.lnr), "lowerCritical": limit(x.lc), "lowerNonCritical": nil,
		"upperNonRecoverable": limit(x.unr), "upperCritical": limit(x.uc), "upperNonCritical": nil,
	}
	switch v, _ := s.reading(*x); {
	case x.unit == "":
		m["unit"] = "Present"
		m["value"] = choose(x.psu > 0 && s.psuFailed[x.psu-1], 0, 1)
	case !x.absent:
		m["value"] = v
	}
	return m
}

var diskName = regexp.MustCompile(`[^/]+$`)

func restDisks(s *state, _ []string) any {
	var ids []string
	for _, m := range mounts[s.model.card] {
		ids = append(ids, diskName.FindString(m.device))
	}
	return restList("partitions", "/api/lunasa/disk/partitions", ids)
}

func restDisk(s *state, args []string) any {
	for _, m := range mounts[s.model.card] {
		if diskName.FindString(m.device) == args[0] {
			used := choose(m.path == logPath, int64(s.logUsedBytes/1024), m.used)
			return members{"partition": m.device, "mountPoint": m.path, "size": m.blocks, "used": used, "available": max(0, available(m.blocks)-used)}
		}
	}
	return nil
}

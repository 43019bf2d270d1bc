package rest

import (
	"cmp"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// An object is a JSON object. Its methods read a member in any type that releases
// and documents give it; a member of another type is unknown.
type object map[string]any

// text returns the first of the members that is a string or a number, and known.
func (o object) text(keys ...string) string {
	for _, key := range keys {
		if v := o.word(key); !answer.NotKnown(v) {
			return v
		}
	}
	return ""
}

// word returns the first of the members that is a string or a number: a name, which
// people choose, or a state, for which a word for "not known" counts.
func (o object) word(keys ...string) string {
	for _, key := range keys {
		switch v := o[key].(type) {
		case string:
			return strings.ReplaceAll(v, "\n", " ")
		case json.Number:
			return v.String()
		}
	}
	return ""
}

// name returns a member that is a string, and on one line.
func (o object) name(key string) (string, bool) {
	v, ok := o[key].(string)
	return strings.ReplaceAll(v, "\n", " "), ok
}

func (o object) truth(key string) hsm.Opt[bool] {
	switch v := o[key].(type) {
	case bool:
		return hsm.Some(v)
	case string:
		switch strings.ToLower(v) {
		case "true", "yes", "on":
			return hsm.Some(true)
		case "false", "no", "off":
			return hsm.Some(false)
		}
	}
	return hsm.Opt[bool]{}
}

func (o object) number(key string) hsm.Opt[float64] {
	var n hsm.Opt[float64]
	v, err := strconv.ParseFloat(o.text(key), 64)
	answer.Known(&n, v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0))
	return n
}

// whole reads a whole number. A negative one means that the value is unknown.
func (o object) whole(key string) hsm.Opt[int64] {
	var n hsm.Opt[int64]
	v, ok := answer.Amount(strings.TrimSuffix(o.text(key), ".0"))
	answer.Known(&n, v, ok)
	return n
}

func (o object) count(key string) hsm.Opt[uint64] {
	n := o.whole(key)
	return hsm.Opt[uint64]{Value: uint64(n.Value), Known: n.Known}
}

// status returns the state of an HSM or a partition.
func (o object) status() hsm.Status {
	return hsm.Status(answer.Collapse(answer.Clip(o.word("state"), 200)))
}

func (o object) storage() hsm.Storage {
	space, _ := o["storageSpace"].(object)
	return hsm.Storage{Total: space.whole("total"), Used: space.whole("used"), Free: space.whole("free")}
}

// listed is one entry of a list of resources.
type listed struct{ id, name string }

// list returns the entries of a list; false if there is no such list.
func (o object) list(key string) ([]listed, bool) {
	all, ok := o[key].([]any)
	entries := []listed{}
	for _, e := range all {
		switch v := e.(type) {
		case string:
			entries = append(entries, listed{id: v})
		case object:
			l := listed{v.text("id", "clientID", "partition"), cmp.Or(v.word("name", "label"), v.text("description"))}
			if l.id == "" {
				l.id = path.Base(v.text("url"))
			}
			if l.id != "." && l.id != "/" {
				entries = append(entries, l)
			}
		}
	}
	return entries, ok
}

// readVersion reads the software version in /api/lunasa.
func readVersion(o object) (string, bool) { return o.text("version"), o.text("version") != "" }

// readHSM reads /api/lunasa/hsms/{id}. It states neither serial number (which
// is the id) nor tampers, battery and temperature.
func readHSM(o object) (hsm.Show, bool) {
	s := hsm.Show{
		Firmware: o.text("firmwareVersion"), Model: o.text("model"), PartNumber: o.text("partNumber"),
		SOLoginAttemptsLeft: o.whole("soLoginsLeft"), SOLoggedIn: loggedIn(o),
		Zeroized: o.truth("zeroized"), ManuallyZeroized: o.truth("manuallyZeroized"),
		RemoteLogin: o.truth("remoteLoginInitialized"), SecureTransportMode: o.truth("isTransportMode"),
		PartitionsAllowed: o.whole("partitionsAllowed"), PartitionsCreated: o.whole("partitionsCreated"),
		FIPS: o.truth("fipsModeEnabled"), Storage: o.storage(),
	}
	if label, ok := o.name("label"); ok {
		s.Label = hsm.Some(label)
	}
	switch method := strings.ToLower(o.word("authenticationMethod")); {
	case method == "":
	case strings.Contains(method, "ped"):
		s.Authentication = hsm.AuthPED
	case strings.HasPrefix(method, "password"), method == "pin":
		s.Authentication = hsm.AuthPassword
	default:
		s.Authentication = hsm.AuthUnknown
	}
	s.Status = o.status()
	s = s.WithStatus()
	if len(s.Status.Parts()) == 1 && s.Status.Zeroized().Known {
		s.Status = "" // nothing else than Zeroized
	}
	if v := o.truth("rpvInitialized"); v.Known {
		s.RPV = pick(v.Value, hsm.RPVInitialized, hsm.RPVUninitialized)
	}
	if v := o.truth("auditInitialized"); v.Known {
		s.AuditRole = pick(v.Value, hsm.AuditYes, hsm.AuditNo)
	}
	return s, s.Firmware != "" || s.Model != "" || s.Zeroized.Known
}

// pick returns a if first, else b.
func pick[T any](first bool, a, b T) T {
	if first {
		return a
	}
	return b
}

// loggedIn reads whether the SO is logged in: a boolean, or the name of a role,
// such as "nobody" or "so".
func loggedIn(o object) hsm.Opt[bool] {
	if v := o.truth("loggedIn"); v.Known {
		return v
	}
	switch strings.ToLower(o.text("loggedIn")) {
	case "nobody", "none":
		return hsm.Some(false)
	case "so":
		return hsm.Some(true)
	}
	return hsm.Opt[bool]{}
}

// An hsmCounter is the counters of an HSM at one time.
type hsmCounter struct {
	hsm.Information
	uptime, idle hsm.Opt[float64] // s since HSM reset
	commands     hsm.Opt[uint64]
}

func readCounter(o object) (hsmCounter, bool) {
	if inner, ok := o["counter"].(object); ok {
		o = inner
	}
	c := hsmCounter{hsm.Information{
		OperationRequests: o.count("operationRequests"), OperationErrors: o.count("operationErrors"),
		CryptoRequests: o.count("cryptoOperationRequests"), CryptoErrors: o.count("cryptoOperationErrors"),
		CriticalEvents: o.count("criticalEvents"), NoncriticalEvents: o.count("nonCriticalEvents"),
	}, o.number("uptime"), o.number("idletime"), o.count("commands")}
	return c, c.Information != hsm.Information{} || c.uptime.Known
}

// since returns the utilization between last, an earlier reading, and c. There is
// none if the HSM was reset in between or if they are less than 1 s apart.
func (c hsmCounter) since(last hsmCounter) (hsm.Monitor, bool) {
	known := c.uptime.Known && c.idle.Known && c.commands.Known && last.uptime.Known && last.idle.Known && last.commands.Known
	up, idle := c.uptime.Value-last.uptime.Value, c.idle.Value-last.idle.Value
	if !known || up < 1 || idle < 0 || c.commands.Value < last.commands.Value || c.uptime.Value > math.MaxInt64 {
		return hsm.Monitor{}, false
	}
	busy := ratio(1 - idle/up)
	return hsm.Monitor{
		Samples: []hsm.Sample{{
			UptimeSeconds: uint64(c.uptime.Value), Commands: c.commands.Value, CommandsInterval: c.commands.Value - last.commands.Value,
			Utilization: ratio(1 - c.idle.Value/c.uptime.Value), UtilizationInt: busy,
		}},
		IntervalSeconds: hsm.Some(int64(math.Round(up))), AverageRatio: hsm.Some(busy),
		BusySeconds: hsm.Opt[float64]{Value: max(0, c.uptime.Value-c.idle.Value), Known: c.idle.Value <= c.uptime.Value},
	}, true
}

func ratio(v float64) float64 { return max(0, min(1, v)) }

// readTamper reads tampers in both their forms: a list of objects, and an object
// whose keys are indices.
func readTamper(o object) (hsm.Tamper, bool) {
	t := hsm.Tamper{State: hsm.TamperNone, Tampers: []string{}}
	switch v := o["tampers"].(type) {
	case object:
		for _, index := range slices.SortedFunc(maps.Keys(v), byNumber) {
			t.Tampers = append(t.Tampers, v.word(index))
		}
	case []any:
		for _, e := range v {
			if x, ok := e.(object); ok {
				t.Tampers = append(t.Tampers, x.word("tamper"))
			} else if name, ok := e.(string); ok {
				t.Tampers = append(t.Tampers, name)
			}
		}
	case nil:
		if _, stated := o["tampers"]; !stated {
			return t, false
		}
	default:
		return t, false
	}
	t.Tampers = slices.DeleteFunc(t.Tampers, func(name string) bool { return name == "" })
	if len(t.Tampers) > 0 {
		t.State = hsm.TamperDetected
	}
	return t, true
}

func byNumber(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

func readPartition(o object) (hsm.Partition, bool) {
	p := hsm.Partition{Name: o.word("name"), ObjectCount: o.whole("objectCount"), Storage: o.storage()}
	if label, ok := o.name("label"); ok {
		p.Label = hsm.Some(label)
	}
	if p.Name == "" {
		p.Name = p.Label.Value
	}
	p.Status = o.status()
	p.Zeroized = p.Status.Zeroized()
	if len(p.Status.Parts()) == 1 && p.Zeroized.Known {
		p.Status = ""
	}
	return p, p.Name != "" || p.ObjectCount.Known || p.Storage != hsm.Storage{}
}

// readRole reads a role of a partition or of the HSM.
func readRole(o object) (hsm.Role, bool) {
	r := hsm.Role{
		Name: o.word("name"), Initialized: o.truth("initialized"), Activated: o.truth("activated"), LockedOut: o.truth("lockedOut"),
		LoginAttemptsLeft: o.whole("loginAttemptsLeft"), PINToBeChanged: o.truth("pinToBeChanged"), ChallengeToBeChanged: o.truth("challengeToBeChanged"),
	}
	if !r.LoginAttemptsLeft.Known {
		r.LoginAttemptsLeft = o.whole("changePasswordAttemptsLeft")
	}
	if hsm.Is(r.Initialized, false) { // the other members have no meaning
		return hsm.Role{Name: r.Name, Initialized: r.Initialized}, r.Name != ""
	}
	return r, r.Name != "" && (r.LockedOut.Known || r.Initialized.Known || r.LoginAttemptsLeft.Known)
}

func readLicenses(o object) (hsm.Licenses, bool) {
	list, ok := o.list("licenses")
	all := hsm.Licenses{}
	for _, l := range list {
		all = append(all, hsm.License{ID: l.id, Description: l.name})
	}
	return all, ok
}

// numericPolicies are the policies whose value is a number, not a switch.
var numericPolicies = []int64{33}

// readPolicy reads one policy. Whether a change is destructive depends on the
// current value.
func readPolicy(o object) (hsm.Policy, bool) {
	p := hsm.Policy{ID: o.whole("id"), Description: o.text("description", "name"), Value: o.text("value")}
	if !slices.Contains(numericPolicies, p.ID.Value) {
		switch p.Value {
		case "0":
			p.Value, p.Destructive = "Off", o.truth("offToOnDestructive")
		case "1":
			p.Value, p.Destructive = "On", o.truth("onToOffDestructive")
		}
	}
	return p, p.Description != "" && p.Value != ""
}

func readNTLS(o object) (hsm.NTLS, bool) {
	n := hsm.NTLS{
		ConnectedClients: o.count("connectedClients"), Links: o.count("links"),
		SuccessfulConnections: o.count("successfulClientConnections"), FailedConnections: o.count("failedClientConnections"),
	}
	switch strings.ToLower(o.word("operationalStatus")) {
	case "up":
		n.Status = hsm.NTLSUp
	case "down":
		n.Status = hsm.NTLSDown
	case "":
	default:
		n.Status = hsm.NTLSUnknown
	}
	return n, n != hsm.NTLS{}
}

func readClient(o object) (hsm.Client, bool) {
	c := hsm.Client{Name: o.word("clientID", "id"), Address: o.text("hostname", "ip"), RequiresHTL: o.truth("htlRequired"), OTTExpiry: o.whole("ottExpiry")}
	return c, c.Name != ""
}

// certificateNames are the parts of a distinguished name as OpenSSL and LunaSH
// print them, by object identifier.
var certificateNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU",
	"1.2.840.113549.1.9.1": "emailAddress",
}

func distinguished(names []pkix.AttributeTypeAndValue) string {
	var parts []string
	for _, n := range names {
		kind := n.Type.String()
		if short, ok := certificateNames[kind]; ok {
			kind = short
		}
		parts = append(parts, fmt.Sprintf("%s=%v", kind, n.Value))
	}
	return answer.CleanLine(strings.Join(parts, ", "))
}

func readCertificate(o object) (hsm.Certificate, bool) {
	text, _ := o["certificate"].(string)
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return hsm.Certificate{}, false
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return hsm.Certificate{}, false
	}
	return hsm.Certificate{
		NotBefore: hsm.Some(c.NotBefore), NotAfter: hsm.Some(c.NotAfter),
		Subject: distinguished(c.Subject.Names), Issuer: distinguished(c.Issuer.Names),
	}, true
}

func readService(o object) (hsm.Service, bool) {
	s := hsm.Service{Status: o.word("status"), OnBoot: o.truth("onBoot")}
	return s, s.Status != ""
}

// sensorUnits are the units as LunaSH prints them, by those of the API.
var sensorUnits = map[string]string{
	"degree c": "degrees C", "degrees c": "degrees C", "rpm": "RPM", "volts": "Volts", "present": "discrete", "": "discrete",
}

// readSensor reads one sensor. The API states no status; it follows from the
// thresholds.
func readSensor(o object) (hsm.Sensor, bool) {
	s := hsm.Sensor{
		Name: strings.TrimSpace(o.text("id")), Reading: o.number("value"), Unit: o.word("unit"),
		LowerNonrecoverable: o.number("lowerNonRecoverable"), LowerCritical: o.number("lowerCritical"),
		UpperCritical: o.number("upperCritical"), UpperNonrecoverable: o.number("upperNonRecoverable"),
	}
	if unit, ok := sensorUnits[strings.ToLower(s.Unit)]; ok {
		s.Unit = unit
	} else if answer.NotKnown(s.Unit) {
		s.Unit = ""
	}
	if s.Unit == "discrete" || s.Unit == "degrees C" && hsm.Is(s.Reading, 0) {
		s.Reading = hsm.Opt[float64]{} // not a measurement, or the sensor is not present
	}
	_, stated := o["value"]
	return s, s.Name != "" && stated
}

// readFilesystem reads a disk partition, whose sizes are in units of 1 KiB.
func readFilesystem(o object) (hsm.Filesystem, bool) {
	size, used, free := o.whole("size"), o.whole("used"), o.whole("available")
	for _, n := range []hsm.Opt[int64]{size, used, free} {
		if !n.Known || n.Value > math.MaxInt64/1024/2 {
			return hsm.Filesystem{}, false
		}
	}
	f := hsm.Filesystem{
		Mount: o.text("mountPoint"), Device: o.text("partition"),
		Total: size.Value * 1024, Used: used.Value * 1024, Available: free.Value * 1024,
	}
	if used.Value+free.Value > 0 {
		f.UsedRatio = math.Ceil(100*float64(used.Value)/float64(used.Value+free.Value)) / 100
	}
	return f, strings.HasPrefix(f.Mount, "/")
}

// readOperations reads the utilization metrics of 7.3 and later.
func readOperations(o object) (hsm.Operations, bool) {
	metrics, ok := o["metrics"].([]any)
	v := hsm.Operations{ResetTime: o.text("resetTime"), Partitions: []hsm.PartitionOperations{}}
	for _, m := range metrics {
		partition, _ := m.(object)
		p := hsm.PartitionOperations{Serial: partition.text("partitionId"), Label: partition.word("label"), Requests: make(map[string]uint64)}
		bins, _ := partition["bins"].([]any)
		for _, b := range bins {
			bin, _ := b.(object)
			counters, _ := bin["counters"].([]any)
			for _, c := range counters {
				one, _ := c.(object)
				if n := one.count("count"); n.Known && strings.EqualFold(one.text("counterId"), "REQUESTS") && bin.text("binId") != "" {
					p.Requests[strings.ToLower(bin.text("binId"))] = n.Value
				}
			}
		}
		if p.Serial != "" {
			v.Partitions = append(v.Partitions, p)
		}
	}
	return v, ok
}

// readSMART reads the result of the disk's self-assessment, and returns it in the
// upper case of LunaSH.
func readSMART(o object) (string, bool) {
	result := strings.ToUpper(answer.Collapse(answer.Clip(o.word("selfAssessment"), 200)))
	return result, result != ""
}

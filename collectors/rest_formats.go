package collectors

import (
	"fmt"
	"strings"

	"github.com/lunawatch/lunawatch/hsm"
)

// restFormats are the resources of the REST API, by name, each as the JSON that
// the appliance sends.
var restFormats = []Format{
	restFormat("rest-certificate", "ntls/certificate", as(readCertificate, func(c hsm.Certificate) hsm.Fact { return c })),
	restFormat("rest-client", "ntls/clients/{client}", as(readClient, func(c hsm.Client) hsm.Fact { return hsm.Clients{c} })),
	restFormat("rest-counter", "hsms/{hsm}/counter", as(readCounter, func(c hsmCounter) hsm.Fact { return c.Information })),
	restFormat("rest-disk", "disk/partitions/{partition}", as(readFilesystem, func(f hsm.Filesystem) hsm.Fact { return hsm.Disk{Filesystems: []hsm.Filesystem{f}} })),
	restFormat("rest-hsm", "hsms/{hsm}", as(readHSM, func(s hsm.Show) hsm.Fact { return s })),
	restFormat("rest-licenses", "hsms/{hsm}/licenses", as(readLicenses, func(l hsm.Licenses) hsm.Fact { return l })),
	restFormat("rest-metrics", "hsms/{hsm}/metrics", as(readOperations, func(o hsm.Operations) hsm.Fact { return o })),
	restFormat("rest-ntls", "ntls", as(readNTLS, func(n hsm.NTLS) hsm.Fact { return n })),
	restFormat("rest-partition", "hsms/{hsm}/partitions/{partition}", as(readPartition, func(p hsm.Partition) hsm.Fact { return hsm.Partitions{p} })),
	restFormat("rest-partitions", "hsms/{hsm}/partitions", func(o object) (hsm.Fact, bool) {
		list, ok := o.list("partitions")
		all := hsm.Partitions{}
		for _, l := range list {
			all = append(all, hsm.Partition{Serial: l.id, Name: l.name})
		}
		return all, ok
	}),
	restFormat("rest-policy", "hsms/{hsm}/policies/{policy}", as(readPolicy, func(p hsm.Policy) hsm.Fact { return hsm.Policies{Policies: []hsm.Policy{p}} })),
	restFormat("rest-role", "hsms/{hsm}/partitions/{partition}/roles/{role}", as(readRole, func(r hsm.Role) hsm.Fact {
		return hsm.Roles{Roles: []hsm.RoleState{{Role: r}}}
	})),
	restFormat("rest-root", "", as(readVersion, func(v string) hsm.Fact { return hsm.Show{SoftwareVersion: v} })),
	restFormat("rest-sensor", "sensors/{sensor}", as(readSensor, func(s hsm.Sensor) hsm.Fact { return hsm.Sensors{Sensors: []hsm.Sensor{s}} })),
	restFormat("rest-service", "services/{service}", as(readService, func(s hsm.Service) hsm.Fact { return hsm.Services{s} })),
	restFormat("rest-smart", "disk/smart", as(readSMART, func(result string) hsm.Fact { return hsm.Disk{SMART: result} })),
	restFormat("rest-tamper", "hsms/{hsm}/tamper", as(readTamper, func(t hsm.Tamper) hsm.Fact { return t })),
}

func restFormat(name, path string, read func(object) (hsm.Fact, bool)) Format {
	return Format{Name: name, Command: "GET " + strings.TrimSuffix(restRoot+"/"+path, "/"), File: true, Parse: func(text string) (hsm.Fact, []string, error) {
		o, err := parseObject([]byte(text))
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w: %w", name, ErrUnrecognised, err)
		}
		fact, ok := read(o)
		if !ok {
			return nil, nil, wrap(name, ErrUnrecognised)
		}
		return fact, nil, nil
	}}
}

// as makes a fact of what a reader reads.
func as[T any](read func(object) (T, bool), fact func(T) hsm.Fact) func(object) (hsm.Fact, bool) {
	return func(o object) (hsm.Fact, bool) {
		v, ok := read(o)
		if !ok {
			return nil, false
		}
		return fact(v), true
	}
}

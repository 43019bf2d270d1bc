package rest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// Formats returns the formats of the resources of the REST API, sorted by name,
// each of the JSON that the appliance sends.
func Formats() []answer.Format { return slices.Clone(resourceFormats) }

var resourceFormats = []answer.Format{
	format("rest-certificate", "ntls/certificate", as(readCertificate, func(c hsm.Certificate) hsm.Fact { return c })),
	format("rest-client", "ntls/clients/{client}", as(readClient, func(c hsm.Client) hsm.Fact { return hsm.Clients{c} })),
	format("rest-counter", "hsms/{hsm}/counter", as(readCounter, func(c hsmCounter) hsm.Fact { return c.Information })),
	format("rest-disk", "disk/partitions/{partition}", as(readFilesystem, func(f hsm.Filesystem) hsm.Fact { return hsm.Disk{Filesystems: []hsm.Filesystem{f}} })),
	format("rest-hsm", "hsms/{hsm}", as(readHSM, func(s hsm.Show) hsm.Fact { return s })),
	format("rest-licenses", "hsms/{hsm}/licenses", as(readLicenses, func(l hsm.Licenses) hsm.Fact { return l })),
	format("rest-metrics", "hsms/{hsm}/metrics", as(readOperations, func(o hsm.Operations) hsm.Fact { return o })),
	format("rest-ntls", "ntls", as(readNTLS, func(n hsm.NTLS) hsm.Fact { return n })),
	format("rest-partition", "hsms/{hsm}/partitions/{partition}", as(readPartition, func(p hsm.Partition) hsm.Fact { return hsm.Partitions{p} })),
	format("rest-partitions", "hsms/{hsm}/partitions", func(o object) (hsm.Fact, bool) {
		list, ok := o.list("partitions")
		all := hsm.Partitions{}
		for _, l := range list {
			all = append(all, hsm.Partition{Serial: l.id, Name: l.name})
		}
		return all, ok
	}),
	format("rest-policy", "hsms/{hsm}/policies/{policy}", as(readPolicy, func(p hsm.Policy) hsm.Fact { return hsm.Policies{Policies: []hsm.Policy{p}} })),
	format("rest-role", "hsms/{hsm}/partitions/{partition}/roles/{role}", as(readRole, func(r hsm.Role) hsm.Fact {
		return hsm.Roles{Roles: []hsm.RoleState{{Role: r}}}
	})),
	format("rest-root", "", as(readVersion, func(v string) hsm.Fact { return hsm.Show{SoftwareVersion: v} })),
	format("rest-sensor", "sensors/{sensor}", as(readSensor, func(s hsm.Sensor) hsm.Fact { return hsm.Sensors{Sensors: []hsm.Sensor{s}} })),
	format("rest-service", "services/{service}", as(readService, func(s hsm.Service) hsm.Fact { return hsm.Services{s} })),
	format("rest-smart", "disk/smart", as(readSMART, func(result string) hsm.Fact { return hsm.Disk{SMART: result} })),
	format("rest-tamper", "hsms/{hsm}/tamper", as(readTamper, func(t hsm.Tamper) hsm.Fact { return t })),
}

// format returns the format of the resource at path below [root].
func format(name, path string, read func(object) (hsm.Fact, bool)) answer.Format {
	return answer.Format{Name: name, Command: "GET " + strings.TrimSuffix(root+"/"+path, "/"), File: true, Read: func(s answer.Session) (hsm.Fact, []string, error) {
		o, err := parseObject([]byte(s.Text))
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w: %w", name, answer.ErrUnrecognised, err)
		}
		fact, ok := read(o)
		if !ok {
			return nil, nil, answer.Wrap(name, answer.ErrUnrecognised)
		}
		return fact, nil, nil
	}}
}

// as returns a reader whose result is turned into a fact.
func as[T any](read func(object) (T, bool), fact func(T) hsm.Fact) func(object) (hsm.Fact, bool) {
	return func(o object) (hsm.Fact, bool) {
		v, ok := read(o)
		if !ok {
			return nil, false
		}
		return fact(v), true
	}
}

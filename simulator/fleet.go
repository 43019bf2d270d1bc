package simulator

import (
	"cmp"
	"fmt"
	"path/filepath"
	"syscall"
	"time"
)

// A Fleet is many appliances of 20 partitions each, called hsm-0001 and so on, for
// measuring what watches them. Names, serial numbers, labels and addresses differ. All of
// one kind of card have the same keys: an ECDSA host key with a K7, an RSA one with a K6.
// Their states advance when they are asked.
type Fleet struct {
	Size   int      // 1 to 9999 appliances; 0: the estate is no fleet
	Models []string // versions, which the appliances have in turns; empty: 7.2
	REST   bool     // with the REST API, where the version has it
	Syslog bool     // with the files of their logs, of which each command writes two lines
}

const (
	maxFleet        = 9999 // so that names have four digits
	fleetPartitions = 20
	fleetDir        = "fleet" // of the keys, in the state directory
)

// newFleet makes the estate of a fleet, without files.
func newFleet(c Config) (*Estate, error) {
	specs, err := c.Fleet.specs()
	if err != nil {
		return nil, err
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return nil, fmt.Errorf("limit of open files: %w", err)
	}
	if err := c.Fleet.fits(limit.Cur); err != nil {
		return nil, err
	}
	keys := &keyring{dir: filepath.Join(c.StateDir, fleetDir)}
	rsaKeys := &keyring{dir: cmp.Or(c.RSAKeys, filepath.Join(keys.dir, "rsa"))}
	e := &Estate{config: c, ready: make(chan Ready, 1), ha: &haClient{}}
	for _, sp := range specs {
		dir := ""
		if c.Fleet.Syslog {
			dir = filepath.Join(c.StateDir, sp.name)
		}
		a := newAppliance(sp, 1, dir, c.Log)
		a.second, a.own, a.rsa = cmp.Or(c.MonitorSecond, a.second), keys, rsaKeys
		e.appliances = append(e.appliances, a)
	}
	return e, nil
}

// specs returns the appliances of the fleet, or what is wrong with it.
func (f Fleet) specs() ([]spec, error) {
	if f.Size < 1 || f.Size > maxFleet {
		return nil, fmt.Errorf("a fleet has 1 to %d appliances, not %d", maxFleet, f.Size)
	}
	var mixed []*model
	for _, version := range f.Models {
		m := findModel(version)
		if m == nil {
			return nil, fmt.Errorf("unknown model %q; known are %s", version, modelNames())
		}
		mixed = append(mixed, m)
	}
	if len(mixed) == 0 {
		mixed = []*model{findModel("7.2")}
	}
	specs := make([]spec, f.Size)
	for i := range specs {
		sp := defaults(mixed[i%len(mixed)], i)
		sp.name = fmt.Sprintf("hsm-%04d", i+1)
		sp.address = fmt.Sprintf("10.%d.%d.%d", 64+i/62500, i/250%250, 1+i%250)
		sp.uptime = time.Duration(1+i%97)*11*day + time.Duration(i)*time.Minute
		sp.load = 0.01 + 0.003*float64(i%29)
		sp.temperature = 34 + float64(i%7)
		sp.noREST = !f.REST
		sp.setPartitions(fleetKeys(i))
		if err := sp.setClients(nil); err != nil {
			return nil, err
		}
		specs[i] = sp
	}
	return specs, nil
}

// fleetKeys returns the partitions of an appliance.
func fleetKeys(index int) []scenarioPartition {
	all := make([]scenarioPartition, fleetPartitions)
	for i := range all {
		all[i] = scenarioPartition{Name: fmt.Sprintf("partition-%02d", i+1), Objects: partitionFloor + (7*index+13*i)%40}
	}
	return all
}

// fits returns an error if a process that may open so many files cannot serve the fleet:
// each appliance listens and has one session, on each of its doors.
func (f Fleet) fits(openFiles uint64) error {
	const others = 100
	each := choose(f.REST, 4, 2)
	if need := uint64(f.Size*each + others); need > openFiles {
		return fmt.Errorf("a fleet of %d needs %d open files, and the limit is %d: raise it with ulimit -Hn %d", f.Size, need, openFiles, need)
	}
	return nil
}

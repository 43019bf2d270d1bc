package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/near"
)

// A choice is the HSM that a command line names, by its name or its serial number.
type choice struct{ hsm, serial string }

// choiceFlags adds -hsm, and -serial as it is called in LunaSH.
func choiceFlags(flags *flag.FlagSet) *choice {
	c := new(choice)
	flags.StringVar(&c.hsm, "hsm", "", "`HSM` by its name or serial number")
	flags.StringVar(&c.serial, "serial", "", "the same as -hsm `HSM`")
	return c
}

// name returns what was given; "": nothing.
func (c *choice) name() (string, error) {
	if c.hsm != "" && c.serial != "" {
		return "", usagef("-hsm and -serial are two names of one flag; use one of them")
	}
	return c.hsm + c.serial, nil
}

// chosen returns the devices with a name or a serial number; with "", all of them.
func chosen(devices []*hsm.Device, name string) ([]*hsm.Device, error) {
	if name == "" {
		return devices, nil
	}
	for _, is := range []func(*hsm.Device) bool{
		func(d *hsm.Device) bool { return d.Name == name },
		func(d *hsm.Device) bool { return d.Serial() == name },
	} {
		if found := slices.DeleteFunc(slices.Clone(devices), func(d *hsm.Device) bool { return !is(d) }); len(found) > 0 {
			return found, nil
		}
	}
	return nil, unknownHSM(name, namesOf(devices))
}

// namesOf returns the names and the serial numbers of devices.
func namesOf(devices []*hsm.Device) (all []string) {
	for _, d := range devices {
		if all = append(all, d.Name); d.Serial() != "" {
			all = append(all, d.Serial())
		}
	}
	return all
}

// unknownHSM says that no HSM has a name or serial number, and which was meant.
func unknownHSM(name string, all []string) error {
	return usagef("no HSM with the name or serial number %q is watched%s", name, didYouMean(near.Name(name, all), "lunawatch status -all lists them"))
}

// onlyOne returns the one HSM that is named; with "", the only one.
func onlyOne(ctx context.Context, client *agent.Client, name string) (string, error) {
	snap, err := client.Snapshot(ctx)
	if err != nil {
		return "", err
	}
	found, err := chosen(snap.HSMs(), name)
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", errors.New("no HSM is watched")
	case len(found) == 1:
		return found[0].Name, nil
	}
	var known []string
	for _, d := range found {
		text := d.Name
		if d.Serial() != "" {
			text = fmt.Sprintf("%s (%s)", d.Name, d.Serial())
		}
		known = append(known, text)
	}
	return "", usagef("several HSMs are watched; name one with -hsm: %s", strings.Join(known, ", "))
}

// watched returns patterns of devices with names in place of serial numbers. One that
// is of nothing that is watched, or has an active alarm, is a mistake.
func watched(ctx context.Context, client *agent.Client, list []string, active []alarms.Active) ([]string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	snap, err := client.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	names := []string{alarms.Self}
	for _, a := range active {
		names = append(names, a.Device)
	}
	for _, d := range snap.Devices {
		names = append(names, d.Name)
	}
	named := slices.Clone(list)
	for i, p := range list {
		if slices.ContainsFunc(names, func(name string) bool { ok, _ := path.Match(p, name); return ok }) {
			continue
		}
		if isPattern(p) {
			return nil, usagef("%q matches no HSM that is watched; lunawatch status -all lists them", p)
		}
		found, err := chosen(snap.Devices, p)
		if err != nil {
			return nil, unknownHSM(p, append(names, namesOf(snap.Devices)...))
		}
		named[i] = found[0].Name
		for _, twin := range found[1:] {
			named = append(named, twin.Name)
		}
	}
	return named, nil
}

// isPattern reports whether s has wildcards.
func isPattern(s string) bool { return strings.ContainsAny(s, `*?[\`) }

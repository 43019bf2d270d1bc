package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A step is a command that a newcomer can try.
type step struct {
	title string
	shown string // as one would type it
	run   func(ctx context.Context) (string, error)
	wants []string // what the output must contain
	shows string   // print only lines with one of these words, separated by commas; "": the first lines
}

func (d *demo) steps() []step {
	k7 := d.estate.Appliances[len(d.estate.Appliances)-1]
	serial := fmt.Sprint(k7.Serial)
	snmp := "SNMPCONFPATH=" + d.path("client") + " "
	socket := []string{"-control.socket", d.path("control.sock")}
	return []step{
		{
			title: "SNMPv3 (authPriv, SHA-256, AES) through snmpd, with names",
			shown: snmp + "snmpwalk " + d.snmpd.Address + " CHRYSALIS-UTSP-MIB::utsp",
			run:   d.tool("snmpwalk", d.snmpd.Address, "CHRYSALIS-UTSP-MIB::utsp"),
			wants: []string{"hsmOperationRequests.0 = Counter64:", "ntlsOperStatus.0 = INTEGER: up(1)", "ntlsCertExpireDay.0"},
		},
		{
			title: "The table of HSMs",
			shown: snmp + "snmptable -Cw 120 " + d.snmpd.Address + " SAFENET-HSM-MIB::hsmTable",
			run:   d.tool("snmptable", "-Cw", "120", d.snmpd.Address, "SAFENET-HSM-MIB::hsmTable"),
			wants: []string{"hsmFirmwareVersion", "Luna K7", "Luna K6"},
		},
		{
			title: "Prometheus",
			shown: "curl http://" + d.web + "/metrics",
			run:   d.metrics,
			wants: []string{"luna_hsm_temperature_celsius", "luna_hsm_utilization_ratio", "luna_partition_objects"},
			shows: "luna_hsm_info,luna_hsm_temperature_celsius,luna_hsm_utilization_ratio,luna_hsm_so_login,luna_ntls_status",
		},
		{
			title: "The vendor's utilization table, live",
			shown: d.binary + " hsm information monitor -serial " + serial + " " + strings.Join(socket, " "),
			run:   d.lunawatch(append([]string{"hsm", "information", "monitor", "-serial", serial}, socket...)...),
			wants: []string{"HSM Uptime (Secs)", "Average HSM Utilization In This Period", "HSM Has Been Up For"},
		},
		{
			title: "One HSM at a glance",
			shown: d.binary + " hsm show -serial " + serial + " " + strings.Join(socket, " "),
			run:   d.lunawatch(append([]string{"hsm", "show", "-serial", serial}, socket...)...),
			wants: []string{"Serial #:", serial, "Battery Voltage:"},
		},
		{
			title: "A fault: the card warms up to 78 C, and the trap that arrives",
			shown: d.lunasim + " inject -state-dir " + d.path("estate") + " -appliance " + k7.Name + " temperature 78",
			run:   d.fault(k7.Name, "/ 1]", "temperature", "78"),
			wants: []string{"cryptoAttentionNotify", "ssLogReference", "/ 1]"}, // of the log, or of a poll that was faster
		},
		{
			title: "The active alarms, and what to do about them",
			shown: d.binary + " alarms list " + strings.Join(socket, " "),
			run:   d.lunawatch(append([]string{"alarms", "list"}, socket...)...),
			wants: []string{"temp-warn", k7.Name},
		},
		{
			title: "The fault ends, and the trap that clears the alarm",
			shown: d.lunasim + " inject -state-dir " + d.path("estate") + " -appliance " + k7.Name + " temperature 40",
			run:   d.fault(k7.Name, "/ 0]", "temperature", "40"),
			wants: []string{"cryptoAttentionNotify", "/ 0]"},
		},
	}
}

// patience is how long a result may take to appear.
const patience = 60 * time.Second

// try runs a step until its output contains what is wanted, and prints lines of it.
func (d *demo) try(ctx context.Context, s step, once bool) error {
	fmt.Printf("\n%s\n  $ %s\n", s.title, s.shown)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		out, err := s.run(ctx)
		lacks := missing(out, s.wants)
		if err == nil && lacks == "" {
			show(out, s.shows)
			return nil
		}
		select {
		case <-ctx.Done():
			show(out, "")
			if err != nil && !errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("%q failed: %w", s.shown, err)
			}
			return fmt.Errorf("%q did not show %q within %s", s.shown, lacks, patience)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func missing(out string, wants []string) string {
	for _, w := range wants {
		if !strings.Contains(out, w) {
			return w
		}
	}
	return ""
}

// show prints lines, at most a screenful.
func show(out, only string) {
	shown := 0
	for line := range strings.Lines(strings.Trim(out, "\n")) {
		if only != "" && (strings.HasPrefix(line, "#") || !containsAny(line, strings.Split(only, ","))) {
			continue
		}
		if shown++; shown > 20 {
			fmt.Println("    ...")
			return
		}
		line = strings.TrimRight(line, "\n")
		if len(line) > 150 {
			line = line[:147] + "..."
		}
		fmt.Println("    " + line)
	}
}

func containsAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// tool runs one of the snmp tools with the private configuration.
func (d *demo) tool(name string, args ...string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		return output(ctx, []string{"SNMPCONFPATH=" + d.path("client"), "SNMP_PERSISTENT_DIR=" + d.path("client")}, name, args...)
	}
}

func (d *demo) lunawatch(args ...string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) { return output(ctx, nil, d.binary, args...) }
}

func output(ctx context.Context, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}

func (d *demo) metrics(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.web+"/metrics", nil)
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

// fault injects an event once, and waits for a later trap that contains text.
func (d *demo) fault(appliance, text string, event ...string) func(context.Context) (string, error) {
	injected := false
	return func(ctx context.Context) (string, error) {
		if !injected {
			d.traps = len(d.trapd.Lines())
			args := append([]string{"inject", "-state-dir", d.path("estate"), "-appliance", appliance}, event...)
			if _, err := output(ctx, nil, d.lunasim, args...); err != nil {
				return "", err
			}
			injected = true
		}
		for _, line := range d.trapd.Lines()[d.traps:] {
			if strings.Contains(line, text) {
				return strings.ReplaceAll(line, "\t", "\n"), nil
			}
		}
		return "", errors.New("no trap yet")
	}
}

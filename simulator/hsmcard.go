package simulator

import (
	"errors"
	"fmt"
	"time"
)

// A tamper is a cause that locks a K7 card. The codes are those of the host driver, the
// bootloader and the firmware; link is whether the PCIe link goes down, after which the
// driver sees nothing else: what the bootloader says then, such as ALM1014, is in the
// FRAM log and on the serial port only.
type tamper struct {
	name     string // in events
	driver   string
	boot     string
	firmware string
	link     bool
	shown    string // the line of hsm tamper show
}

var tampers = []tamper{
	{"chassis", "ALM0015: PCIe Link Failure", "", "ALM2020: Chassis opened", true, "Chassis intrusion"},
	{"removal", "ALM0015: PCIe Link Failure", "", "ALM2021: HSM was removed from chassis", true, "Card removal"},
	{"high-temperature", "ALM0004: Hard tamper - high temperature", "ALM1007: Hard tamper - high temperature", "ALM2015: Hard tamper - high temperature", false, "Over temperature"},
	{"low-temperature", "ALM0005: Hard tamper - low temperature", "ALM1008: Hard tamper - low temperature", "ALM2016: Hard tamper - low temperature", false, "Under temperature"},
	{"over-voltage", "ALM0006: Hard tamper - over voltage", "ALM1009: Hard tamper - over voltage", "ALM2017: Hard tamper - over voltage", false, "Over voltage"},
}

func findTamper(name string) *tamper {
	for i := range tampers {
		if tampers[i].name == name {
			return &tampers[i]
		}
	}
	return nil
}

// Delays between the messages of the driver, the bootloader and the firmware.
const (
	bootloaderDelay = 6 * time.Second
	firmwareDelay   = 20 * time.Second
)

// heat checks the temperature of a K7 card against its limits.
func (s *state) heat() {
	t := s.celsius()
	s.warmth(t)
	switch {
	case t >= hardCelsius && !s.hardLogged:
		s.hardLogged = true
		s.trip(findTamper("high-temperature"))
	case t >= softCelsius && !s.softLogged && s.answers():
		s.softLogged = true
		s.alarm("ALM0002: Soft tamper - temperature (%dC)", t)
		s.condition = inReset
	case t < softCelsius && s.condition == inReset && s.softLogged && !s.hardLogged:
		s.condition = waitsRestart
		s.softLogged = false
		s.after(bootloaderDelay, func(s *state) {
			s.alarm("ALM1006: Soft tamper temperature/voltage")
			s.alarm("ALM1001: HSM restart required")
		})
	case t < softCelsius:
		s.softLogged, s.hardLogged = false, false
	}
}

// warmth raises and clears the warnings below the tamper levels.
func (s *state) warmth(t int) {
	if t < warmCelsius {
		if s.warm && s.answers() {
			s.alarm("ALM2002: High temperature warning deactivated")
		}
		s.warm, s.warmLogged = false, false
		return
	}
	if !s.warm && s.answers() {
		s.alarm("ALM2001: High temperature warning activated")
		s.warm, s.warmSince = true, s.now
	}
	if s.warm && !s.warmLogged && s.now.Sub(s.warmSince) >= 5*time.Minute {
		s.alarm("ALM0013: High Temperature - %dC", t)
		s.warmLogged = true
	}
}

// fade checks the battery of a K7 card against its limits.
func (s *state) fade() {
	v := s.volts()
	switch {
	case v < batteryDepleted && s.batteryLogged < 2:
		if s.batteryLogged == 0 {
			s.alarm("ALM0014: Low Battery")
		}
		s.batteryLogged = 2
		s.alarm("ALM2004: Battery depleted")
		s.condition = halted
	case v < batteryWarning && s.batteryLogged < 1:
		s.batteryLogged = 1
		s.alarm("ALM0014: Low Battery")
		s.alarm("ALM2003: Battery low voltage warning")
	case v >= batteryWarning:
		s.batteryLogged = 0
	}
}

// trip starts a tamper of a K7 card.
func (s *state) trip(t *tamper) {
	s.tamper = t
	s.alarm("%s", t.driver)
	if t.link {
		s.condition = offBus
		return
	}
	s.condition = inReset
	s.after(bootloaderDelay, func(s *state) {
		s.alarm("%s", t.boot)
		s.alarm("ALM1001: HSM restart required")
		s.condition = waitsRestart
	})
}

// restart is an HSM restart, by command or as part of a reboot.
func (s *state) restart() error {
	if s.modern() && s.celsius() >= softCelsius {
		return fmt.Errorf("the card is held in reset at %d C; cool it first", s.celsius())
	}
	if s.condition == offBus {
		return errors.New("the card is off the bus; only a reboot brings it back")
	}
	if s.batteryLogged == 2 {
		return errors.New("the battery is depleted; the firmware does not start")
	}
	s.restartCounters()
	s.condition = running
	if !s.modern() {
		s.warmBoot()
		return nil
	}
	s.warm = false // the firmware repeats its warning
	if s.tamper != nil {
		s.alarm("%s", s.tamper.firmware)
		s.alarm("ALM2010: HSM locked - tamper clear required")
		s.deactivate()
		s.condition = locked
	}
	if s.transport {
		s.alarm("ALM2012: HSM in secure transport mode")
	}
	return nil
}

// deactivate deactivates all partitions.
func (s *state) deactivate() {
	if s.modern() {
		s.alarm("ALM2005: HSM deactivated")
	}
	for i := range s.partitions {
		s.partitions[i].activated = false
	}
}

// erase changes the state as zeroization and decommissioning do.
func (s *state) erase() {
	s.zeroized = true
	s.label = "no label"
	if s.modern() {
		s.label = ""
	}
	s.partitions = nil
	s.soAttempts = 0
	for i := range s.clients {
		s.clients[i].partitions = nil
	}
}

// initialize makes an erased card as the scenario describes it.
func (s *state) initialize() {
	s.zeroized, s.byHand, s.decommissioned = false, false, false
	s.label = s.spec.label
	s.soAttempts = firstAttempts
	s.partitions = append([]partition(nil), s.spec.partitions...)
	for i := range s.clients {
		s.clients[i].partitions = s.spec.clients[i].partitions
	}
}

// warmBoot logs the start of a K6 card as in hsm.log.
func (s *state) warmBoot() {
	s.oamp("info", "----- HSM Logging started")
	s.oamp("info", "INFO:     Warm boot")
	s.oamp("info", "INFO:     FW Rev %s", s.firmware)
	s.oamp("info", "INFO:     HSM is powered-up")
	for _, part := range []string{"MM", "PM", "I2C", "RTC", "NVRAM", "CGX", "MTK"} {
		s.oamp("info", "INFO:     %s_Init OK", part)
	}
}

// crash is a catastrophic failure of the firmware.
func (s *state) crash() {
	s.critical++
	s.condition = halted
	if s.modern() {
		s.alarm("ALM2009: HSM halted - internal firmware error")
		return
	}
	s.kernel("NOTE: %s: hsm log: LOG(CRITICAL)  HSM crashed:", s.driver)
	s.oamp("crit", "CRIT: Fatal error 0x00300203")
	s.oamp("info", "info : 0 : HSM critical event detected.  Dual port dump generated : hsm_dump_%s", s.now.Format("20060102150405"))
}

package simulator

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// An entry is one thing to do to the logs of an appliance.
type entry struct {
	facility string // chooses the file; "" for a raw line in messages
	text     string // a complete line without its end
	rotate   string // "rename" or "copytruncate" instead of a line
}

// log writes a line in the template of the appliance's syslog. process includes the pid
// if it has one.
func (s *state) log(facility, severity, process, format string, args ...any) {
	text := fmt.Sprintf("%s %s  %s %s  %s: %s", s.now.Format("2006 Jan _2 15:04:05"), s.spec.name,
		facility, severity, process, fmt.Sprintf(format, args...))
	s.out = append(s.out, entry{facility: facility, text: text})
	s.logUsedBytes += float64(len(text) + 1)
}

func (s *state) kernel(format string, args ...any) {
	s.log("kern", "info", "kernel", format, args...)
}

// alarm writes an ALM line; those of the bootloader and the firmware have a mark.
func (s *state) alarm(format string, args ...any) {
	mark := "[HSM] "
	if strings.HasPrefix(fmt.Sprintf(format, args...), "ALM0") {
		mark = ""
	}
	s.kernel("%s: %s%s", s.driver, mark, fmt.Sprintf(format, args...))
}

func (s *state) oamp(severity, format string, args ...any) {
	s.log("local6", severity, fmt.Sprintf("oamp[%d]", s.pid("oamp")), format, args...)
	s.nonCritical++
}

func (s *state) ntls(format string, args ...any) {
	s.log("local5", "info", fmt.Sprintf("NTLS [%d]", s.pid("NTLS")), "info : 0 : "+format, args...)
}

func (s *state) ipmi(format string, args ...any) {
	s.log("local4", "notice", fmt.Sprintf("ipmievd[%d]", s.pid("ipmievd")), format, args...)
}

func (s *state) lunash(severity, format string, args ...any) {
	s.log("local5", severity, fmt.Sprintf("lunash [%d]", s.pid("lunash")), format, args...)
}

func (s *state) certmonitor(format string, args ...any) {
	s.log("local5", "info", fmt.Sprintf("certmonitord[%d]", s.pid("certmonitord")), "info : 0 : "+format, args...)
}

func (s *state) secure(format string, args ...any) {
	s.log("authpriv", "info", fmt.Sprintf("ssdh[%d]", s.pid("sshd")), format, args...)
}

// chatter writes what the daemons of a healthy appliance log.
func (s *state) chatter() {
	if t := s.now.Unix(); t%1800 == 0 {
		was, is := s.diskCelsius(t-1800), s.diskCelsius(t)
		if was != is {
			s.log("daemon", "info", fmt.Sprintf("smartd[%d]", s.pid("smartd")),
				"Device: /dev/sda, Temperature changed %+d Celsius to %d Celsius (Min/Max 24/41)", is-was, is)
		}
	}
	if left := s.certificate.notAft.Sub(s.now); left <= 30*day && s.now.Unix()%(12*3600) == 0 {
		s.warnCertificate()
	}
}

func (s *state) warnCertificate() {
	s.certmonitor("NTLS certificate will be expire on %s", certTime(s.certificate.notAft))
}

// diskCelsius returns the temperature of the hard disk at a Unix time.
func (s *state) diskCelsius(t int64) int { return 27 + int(6*s.noise("disk", t/1800)) }

// logFiles are the files of facilities. That of the others is messages.
var logFiles = map[string][]string{
	"local5":   {"lunalogs"},
	"local6":   {"hsm.log", "messages"},
	"authpriv": {"secure"},
}

// write applies the entries to the files in dir.
func write(dir string, entries []entry) error {
	text := map[string]*strings.Builder{}
	flush := func() error {
		for name, b := range text {
			if err := appendFile(filepath.Join(dir, name), b.String()); err != nil {
				return err
			}
		}
		clear(text)
		return nil
	}
	for _, e := range entries {
		if e.rotate != "" {
			if err := errors.Join(flush(), rotate(dir, e.rotate)); err != nil {
				return err
			}
			continue
		}
		names := logFiles[e.facility]
		if names == nil {
			names = []string{"messages"}
		}
		for _, name := range names {
			if text[name] == nil {
				text[name] = &strings.Builder{}
			}
			text[name].WriteString(e.text + "\n")
		}
	}
	return flush()
}

func appendFile(path, text string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	return errors.Join(err, f.Close())
}

const keptRotations = 4

// rotate moves messages and lunalogs to .1, .1 to .2 and so on.
func rotate(dir, how string) error {
	for _, name := range []string{"messages", "lunalogs"} {
		path := filepath.Join(dir, name)
		for n := keptRotations - 1; n > 0; n-- {
			err := os.Rename(fmt.Sprintf("%s.%d", path, n), fmt.Sprintf("%s.%d", path, n+1))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		if err := rotateOne(path, how); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func rotateOne(path, how string) error {
	if how == "rename" {
		if err := os.Rename(path, path+".1"); err != nil {
			return err
		}
		return appendFile(path, "")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".1", b, 0o644); err != nil {
		return err
	}
	return os.Truncate(path, 0)
}

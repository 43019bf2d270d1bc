package rules

import (
	"fmt"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
)

// stopsWithout says what stops when a file system of the host is full, by mount
// point.
var stopsWithout = map[string]string{
	"/var/log/audit": "the host's audit log stops",
	"/var/log":       "logs stop, and with them alarms from logs",
	"/var/lib":       "alarms can no longer be stored",
	"/var":           "logs and stored alarms stop",
	"/":              "everything that writes stops",
}

// hostFilesystems warns before a file system of the host is full.
var hostFilesystems = Rule{"host-disk", func(p Poll, emit func(Result)) {
	h, ok := p.Host.Get(p.Now)
	if !ok {
		return
	}
	for _, f := range h.Filesystems {
		if f.Total <= 0 || strings.HasPrefix(f.Mount, "/snap/") || strings.HasPrefix(f.Mount, "/media/") {
			continue // read-only images are always full
		}
		r := fill(f.UsedRatio, p.StorageRatio, alarms.Minor, alarms.Major)
		r.At, r.Text = p.Host.Asked(), fmt.Sprintf("%s: %s", f.Mount, r.Text)
		if effect := stopsWithout[f.Mount]; effect != "" && r.Condition == alarms.Bad {
			r.Text += "; when it is full " + effect
		}
		emit(r.on(f.Mount))
	}
	emit(allOf(p.Host))
}}

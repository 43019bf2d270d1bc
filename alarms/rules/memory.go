package rules

import (
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/memory"
	"github.com/lunawatch/lunawatch/hsm"
)

// Remember returns what rules will compare the next polls of a device with:
// p.Memory with what p shows. It must follow the evaluation of p.
func Remember(p Poll) alarms.Memory {
	m := p.Memory
	if s, ok := p.Show.Get(p.Now); ok && s.Serial != "" && s.Serial != m.Serial {
		if m.Serial != "" {
			m = alarms.Memory{Since: p.Show.Asked()}
		}
		m.Serial = s.Serial
	}
	m.Proven = p.Proven
	p.Memory = m
	m.Stated = m.Stated.Read(p.Device, m.Since, p.Now)
	if list, ok := ofUnit(p, p.Partitions); ok && len(list) > 0 {
		if m.ListedBy == p.Partitions.Source && p.whole(m.ListedBy) {
			m.Activated, m.Initialized = memory.Listed(m.Activated, list), memory.Listed(m.Initialized, list)
		}
		m.Activated = memory.Remembered(m.Activated, list, func(x hsm.Partition) bool { return hsm.Is(x.Activated, true) })
		m.Initialized = memory.Remembered(m.Initialized, list, wasInitialized)
		m.ListedBy = p.Partitions.Source
	}
	if v, ok := ofUnit(p, p.Monitor); ok && len(v.Samples) > 0 && p.Monitor.Asked().After(m.UptimeAt) {
		m.Uptime, m.UptimeAt, m.UptimeBy = v.Samples[len(v.Samples)-1].UptimeSeconds, p.Monitor.Asked(), p.Monitor.Source
	}
	if v, ok := ofUnit(p, p.Information); ok && p.Information.Asked().After(m.CountedAt) {
		m.Counters, m.CountedAt, m.CountedBy = v, p.Information.Asked(), p.Information.Source
	}
	if v, ok := ofUnit(p, p.System); ok && v.CheckTime != "" && v.CheckTime != m.CheckTime {
		m.CheckTime, m.CheckedAt = v.CheckTime, p.System.Asked()
	}
	return m
}

// ofUnit returns the value of a section that is fresh and of the unit that is
// remembered.
func ofUnit[T any](p Poll, s hsm.Section[T]) (T, bool) {
	v, ok := s.Get(p.Now)
	return v, ok && !s.Asked().Before(p.Memory.Since)
}

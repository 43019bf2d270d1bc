package rules

import (
	"cmp"
	"slices"

	"github.com/lunawatch/lunawatch/alarms"
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
	if list, ok := ofUnit(p, p.Partitions); ok && len(list) > 0 {
		if m.ListedBy == p.Partitions.Source && p.whole(m.ListedBy) {
			m.Activated, m.Initialized = listed(m.Activated, list), listed(m.Initialized, list)
		}
		m.Activated = remembered(m.Activated, list, func(x hsm.Partition) bool { return hsm.Is(x.Activated, true) })
		m.Initialized = remembered(m.Initialized, list, wasInitialized)
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

// listed returns the partitions of ids that are in a list: others were deleted.
func listed(ids []string, list []hsm.Partition) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return !slices.ContainsFunc(list, func(x hsm.Partition) bool { return partitionID(x) == id })
	})
}

// mostRemembered bounds the partitions that are remembered; an HSM has 100.
const mostRemembered = 1000

// remembered returns old with the partitions of a list that is holds for.
func remembered(old []string, list []hsm.Partition, is func(hsm.Partition) bool) []string {
	ids := slices.Clone(old)
	for _, x := range list {
		if id := partitionID(x); is(x) && !slices.Contains(ids, id) && len(ids) < mostRemembered {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func partitionID(x hsm.Partition) string { return cmp.Or(x.Serial, x.Name) }

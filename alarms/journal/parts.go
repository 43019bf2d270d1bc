package journal

import "github.com/lunawatch/lunawatch/alarms"

// Parts cuts e so that one transaction of a shared journal takes each part: between alarms,
// never within one. What is of no alarm goes with the last.
func (j *Journal) Parts(e Entry) (list []Entry) {
	if j.Share == nil {
		return []Entry{e}
	}
	part, writes, costs, taken := Entry{}, 0, e.costs(), make(map[alarms.Key]int) // the part of each alarm
	begin := func(key alarms.Key) *Entry {
		if i, again := taken[key]; again {
			if i == len(list) {
				return &part
			}
			return &list[i]
		}
		if cost := costs[key]; writes > 0 && writes+cost > mostWrites {
			list, part, writes = append(list, part), Entry{}, cost
		} else {
			writes += cost
		}
		taken[key] = len(list)
		return &part
	}
	for _, c := range e.Changes {
		p := begin(c.Alarm.Key)
		p.Changes = append(p.Changes, c)
	}
	for receiver, all := range e.Notify {
		for _, n := range all {
			begin(n.Change.Alarm.Key).queue(receiver, n)
		}
	}
	for receiver, all := range e.Notified {
		for key, t := range all {
			begin(key).note(receiver, key, t)
		}
	}
	list = append(list, part)
	last := &list[len(list)-1]
	last.Events, last.File, last.Cursor, last.Audit, last.Silence, last.Places = e.Events, e.File, e.Cursor, e.Audit, e.Silence, e.Places
	return list
}

// costs returns how many keys each alarm writes, at most.
func (e Entry) costs() map[alarms.Key]int {
	n := make(map[alarms.Key]int)
	for _, c := range e.Changes {
		n[c.Alarm.Key] += 2
	}
	for _, all := range e.Notify {
		for _, q := range all {
			n[q.Change.Alarm.Key]++
		}
	}
	for _, all := range e.Notified {
		for key := range all {
			n[key]++
		}
	}
	return n
}

func (e *Entry) queue(receiver string, n alarms.Notification) {
	if e.Notify == nil {
		e.Notify = make(map[string][]alarms.Notification)
	}
	e.Notify[receiver] = append(e.Notify[receiver], n)
}

func (e *Entry) note(receiver string, key alarms.Key, t alarms.Notified) {
	if e.Notified == nil {
		e.Notified = make(map[string]map[alarms.Key]alarms.Notified)
	}
	if e.Notified[receiver] == nil {
		e.Notified[receiver] = make(map[alarms.Key]alarms.Notified)
	}
	e.Notified[receiver][key] = t
}

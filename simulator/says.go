package simulator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A says is what answers state in place of what is so: states that the
// simulation itself does not come to.
type says struct {
	cardFan  [2]string         // "": what is so
	supply   [2]string         // "": what is so
	chassis  map[string]string // by name
	system   []string          // state and codes; nil: what is so
	checked  time.Time         // when the status monitor checked; zero: all the time
	noTamper bool              // in hsm show
	load     float64           // load average of the appliance; 0: what is so
	used     [2]float64        // parts of memory and swap, 0..1; 0: what is so
}

// cardFan returns the state of a fan on the card.
func (s *state) cardFan(i int, failed bool) string {
	switch {
	case s.says.cardFan[i] != "":
		return s.says.cardFan[i]
	case failed:
		return "failed"
	}
	return choose(i == 0, "standby", "active")
}

func cardFanSays(s *state, args []string) error {
	n := int(number(args[0]))
	if n > len(s.says.cardFan) {
		return fmt.Errorf("the card has %d fans", len(s.says.cardFan))
	}
	s.says.cardFan[n-1] = args[1]
	return nil
}

func hiddenTamper(s *state, args []string) error {
	t := findTamper(args[0])
	if t == nil {
		return fmt.Errorf("unknown tamper %q", args[0])
	}
	s.tamper, s.says.noTamper = t, true
	return nil
}

func replaceCard(s *state, args []string) error {
	s.spec.serial = uint64(number(args[0]))
	s.tamper, s.says, s.condition, s.critical = nil, says{}, running, 0
	s.initialize()
	s.restartCounters()
	return nil
}

func cryptoErrors(s *state, args []string) error {
	failed := 100 * number(args[0])
	s.crypto, s.operations = s.crypto+1000, s.operations+1000
	s.cryptoErrs, s.operationErrs = s.cryptoErrs+failed, s.operationErrs+failed
	return nil
}

// ofPartition returns an event that changes the partition it names.
func ofPartition(change func(*partition)) func(*state, []string) error {
	return func(s *state, args []string) error {
		i := slices.IndexFunc(s.partitions, func(p partition) bool { return p.name == args[0] })
		if i < 0 {
			return fmt.Errorf("no partition called %s", args[0])
		}
		change(&s.partitions[i])
		return nil
	}
}

func supplySays(s *state, args []string) error {
	n, word, _ := strings.Cut(args[0], " ")
	i := slices.Index([]string{"1", "2"}, n)
	if i < 0 || word == "" {
		return fmt.Errorf("%q is not a power supply, 1 or 2, and its words", args[0])
	}
	s.says.supply[i] = word
	return nil
}

func chassisSays(s *state, args []string) error {
	name, word, ok := strings.Cut(args[0], ": ")
	if !ok {
		return fmt.Errorf("%q is not a name and a word, with a colon between", args[0])
	}
	next := maps.Clone(s.says.chassis)
	if next == nil {
		next = make(map[string]string)
	}
	next[name] = word
	s.says.chassis = next
	return nil
}

func cpuShow(s *state, _ params) (string, error) {
	load := s.says.load
	if load == 0 {
		load = 0.2 + 0.15*s.wave("load average", 10*time.Minute)
	}
	up := s.now.Sub(s.boot).Truncate(time.Minute)
	var p page
	p.line("\nCPU Load Averages:\n%.2f %.2f %.2f 2/%d %d\n", load, load, load, 300+len(s.clients), s.pid("status"))
	p.line("System uptime:\nAt %s, I am up %d days, %2d:%02d", s.now.Format("Mon Jan _2 15:04:05 MST 2006"), up/day, up%day/time.Hour, up%time.Hour/time.Minute)
	return p.String(), nil
}

func memShow(s *state, _ params) (string, error) {
	const total, swap = 3958580, 4064252 // KiB
	used, swapped := int(s.says.used[0]*total), int(s.says.used[1]*swap)
	if used == 0 {
		used = 168000 + int(4000*s.wave("memory", 10*time.Minute))
	}
	const cached = 60000
	free := max(0, total-used-cached)
	var p page
	if !s.modern() {
		p.line("\n%13s%11s%11s%11s%11s%11s", "total", "used", "free", "shared", "buffers", "cached")
		p.line("Mem: %9d%11d%11d%11d%11d%11d", total, total-free, free, 0, cached/3, total-used-free-cached/3)
		p.line("-/+ buffers/cache: %10d%11d", used, total-used)
		p.line("Swap: %8d%11d%11d", swap, swapped, swap-swapped)
		return p.String(), nil
	}
	p.line("\n%19s%12s%12s%12s%12s%12s", "total", "used", "free", "shared", "buff/cache", "available")
	p.line("Mem: %14d%12d%12d%12d%12d%12d", total, used, free, 17000, total-used-free, total-used)
	p.line("Swap: %13d%12d%12d", swap, swapped, swap-swapped)
	return p.String(), nil
}

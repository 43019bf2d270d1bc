package lunacm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/collectors/shell"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

const cardsDir = "cards/"

// Capture implements [collectors.Source].
func (c *Cards) Capture(ctx context.Context, keep func(file, text string), report func(hsm.Observation)) {
	obs, text, slots := c.look(ctx, &Program{Path: c.Path})
	report(obs)
	if obs.Failure == hsm.None {
		keep(cardsDir+shell.SlotList.CaptureFile(), text)
	}
	for _, s := range slots {
		if isAdmin(s) {
			c.poller(s.Serial).Capture(ctx, func(file, text string) { keep(cardsDir+s.Serial+"/"+file, text) }, report)
		}
	}
}

// commands lists what a card is asked through LunaCM, in this order. All of it
// waits for the card.
var commands = []poll.Command{
	{Name: "hsm showinfo", Format: shell.CardShowInfo, Pace: poll.Fast, Timeout: timeout, Card: true},
	{Name: "hsm monitor", Format: shell.CardMonitor, Pace: poll.Fast, Timeout: timeout, Card: true},
	{Name: eachInfo, Format: shell.PartitionShowInfo, Pace: poll.Fast, Timeout: timeout, Card: true, Ask: sendOnce(eachInfo), Read: readPartitionInfos},
	{Name: "hsm envshow", Format: shell.CardEnvShow, Pace: poll.Slow, Timeout: timeout, Since: 7, Card: true},
	{Name: "hsm tampershow", Format: shell.CardTamperShow, Pace: poll.Slow, Timeout: timeout, Since: 7, Card: true},
	{Name: "hsm showpolicies", Format: shell.HSMShowPolicies, Pace: poll.Hourly, Timeout: timeout, Card: true},
	{Name: eachPolicies, Format: shell.PartitionShowPolicies, Pace: poll.Hourly, Timeout: timeout, Card: true, Ask: sendOnce(eachPolicies), Read: readPartitionPolicies},
}

// The commands that a card is asked in the slot of each of its partitions, and
// what else in the same slot.
const (
	eachInfo     = "partition showinfo"
	eachPolicies = "partition showpolicies"
)

var inPartition = map[string][]string{
	eachInfo:     {eachInfo, "role show -name co"},
	eachPolicies: {eachInfo, eachPolicies},
}

// sendOnce sends a command whose answer is several, each judged where it is read.
func sendOnce(command string) func(context.Context, collectors.Runner) (answer.Session, error) {
	return func(ctx context.Context, r collectors.Runner) (answer.Session, error) {
		text, err := r.Run(ctx, command)
		return answer.Split(string(text)), err
	}
}

// readPartitionInfos reads what partitions say of themselves, each followed by
// its Crypto Officer, which a partition without one does not tell.
func readPartitionInfos(s answer.Session) ([]hsm.Fact, []string, error) {
	all := hsm.Partitions{}
	var unread answer.Unread
	err := eachPartition(s, &unread, func(p hsm.Partition) { all = append(all, p) }, func(r answer.Reply) error {
		fact, _ := r.Read(shell.ParseRoles)
		roles, _ := fact.(hsm.Roles)
		p := &all[len(all)-1]
		for _, role := range roles.Roles {
			p.Roles = append(p.Roles, role.Role)
			if role.Name == cryptoOfficer {
				p.Activated = role.Activated
			}
		}
		return nil
	})
	return []hsm.Fact{all}, unread.List(""), err
}

// cryptoOfficer is the role whose activation is that of its partition.
const cryptoOfficer = "Crypto Officer"

func readPartitionPolicies(s answer.Session) (facts []hsm.Fact, unknown []string, err error) {
	var unread answer.Unread
	var serial string
	err = eachPartition(s, &unread, func(p hsm.Partition) { serial = p.Serial }, func(r answer.Reply) error {
		if err := r.Err(); err != nil {
			return err
		}
		fact, rest := r.Read(shell.ParsePartitionPolicies)
		v, ok := fact.(hsm.PartitionPolicies)
		if !ok {
			return answer.ErrUnrecognised
		}
		for _, line := range rest.Lines {
			unread.Add(line)
		}
		v.Serial = serial
		facts = append(facts, v)
		return nil
	})
	return facts, unread.List(""), err
}

// eachPartition takes apart what [card] returns of several partitions: "partition
// showinfo" of each, and another answer behind it.
func eachPartition(s answer.Session, unread *answer.Unread, partition func(hsm.Partition), other func(answer.Reply) error) error {
	for i, r := range s.Replies {
		if i%2 == 1 {
			if err := other(r); err != nil {
				return err
			}
			continue
		}
		if err := r.Err(); err != nil {
			return err
		}
		fact, rest := r.Read(shell.ParsePartitionInfo)
		list, _ := fact.(hsm.Partitions)
		if len(list) != 1 {
			return answer.ErrUnrecognised
		}
		for _, line := range rest.Lines {
			unread.Add(line)
		}
		partition(list[0])
	}
	return nil
}

// A card is a [collectors.Runner] on one HSM of the host, whatever its slots are today.
type card struct {
	lunacm *Program
	serial string
	at     *cardSlots // where it was last; nil: nobody has looked
}

// cardSlots are the slots of one card.
type cardSlots struct {
	admin   int64
	user    []int64
	unclear bool // there are user slots that can be of this card or of another
}

// Run implements [collectors.Runner]. Each batch begins with the list of slots, which is
// the one that the process goes by: when the card has moved, what was asked of
// another is thrown away and asked again.
func (c *card) Run(ctx context.Context, command string) ([]byte, error) {
	for range 3 {
		script := c.script(command)
		answers, err := c.lunacm.Ask(ctx, append([]string{"slot list"}, script...)...)
		if err != nil {
			return nil, err
		}
		at, err := slotsOf(answers[0], c.serial)
		if err != nil {
			return nil, err
		}
		if c.at != nil && c.at.admin == at.admin && slices.Equal(c.at.user, at.user) {
			return at.answer(command, script, answers[1:])
		}
		c.at = at
	}
	return nil, collectors.Failf(hsm.Command, "%s: the slots of the host change all the time", command)
}

// script returns what is to be sent behind the list of slots.
func (c *card) script(command string) (script []string) {
	if c.at == nil {
		return nil
	}
	slots, ask := []int64{c.at.admin}, []string{command}
	if own, ok := inPartition[command]; ok {
		slots, ask = c.at.user, own
	}
	for _, s := range slots {
		script = append(append(script, fmt.Sprintf("slot set -slot %d", s)), ask...)
	}
	return script
}

// answer returns what is left of the answers to script without those that only
// tell that the slot is set.
func (s *cardSlots) answer(command string, script, answers []string) ([]byte, error) {
	if inPartition[command] != nil && s.unclear {
		return nil, collectors.Failf(hsm.Command, "%s: lunacm does not tell which HSM the user slots of this host are of", command)
	}
	var text strings.Builder
	for i, a := range answers {
		if !strings.HasPrefix(script[i], "slot set ") {
			text.WriteString(a)
		} else if _, _, err := answer.Split(a).Last(); err != nil {
			return nil, collectors.Failf(hsm.Command, "%s: %w", script[i], err)
		}
	}
	return []byte(text.String()), nil
}

// slotsOf finds the slots of the HSM with that serial number.
func slotsOf(list, serial string) (*cardSlots, error) {
	slots, _, err := readSlots(list)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(slots, func(s hsm.Slot) bool { return s.Serial == serial && isAdmin(s) })
	if i < 0 {
		return nil, collectors.Failf(hsm.Unreachable, "HSM %s has no slot: it was tampered with, is off the bus (ALM0015 in the kernel log) or was taken out", serial)
	}
	at := &cardSlots{admin: slots[i].ID}
	for _, s := range slots {
		if !strings.EqualFold(s.Description, "User Token Slot") {
			continue
		}
		owners := slices.DeleteFunc(slices.Clone(slots), func(a hsm.Slot) bool { return !isAdmin(a) || !canOwn(a, s) })
		mine := slices.ContainsFunc(owners, func(a hsm.Slot) bool { return a.Serial == serial })
		switch {
		case mine && len(owners) == 1:
			at.user = append(at.user, s.ID)
		case mine:
			at.unclear = true
		}
	}
	return at, nil
}

// readSlots reads an answer to "slot list".
func readSlots(text string) (slots []hsm.Slot, unread []string, err error) {
	s := answer.Split(text)
	if _, _, err := s.Last(); err != nil {
		return nil, nil, collectors.Failf(hsm.Command, "slot list: %w", err)
	}
	fact, unread, err := shell.SlotList.Read(s)
	if err != nil {
		return nil, unread, collectors.Failf(hsm.Unrecognised, "slot list: %w", err)
	}
	return fact.(hsm.Slots).Slots, unread, nil
}

// isAdmin reports whether s is the slot of a whole HSM at this host. Old
// versions describe no slots.
func isAdmin(s hsm.Slot) bool {
	if s.Serial == "" || strings.HasPrefix(s.Model, "LunaSA") || strings.HasPrefix(s.Model, "LunaVirtual") {
		return false
	}
	return s.Description == "" || strings.HasSuffix(strings.ToLower(s.Description), "admin token slot")
}

// canOwn reports whether user slot s can be of the HSM whose slot is admin.
// Not all versions tell.
func canOwn(admin, s hsm.Slot) bool {
	if s.TunnelID.Known && (admin.TunnelID.Known || s.TunnelID.Value == admin.ID) {
		return s.TunnelID.Value == admin.ID || hsm.Is(admin.TunnelID, s.TunnelID.Value)
	}
	return s.Model == admin.Model
}

// Cards is a [collectors.Collector] of every PCIe, USB and backup HSM of the host: it
// looks for them, and polls each as a device of its own.
type Cards struct {
	Host      string   // device of the host, which tells of LunaCM itself
	Name      string   // of a device, before its serial number: "card" makes card-532018
	Serials   []string // that must be there
	Path      string   // of lunacm
	Intervals poll.Intervals
	Found     func(device string) // called with each HSM that was found, before [SlotListSource] is reported; nil: nobody asks
	Replay    string              // directory of a capture, instead of lunacm
}

// Device returns the name of the device with that serial number.
func (c *Cards) Device(serial string) string { return c.Name + "-" + serial }

func (c *Cards) String() string { return "cards of " + c.Host }

// Run implements [collectors.Collector]. An HSM that was seen once is asked until the end:
// that it has no slot any more is an observation.
func (c *Cards) Run(ctx context.Context, report func(hsm.Observation)) error {
	var all sync.WaitGroup
	defer all.Wait()
	polled := make(map[string]bool)
	watch := func(serial string) {
		if polled[serial] {
			return
		}
		polled[serial] = true
		p := c.poller(serial)
		all.Go(func() { p.Run(ctx, report) })
	}
	for _, s := range c.Serials {
		watch(s)
	}
	l := &Program{Path: c.Path}
	for lost := 0; ctx.Err() == nil; {
		obs, _, slots := c.look(ctx, l)
		if ctx.Err() != nil {
			break
		}
		for _, s := range slots {
			if isAdmin(s) && !polled[s.Serial] && c.Found != nil {
				c.Found(c.Device(s.Serial))
			}
		}
		report(obs)
		for _, s := range slots {
			if isAdmin(s) {
				watch(s.Serial)
			}
		}
		next := c.Intervals[poll.Slow]
		if lost++; obs.Failure == hsm.None {
			lost = 0
		} else {
			next = wait.Backoff(lost, time.Second, min(next, poll.MaxBackoff))
		}
		wait.Sleep(ctx, wait.Jitter(next, 0.05))
	}
	return nil
}

// poller returns what asks one HSM.
func (c *Cards) poller(serial string) *poll.Poller {
	p := &poll.Poller{Device: c.Device(serial), Kind: hsm.CardHSM, Commands: commands, Runner: &card{lunacm: &Program{Path: c.Path}, serial: serial}, Intervals: c.Intervals}
	if c.Replay != "" {
		p.Runner = poll.Dir{Path: filepath.Join(c.Replay, cardsDir, serial), Commands: commands}
	}
	return p
}

// look lists the slots of the host, as LunaCM prints them and as they are read.
func (c *Cards) look(ctx context.Context, l *Program) (hsm.Observation, string, []hsm.Slot) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	obs := hsm.Observation{Device: c.Host, Kind: hsm.HostMachine, Source: SlotListSource, MaxAge: c.Intervals[poll.Slow]*5/2 + timeout}
	start := time.Now()
	var slots []hsm.Slot
	text, err := askOrReplay(ctx, l, "slot list", c.Replay, cardsDir+shell.SlotList.CaptureFile())
	if err == nil {
		slots, obs.Unread, err = readSlots(text)
	}
	obs.At, obs.Failure, obs.Err = time.Now(), collectors.FailureOf(err), err
	obs.Took = obs.At.Sub(start)
	if err == nil {
		obs.Facts = []hsm.Fact{hsm.Slots{Slots: slots}}
	}
	return obs, text, slots
}

// askOrReplay returns the answer of LunaCM to one command, or that in a capture.
func askOrReplay(ctx context.Context, l *Program, command, replay, file string) (string, error) {
	if replay == "" {
		answers, err := l.Ask(ctx, command)
		if err != nil {
			return "", err
		}
		return answers[0], nil
	}
	text, err := os.ReadFile(filepath.Join(replay, filepath.FromSlash(file)))
	if err != nil {
		return "", collectors.Failf(hsm.Command, "%s: replay: %w", command, err)
	}
	return string(text), nil
}

// SlotListSource is the source that tells whether LunaCM works on a host.
const SlotListSource = "slot list"

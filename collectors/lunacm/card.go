package lunacm

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/collectors/shell"
	"github.com/lunawatch/lunawatch/hsm"
)

// commands are the commands that a card is asked, in this order. All of them need
// the card.
var commands = []poll.Command{
	{Name: "hsm showinfo", Format: shell.CardShowInfo, Pace: poll.Fast, Timeout: timeout, Card: true},
	{Name: "hsm monitor", Format: shell.CardMonitor, Pace: poll.Fast, Timeout: timeout, Card: true},
	{Name: eachInfo, Format: shell.PartitionShowInfo, Pace: poll.Fast, Timeout: timeout, Card: true, Ask: sendOnce(eachInfo), Read: readPartitionInfos},
	{Name: "hsm envshow", Format: shell.CardEnvShow, Pace: poll.Slow, Timeout: timeout, Since: 7, Card: true},
	{Name: "hsm tampershow", Format: shell.CardTamperShow, Pace: poll.Slow, Timeout: timeout, Since: 7, Card: true},
	{Name: "hsm showpolicies", Format: shell.HSMShowPolicies, Pace: poll.Hourly, Timeout: timeout, Card: true},
	{Name: eachPolicies, Format: shell.PartitionShowPolicies, Pace: poll.Hourly, Timeout: timeout, Card: true, Ask: sendOnce(eachPolicies), Read: readPartitionPolicies},
}

// The commands that a card is asked in the slot of each of its partitions.
const (
	eachInfo     = "partition showinfo"
	eachPolicies = "partition showpolicies"
)

// inPartition are the commands to send for one of them in each slot.
var inPartition = map[string][]string{
	eachInfo:     {eachInfo, "role show -name co"},
	eachPolicies: {eachInfo, eachPolicies},
}

// sendOnce returns an Ask that does not check the answer, which is several answers:
// the reader checks each.
func sendOnce(command string) func(context.Context, collectors.Runner) (answer.Session, error) {
	return func(ctx context.Context, r collectors.Runner) (answer.Session, error) {
		text, err := r.Run(ctx, command)
		return answer.Split(string(text)), err
	}
}

// readPartitionInfos reads the state of partitions, each followed by that of its
// Crypto Officer, which is an error for a partition without one.
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
		fact, lines := r.Read(shell.ParsePartitionPolicies)
		v, ok := fact.(hsm.PartitionPolicies)
		if !ok {
			return answer.ErrUnrecognised
		}
		for _, line := range lines.Lines {
			unread.Add(line)
		}
		v.Serial = serial
		facts = append(facts, v)
		return nil
	})
	return facts, unread.List(""), err
}

// eachPartition splits what [card] returns of several partitions: "partition
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
		fact, lines := r.Read(shell.ParsePartitionInfo)
		list, _ := fact.(hsm.Partitions)
		if len(list) != 1 {
			return answer.ErrUnrecognised
		}
		for _, line := range lines.Lines {
			unread.Add(line)
		}
		partition(list[0])
	}
	return nil
}

// A card is a [collectors.Runner] on one HSM of the host, whatever its current slots
// are.
type card struct {
	lunacm *Program
	serial string
	at     *cardSlots // its slots when last listed; nil: not yet
}

// cardSlots are the slots of one card.
type cardSlots struct {
	admin   int64
	user    []int64
	unclear bool // there are user slots that may be of this card or of another
}

// Run implements [collectors.Runner]. Each batch begins with the list of slots, which
// the LunaCM process does not update. If the card has moved, it discards the answers,
// which may be of another card, and asks again.
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
	return nil, collectors.Failf(hsm.Command, "%s: the slots of the host keep changing", command)
}

// script returns the commands to send behind the list of slots.
func (c *card) script(command string) (script []string) {
	if c.at == nil {
		return nil
	}
	slots, list := []int64{c.at.admin}, []string{command}
	if each, ok := inPartition[command]; ok {
		slots, list = c.at.user, each
	}
	for _, s := range slots {
		script = append(append(script, fmt.Sprintf("slot set -slot %d", s)), list...)
	}
	return script
}

// answer returns the answers to script, without those to "slot set".
func (s *cardSlots) answer(command string, script, answers []string) ([]byte, error) {
	if inPartition[command] != nil && s.unclear {
		return nil, collectors.Failf(hsm.Command, "%s: lunacm does not state which HSM the user slots of this host belong to", command)
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

// slotsOf returns the slots of the HSM with that serial number.
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
		possible := slices.ContainsFunc(owners, func(a hsm.Slot) bool { return a.Serial == serial })
		switch {
		case possible && len(owners) == 1:
			at.user = append(at.user, s.ID)
		case possible:
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

// isAdmin reports whether s is the admin slot of an HSM at this host. Old versions
// have no descriptions of slots.
func isAdmin(s hsm.Slot) bool {
	if s.Serial == "" || strings.HasPrefix(s.Model, "LunaSA") || strings.HasPrefix(s.Model, "LunaVirtual") {
		return false
	}
	return s.Description == "" || strings.HasSuffix(strings.ToLower(s.Description), "admin token slot")
}

// canOwn reports whether user slot s can belong to the HSM with that admin slot. Not
// all versions state which one it belongs to.
func canOwn(admin, s hsm.Slot) bool {
	if s.TunnelID.Known && (admin.TunnelID.Known || s.TunnelID.Value == admin.ID) {
		return s.TunnelID.Value == admin.ID || hsm.Is(admin.TunnelID, s.TunnelID.Value)
	}
	return s.Model == admin.Model
}

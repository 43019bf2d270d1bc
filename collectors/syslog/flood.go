package syslog

import (
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/net/ipv4"
)

// A flood keeps datagrams of strangers out of the socket's buffer while there are
// so many that those of an HSM would find no room. The kernel then drops them, and
// counts them as dropped.
type flood struct {
	conn   *ipv4.PacketConn
	known  func() []netip.Addr
	n      int // datagrams of strangers in this second
	second time.Time
	shut   time.Time // until then; zero: the socket is open to all
}

const (
	floodFrom = 1000 // datagrams of strangers in a second
	floodFor  = time.Minute
	// maxProgram bounds the filter, in instructions: the kernel takes 4096.
	maxProgram = 4000
)

// stranger counts a datagram of a stranger.
func (f *flood) stranger(now time.Time) {
	if now.Sub(f.second) >= time.Second {
		f.n, f.second = 0, now
	}
	if f.n++; f.n == floodFrom && f.shut.IsZero() {
		f.filter(f.known())
		f.shut = now.Add(floodFor)
	}
}

// tick opens the socket again once a flood may be over.
func (f *flood) tick(now time.Time) {
	if !f.shut.IsZero() && now.After(f.shut) {
		f.filter(nil)
		f.shut = time.Time{}
	}
}

// filter has the kernel drop the datagrams of all but some IPv4 addresses; nil: of
// none. An error changes nothing: they are then dropped after they were read.
func (f *flood) filter(only []netip.Addr) {
	const network, all = 0xfff00000, 1 << 18 // SKF_NET_OFF: offsets from the network header
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: network, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 4, SkipTrue: 1},
		bpf.RetConstant{Val: all},
		bpf.LoadAbsolute{Off: network + 12, Size: 4},
	}
	for _, a := range only {
		if !a.Is4() {
			continue
		}
		b := a.As4()
		source := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: source, SkipFalse: 1}, bpf.RetConstant{Val: all})
	}
	if only == nil || len(program) > maxProgram {
		program = []bpf.Instruction{bpf.RetConstant{Val: all}}
	} else {
		program = append(program, bpf.RetConstant{Val: 0})
	}
	if raw, err := bpf.Assemble(program); err == nil {
		_ = f.conn.SetBPF(raw)
	}
}

func newFlood(conn net.PacketConn, known func() []netip.Addr) *flood {
	return &flood{conn: ipv4.NewPacketConn(conn), known: known}
}

package exporters

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"hash/maphash"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// blockDevices is how many devices share a block. Fewer compress worse, more are
// encoded anew for the sake of one.
const blockDevices = 64

// A block is a part of an exposition. It is never changed, so that it can be
// written while others are made.
//
// Only the deflated text is kept: it is a twentieth of the text. It ends at a byte
// and refers to nothing before it, so that blocks one after another are one
// stream.
type block struct {
	made     uint64 // hash of the stamps of what it was made of
	text     uint64 // hash of the text
	deflated []byte
	size     int    // of the text, in bytes
	crc      uint32 // see crcAfter
}

// A Prometheus makes the exposition of the latest Snapshot. Metrics that come
// from a section past its maximum age vanish; those about the sources stay. It
// is safe for concurrent use.
type Prometheus struct {
	// AllAgents: also series of devices that other agents read. Set before it is used.
	AllAgents bool
	// Agents returns where the other agents of a cluster serve their metrics, http or https
	// and host:port, by their names; nil: this agent is on its own. Set before it is used.
	Agents func() map[string]string

	store    *hsm.Store
	now      func() time.Time
	families []family // sorted by name

	mu       sync.Mutex // guards what follows, while blocks are made; never while they are written
	headers  []*block   // by family
	kept     [][]*block // by family, then by devices
	encoder  *encoder
	deflater deflater
}

// NewPrometheus returns a Prometheus of store without the families of the
// excluded groups, which are of [Groups].
func NewPrometheus(store *hsm.Store, now func() time.Time, exclude ...string) *Prometheus {
	p := &Prometheus{store: store, now: now, encoder: newEncoder()}
	for _, m := range metrics {
		if !slices.Contains(exclude, string(m.group)) || m.group == basic {
			p.families = append(p.families, newFamily(m))
			p.headers = append(p.headers, p.deflater.block([]byte(p.families[len(p.families)-1].header)))
		}
	}
	p.kept = make([][]*block, len(p.families))
	return p
}

// shows reports whether d has series here: by default each device has them at the agent
// that reads it, so that Prometheus has them once.
func (p *Prometheus) shows(d *hsm.Device) bool { return p.AllAgents || d.From == "" }

// blocks returns the exposition of all devices that it shows. What has not changed since the
// last one is not made anew.
func (p *Prometheus) blocks() []*block {
	p.mu.Lock()
	defer p.mu.Unlock()
	devices, now := p.store.Latest().Devices, p.now()
	var all []*block
	for i := range p.families {
		all = append(all, p.headers[i])
		empty := len(all)
		p.kept[i] = slices.Grow(p.kept[i], len(devices)/blockDevices+1)[:(len(devices)+blockDevices-1)/blockDevices]
		for j := range p.kept[i] {
			some := devices[j*blockDevices : min(len(devices), (j+1)*blockDevices)]
			p.kept[i][j] = p.renewed(p.kept[i][j], &p.families[i], some, now)
			if p.kept[i][j].size > 0 {
				all = append(all, p.kept[i][j])
			}
		}
		if len(all) == empty {
			all = all[:empty-1]
		}
	}
	return all
}

// renewed returns the block of a family and some devices: old, which may be nil,
// unless one of the sections that are read has changed.
func (p *Prometheus) renewed(old *block, f *family, devices []*hsm.Device, now time.Time) *block {
	made := p.stamps(f, devices, now)
	if old != nil && old.made == made {
		return old
	}
	p.encoder.text = p.encoder.text[:0]
	for _, d := range devices {
		if p.shows(d) {
			p.encoder.encode(f, d, now)
		}
	}
	next := &block{}
	if old != nil && old.size == len(p.encoder.text) && old.text == maphash.Bytes(seed, p.encoder.text) {
		*next = *old // read anew, and nothing is different
	} else {
		next = p.deflater.block(p.encoder.text)
	}
	next.made = made
	return next
}

// stamps returns a hash of what a family's series of some devices are made of.
func (p *Prometheus) stamps(f *family, devices []*hsm.Device, now time.Time) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, d := range devices {
		if p.shows(d) {
			maphash.WriteComparable(&h, d.Name)
			maphash.WriteComparable(&h, f.stamp(d, now))
		}
	}
	return h.Sum64()
}

// of returns the exposition of those of some devices that it shows.
func (p *Prometheus) of(devices []*hsm.Device) []byte {
	e, now := newEncoder(), p.now()
	for i := range p.families {
		header := len(e.text)
		e.text = append(e.text, p.families[i].header...)
		series := len(e.text)
		for _, d := range devices {
			if p.shows(d) {
				e.encode(&p.families[i], d, now)
			}
		}
		if len(e.text) == series {
			e.text = e.text[:header]
		}
	}
	return e.text
}

// A deflater makes blocks. The zero deflater is ready.
type deflater struct {
	writer *flate.Writer
	buffer bytes.Buffer
}

func (d *deflater) block(text []byte) *block {
	b := &block{text: maphash.Bytes(seed, text), size: len(text), crc: crc32.ChecksumIEEE(text) ^ crcOfZeros(0, len(text))}
	d.buffer.Reset()
	if d.writer == nil {
		d.writer, _ = flate.NewWriter(&d.buffer, flate.BestSpeed) // fails only for an unknown level
	} else {
		d.writer.Reset(&d.buffer)
	}
	_, _ = d.writer.Write(text) // a Buffer takes everything
	_ = d.writer.Flush()
	b.deflated = bytes.Clone(d.buffer.Bytes())
	return b
}

var zeros [64 << 10]byte

// crcOfZeros returns the CRC-32 of a text with the CRC-32 crc and n zeros after it.
func crcOfZeros(crc uint32, n int) uint32 {
	for ; n > 0; n -= len(zeros) {
		crc = crc32.Update(crc, crc32.IEEETable, zeros[:min(n, len(zeros))])
	}
	return crc
}

// crcAfter returns the CRC-32 of a text with the CRC-32 crc and b after it: a
// CRC is linear, so b changes it as if b were in the place of zeros.
func (b *block) crcAfter(crc uint32) uint32 { return crcOfZeros(crc, b.size) ^ b.crc }

var (
	gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff} // no name, no time; fastest; unknown system
	lastBlock  = []byte{0x03, 0x00}                            // of deflate, without content
)

// inflated returns the text of blocks, which has size bytes.
func inflated(blocks []*block) (text io.Reader, size int64) {
	for _, b := range blocks {
		size += int64(b.size)
	}
	return flate.NewReader(deflated(blocks, lastBlock)), size
}

// gzipped returns blocks as one member of gzip, which has size bytes.
func gzipped(blocks []*block) (member io.Reader, size int64) {
	var crc, length uint32
	size = int64(len(gzipHeader) + len(lastBlock) + 8)
	for _, b := range blocks {
		crc = b.crcAfter(crc)
		length += uint32(b.size)
		size += int64(len(b.deflated))
	}
	trailer := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(slices.Clone(lastBlock), crc), length)
	return io.MultiReader(bytes.NewReader(gzipHeader), deflated(blocks, trailer)), size
}

// deflated returns what blocks keep, and end after it.
func deflated(blocks []*block, end []byte) io.Reader {
	all := make([]io.Reader, 0, len(blocks)+1)
	for _, b := range blocks {
		all = append(all, bytes.NewReader(b.deflated))
	}
	return io.MultiReader(append(all, bytes.NewReader(end))...)
}

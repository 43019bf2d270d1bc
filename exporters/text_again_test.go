package exporters

import (
	"bytes"
	"io"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/collectors/formats"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestPrintedIsReadAgain: what we print in the look of LunaSH its own parser reads as the same
// facts: labels and words are the vendor's, and no value is lost.
func TestPrintedIsReadAgain(t *testing.T) {
	now := time.Now()
	for _, x := range []struct {
		format string
		text   func(io.Writer, *hsm.Device, time.Time)
		of     func(*hsm.Device) any
	}{
		{"hsm-show", ShowText, func(d *hsm.Device) any { return d.Show.Value }},
		{"hsm-information-show", InformationText, func(d *hsm.Device) any { return d.Information.Value }},
	} {
		for _, release := range []string{"5.4", "6.2", "7.2"} {
			f, _ := formats.Named(x.format)
			answer, err := os.ReadFile("../collectors/formats/testdata/" + release + "/" + x.format + ".txt")
			check.Must(t, err)
			read := func(text string) *hsm.Device {
				fact, unread, err := f.Parse(text)
				if err != nil {
					t.Fatalf("%s of %s: %v\n%s", x.format, release, err, text)
				}
				if len(unread) > 0 {
					t.Errorf("%s of %s: not the vendor's: %q", x.format, release, unread)
				}
				return new(hsm.Snapshot).With(hsm.Observation{Device: "a", At: now, MaxAge: time.Hour, Facts: []hsm.Fact{fact}}).Device("a")
			}
			stated := read(string(answer))
			var b bytes.Buffer
			x.text(&b, stated, now)
			_, body, _ := bytes.Cut(bytes.TrimLeft(b.Bytes(), "\n"), []byte("\n")) // without the name, and where it was read
			if diff := cmp.Diff(x.of(stated), x.of(read(string(body)+"\nCommand Result : 0 (Success)\n"))); diff != "" {
				t.Errorf("%s of %s, printed and read again (-stated +printed):\n%s", x.format, release, diff)
			}
		}
	}
}

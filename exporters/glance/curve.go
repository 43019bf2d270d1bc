package glance

import (
	"fmt"
	"time"

	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/exporters/plot"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Curve is what was read of one measure of one HSM since a time. [Curve.Add] comes
// before [Curve.Lines].
type Curve struct {
	Measure string // one of [ReadMeasures]
	Begun   time.Time

	device *hsm.Device
	points []plot.Point
}

// Precede has c begin with what was kept of the measure, oldest first.
func (c *Curve) Precede(points []plot.Point) {
	if len(points) > 0 && points[0].From.Before(c.Begun) {
		c.Begun, c.points = points[0].From, append(points, c.points...)
	}
}

// Add adds what is known of the HSM at now.
func (c *Curve) Add(d *hsm.Device, now time.Time) {
	c.device = d
	c.points = c.reading(now).Extended(c.points)
}

func (c *Curve) reading(now time.Time) Reading {
	r, _ := Read(c.device, c.Measure, rules.Thresholds{}, now)
	return r
}

// Lines returns a heading, and c drawn at now in so many letters and lines. why says why
// nothing newer is known; "": it is.
func (c *Curve) Lines(now time.Time, why string, width, height int, plain bool) []string {
	r := c.reading(now)
	heading := fmt.Sprintf("%s, %s: %s", c.device.Name, r.What, r.Text())
	switch {
	case why != "":
		heading += "; OLD: " + why
	case r.At.IsZero():
		heading += ", never read"
	default:
		heading += fmt.Sprintf(", %s, %s ago", r.Source, Ago(r.At, now))
	}
	return append([]string{cut(exporters.Plain(heading), width)}, r.Chart(c.points, c.Begun, now).Lines(width-1, height, plain)...)
}

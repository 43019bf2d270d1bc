package history

import "math"

// A point is three values in six bytes.
type point struct{ min, median, max uint16 }

// none is a value that is not known.
const none = 0xFFFF

var nothing = point{none, none, none}

// A packed value has five bits of exponent and eleven behind the point: from 2e-6 to four
// million, to 0.02 %. below is what is added first, so that a temperature may be under
// zero, down to -100.
const (
	mantissa = 11
	bias     = 9
	largest  = 30<<mantissa | 1<<mantissa - 1
	below    = 100
)

// pack returns v in 16 bits: none if it is less than nothing, or no number.
func pack(v float64) uint16 {
	if !(v >= 0) {
		return none
	}
	fraction, exponent := math.Frexp(v)
	e := exponent - 1 + bias
	switch {
	case math.IsInf(v, 1) || e > 30:
		return largest
	case v == 0 || e < 1:
		return uint16(math.Round(math.Ldexp(v, mantissa+bias-1)))
	}
	return min(largest, uint16(e<<mantissa+int(math.Round((2*fraction-1)*(1<<mantissa)))))
}

// unpack returns a packed value to four digits; NaN for none.
func unpack(p uint16) float64 {
	if p == none {
		return math.NaN()
	}
	e, m := int(p>>mantissa), float64(p&(1<<mantissa-1))
	if e == 0 {
		return digits(math.Ldexp(m, 1-bias-mantissa))
	}
	return digits(math.Ldexp(1<<mantissa+m, e-bias-mantissa))
}

// digits rounds to four digits.
func digits(v float64) float64 {
	if v == 0 {
		return 0
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(v)))
	return math.Round(v*scale) / scale
}

// offset is what is added to the values of a measure before they are packed.
func offset(name Measure) float64 {
	if name == "temperature_celsius" {
		return below
	}
	return 0
}

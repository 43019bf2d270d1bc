package setting

import "errors"

// A Check is whether one value is in its range.
type Check struct {
	Key    string
	Value  any
	OK     bool
	Remedy string // if not OK
}

// The remedies that several keys share.
const (
	NotNegative = "0 or more is allowed"
	Positive    = "more than 0 is needed"
	AtLeastOne  = "1 or more is needed"
)

// Validate returns a [Fault] for each check that fails.
func Validate(checks []Check) error {
	var errs []error
	for _, c := range checks {
		if !c.OK {
			errs = append(errs, Faultf(c.Key, "%v is out of range; %s", c.Value, c.Remedy))
		}
	}
	return errors.Join(errs...)
}

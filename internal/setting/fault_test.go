package setting

import (
	"errors"
	"testing"
)

// TestAt checks the paths of faults of every shape, and their order.
func TestAt(t *testing.T) {
	section := errors.Join(
		Faultf("fast", "%q is wrong", "x"),
		errors.New("exactly one is needed"),
		errors.Join(Faultf("[1]", "two"), At("deep", Faultf("deeper", "three")), nil),
	)
	want := "hsms[0].fast: \"x\" is wrong\nhsms[0]: exactly one is needed\nhsms[0][1]: two\nhsms[0].deep.deeper: three"
	if got := At("hsms", At("[0]", section)); got == nil || got.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", got, want)
	}
	if got := At("hsms", errors.Join(nil, At("x", nil))); got != nil {
		t.Errorf("nothing is wrong, and got %v", got)
	}
	cause := errors.New("cause")
	if !errors.Is(At("a", Faultf("b", "failed: %w", cause)), cause) {
		t.Error("the cause is lost")
	}
}

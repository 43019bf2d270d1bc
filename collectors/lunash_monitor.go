package collectors

import (
	"context"
	"fmt"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// Monitor has an HSM measure its utilization over one interval of 5 s to
// 999 s, and returns when that has passed.
func Monitor(ctx context.Context, r Runner, interval time.Duration) (hsm.Monitor, error) {
	ctx, cancel := context.WithTimeout(ctx, interval+30*time.Second)
	defer cancel()
	text, err := answer(ctx, r, fmt.Sprintf("hsm information monitor -interval %d", int(interval.Seconds())))
	if err != nil {
		return hsm.Monitor{}, err
	}
	fact, _, err := HSMInformationMonitor.Parse(string(text))
	if err != nil {
		return hsm.Monitor{}, err
	}
	return fact.(hsm.Monitor), nil
}

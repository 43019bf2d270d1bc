package lunash

import (
	"context"
	"fmt"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/collectors/shell"
	"github.com/lunawatch/lunawatch/hsm"
)

// Monitor has an HSM measure its utilization over one interval, of 5 s to 999 s,
// and returns the result after it.
func Monitor(ctx context.Context, r collectors.Runner, interval time.Duration) (hsm.Monitor, error) {
	ctx, cancel := context.WithTimeout(ctx, interval+30*time.Second)
	defer cancel()
	session, err := poll.Ask(ctx, r, fmt.Sprintf("hsm information monitor -interval %d", int(interval.Seconds())))
	if err != nil {
		return hsm.Monitor{}, err
	}
	fact, _, err := shell.HSMInformationMonitor.Read(session)
	if err != nil {
		return hsm.Monitor{}, err
	}
	return fact.(hsm.Monitor), nil
}

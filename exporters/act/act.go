// Package act is what operators do: to alarms, silences and receivers, in one way for the
// commands, the API and the page. Everything that is done, or is refused, is logged with
// who did it.
package act

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
)

// LongestTest is how long a test of the receivers may wait for them.
const LongestTest = 5 * time.Minute

// timeLayout is how times are said.
const timeLayout = "2006-01-02 15:04:05 -07:00"

// A Who returns who asks for an act, as the alarm and the log are to have it, or why he
// may do nothing. claimed is the name that he gives himself; "": none.
type Who func(r *http.Request, claimed string) (by string, err error)

// A Desk does what operators ask for. Its errors say what to do.
type Desk struct {
	Watch *watch.Watch
	Log   *slog.Logger
}

// ErrWide is wrapped by the error of a silence that is [alarms.Silence.Wide] and not
// confirmed.
var ErrWide = errors.New("it would silence every alarm, or last for more than a day, or for more than half of every day; confirm that this is meant (-yes-all, or confirm_wide)")

// Refused logs that somebody may not do something.
func (d Desk) Refused(act string, from string, why error) {
	d.Log.Warn("refused", "act", act, "by", from, "err", why)
}

// Done logs what somebody did; with an error, what was not done.
func (d Desk) Done(act, what, by, why string, err error) {
	if err != nil {
		d.Log.Warn("not done", "act", act, "of", what, "by", by, "why", why, "err", err)
		return
	}
	d.Log.Info("done", "act", act, "of", what, "by", by, "why", why)
}

// Acknowledge records that somebody looks after an alarm, which is named by its number or
// key. It needs a comment.
func (d Desk) Acknowledge(alarm, by, comment string) error {
	err := needed(comment, "a comment is needed: the next shift reads it")
	if err == nil {
		err = d.Watch.Acknowledge(alarm, by, comment)
	}
	d.Done("acknowledge", alarm, by, comment, err)
	return err
}

// Unacknowledge withdraws an acknowledgement.
func (d Desk) Unacknowledge(alarm, by string) error {
	err := d.Watch.Unacknowledge(alarm)
	d.Done("unacknowledge", alarm, by, "", err)
	return err
}

// Clear clears an alarm by hand. It needs a reason.
func (d Desk) Clear(alarm, by, reason string) error {
	err := needed(reason, "a reason is needed: the history keeps it")
	if err == nil {
		err = d.Watch.Clear(alarm, by, reason)
	}
	d.Done("clear", alarm, by, reason, err)
	return err
}

func needed(text, why string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New(why)
	}
	return nil
}

// Silence adds a silence of its author and returns it with its number. One without a
// beginning begins now; one that is wide needs all.
func (d Desk) Silence(s alarms.Silence, all bool) (alarms.Silence, error) {
	s, err := begun(s, time.Now())
	switch {
	case err != nil:
	case s.Wide() && !all:
		err = ErrWide
	default:
		s.ID, err = d.Watch.Silence(s)
	}
	d.Done("silence", fmt.Sprint(s.ID), s.Author, s.Reason, err)
	return s, err
}

// A Preview is what a silence would do.
type Preview struct {
	Silence alarms.Silence  `json:"silence"`
	Wide    bool            `json:"wide"`  // it needs to be confirmed
	Hides   []alarms.Active `json:"hides"` // active alarms that it selects, worst first
}

// Unsilence ends a silence.
func (d Desk) Unsilence(id uint64, by string) error {
	err := d.Watch.Unsilence(id)
	d.Done("unsilence", fmt.Sprint(id), by, "", err)
	return err
}

// Test sends a test alarm to every receiver, and returns what each did with it within
// wait, which is at most [LongestTest].
func (d Desk) Test(ctx context.Context, by string, wait time.Duration) ([]notify.TestResult, error) {
	if wait <= 0 || wait > LongestTest {
		return nil, fmt.Errorf("a wait of %s is not between 0 and %s", wait, LongestTest)
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	list, err := d.Watch.Test(ctx, by)
	d.Done("test", "receivers", by, "", err)
	return list, err
}

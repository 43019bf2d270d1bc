package alarmstest

import "time"

// T0 is when every story begins.
var T0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// At returns the time so many seconds into a story.
func At(seconds int) time.Time { return T0.Add(time.Duration(seconds) * time.Second) }

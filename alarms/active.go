package alarms

// A Active is an alarm that stands, and what keeps it from being told.
type Active struct {
	Alarm
	RelatedTo *Key     `json:"related_to,omitempty"` // the alarm that explains it
	Silence   *Silence `json:"silence,omitempty"`
	Title     string   `json:"title"`  // of its group
	Action    string   `json:"action"` // what to do
}

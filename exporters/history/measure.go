package history

// A Measure is what a series is of.
type Measure string

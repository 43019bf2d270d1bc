package journal

// A Write is one key of the shared state that a transaction sets or removes.
type Write struct {
	Key    string // below the state of the cluster; no two agents mean different things by it
	Value  []byte // nil: the key is removed
	Device string // whose owner alone may write it; "": every agent may
}

package journal

import (
	"encoding/json"

	"go.etcd.io/bbolt"
)

// Refusals returns the refusals of passwords that agents share, by account.
func (j *Journal) Refusals() (all map[string]string, err error) {
	all = make(map[string]string)
	err = j.view(func(tx *bbolt.Tx) error {
		return each(tx.Bucket(refusalBucket), func(account []byte, text json.RawMessage) { all[string(account)] = string(text) })
	})
	return all, err
}

// Refused shares the refusal of the password of an account, as JSON; "": it has none any
// more.
func (j *Journal) Refused(account, text string) error {
	return j.update(func(tx *change) error {
		if text == "" {
			return tx.remove(refusalKind, "", []byte(account))
		}
		return tx.put(refusalKind, "", []byte(account), json.RawMessage(text))
	})
}

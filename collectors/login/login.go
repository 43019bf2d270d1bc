// Package login remembers which passwords appliances have refused, so that none is
// tried twice: an appliance locks an account or a host out after a few failed
// logins, each time for longer.
package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"sync"
	"time"

	"golang.org/x/crypto/pbkdf2"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// An Account is a user of one appliance. Whatever logs in with its password, over
// SSH or REST and in any process, does so between [Account.Begin] and [Try.End].
type Account struct {
	User      string
	Host      string // of the appliance
	Directory string // where refusals are remembered; "" or not writable: by this process only

	mu      sync.Mutex // held from Begin to End
	refused *refusal   // what is not on disk
}

// A Try is a login that is under way.
type Try struct {
	Password string

	account *Account
	file    setting.File
	changed time.Time
	record  *record
}

// A refusal is of a password, and holds for every file that it is in, until that
// file changes. It keeps no password, but a salted and slow hash.
type refusal struct {
	Salt  []byte               `json:"salt"`
	Sum   []byte               `json:"sum"`
	Files map[string]time.Time `json:"files"` // when each was last written
	Why   string               `json:"why"`
}

// Begin returns the password in file, for one login. It waits while another login
// of the account is under way. Its error is a *[collectors.Failed] at step
// [hsm.Login], if the file cannot be read or its password was refused and it has not
// changed since.
func (a *Account) Begin(ctx context.Context, file setting.File) (*Try, error) {
	a.mu.Lock()
	t := &Try{account: a, file: file}
	if err := t.begin(ctx); err != nil {
		t.End()
		return nil, err
	}
	return t, nil
}

// Refused returns why the password in file would not be tried, nil if it would.
func (a *Account) Refused(ctx context.Context, file setting.File) error {
	t, err := a.Begin(ctx, file)
	if err == nil {
		t.End()
	}
	return err
}

func (t *Try) begin(ctx context.Context) error {
	changed, err := t.file.Changed()
	if err != nil {
		return collectors.Failf(hsm.Login, "password_file: %w", err)
	}
	password, err := t.file.Secret("password_file", 1)
	if err != nil {
		return collectors.Failf(hsm.Login, "%w", err)
	}
	t.Password, t.changed = password, changed
	if t.record = t.account.open(ctx); ctx.Err() != nil {
		return collectors.Failf(hsm.Timeout, "another login of user %q is still under way: %w", t.account.User, ctx.Err())
	}
	before := t.account.refused
	if before == nil {
		before = t.record.read()
	}
	if before == nil || subtle.ConstantTimeCompare(before.Sum, sum(password, before.Salt)) == 0 {
		return nil
	}
	known, ok := before.Files[string(t.file)]
	switch {
	case !ok:
		before.Files[string(t.file)] = changed
		t.account.keep(t.record, before)
	case !known.Equal(changed) && !t.file.IsCredential(): // systemd writes a credential anew at each start
		return nil
	}
	return collectors.Failf(hsm.Login, "%s", before.Why)
}

// Refused remembers that the appliance refused the password, and returns the error
// that says so and what to do.
func (t *Try) Refused(why error) error {
	r := &refusal{Salt: make([]byte, 16), Files: map[string]time.Time{string(t.file): t.changed}}
	rand.Read(r.Salt)
	r.Sum = sum(t.Password, r.Salt)
	remedy := "touch it"
	if t.file.IsCredential() {
		remedy = "remove " + t.account.path()
	}
	r.Why = fmt.Sprintf("user %q was refused (%v); no more tries until %s changes, so that the appliance does not lock this host out: put the right password into it, or %s when the account is in order",
		t.account.User, why, t.file, remedy)
	t.account.keep(t.record, r)
	return collectors.Failf(hsm.Login, "%s", r.Why)
}

// keep remembers r on disk, or else in a until the process ends.
func (a *Account) keep(to *record, r *refusal) {
	a.refused = nil
	if err := to.write(r); err != nil {
		a.refused = r
	}
}

// Accepted forgets an earlier refusal.
func (t *Try) Accepted() {
	t.account.refused = nil
	t.record.clear()
}

// End lets the next login of the account begin.
func (t *Try) End() {
	t.record.close()
	t.account.mu.Unlock()
}

// rounds makes a guess at a password cost some 10 ms.
const rounds = 50_000

func sum(password string, salt []byte) []byte {
	return pbkdf2.Key([]byte(password), salt, rounds, sha256.Size, sha256.New)
}

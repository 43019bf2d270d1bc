package login

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// An Exchange has agents on several hosts know what each was refused.
type Exchange struct {
	mu    sync.Mutex
	known map[string]string // by account, as it was here and elsewhere
}

// Run brings the refusals in a directory together with those of the others: what has
// changed here is told to them, and what has changed there is learnt.
func (x *Exchange) Run(ctx context.Context, directory string, others map[string]string, tell func(account, text string) error) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	here, err := refusals(directory)
	if err != nil {
		return err
	}
	if x.known == nil {
		x.known = make(map[string]string)
	}
	accounts := make(map[string]bool)
	for _, all := range []map[string]string{here, others, x.known} {
		for account := range all {
			accounts[account] = true
		}
	}
	var errs []error
	for account := range accounts {
		next, err := x.known[account], error(nil)
		switch {
		case here[account] != next:
			next = here[account]
			err = tell(account, next)
		case others[account] != next:
			next = others[account]
			err = learn(ctx, directory, account, next)
		}
		if err == nil {
			x.known[account] = next
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// refusals returns the refusals in a directory by account, user@host, for agents on other
// hosts: without the files of this one. There is no secret in them but a slow hash.
func refusals(directory string) (map[string]string, error) {
	entries, err := os.ReadDir(directory)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	all := make(map[string]string)
	for _, e := range entries {
		name, ours := strings.CutSuffix(e.Name(), ".json")
		info, err := e.Info()
		if !ours || err != nil || info.Size() == 0 {
			continue
		}
		file, err := os.Open(filepath.Join(directory, e.Name()))
		if err != nil {
			continue
		}
		refused := (&record{file}).read()
		_ = file.Close() // it was read only
		account, err := url.PathUnescape(name)
		if refused == nil || err != nil {
			continue
		}
		clear(refused.Files)
		text, err := json.Marshal(refused)
		if err != nil {
			return nil, err
		}
		all[account] = string(text)
	}
	return all, nil
}

// learn remembers the refusal of an account that an agent on another host has had, as of
// refusals; "": it has none any more. It holds whatever file here has the password.
func learn(ctx context.Context, directory, account, text string) error {
	at := strings.LastIndex(account, "@")
	var refused refusal
	if at < 0 || text != "" && (json.Unmarshal([]byte(text), &refused) != nil || len(refused.Sum) == 0) {
		return fmt.Errorf("%q is no refusal of an account", account)
	}
	r := (&Account{User: account[:at], Host: account[at+1:], Directory: directory}).open(ctx)
	if r == nil {
		return errNoRecord
	}
	defer r.close()
	if text == "" {
		r.clear()
		return nil
	}
	if here := r.read(); here != nil && string(here.Sum) == string(refused.Sum) {
		return nil
	}
	refused.Files = make(map[string]time.Time)
	return r.write(&refused)
}

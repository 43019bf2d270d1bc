package login

import (
	"maps"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
)

// TestExchange: what an appliance has refused one agent, an agent on another host does not
// try; once the password is right on one, the other may try again.
func TestExchange(t *testing.T) {
	one, two := newSite(t), newSite(t)
	shared := make(map[string]string)
	var x, y Exchange
	meet := func() {
		t.Helper()
		for s, e := range map[*site]*Exchange{one: &x, two: &y} {
			check.Must(t, e.Run(t.Context(), s.directory, maps.Clone(shared), func(account, text string) error {
				shared[account] = text
				if text == "" {
					delete(shared, account)
				}
				return nil
			}))
		}
	}
	meet()
	wrong := one.file("password", "wrong", 1)
	if err := one.login(wrong); err == nil {
		t.Fatal("a wrong password is accepted")
	}
	meet()
	meet()
	if err := two.login(two.file("password", "wrong", 30)); err == nil || two.tries != 0 {
		t.Errorf("the other agent tries it, too: %d tries, %v", two.tries, err)
	}
	for account, text := range shared {
		if account != "monitor@10.0.0.1" || len(text) == 0 {
			t.Errorf("shared: %q", account)
		}
	}
	check.Must(t, two.login(two.file("password", "right", 31)))
	meet()
	meet()
	if len(shared) != 0 {
		t.Errorf("a refusal that is over is shared: %v", shared)
	}
	one.restart()
	if err := one.login(wrong); err == nil || one.tries != 2 {
		t.Errorf("after it was forgotten: %d tries", one.tries)
	}
}

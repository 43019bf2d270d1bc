package setting

import (
	"strings"
	"testing"
)

func TestShown(t *testing.T) {
	for _, c := range []struct{ path, value, want string }{
		{"snmp.agentXTimeout", "soon", `"soon"`},
		{"a", strings.Repeat("é", 61), `"` + strings.Repeat("é", 60) + `"...`},
		{"hsms[0].password_file", "/etc/p", `"/etc/p"`},
		{"hsms[0].password_file", "credential:p", `"credential:p"`},
		{"hsms[0].address", "h:22", `"h:22"`},
		{"receivers[0].smtp.from", "noc@example.net", `"noc@example.net"`},
		{"hsms[0].password_file", "hunter2", ""},
		{"hsms[0].password", "/hunter2 @", ""},
		{"alarms.raise_after.api_token", "hunter2", ""},
		{"x", "password:hunter2", ""},
		{"x", "u:hunter2@host:1", ""},
		{"x", "https://u:hunter2@host", ""},
		{"x", "//hunter2@host", ""},
		{"x", "https://u:hunter2@ho st", ""},
	} {
		got := Shown(c.path, c.value)
		if c.want == "" && strings.Contains(got, "hunter2") || c.want != "" && got != c.want {
			t.Errorf("%s %s: %s, want %s", c.path, c.value, got, c.want)
		}
	}
}

package guard

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
)

// TestWebSettings: a header is believed from somewhere only, and says nothing else; what is
// valid and lets others act, or nobody, is a warning.
func TestWebSettings(t *testing.T) {
	proxy := TrustedProxy{Addresses: []string{"192.0.2.80", "2001:db8::1"}, UserHeader: "X-Remote-User"}
	for name, x := range map[string]struct {
		web   Web
		wrong string // "": nothing
	}{
		"nothing":          {Web{}, ""},
		"a proxy":          {Web{TrustedProxy: proxy, Operators: []string{"anna", "Bea Meier"}}, ""},
		"from anywhere":    {Web{TrustedProxy: TrustedProxy{UserHeader: "X-Remote-User"}}, "trusted_proxy.addresses: are missing"},
		"without a header": {Web{TrustedProxy: TrustedProxy{Addresses: []string{"192.0.2.80"}}}, "trusted_proxy.user_header: is missing"},
		"a name":           {Web{TrustedProxy: TrustedProxy{Addresses: []string{"proxy"}, UserHeader: "X-User"}}, "trusted_proxy.addresses[0]"},
		"a network":        {Web{TrustedProxy: TrustedProxy{Addresses: []string{"0.0.0.0/0"}, UserHeader: "X-User"}}, "trusted_proxy.addresses[0]"},
		"another header":   {Web{TrustedProxy: TrustedProxy{Addresses: []string{"192.0.2.80"}, UserHeader: "origin"}}, "trusted_proxy.user_header"},
		"no header":        {Web{TrustedProxy: TrustedProxy{Addresses: []string{"192.0.2.80"}, UserHeader: "X User"}}, "trusted_proxy.user_header"},
		"nobody":           {Web{Operators: []string{"anna", ""}}, "operators[1]"},
		"a control":        {Web{Operators: []string{"an\x1bna"}}, "operators[0]"},
	} {
		if err := x.web.Validate(); (err == nil) != (x.wrong == "") || err != nil && !strings.Contains(err.Error(), x.wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := t.TempDir()
	file := func(name, text string) string {
		check.Must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		return filepath.Join(dir, name)
	}
	users := file("users", "basic_auth_users: {anna: x}\n")
	secure := file("secure", "basic_auth_users: {anna: x}\ntls_server_config: {cert_file: a, key_file: b}\n")
	anna := Web{Operators: []string{"anna"}}
	for name, x := range map[string]struct {
		web           Web
		address, file string
		want          string // in the only warning; "": there is none
	}{
		"read-only":              {Web{}, "0.0.0.0:9477", "", ""},
		"in the clear":           {anna, "0.0.0.0:9477", users, "act at 0.0.0.0:9477 in the clear"},
		"by a proxy, all can":    {Web{TrustedProxy: proxy, Operators: anna.Operators}, ":9477", "", "in the clear"},
		"over TLS":               {anna, "0.0.0.0:9477", secure, ""},
		"on this host":           {anna, "127.0.0.1:9477", users, ""},
		"nobody asks who it is":  {anna, "127.0.0.1:9477", "", "can do nothing"},
		"a proxy asks who it is": {Web{TrustedProxy: proxy, Operators: anna.Operators}, "127.0.0.1:9477", "", ""},
	} {
		got := x.web.Warnings([]string{x.address}, x.file)
		if (len(got) == 0) != (x.want == "") || len(got) > 1 || x.want != "" && !strings.Contains(strings.Join(got, ""), x.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

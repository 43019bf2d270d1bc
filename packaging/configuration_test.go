package packaging

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestShippedConfiguration reads the configuration that the packages bring: it watches
// nothing, and does once the operator has taken away the comment signs and filled in a
// host key.
func TestShippedConfiguration(t *testing.T) {
	text, err := os.ReadFile("lunawatch.yaml")
	check.Must(t, err)
	c, err := config.Parse(text)
	check.Must(t, err)
	if len(c.HSMs)+len(c.Receivers) != 0 || c.LunaCM.Enabled || c.HA.Enabled {
		t.Errorf("%d HSMs and %d receivers before anybody has named one", len(c.HSMs), len(c.Receivers))
	}
	password := filepath.Join(t.TempDir(), "password")
	check.Must(t, os.WriteFile(password, []byte("not one\n"), 0o600))
	filled := regexp.MustCompile(`(?m)^#(\S| +(- )?\w+:| +#)`).ReplaceAllString(string(text), "$1")
	filled = strings.NewReplacer("SHA256:...", "SHA256:"+strings.Repeat("0", 43), "/etc/lunawatch/hsm1.password", password).Replace(filled)
	c, err = config.Parse([]byte(filled))
	check.Must(t, err)
	if len(c.HSMs) != 1 || len(c.Receivers) != 2 {
		t.Errorf("%d HSMs and %d receivers, want 1 and 2, in\n%s", len(c.HSMs), len(c.Receivers), filled)
	}
}

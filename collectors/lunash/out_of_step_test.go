package lunash

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// TestOutOfStep writes a prompt too many, or a message to all users, into a session:
// no command may get the answer to another, and each gets its own.
func TestOutOfStep(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("p\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	keys := hostKeys(t)
	for _, text := range []string{"\r\n[a] lunash:>", "\r\nBroadcast message from root\r\n", "\r\n[a] lunash:>\r\n[a] lunash:>"} {
		s := startSSHD(t, func(session int32, terminal io.ReadWriter) {
			n := 0
			for lines := bufio.NewScanner(terminal); lines.Scan(); n++ {
				if n == 1 && session == 1 {
					io.WriteString(terminal, text)
				}
				fmt.Fprintf(terminal, "%s\r\nanswer to %[1]s\r\n\r\nCommand Result : 0 (Success)\r\n[a] lunash:>", lines.Text())
			}
		}, keys...)
		c := (&Client{Address: s.address, User: "monitor", PasswordFile: setting.File(password), HostKey: ssh.FingerprintSHA256(keys[0].PublicKey())}).Start()
		for _, command := range []string{"hsm show", "status disk", "hsm show", "status sensors"} {
			answer, err := c.Run(t.Context(), command)
			if want := "answer to " + command + "\n\nCommand Result : 0 (Success)\n"; err != nil || string(answer) != want {
				t.Errorf("after %q: %s: %q, %v", text, command, answer, err)
			}
		}
		if n := s.logins.Load(); n != 2 {
			t.Errorf("after %q: %d logins, want 2", strings.TrimSpace(text), n)
		}
		c.Close()
	}
}

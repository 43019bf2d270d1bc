package setting

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, file, text string) File {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return File(file)
}

func TestSecret(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	write(t, filepath.Join(dir, "named"), "from systemd\n")
	for _, x := range []struct {
		file     File
		shortest int
		want     string
		err      string
	}{
		{write(t, dir+"/unix", "hidden\n"), 6, "hidden", ""},
		{write(t, dir+"/bare", "hidden"), 6, "hidden", ""},
		{write(t, dir+"/dos", "hidden\r\nmore\r\n"), 6, "hidden", ""},
		{write(t, dir+"/blanks", " hidden \n"), 8, " hidden ", ""},
		{"credential:named", 1, "from systemd", ""},
		{write(t, dir+"/short", "hidden\n"), 8, "", "fewer than 8 characters"},
		{write(t, dir+"/empty", ""), 1, "", "/empty is empty; write the secret into its first line"},
		{write(t, dir+"/late", "\nhidden\n"), 1, "", "/late is empty"},
		{write(t, dir+"/spaces", " \t\r\nhidden\n"), 1, "", "/spaces is empty"},
		{"hidden", 1, "", "a file (not shown: it may be a secret): file does not exist"},
		{File(dir + "/none"), 1, "", "no such file"},
		{File(dir), 1, "", "is a directory"},
		{"credential:none", 1, "", "no such file"},
		{"credential:../passwd", 1, "", "not the name of a credential"},
		{"credential:", 1, "", "not the name of a credential"},
	} {
		got, err := x.file.Secret("password_file", x.shortest)
		if got != x.want || (err == nil) != (x.err == "") {
			t.Errorf("%s: %q, %v; want %q, %s", x.file, got, err, x.want, x.err)
		}
		if err != nil && (!strings.HasPrefix(err.Error(), "password_file: ") || !strings.Contains(err.Error(), x.err) || strings.Contains(err.Error(), "hidden")) {
			t.Errorf("%s: %v", x.file, err)
		}
	}
}

// TestSecretRenewed changes a secret between two uses.
func TestSecretRenewed(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "s"), "old")
	for _, want := range []string{"old", "new"} {
		write(t, string(file), want)
		if got, err := file.Secret("key_file", 1); got != want || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}

func TestNoCredentials(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if err := Credential("x").Validate(); err == nil || !strings.Contains(err.Error(), "credential:x needs systemd's LoadCredential") {
		t.Errorf("got %v", err)
	}
	if err := File("/x").Validate(); err != nil {
		t.Error(err)
	}
}

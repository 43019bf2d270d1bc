package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const good = "NTLS Information:\nOperational Status:   1 (up)\nLinks:   4\n\nCommand Result : 0 (Success)\n"
	file := filepath.Join(t.TempDir(), "ntls.txt")
	if err := os.WriteFile(file, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, args, stdin string
		code              int
		out, err          []string // parts of what is printed; an empty list: nothing is
	}{
		{"a file", "ntls-information-show " + file, "", exitOK, []string{`"status": "up"`, `"links": 4`, `"connected_clients": null`}, nil},
		{"standard input", "ntls-information-show", good, exitOK, []string{`"links": 4`}, nil},
		{"a dash", "ntls-information-show -", good, exitOK, []string{`"links": 4`}, nil},
		{"unread lines", "ntls-information-show", "Links: 4\nLunks: 5\n\nCommand Result : 0 (Success)\n", exitOK, []string{`"links": 4`}, []string{"unread: Lunks: 5"}},
		{"no result line", "ntls-information-show", "Links: 4\nFailed Client Connections: 1", exitOK, []string{`"links": 4`, `"failed_connections": null`}, []string{"note: the text has no result line", "may be cut"}},
		{"nothing recognised", "hsm-show", "hello\n", exitError, nil, []string{"nothing recognised", `"hsm show"`, "unread: hello"}},
		{"a failed command", "hsm-show", "Software Version: 7.0.0\nError:  'hsm show' failed. (310102 : LUNA_RET_X)\n\nCommand Result : 65535 (Luna Shell execution)\n", exitError, []string{`"software_version": "7.0.0"`}, []string{"310102 : LUNA_RET_X", "65535"}},
		{"an unknown format", "hsm-shoe", "", exitUsage, nil, []string{`unknown format "hsm-shoe"`, "hsm-showpolicies"}},
		{"no format", "", "", exitUsage, nil, []string{"usage: "}},
		{"too many files", "hsm-show a b", "", exitUsage, nil, []string{"usage: "}},
		{"no such file", "hsm-show " + file + ".x", "", exitError, nil, []string{"ntls.txt.x"}},
		{"help", "-help", "", exitOK, []string{"usage: ", "status-sensors"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			args := append([]string{"parse"}, strings.Fields(c.args)...)
			code := run(t.Context(), args, stdio{strings.NewReader(c.stdin), &out, &errs})
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for stream, want := range map[*bytes.Buffer][]string{&out: c.out, &errs: c.err} {
				if len(want) == 0 && stream.Len() > 0 {
					t.Errorf("unexpected: %s", stream)
				}
				for _, w := range want {
					if !strings.Contains(stream.String(), w) {
						t.Errorf("%q is not in:\n%s", w, stream)
					}
				}
			}
		})
	}
}

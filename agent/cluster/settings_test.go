package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestValidate(t *testing.T) {
	remote := []string{"https://etcd1:2379"}
	files := Settings{Name: "lw1", Endpoints: remote, CAFile: "ca", CertFile: "c", KeyFile: "k"}
	without := func(change func(*Settings)) Settings {
		s := files
		change(&s)
		return s
	}
	for _, c := range []struct {
		name string
		s    Settings
		want string // "": it is good
	}{
		{"none", Settings{}, ""},
		{"mutual TLS", files, ""},
		{"loopback", Settings{Name: "lw1", Endpoints: []string{"http://127.0.0.1:2379", "http://[::1]:2379", "http://localhost:2379"}}, ""},
		{"insecure", Settings{Name: "lw1", Endpoints: []string{"http://etcd1:2379"}, Insecure: true}, ""},
		{"http", without(func(s *Settings) { s.Endpoints = []string{"http://etcd1:2379"} }), "endpoints[0]: without TLS"},
		{"no certificate", Settings{Name: "lw1", Endpoints: remote}, "endpoints[0]: etcd must know who writes"},
		{"half a certificate", without(func(s *Settings) { s.KeyFile = "" }), "belong together"},
		{"no name", without(func(s *Settings) { s.Name = "" }), "name: "},
		{"slash", without(func(s *Settings) { s.Name = "a/b" }), "name: "},
		{"no endpoints", Settings{Name: "lw1"}, "endpoints: is missing"},
		{"files alone", Settings{CAFile: "ca"}, "endpoints: is missing"},
		{"no scheme", without(func(s *Settings) { s.Endpoints = []string{"etcd1:2379"} }), "endpoints[0]: not a URL"},
		{"path", without(func(s *Settings) { s.Endpoints = []string{"https://etcd1:2379/x"} }), "more than a host"},
		{"prefix", without(func(s *Settings) { s.Prefix = "x" }), "prefix: must end in /"},
		{"short", without(func(s *Settings) { s.TTL = time.Second }), "ttl: 1s is out of range"},
		{"long", without(func(s *Settings) { s.TTL = time.Hour }), "ttl: 1h0m0s is out of range"},
	} {
		err := c.s.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestFiles: what cannot be read ends Run with its key, and not with silence.
func TestFiles(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"/nowhere": "cluster.ca_file: ", empty: "no certificate"} {
		c := &Cluster{Settings: Settings{Name: "a", Endpoints: []string{"https://127.0.0.1:1"}, CAFile: file}}
		if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

package config

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkParse is what reading a configuration costs, by the number of HSMs.
func BenchmarkParse(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		var text strings.Builder
		text.WriteString("hsms:\n")
		for i := range n {
			fmt.Fprintf(&text, "- {name: hsm-%04d, address: 192.0.2.1:%d, password_file: /p, known_hosts_file: /k, intervals: {fast: 30s}}\n", i, 1000+i)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := Parse([]byte(text.String())); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

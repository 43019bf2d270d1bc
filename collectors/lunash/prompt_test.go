package lunash

import (
	"fmt"
	"testing"
	"testing/synctest"
)

// TestPromptInAName has a name that looks like the prompt arrive at the end of a
// packet: the answer goes on behind it. One that was cut within a line still ends.
func TestPromptInAName(t *testing.T) {
	const ours = "[vault] lunash:>"
	for _, name := range []string{ours, "lunash:>", "[a] lunash:>", "x lunash:> ", "\x1b[0m" + ours, "Command Result : 0 (Success)" + ours} {
		for _, end := range []string{"\n\nCommand Result : 0 (Success)\n" + ours, "\nHSM Lab" + ours} {
			synctest.Test(t, func(t *testing.T) {
				s := &session{chunks: make(chan []byte)}
				read := make(chan string)
				go func() {
					for {
						text, err := s.readToPrompt(t.Context())
						if err != nil {
							close(read)
							return
						}
						read <- string(text)
					}
				}()
				s.chunks <- []byte("banner\n" + ours)
				if got := <-read; got != "banner\n" {
					t.Fatalf("banner %q", got)
				}
				s.chunks <- []byte("hsm show\n   HSM Label:     " + name)
				synctest.Wait()
				select {
				case got := <-read:
					t.Errorf("%q ends the answer: %q", name, got)
				default:
				}
				s.chunks <- []byte(end)
				want := fmt.Sprintf("hsm show\n   HSM Label:     %s%s", ansi.ReplaceAllString(name, ""), end[:len(end)-len(ours)])
				if got := <-read; got != want {
					t.Errorf("%q, want %q", got, want)
				}
				close(s.chunks)
				<-read
			})
		}
	}
}

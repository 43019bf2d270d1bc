package follow

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/hsm"
)

const (
	stressWriters   = 4
	stressRotations = 10 // of each kind
	stressKills     = 20
	alarmEvery      = 10 // lines
)

// stressLine is line n of a writer. Its length varies, and one in alarmEvery
// is an ALM line.
func stressLine(writer, n int) string {
	if n%alarmEvery == 0 {
		return fmt.Sprintf("2026 Nov 21 10:00:00 host kern info kernel: k7pf0: [HSM] ALM2007: HSM decommissioned by W%d-%d", writer, n)
	}
	return fmt.Sprintf("2026 Nov 21 10:00:00 host daemon info NTLS[77]: info : 0 : client %d connected %s", n, strings.Repeat("x", n%61))
}

// TestFollowStress has processes write, rotates their log meanwhile, and kills the
// follower again and again: every ALM line arrives once. With LUNAWATCH_STRESS=1 it
// writes a million lines.
func TestFollowStress(t *testing.T) {
	lines := 40_000
	switch {
	case testing.Short():
		t.Skip("short")
	case os.Getenv("LUNAWATCH_STRESS") != "":
		lines = 1_000_000
	case collectortest.RaceDetector:
		lines = 20_000
	}
	dir := t.TempDir()
	each := lines / stressWriters
	turns := make(chan io.Writer)
	writers := make(chan error, stressWriters)
	for i := range stressWriters {
		c := stressProcess(t, "writer", dir, strconv.Itoa(i), strconv.Itoa(each))
		out, err1 := c.StdoutPipe()
		in, err2 := c.StdinPipe()
		if err := errors.Join(err1, err2, c.Start()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Process.Kill() })
		go func() {
			for s := bufio.NewScanner(out); s.Scan(); {
				turns <- in
			}
			writers <- c.Wait()
		}()
	}
	kills := disturb(t, dir, (each+stressTurn-1)/stressTurn*stressWriters, turns)
	for range stressWriters {
		if err := <-writers; err != nil {
			t.Error("writer:", err)
		}
	}
	if err := appendLine(dir, "2026 Nov 21 10:00:00 host kern info kernel: k7pf0: [HSM] ALM2007: END"); err != nil {
		t.Fatal(err)
	}
	if out, err := stressProcess(t, "follower", dir).CombinedOutput(); err != nil {
		t.Fatalf("follower: %v\n%s", err, out)
	}
	checkStress(t, dir, each)
	t.Logf("%d lines by %d processes, %d rotations, follower killed %d times", lines, stressWriters, 2*stressRotations, kills)
}

const stressTurn = 250 // lines that a writer writes before it waits for its next turn

// disturb gives the writers n turns, and rotates the log and kills the follower at
// random turns. It returns how often it killed.
func disturb(t *testing.T, dir string, n int, turns <-chan io.Writer) (kills int) {
	random := rand.New(rand.NewPCG(7, 7))
	rotateAt, killAt := random.Perm(n), random.Perm(n)
	follower := stressProcess(t, "follower", dir)
	if err := follower.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		follower.Process.Kill()
		follower.Wait()
	}()
	rotations := 0
	for i := range n {
		writer := <-turns
		if slices.Contains(rotateAt[:2*stressRotations], i) {
			rotations++
			if err := rotateStress(dir, rotations); err != nil {
				t.Fatal(err)
			}
		}
		if slices.Contains(killAt[:stressKills], i) {
			follower.Process.Kill()
			follower.Wait()
			kills++
			follower = stressProcess(t, "follower", dir)
			if err := follower.Start(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := io.WriteString(writer, "\n"); err != nil {
			t.Fatal(err)
		}
	}
	return kills
}

func stressProcess(t *testing.T, args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], "-test.run=^TestFollowProcess$")
	c.Env = append(os.Environ(), "LUNAWATCH_PROCESS="+strings.Join(args, " "))
	return c
}

// TestFollowProcess is one process of TestFollowStress.
func TestFollowProcess(t *testing.T) {
	args := strings.Fields(os.Getenv("LUNAWATCH_PROCESS"))
	var err error
	switch {
	case len(args) == 0:
		t.Skip("a part of TestFollowStress")
	case args[0] == "writer":
		writer, _ := strconv.Atoi(args[2])
		n, _ := strconv.Atoi(args[3])
		err = stressWrite(args[1], writer, n)
	default:
		err = stressFollow(args[1])
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// locked runs f while no other process writes or truncates.
func locked(dir string, f func() error) error {
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	return f()
}

func stressLog(dir string) string { return filepath.Join(dir, "logs", "messages") }

func openStressLog(dir string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(stressLog(dir)), 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(stressLog(dir), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
}

func appendLine(dir, line string) error {
	log, err := openStressLog(dir)
	if err != nil {
		return err
	}
	defer log.Close()
	_, err = log.WriteString(line + "\n")
	return err
}

// stressWrite writes some lines at a time, one of them in two pieces. It
// notices a renamed log late.
func stressWrite(dir string, writer, lines int) error {
	var log *os.File
	defer func() { log.Close() }()
	for n := 0; n < lines; {
		if n%stressTurn == 0 {
			if log != nil {
				log.Close()
			}
			var err error
			if log, err = openStressLog(dir); err != nil {
				return err
			}
			fmt.Println(n)
			if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
				return err
			}
		}
		var text strings.Builder
		for range 25 {
			n++
			text.WriteString(stressLine(writer, n) + "\n")
		}
		s := text.String()
		cut := len(s) - n%100 - 2
		err := locked(dir, func() error {
			if _, err := log.WriteString(s[:cut]); err != nil {
				return err
			}
			_, err := log.WriteString(s[cut:])
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rotateStress makes rotation n: by rename and by copy and truncate in turns.
func rotateStress(dir string, n int) error {
	log := stressLog(dir)
	for i := n; i > 0; i-- {
		if err := os.Rename(fmt.Sprint(log, ".", i), fmt.Sprint(log, ".", i+1)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	if n%2 == 0 {
		if err := os.Rename(log, log+".1"); err != nil { // the writers notice it by themselves
			return err
		}
		fresh, err := openStressLog(dir)
		if err != nil {
			return err
		}
		return fresh.Close()
	}
	return locked(dir, func() error {
		from, err := os.Open(log)
		if err != nil {
			return err
		}
		defer from.Close()
		to, err := os.Create(log + ".1")
		if err != nil {
			return err
		}
		defer to.Close()
		if _, err := io.Copy(to, from); err != nil {
			return err
		}
		return os.Truncate(log, 0)
	})
}

const stressQueue = "alarms"

// stressFollow stores every ALM line in a journal, with the cursor in the same
// transaction, until it has seen the last.
func stressFollow(dir string) error {
	j, err := journal.Open(filepath.Join(dir, "state"))
	if err != nil {
		return err
	}
	defer j.Close()
	log := stressLog(dir)
	from, err := j.Cursor(log)
	if err != nil {
		return err
	}
	if from == nil { // from the first line on, whenever this process starts
		from = []byte(`{"files":[]}`)
	}
	ctx, end := context.WithTimeout(context.Background(), 2*time.Minute)
	defer end()
	ended := false
	f := Follower{File: log, Log: slog.New(slog.NewTextHandler(os.Stdout, nil))}
	err = f.Run(ctx, from, func(lines []hsm.LogLine, cursor []byte) error {
		var list []alarms.Notification
		for _, l := range lines {
			if l.Alarm != nil {
				list = append(list, alarms.Notification{ID: l.Alarm.Text})
				ended = ended || strings.Contains(l.Alarm.Text, "END")
			}
		}
		if list == nil {
			return nil
		}
		err := j.Write(journal.Entry{File: log, Cursor: cursor, Notify: map[string][]alarms.Notification{stressQueue: list}})
		if ended && err == nil {
			end()
		}
		return err
	})
	if err == nil && !ended {
		cursor, _ := j.Cursor(log)
		return fmt.Errorf("the last line did not come; cursor %s", cursor)
	}
	return err
}

// checkStress reads the journal: every ALM line, once, in each writer's order.
func checkStress(t *testing.T, dir string, each int) {
	seen := make([]int, stressWriters)
	for _, n := range journalled(t, dir) {
		_, name, _ := strings.Cut(n.ID, " by W")
		var writer, line int
		if _, err := fmt.Sscanf(name, "%d-%d", &writer, &line); err != nil {
			continue // the end
		}
		if line != seen[writer]+alarmEvery {
			t.Fatalf("writer %d: ALM line %d after %d", writer, line, seen[writer])
		}
		seen[writer] = line
	}
	for writer, line := range seen {
		if line != each/alarmEvery*alarmEvery {
			t.Errorf("writer %d: last ALM line %d of %d", writer, line, each)
		}
	}
}

// journalled returns the contents of the journal's queue.
func journalled(t *testing.T, dir string) (list []alarms.Notification) {
	db, err := bbolt.Open(filepath.Join(dir, "state", "state.db"), 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("queues")).Bucket([]byte(stressQueue)).ForEach(func(_, v []byte) error {
			var n alarms.Notification
			err := json.Unmarshal(v, &n)
			list = append(list, n)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

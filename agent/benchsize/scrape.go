package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A page is what a scrape says about the agent and its HSMs.
type page struct {
	reads   map[string]float64 // by device: when hsm show was last read, Unix seconds
	single  map[string]float64 // metrics without labels that are wanted
	oldest  float64            // greatest age, in seconds, of what is asked at the fast interval
	failing int                // sources whose last attempt failed
}

// fastSections are what the commands of the fast interval fill.
var fastSections = map[string]bool{"show": true, "information": true, "monitor": true, "ntls": true, "partitions": true, "system": true}

// wanted matches the lines that are read.
var wanted = regexp.MustCompile(`^(?:luna_source_(?:success|last_success_timestamp_seconds)\{|luna_data_age_seconds\{|go_goroutines |process_open_fds )`)

// parsePage reads the few lines that are wanted, of many.
func parsePage(text []byte) page {
	p := page{reads: make(map[string]float64), single: make(map[string]float64)}
	for line := range bytes.Lines(text) {
		if !wanted.Match(line) { // nearly all of them
			continue
		}
		series, number, ok := cutLast(strings.TrimSpace(string(line)))
		if !ok {
			continue
		}
		name, labels, _ := strings.Cut(series, "{")
		switch name {
		case "luna_source_last_success_timestamp_seconds":
			if label(labels, "source") == "hsm show" {
				p.reads[label(labels, "device")] = number
			}
		case "luna_source_success":
			if number == 0 {
				p.failing++
			}
		case "luna_data_age_seconds":
			if fastSections[label(labels, "section")] {
				p.oldest = max(p.oldest, number)
			}
		case "go_goroutines", "process_open_fds":
			p.single[name] = number
		}
	}
	return p
}

// cutLast parts a sample into its series and its value.
func cutLast(line string) (series string, value float64, ok bool) {
	i := strings.LastIndexByte(line, ' ')
	if i < 0 {
		return "", 0, false
	}
	value, err := strconv.ParseFloat(line[i+1:], 64)
	return line[:i], value, err == nil
}

// label returns the value of a label, which must contain no quote.
func label(labels, name string) string {
	_, rest, _ := strings.Cut(","+labels, ","+name+`="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// A scrape is what one cost, and what it said.
type scrape struct {
	page
	gzip    bool
	seconds float64
	bytes   int     // as sent
	cpu     float64 // seconds of the agent while it ran
}

// patience is how long an answer may take.
const patience = 2 * time.Minute

var client = &http.Client{Timeout: patience, Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}

// get reads /metrics of an agent, and measures what that costs it.
func get(ctx context.Context, address string, pid int, compressed bool) (scrape, error) {
	s := scrape{gzip: compressed}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return s, err
	}
	if compressed {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	before, err := cpuSeconds(pid)
	if err != nil {
		return s, err
	}
	begun := time.Now()
	text, err := body(req)
	if err != nil {
		return s, fmt.Errorf("scrape: %w", err)
	}
	s.seconds, s.bytes = time.Since(begun).Seconds(), len(text)
	after, err := cpuSeconds(pid)
	if err != nil {
		return s, err
	}
	s.cpu = after - before
	if compressed {
		z, err := gzip.NewReader(bytes.NewReader(text))
		if err != nil {
			return s, fmt.Errorf("scrape: %w", err)
		}
		if text, err = io.ReadAll(z); err != nil {
			return s, fmt.Errorf("scrape: %w", err)
		}
	}
	s.page = parsePage(text)
	return s, nil
}

func body(req *http.Request) ([]byte, error) {
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %s", res.Status)
	}
	return io.ReadAll(res.Body)
}

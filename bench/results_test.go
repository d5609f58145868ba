package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func someResults() *results {
	r := &results{
		Date: "2026-11-20", Machine: "a <machine>", Pinned: true, Duration: 5 * time.Second, Command: "go run ./bench",
		Versions: []version{{"nginx", "nginx/1.22.1"}}, Proxies: []string{"nginx", "serin"}, Scenarios: []string{"c64"},
		Discarded: 3, Refused: map[string]string{}, Syscalls: map[string]float64{}, Samples: someSamples(),
	}
	r.refuse("c64", "caddy", errors.New("87 of 2000 users changed their arm"))
	r.setSyscalls("c64", "serin", 4.98)
	return r
}

func TestMarkdown_OfARun_SaysRatiosAndWhatWasLeftOut(t *testing.T) {
	t.Parallel()
	got := someResults().markdown()
	for _, want := range []string{
		"## GET 100 B, 64 connections",
		"| nginx | 15.00 | **1.00** (1.00-1.00) | - | 1000 | 1ms | 3ms | 5 MiB | 0 | - | 2 | 1.0 %, 0.5 % |",
		"| serin | 8.00 | **0.81** (0.80-0.82) | - | 1000 | 1ms | 3ms | 5 MiB | 0 | 4.98 | 3 |",
		"c64 caddy (87 of 2000 users changed their arm)",
		"discarded for a busy machine: 3",
		"* nginx: nginx/1.22.1",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestSVG_OfARun_IsWellFormedAndDrawsEveryRatio(t *testing.T) {
	t.Parallel()
	got := someResults().svg()
	d := xml.NewDecoder(strings.NewReader(got))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, got)
		}
	}
	for _, want := range []string{">1.00<", ">0.81<", ">serin<", "a &lt;machine&gt;"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if barEnd(1) >= barEnd(1.5) || barEnd(99) != barEnd(svgLongest) {
		t.Error("bars do not grow with the ratio up to the longest")
	}
}

func TestResults_SavedAndRead_RenderTheSame(t *testing.T) {
	t.Parallel()
	base := filepath.Join(t.TempDir(), "results", "run")
	r := someResults()
	if err := r.save(base); err != nil {
		t.Fatal(err)
	}
	again, err := readResults(base + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if again.markdown() != r.markdown() || again.svg() != r.svg() {
		t.Error("the data read back renders differently")
	}
	if err := runReport([]string{base + ".json"}); err != nil {
		t.Error(err)
	}
}

// readAll joins the files of a directory.
func readAll(t *testing.T, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
	}
	return b.String()
}

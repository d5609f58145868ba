package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/journal"
	"serin/router"
)

func TestCheck_FlagAtOneValueForLong_IsStale(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "serin.toml")
	text := strings.ReplaceAll(flagged, "%%", "%")
	text = strings.Replace(strings.Replace(text, "%q", `":8080"`, 1), "%q", `"127.0.0.1:9001"`, 1) + "\n[state]\ndir = '" + filepath.Join(dir, "state") + "'\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	plan, problems := config.Load(file, config.Options{})
	if plan == nil {
		t.Fatal(problems)
	}
	now := time.Now()
	if got := staleFlags(plan, now); got != nil {
		t.Fatalf("without a journal: got %v", got)
	}
	decide := func(number uint64, at time.Time, w router.Weight) {
		t.Helper()
		j, _, err := journal.Open(plan.StateDir, journal.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		e := journal.Entry{
			ID: "checkout-1-1", Rollout: "checkout", At: at, Decision: gate.Decision{To: w}, State: gate.State{Weight: w, Version: number},
		}
		if err := j.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	decide(1, now.Add(-40*24*time.Hour), router.Full)
	got := staleFlags(plan, now)
	if len(got) != 5 || got[0].Text != "is stale: everybody has had the same value for 40 days" || got[0].Line == 0 {
		t.Fatalf("got %v, want all five flags stale", got)
	}
	if got := staleFlags(plan, now.Add(-11*24*time.Hour)); got != nil {
		t.Errorf("after 29 days: got %v", got)
	}
	decide(2, now.Add(-39*24*time.Hour), 500)
	if got := staleFlags(plan, now); got != nil {
		t.Errorf("under way again: got %v", got)
	}
}

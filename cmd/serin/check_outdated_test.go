package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"serin/config"
	"serin/gate"
	"serin/gate/journal"
	"serin/router"
)

func TestCheck_StableThatWasReplaced_IsWarnedAbout(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "serin.toml")
	load := func(canary string) *config.Plan {
		t.Helper()
		text := strings.Replace(ladder, "[upstream.v2]\n", "[upstream.v2]\nrevision = \""+canary+"\"\n", 1) + "[state]\ndir = '" + filepath.Join(dir, "state") + "'\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		plan, problems := config.Load(file, config.Options{})
		if plan == nil {
			t.Fatal(problems)
		}
		return plan
	}
	if got := outdatedStables(load("r2")); got != nil {
		t.Fatalf("without a journal: got %v", got)
	}
	j, _, err := journal.Open(filepath.Join(dir, "state"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	done := gate.State{Phase: gate.Completed, Weight: router.Full, Revision: "r2", Live: "r2", Version: 3}
	if err := j.Append(journal.Entry{ID: "checkout-1-3", Rollout: "checkout", State: done}); err != nil {
		t.Fatal(err)
	}
	if got := outdatedStables(load("r2")); got != nil {
		t.Errorf("the completed revision: got %v", got)
	}
	got := outdatedStables(load("r3"))
	if len(got) != 1 || got[0].Line != 7 || got[0].Key != "rollout.checkout.stable" || !strings.Contains(got[0].Text, "revision r2") {
		t.Errorf("a new revision: got %v", got)
	}
}

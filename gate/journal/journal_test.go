package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"serin/gate"
	"serin/gate/window"
	"serin/router"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// decided is a made-up decision number n of a rollout: its version is n.
func decided(rollout string, n int, from, to router.Weight) Entry {
	action := gate.ActAdvance
	if to < from {
		action = gate.ActRollback
	}
	limit := .02
	return Entry{
		ID: fmt.Sprintf("%s-1-%d", rollout, n), Number: n, Rollout: rollout, At: noon.Add(time.Duration(n) * time.Minute),
		Sentence: "Advanced.",
		Decision: gate.Decision{
			Action: action, From: from, To: to, Reason: gate.Passed, Actor: "gate",
			Findings: []gate.Finding{{Metric: "error_rate", RollbackLimit: &limit}},
		},
		State: gate.State{Phase: gate.Progressing, Stage: n, Weight: to, Attempt: 1, Revision: "r", Version: uint64(n), Step: uint64(n)},
	}
}

func recordOf(e Entry) Record {
	stable, canary := new(window.Snapshot), new(window.Snapshot)
	stable.Outcomes[window.Success], canary.Outcomes[window.ServerError] = 900, 7
	tracker, _ := window.NewTracker(window.TrackerOptions{}).MarshalJSON()
	mask := new(window.Mask)
	mask.Set(17)
	return Record{
		State: e.State, Number: e.Number, Last: &e, Mask: mask, Before: window.Counts{X: 1, N: 100},
		Evidence: &Evidence{Step: e.State.Step, Tracker: tracker, Stable: stable, Canary: canary},
		Exposure: Exposure{Requests: 12, Failed: 3, Share: 100},
	}
}

func mustOpen(t *testing.T, dir string, fs FS) (*Journal, *Restored) {
	t.Helper()
	j, r, err := Open(dir, Options{FS: fs})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return j, r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpen_NothingThere_IsFresh(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "state")
	j, r := mustOpen(t, dir, nil)
	if !r.Fresh || r.Broken != "" || len(r.Rollouts) != 0 || len(r.Warnings) != 0 {
		t.Errorf("got %+v, want a fresh start", r)
	}
	info, err := os.Stat(dir)
	must(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("directory has mode %o, want 700", info.Mode().Perm())
	}
	must(t, j.Close())
}

func TestOpen_SecondProcess_IsRefusedUntilTheFirstEnds(t *testing.T) {
	dir := t.TempDir()
	j, _ := mustOpen(t, dir, nil)
	_, _, err := Open(dir, Options{})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("got %v, want ErrLocked naming %s and the process", err, dir)
	}
	must(t, j.Close())
	again, _ := mustOpen(t, dir, nil)
	must(t, again.Close())
}

func TestJournal_SavedState_ComesBack(t *testing.T) {
	dir := t.TempDir()
	j, _ := mustOpen(t, dir, nil)
	e := decided("checkout", 1, 0, 100)
	must(t, j.Append(e))
	e.Seq = 1
	must(t, j.Save(Saved{Rollouts: map[string]Record{"checkout": recordOf(e)}}))
	must(t, j.Close())

	j, r := mustOpen(t, dir, nil)
	got, ok := r.Rollouts["checkout"]
	if !ok || r.Fresh || r.Broken != "" {
		t.Fatalf("got %+v, want the rollout", r)
	}
	if got.State.Weight != 100 || got.State.Phase != gate.Progressing || got.State.Version != 1 || got.Number != 1 {
		t.Errorf("got state %+v", got.State)
	}
	if got.Evidence == nil || got.Evidence.Canary.Bad() != 7 || got.Evidence.Stable.Judged() != 900 {
		t.Errorf("got evidence %+v", got.Evidence)
	}
	if !got.Mask.Has(17) || got.Before.N != 100 || got.Exposure.Requests != 12 || got.Last == nil || got.Last.ID != e.ID {
		t.Errorf("got record %+v", got)
	}
	for _, name := range []string{linesName, stateName} {
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, want 600", name, info.Mode().Perm())
		}
	}
	must(t, j.Close())
}

func TestJournal_KilledBetweenAppendAndSave_TheLineWins(t *testing.T) {
	fs := new(Memory)
	j, _ := mustOpen(t, "s", fs)
	one, two := decided("checkout", 1, 0, 100), decided("checkout", 2, 100, 0)
	must(t, j.Append(one))
	must(t, j.Save(Saved{Rollouts: map[string]Record{"checkout": recordOf(one)}}))
	must(t, j.Append(two))
	must(t, j.Close())

	_, r := mustOpen(t, "s", fs)
	got := r.Rollouts["checkout"]
	if got.State.Weight != 0 || got.State.Version != 2 || got.Number != 2 || got.Last.ID != two.ID || got.Broken != "" {
		t.Errorf("got %+v, want the second decision's state", got)
	}
	if got.Evidence != nil {
		t.Errorf("evidence of step %d came with a state of step %d", got.Evidence.Step, got.State.Step)
	}
}

func TestJournal_StateNewerThanItsLine_TheStateWins(t *testing.T) {
	fs := new(Memory)
	j, _ := mustOpen(t, "s", fs)
	one, two := decided("checkout", 1, 0, 100), decided("checkout", 2, 100, 0)
	must(t, j.Save(Saved{Rollouts: map[string]Record{"checkout": recordOf(two)}})) // the disk took no line then
	must(t, j.Append(one))                                                         // and took an older one late
	must(t, j.Close())
	_, r := mustOpen(t, "s", fs)
	if got := r.Rollouts["checkout"]; got.State.Weight != 0 || got.State.Version != 2 {
		t.Errorf("got %+v, want version 2", got.State)
	}
}

func TestJournal_LinesWithoutAnyState_AreEnough(t *testing.T) {
	fs := new(Memory)
	j, _ := mustOpen(t, "s", fs)
	must(t, j.Append(decided("checkout", 1, 0, 100)))
	must(t, j.Close())
	_, r := mustOpen(t, "s", fs)
	if got := r.Rollouts["checkout"]; r.Fresh || r.Broken != "" || got.State.Weight != 100 {
		t.Errorf("got %+v", r)
	}
}

func TestJournal_UnfinishedLastLine_IsCutAndWritingGoesOn(t *testing.T) {
	fs := new(Memory)
	j, _ := mustOpen(t, "s", fs)
	must(t, j.Append(decided("checkout", 1, 0, 100)))
	must(t, j.Close())
	whole, err := fs.ReadFile("s/" + linesName)
	must(t, err)
	next, err := EncodeEntry(Entry{Seq: 2, Rollout: "checkout", Decision: gate.Decision{From: 100, To: 500}})
	must(t, err)
	fs.WriteFile("s/"+linesName, append(whole, next[:len(next)/2]...))

	j, r := mustOpen(t, "s", fs)
	if got := r.Rollouts["checkout"]; got.State.Weight != 100 || got.Broken != "" || len(r.Warnings) == 0 {
		t.Errorf("got %+v, warnings %q", got, r.Warnings)
	}
	must(t, j.Append(decided("checkout", 2, 100, 500)))
	got, err := j.Decisions("checkout", time.Time{}, 10)
	must(t, err)
	if len(got) != 2 || got[0].Seq != 2 || got[1].Seq != 1 {
		t.Errorf("got %d decisions: %+v", len(got), got)
	}
}

func TestJournal_UnfinishedLowering_LeavesItsRolloutBroken(t *testing.T) {
	fs := new(Memory)
	j, _ := mustOpen(t, "s", fs)
	must(t, j.Append(decided("checkout", 1, 0, 100), decided("search", 1, 0, 500)))
	must(t, j.Close())
	whole, err := fs.ReadFile("s/" + linesName)
	must(t, err)
	lower := decided("checkout", 2, 100, 0)
	lower.Seq = 3
	line, err := EncodeEntry(lower)
	must(t, err)
	fs.WriteFile("s/"+linesName, append(whole, line[:len(line)-20]...))
	_, r := mustOpen(t, "s", fs)
	if r.Rollouts["checkout"].Broken == "" || r.Rollouts["search"].Broken != "" {
		t.Errorf("got %q and %q, want only checkout broken", r.Rollouts["checkout"].Broken, r.Rollouts["search"].Broken)
	}
}

func TestJournal_StateUnreadable_UsesThePreviousGenerationAndKeepsIt(t *testing.T) {
	for name, damage := range map[string][]byte{
		"empty": {}, "torn": []byte(`{"v":1,"crc":"00`), "garbage": []byte("\x00\xff no json"),
		"newer schema": []byte(`{"v":99,"crc":"00000000","state":{}}`), "old schema": []byte(`{"state":{}}`),
	} {
		t.Run(name, func(t *testing.T) {
			fs := new(Memory)
			j, _ := mustOpen(t, "s", fs)
			one, two := decided("checkout", 1, 0, 100), decided("checkout", 2, 100, 500)
			must(t, j.Append(one))
			must(t, j.Save(Saved{Rollouts: map[string]Record{"checkout": recordOf(one)}}))
			must(t, j.Append(two))
			must(t, j.Save(Saved{Rollouts: map[string]Record{"checkout": recordOf(two)}}))
			must(t, j.Close())
			fs.WriteFile("s/"+stateName, damage)

			j, r := mustOpen(t, "s", fs)
			if got := r.Rollouts["checkout"]; got.State.Weight != 500 || got.State.Version != 2 || r.Broken != "" {
				t.Fatalf("got %+v, broken %q, want the previous generation and the line after it", got.State, r.Broken)
			}
			if len(r.Warnings) == 0 {
				t.Error("nobody was warned")
			}
			prev, err := fs.ReadFile("s/" + statePrevName)
			must(t, err)
			must(t, j.Save(Saved{Rollouts: r.Rollouts}))
			if now, _ := fs.ReadFile("s/" + statePrevName); string(now) != string(prev) {
				t.Error("the unreadable state replaced the readable previous one")
			}
			must(t, j.Close())
			if _, r := mustOpen(t, "s", fs); r.Rollouts["checkout"].State.Weight != 500 || len(r.Warnings) != 0 {
				t.Errorf("after saving: got %+v", r)
			}
		})
	}
}

func TestJournal_NoStateReadable_IsBroken(t *testing.T) {
	fs := new(Memory)
	j, _ := mustOpen(t, "s", fs)
	one := decided("checkout", 1, 0, 100)
	must(t, j.Append(one))
	must(t, j.Save(Saved{Rollouts: map[string]Record{"checkout": recordOf(one)}}))
	must(t, j.Close())
	fs.WriteFile("s/"+stateName, []byte(`{"v":2}`))
	fs.WriteFile("s/"+statePrevName, nil)
	_, r := mustOpen(t, "s", fs)
	if r.Broken == "" || r.Fresh || r.Rollouts["checkout"].Broken == "" {
		t.Errorf("got %+v, want broken", r)
	}
	if !strings.Contains(strings.Join(r.Warnings, "\n"), ErrFuture.Error()) {
		t.Errorf("warnings %q do not name the newer version", r.Warnings)
	}
	kept, err := fs.ReadFile("s/" + stateName + ".unreadable")
	if err != nil || string(kept) != `{"v":2}` {
		t.Errorf("kept %q, %v", kept, err)
	}
}

func TestJournal_Rotation_KeepsTwoGenerationsAndTheOrder(t *testing.T) {
	fs := new(Memory)
	j, _, err := Open("s", Options{FS: fs, RotateBytes: 4000})
	must(t, err)
	const n = 100
	for i := 1; i <= n; i++ {
		must(t, j.Append(decided("checkout", i, 100, 200)))
	}
	got, err := j.Decisions("checkout", time.Time{}, 1000)
	must(t, err)
	if len(got) < 4 || got[0].Seq != n {
		t.Fatalf("got %d decisions, newest %d", len(got), got[0].Seq)
	}
	for i := range got {
		if got[i].Seq != uint64(n-i) {
			t.Fatalf("decision %d has number %d, want %d", i, got[i].Seq, n-i)
		}
	}
	for _, name := range []string{linesName, linesPrevName} {
		if b, err := fs.ReadFile("s/" + name); err != nil || len(b) > 6000 {
			t.Errorf("%s has %d bytes, %v", name, len(b), err)
		}
	}
	must(t, j.Close())
	j, r := mustOpen(t, "s", fs)
	if r.Rollouts["checkout"].State.Version != n || len(r.Warnings) != 0 {
		t.Errorf("got version %d, warnings %q", r.Rollouts["checkout"].State.Version, r.Warnings)
	}
	if last, enough := j.recent("checkout", time.Time{}, 3); !enough || len(last) != 3 || last[0].Seq != n {
		t.Errorf("from memory: %+v", last)
	}
}

func TestDecisions_SinceLimitAndRollout_Select(t *testing.T) {
	j, _ := mustOpen(t, "s", new(Memory))
	for i := 1; i <= 2*tailEntries; i++ {
		must(t, j.Append(decided([]string{"checkout", "search"}[i%2], i, 0, 100)))
	}
	f := func(rollout string, since time.Time, limit, want int) {
		t.Helper()
		got, err := j.Decisions(rollout, since, limit)
		must(t, err)
		if len(got) != want {
			t.Errorf("%q since %v limit %d: got %d, want %d", rollout, since, limit, len(got), want)
		}
		for i, e := range got {
			if rollout != "" && e.Rollout != rollout || e.At.Before(since) || i > 0 && e.Seq >= got[i-1].Seq {
				t.Errorf("wrong entry %+v", e)
			}
		}
	}
	f("", time.Time{}, 9999, 2*tailEntries)
	f("search", time.Time{}, 9999, tailEntries)
	f("search", time.Time{}, 7, 7)
	f("", time.Time{}, tailEntries+7, tailEntries+7)
	f("", noon.Add((2*tailEntries-9)*time.Minute), 1000, 10)
	f("", noon.Add(200*time.Minute), 9999, 2*tailEntries-199)
	f("nobody", time.Time{}, 10, 0)
	f("", noon.Add(24*time.Hour), 10, 0)
}

func TestSave_KilledBetweenTheRenames_UsesThePreviousGeneration(t *testing.T) {
	fs := new(Memory)
	j, _ := mustOpen(t, "s", fs)
	one := decided("checkout", 1, 0, 100)
	must(t, j.Save(Saved{Rollouts: map[string]Record{"checkout": recordOf(one)}}))
	must(t, j.Close())
	must(t, fs.Rename("s/"+stateName, "s/"+statePrevName))
	_, r := mustOpen(t, "s", fs)
	if r.Rollouts["checkout"].State.Weight != 100 || r.Broken != "" || r.Fresh {
		t.Errorf("got %+v", r)
	}
}

func TestLines_LongerThanTheBound_AreDamagedNotRead(t *testing.T) {
	text := "short\n" + strings.Repeat("x", maxLineBytes+5) + "\nlast\nrest"
	l := newLines(strings.NewReader(text))
	for i, want := range []string{"short", "", "last"} {
		got, err := l.next()
		if err != nil || string(got) != want {
			t.Errorf("line %d: got %d bytes, %v, want %q", i, len(got), err, want)
		}
	}
	if rest, err := l.next(); err != io.EOF || string(rest) != "rest" {
		t.Errorf("got %q, %v", rest, err)
	}
}

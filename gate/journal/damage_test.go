package journal

import (
	"bytes"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/window"
	"serin/router"
)

// aged is a state directory whose last decision lowered the canary from 5 % to 1 %, and whose state files are one decision
// and two decisions behind.
func aged(t testing.TB) *Memory {
	t.Helper()
	fs := new(Memory)
	j, _, err := Open("s", Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	decisions := []Entry{decided("checkout", 1, 0, 100), decided("checkout", 2, 100, 500), decided("checkout", 3, 500, 100)}
	for i, e := range decisions {
		if err := j.Append(e); err != nil {
			t.Fatal(err)
		}
		e.Seq = uint64(i + 1)
		r := recordOf(e)
		r.Mask, r.Last = nil, nil // smaller files, fewer offsets
		if i < 2 {
			if err := j.Save(Saved{Rollouts: map[string]Record{"checkout": r}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return fs
}

// reopen opens a copy of the directory with one file replaced. The weight is the one a loop would restore.
func reopen(t testing.TB, from *Memory, name string, content []byte) (router.Weight, *Restored) {
	t.Helper()
	fs := new(Memory)
	for _, n := range []string{linesName, stateName, statePrevName} {
		b, err := from.ReadFile("s/" + n)
		if err != nil {
			t.Fatal(err)
		}
		fs.WriteFile("s/"+n, b)
	}
	fs.WriteFile("s/"+name, content)
	j, r, err := Open("s", Options{FS: fs})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if _, err := j.Decisions("", time.Time{}, 100); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := j.Append(decided("checkout", 9, 100, 0)); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	got := r.Rollouts["checkout"]
	if r.Broken != "" || got.Broken != "" {
		return 0, r
	}
	return got.State.Weight, r
}

func TestOpen_OneByteFlippedAnywhere_NeverRestoresAHigherWeight(t *testing.T) {
	fs := aged(t)
	for _, name := range []string{linesName, stateName, statePrevName} {
		whole, err := fs.ReadFile("s/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for at := range whole {
			flip := []byte{0x01, 0x80, 0xff}[at%3]
			damaged := bytes.Clone(whole)
			damaged[at] ^= flip
			if w, r := reopen(t, fs, name, damaged); w > 100 {
				t.Fatalf("%s, byte %d ^ %#x: weight %d restored, 100 was decided last (%q)", name, at, flip, w, r.Warnings)
			}
		}
	}
}

func TestOpen_CutAnywhere_RestoresALowerWeightOrADecisionThatWasWhole(t *testing.T) {
	fs := aged(t)
	for _, name := range []string{stateName, statePrevName} {
		whole, _ := fs.ReadFile("s/" + name)
		for at := range whole {
			if w, r := reopen(t, fs, name, whole[:at]); w > 100 {
				t.Fatalf("%s cut at %d: weight %d restored (%q)", name, at, w, r.Warnings)
			}
		}
	}
	// A journal cut inside its last line: the lowering counts as soon as its head is there.
	whole, _ := fs.ReadFile("s/" + linesName)
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	head := last + bytes.Index(whole[last:], []byte(`,"entry":`)) + len(`,"entry":`)
	for at := range whole {
		w, r := reopen(t, fs, linesName, whole[:at])
		if want := router.Weight(500); at >= head && w != 0 || w > want {
			t.Fatalf("%s cut at %d of %d (last line from %d): weight %d restored (%q)", linesName, at, len(whole), last, w, r.Warnings)
		}
	}
}

func TestOpen_BadLineInTheMiddle_BreaksOnlyRolloutsWithoutALaterDecision(t *testing.T) {
	fs := new(Memory)
	j, _ := mustOpen(t, "s", fs)
	must(t, j.Append(decided("checkout", 1, 0, 100), decided("search", 1, 0, 100)))
	must(t, j.Save(Saved{Rollouts: map[string]Record{"checkout": recordOf(decided("checkout", 1, 0, 100)), "search": recordOf(decided("search", 1, 0, 100))}}))
	must(t, j.Append(decided("checkout", 2, 100, 500)))
	must(t, j.Append(decided("search", 2, 100, 500)))
	must(t, j.Close())
	whole, _ := fs.ReadFile("s/" + linesName)
	lines := bytes.SplitAfter(whole, []byte("\n"))
	f := func(name string, content []byte) {
		t.Helper()
		fs.WriteFile("s/"+linesName, content)
		j, r := mustOpen(t, "s", fs)
		defer j.Close()
		if r.Rollouts["checkout"].Broken == "" || r.Rollouts["search"].Broken != "" || r.Rollouts["search"].State.Weight != 500 {
			t.Errorf("%s: got %q and %q, want only checkout broken", name, r.Rollouts["checkout"].Broken, r.Rollouts["search"].Broken)
		}
	}
	damaged := bytes.Clone(lines[2])
	damaged[len(damaged)/2] ^= 4
	f("damaged", bytes.Join([][]byte{lines[0], lines[1], damaged, lines[3]}, nil))
	f("missing", bytes.Join([][]byte{lines[0], lines[1], lines[3]}, nil))
	fs.WriteFile("s/"+linesName, bytes.Join([][]byte{damaged, lines[1], lines[2], lines[3]}, nil))
	if _, r := mustOpen(t, "s", fs); r.Rollouts["checkout"].Broken != "" {
		t.Errorf("a damaged line that the state includes broke the rollout: %q", r.Warnings)
	}
}

func FuzzDecodeState(f *testing.F) {
	whole, err := EncodeState(Saved{Seq: 3, Rollouts: map[string]Record{"checkout": recordOf(decided("checkout", 1, 0, 100))}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte(`{"v":2,"crc":"","state":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeState(b)
		if err != nil {
			return
		}
		again, err := EncodeState(s)
		if err != nil {
			t.Fatalf("decoded but not encoded: %v", err)
		}
		if _, err := DecodeState(again); err != nil {
			t.Fatalf("encoded but not decoded: %v", err)
		}
		// Bytes with a right checksum, whatever is in them, must not break what reads them next.
		for _, r := range s.Rollouts {
			if r.Evidence != nil {
				_ = window.NewTracker(window.TrackerOptions{}).UnmarshalJSON(r.Evidence.Tracker)
			}
		}
	})
}

// FuzzDecodeStateContent puts arbitrary bytes behind a right checksum: the fuzzer would never guess one.
func FuzzDecodeStateContent(f *testing.F) {
	whole, err := EncodeState(Saved{Seq: 3, Rollouts: map[string]Record{"checkout": recordOf(decided("checkout", 1, 0, 100))}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole[bytes.Index(whole, []byte(`"state":`))+len(`"state":`) : len(whole)-2])
	f.Fuzz(func(t *testing.T, b []byte) {
		file := append([]byte(`{"v":1,"crc":"`+checksum(b)+`","state":`), b...)
		s, err := DecodeState(append(file, '}'))
		if err != nil {
			return
		}
		for name, r := range s.Rollouts {
			if r.State.Weight > router.Full || r.State.Stage < 0 {
				t.Fatalf("rollout %s has an impossible state: %+v", name, r.State)
			}
		}
	})
}

func FuzzDecodeJournal(f *testing.F) {
	line, err := EncodeEntry(decided("checkout", 1, 0, 100))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add(append(line, line[:50]...))
	f.Add([]byte("\n\n{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fs := new(Memory)
		fs.WriteFile("s/"+linesName, b)
		j, r, err := Open("s", Options{FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		for name, record := range r.Rollouts {
			if record.State.Weight > router.Full {
				t.Fatalf("rollout %s restored at %d", name, record.State.Weight)
			}
		}
		if _, err := j.Decisions("", time.Time{}, 10); err != nil {
			t.Fatal(err)
		}
		e := decided("fuzzed", 1, 0, 100)
		if err := j.Append(e); err != nil {
			t.Fatal(err)
		}
		got, err := j.Decisions("fuzzed", time.Time{}, 1)
		if err != nil || len(got) != 1 || got[0].ID != e.ID {
			t.Fatalf("appended, but read %+v, %v", got, err)
		}
	})
}

func TestEncodeEntry_EndlessOdds_AreWritten(t *testing.T) {
	zero := 0.0
	e := decided("checkout", 1, 0, 100)
	nan, inf := zero/zero, 1/zero
	e.Decision.Findings = []gate.Finding{{Metric: "m", PassOdds: inf, Difference: nan, FailNeeds: &inf}}
	line, err := EncodeEntry(e)
	must(t, err)
	got, err := DecodeEntry(line)
	must(t, err)
	if f := got.Decision.Findings[0]; f.PassOdds != greatest || f.Difference != 0 || f.FailNeeds != nil {
		t.Errorf("got %+v", f)
	}
}

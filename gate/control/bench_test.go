package control

import (
	"encoding/json"
	"testing"
	"time"

	"serin/gate/criterion"
	"serin/gate/journal"
	"serin/gate/window"
	"serin/router"
)

// BenchmarkTick is one look at one rollout with 10,000 users on its meters: reading, judging, publishing; with windows
// recorded for a replay, and without.
func BenchmarkTick(b *testing.B) {
	b.Run("plain", func(b *testing.B) { benchmarkTick(b, silentJournal{}) })
	b.Run("recorded", func(b *testing.B) { benchmarkTick(b, recordingJournal{}) })
}

func benchmarkTick(b *testing.B, j Journal) {
	w := newWorld()
	w.users = true
	hold, err := criterion.ParseLimit("stable + 0.5pt")
	if err != nil {
		b.Fatal(err)
	}
	c, err := criterion.New(criterion.Spec{Metric: "error_rate", Hold: hold})
	if err != nil {
		b.Fatal(err)
	}
	p := policy("checkout", c)
	p.MaxStage, p.HoldTimeout = 10_000*time.Hour, 10_000*time.Hour // a tick is a second of the benchmark's time
	l := New(Options{Plan: planOf(p), Dataplane: w, Journal: j})
	if err := l.Start(); err != nil {
		b.Fatal(err)
	}
	go l.write()
	now := time.Now()
	tick := func() {
		now = now.Add(time.Second)
		l.onTick(now)
		l.dispatch()
		if l.pen.busy {
			l.finished(<-l.pen.done)
		}
	}
	for range 5 {
		tick()
	}
	meters := w.plane("checkout")
	meters.record(router.Stable, window.Success, 100_000)
	meters.record(router.Stable, window.ServerError, 1000)
	meters.record(router.Canary, window.Success, 1000)
	meters.record(router.Canary, window.ServerError, 12)
	b.ReportAllocs()
	for b.Loop() {
		meters.record(router.Stable, window.Success, 1) // a window that says nothing new is not recorded
		tick()
	}
	b.StopTimer()
	close(l.pen.jobs)
	if !l.rollouts[0].underway() {
		b.Fatalf("phase %s", l.rollouts[0].state.Phase)
	}
}

// recordingJournal encodes windows as a journal does, and keeps nothing.
type recordingJournal struct{ silentJournal }

func (recordingJournal) Record(windows ...journal.Window) error {
	for _, w := range windows {
		if _, err := json.Marshal(w); err != nil {
			return err
		}
	}
	return nil
}

type silentJournal struct{}

func (silentJournal) Append(...journal.Entry) error { return nil }
func (silentJournal) Save(s journal.Saved) error {
	_, err := journal.EncodeState(s)
	return err
}

func (silentJournal) Decisions(string, time.Time, int) ([]journal.Entry, error) { return nil, nil }

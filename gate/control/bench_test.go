package control

import (
	"testing"
	"time"

	"serin/gate"
	"serin/gate/criterion"
	"serin/gate/journal"
	"serin/gate/window"
	"serin/router"
)

// BenchmarkTick is one look at one rollout with 10,000 users on its meters: reading, judging, publishing.
func BenchmarkTick(b *testing.B) {
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
	l := New(Options{Plan: planOf(policy("checkout", c)), Dataplane: w, Journal: silentJournal{}})
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
	p := w.plane("checkout")
	p.record(router.Stable, window.Success, 100_000)
	p.record(router.Stable, window.ServerError, 1000)
	p.record(router.Canary, window.Success, 1000)
	p.record(router.Canary, window.ServerError, 12)
	b.ReportAllocs()
	for b.Loop() {
		tick()
	}
	b.StopTimer()
	close(l.pen.jobs)
	if l.rollouts[0].state.Phase != gate.Progressing {
		b.Fatalf("phase %s", l.rollouts[0].state.Phase)
	}
}

type silentJournal struct{}

func (silentJournal) Append(...journal.Entry) error { return nil }
func (silentJournal) Save(s journal.Saved) error {
	_, err := journal.EncodeState(s)
	return err
}

func (silentJournal) Decisions(string, time.Time, int) ([]journal.Entry, error) { return nil, nil }

package control

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/criterion"
	"serin/gate/window"
	"serin/router"
)

// BenchmarkTick_Rollouts is one look at many rollouts, of which the first few are busy and the others have counted something
// once: what a quiet rollout costs a second, saving the evidence included.
func BenchmarkTick_Rollouts(b *testing.B) {
	for _, busy := range []int{0, 10} {
		for _, all := range []int{100, 1000} {
			b.Run(fmt.Sprintf("all=%d/busy=%d", all, busy), func(b *testing.B) { benchmarkRollouts(b, all, busy) })
		}
	}
}

func benchmarkRollouts(b *testing.B, all, busy int) {
	hold, err := criterion.ParseLimit("stable + 0.5pt")
	if err != nil {
		b.Fatal(err)
	}
	c, err := criterion.New(criterion.Spec{Metric: "error_rate", Hold: hold})
	if err != nil {
		b.Fatal(err)
	}
	w := newWorld()
	w.users, w.tellsQuiet = true, true
	policies := make([]*gate.Policy, all)
	for i := range policies {
		policies[i] = policy("r"+strconv.Itoa(i), c)
	}
	l := New(Options{Plan: planOf(policies...), Dataplane: w, Journal: silentJournal{}})
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
	record := func(p *plane, n int) {
		p.record(router.Stable, window.Success, n)
		p.record(router.Canary, window.Success, n/10)
	}
	for range 5 {
		tick()
	}
	for _, r := range l.rollouts {
		record(w.plane(r.name), 1000)
	}
	for range 120 {
		tick()
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, r := range l.rollouts[:busy] {
			record(w.plane(r.name), 100)
		}
		tick()
	}
	b.StopTimer()
	close(l.pen.jobs)
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(all), "us/rollout")
}

package sim

import (
	"fmt"
	"time"

	"serin/gate"
)

// hardCells are worlds beyond gate.md's table: canaries exactly at a limit, which show what a crossing lets pass, and what
// operators meet besides. They come last, so that the others keep their seeds.
func hardCells() []cell {
	out := append(limitCells(), crowdCells()...)
	out = append(out, sparseCells()...)
	return append(out, hangCells()...)
}

// limitCells hold each crossing to its 5 %: the first stage must exclude +2 points, the last crossing +0.5.
func limitCells() (out []cell) {
	for _, rps := range []float64{200, 2000} {
		out = append(out,
			cell{
				group: "at the limit", name: "+2 points exactly, " + label(rps, .01), world: plain(rps, .01, .02), naive: true, times: 2,
				bar: "at most 5 % leave 1 %", clears: leftAtMost(.05),
			},
			cell{
				group: "at the limit", name: "+0.5 points exactly, " + label(rps, .01), world: plain(rps, .01, .005), naive: true, times: 2,
				bar: "at most 5 % reach 100 %", clears: reachedAtMost(.05),
			})
	}
	return out
}

// crowdCells are about everybody, or about one who is nearly that.
func crowdCells() []cell {
	lasting, day := plain(200, .01, 0), plain(200, .01, 0)
	lasting.Outage = Outage{At: 20 * time.Minute, For: 24 * time.Hour, Error: .5}
	day.Swing = Swing{Share: .8, Period: 24 * time.Hour}
	few, skew := plain(200, .01, 0), plain(200, .01, 0)
	few.Users, few.ICC = 2000, .2
	skew.Heavy = Heavy{Share: .3, Error: .01}
	return []cell{
		{
			group: "shared trouble", name: "outage of 50 % that does not end, both arms", world: lasting, good: true, naive: true,
			bar: "no rollback, held with stable_unhealthy", clears: all(neverRolledBack, heldFor(gate.StableUnhealthy)),
		},
		{
			group: "shared trouble", name: "a day's swing of +-80 %", world: day, good: true, naive: true,
			bar: "no rollback, promoted", clears: all(neverRolledBack, reachedAtLeast(.95)),
		},
		{
			group: "users", name: "ICC 0.2, only 2,000 users", world: few, good: true, naive: true,
			bar: "no rollback", clears: neverRolledBack,
		},
		{
			group: "users", name: "one user with 30 % of the traffic, no worse than others", world: skew, good: true, naive: true,
			bar: "no rollback, held with skewed_keys", clears: all(neverRolledBack, neverPromoted, heldFor(gate.SkewedKeys)),
		},
	}
}

// sparseCells are about too little traffic to judge: six requests an hour on the canary.
func sparseCells() (out []cell) {
	for _, policy := range []string{"extend", "widen", "ask"} {
		w := plain(.2, .01, 0)
		w.Horizon = 12 * time.Hour
		c := cell{
			group: "tiny traffic", name: fmt.Sprintf("0.2 rps, no difference, sparse = %q", policy), world: w, good: true, naive: true,
			bar: "no rollback", clears: neverRolledBack,
			shape: func(p *gate.Policy) { p.Sparse, p.MaxStage, p.WidenMax = policy, 6*time.Hour, 500 },
		}
		if policy == "widen" {
			c.bar += ", widened to 5 %"
			c.clears = all(c.clears, leftAtLeast(.99))
		} else {
			c.bar += ", nobody new on the canary"
			c.clears = all(c.clears, leftAtMost(.01))
		}
		out = append(out, c)
	}
	w := plain(.2, .01, .5)
	w.Horizon = 12 * time.Hour
	return append(out, cell{
		group: "tiny traffic", name: "0.2 rps, +50 points", world: w, naive: true, bar: "never promoted", clears: neverPromoted,
		shape: func(p *gate.Policy) { p.MaxStage = 6 * time.Hour },
	})
}

// hangCells are canaries that do not answer. An error never comes where the clients go away before the timeout, so a
// latency gate has to see it.
func hangCells() []cell {
	world := func(h Hang) World {
		w := plain(200, .01, 0)
		w.Latency = Latency{Median: 50 * time.Millisecond, Sigma: .7}
		w.Hang = h
		return w
	}
	late := world(Hang{})
	late.Latency.Slower, late.Onset = 1.5, 20*time.Minute
	caught := func(within time.Duration) func(Summary) error {
		return all(neverPromoted, rolledBackAtLeast(.95), endsWithin(within))
	}
	timeout := 30 * time.Second
	return []cell{
		{
			group: "a canary that hangs", name: "all requests, timeout after 30 s", world: world(Hang{Share: 1, After: timeout}), latency: true,
			naive: true, bar: "rolled back within a minute", clears: caught(time.Minute),
		},
		{
			group: "a canary that hangs", name: "every tenth request, timeout after 30 s", world: world(Hang{Share: .1, After: timeout}), latency: true,
			naive: true, bar: "rolled back within 2 min", clears: caught(2 * time.Minute),
		},
		{
			group: "a canary that hangs", name: "all requests, clients leave after 10 s", world: world(Hang{Share: 1, After: timeout, Patience: 10 * time.Second}),
			latency: true, naive: true, bar: "rolled back soon after the warm-up of 2 min", clears: caught(4 * time.Minute),
		},
		{
			group: "a canary that hangs", name: "every tenth request, clients leave after 10 s", world: world(Hang{Share: .1, After: timeout, Patience: 10 * time.Second}),
			latency: true, naive: true, bar: "rolled back soon after the warm-up of 2 min", clears: caught(6 * time.Minute),
		},
		{
			group: "latency", name: "p95 x1.5 from minute 20, 200 rps", world: late, latency: true,
			bar: "caught within 5 min", clears: caught(25 * time.Minute),
		},
	}
}

func leftAtMost(p float64) func(Summary) error {
	return func(s Summary) error {
		if tail(s.Runs, s.Left, p) < .001 {
			return fmt.Errorf("%d of %d left the first stage, want at most %g %%", s.Left, s.Runs, p*100)
		}
		return nil
	}
}

func leftAtLeast(p float64) func(Summary) error {
	return func(s Summary) error {
		if tail(s.Runs, s.Runs-s.Left, 1-p) < .001 {
			return fmt.Errorf("%d of %d got more users, want at least %g %%", s.Left, s.Runs, p*100)
		}
		return nil
	}
}

func reachedAtMost(p float64) func(Summary) error {
	return func(s Summary) error {
		if tail(s.Runs, s.Reached, p) < .001 {
			return fmt.Errorf("%d of %d reached 100 %%, want at most %g %%", s.Reached, s.Runs, p*100)
		}
		return nil
	}
}

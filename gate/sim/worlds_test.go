package sim

import (
	"fmt"
	"math"
	"slices"
	"time"

	"serin/gate"
	"serin/gate/criterion"
	"serin/gate/ladder"
	"serin/router"
)

// barsEvery is the least time of a stage in the bars' policy.
const barsEvery = 15 * time.Minute

// barsPolicy is gate.md's: ladder 1-5-25-100, 15 min a stage, hold +0.5 points, rollback +2 points, no hold_timeout; with
// latency also p95 within 10 %, rollback at +50 %.
func barsPolicy(latency bool) (*gate.Policy, error) {
	stages, err := ladder.Parse([]string{"1%", "5%", "25%", "100%"})
	if err != nil {
		return nil, err
	}
	for i := range stages {
		stages[i].Least = barsEvery
	}
	p := &gate.Policy{
		Rollout: "bars", Route: "bars", Revision: "v2", StableRevision: "v1", Stages: stages,
		MaxStage: 1000 * time.Hour, Warmup: 2 * time.Minute, Sparse: "extend", OnFail: "rollback", OnHoldTimeout: "ask",
		Holdback: router.Full / 100, KeepOld: time.Hour, AlphaFail: .01, AlphaPass: .05,
	}
	texts := [][3]string{{"error_rate", "stable + 0.5pt", "stable + 2pt"}}
	if latency {
		texts = append(texts, [3]string{"latency_p95", "stable * 1.10", "stable * 1.50"})
	}
	for _, t := range texts {
		hold, err := criterion.ParseLimit(t[1])
		if err != nil {
			return nil, err
		}
		roll, err := criterion.ParseLimit(t[2])
		if err != nil {
			return nil, err
		}
		c, err := criterion.New(criterion.Spec{Metric: t[0], Hold: hold, Rollback: roll})
		if err != nil {
			return nil, err
		}
		p.Criteria = append(p.Criteria, c)
	}
	return p, nil
}

// cell is one world of gate.md, section 10, and what it must show.
type cell struct {
	group   string
	name    string
	world   World
	latency bool               // judged with the latency gate too
	naive   bool               // the naive rules play it as well
	good    bool               // a healthy release: rolling it back is wrong; else promoting it is
	shape   func(*gate.Policy) // what it asks of the policy besides; nil: nothing
	times   int                // so many times as many runs; 0 is 1
	bar     string
	clears  func(Summary) error
}

// cells are all worlds of the table, in its order.
func cells() []cell {
	return slices.Concat(
		nullCells(), worseCells(), bandCells(), sharedCells(), userCells(), onsetCells(), latencyCells(),
		hardCells())
}

func plain(rps, p, harm float64) World {
	return World{RPS: rps, StableError: p, CanaryError: p + harm, Horizon: 4 * time.Hour}
}

func each(f func(rps, p float64)) {
	for _, rps := range []float64{20, 200, 2000} {
		for _, p := range []float64{.001, .01, .05} {
			f(rps, p)
		}
	}
}

func label(rps, p float64) string { return fmt.Sprintf("%g rps, %g %% errors", rps, p*100) }

func nullCells() (out []cell) {
	each(func(rps, p float64) {
		c := cell{group: "no difference", name: label(rps, p), world: plain(rps, p, 0), good: true, naive: true, times: 8}
		c.bar, c.clears = "at most 1 % rolled back", rolledBackAtMost(.01)
		switch {
		case rps >= 200:
			c.bar += ", 100 % after 45 min (the least time)"
			c.clears = all(c.clears, reachedBy(44*time.Minute, 46*time.Minute))
		case p == .01:
			c.world.Horizon = 3 * time.Hour
			c.bar += ", 100 % after about 60 min"
			c.clears = all(c.clears, reachedBy(44*time.Minute, 75*time.Minute))
		}
		out = append(out, c)
	})
	return out
}

func worseCells() (out []cell) {
	for _, harm := range []float64{.02, .03} {
		each(func(rps, p float64) {
			c := cell{group: fmt.Sprintf("+%g points", harm*100), name: label(rps, p), world: plain(rps, p, harm), naive: true}
			c.bar, c.clears = "never promoted", neverPromoted
			if harm == .03 && rps == 200 && p == .01 {
				c.times = 5
				c.bar = "never promoted; rolled back in about 4 min and 500 canary requests"
				c.clears = all(neverPromoted, rolledBackAtLeast(.95), endsWithin(5*time.Minute), requestsWithin(650))
			}
			out = append(out, c)
		})
	}
	return append(out, cell{
		group: "x10", name: label(200, .01), world: plain(200, .01, .09), naive: true, times: 5, bar: "rolled back within a minute",
		clears: all(neverPromoted, rolledBackAtLeast(.99), endsWithin(time.Minute)),
	})
}

func bandCells() (out []cell) {
	for _, rps := range []float64{20, 200, 2000} {
		out = append(out, cell{
			group: "+0.7 points", name: label(rps, .01), world: plain(rps, .01, .007), naive: true,
			bar: "held: never promoted, at most 6 % rolled back", clears: all(neverPromoted, rolledBackAtMost(.06)),
		})
	}
	return out
}

func sharedCells() []cell {
	outage, swing := plain(200, .01, 0), plain(200, .01, 0)
	outage.Outage = Outage{At: 20 * time.Minute, For: 2 * time.Minute, Error: .5}
	swing.Swing = Swing{Share: .8, Period: 2 * time.Hour}
	f := func(name string, w World) cell {
		return cell{
			group: "shared trouble", name: name, world: w, good: true, naive: true,
			bar: "no rollback, promoted later", clears: all(neverRolledBack, reachedAtLeast(.95)),
		}
	}
	return []cell{f("outage of 50 % for 2 min in both arms", outage), f("swing of +-80 % in traffic and errors", swing)}
}

func userCells() []cell {
	icc, known, unknown, onCanary := plain(200, .01, 0), plain(200, .01, 0), plain(200, .01, 0), plain(200, .01, 0)
	icc.ICC = .2
	known.Heavy = Heavy{Share: .03, Error: .6, Known: true}
	unknown.Heavy = Heavy{Share: .03, Error: .6}
	onCanary.Heavy = Heavy{Share: .03, Error: .6, OnCanary: true}
	f := func(name string, w World, bar string, clears func(Summary) error) cell {
		return cell{group: "users", name: name, world: w, good: true, naive: true, bar: bar, clears: clears}
	}
	return []cell{
		f("ICC 0.2", icc, "no rollback", neverRolledBack),
		f("one known user: 3 % of traffic, fails 60 %", known, "no rollback", neverRolledBack),
		f("the same user, never seen before", unknown, "no rollback", neverRolledBack),
		f("the same, in the first percent", onCanary, "no rollback, held with one_bucket_dominates",
			all(neverRolledBack, neverPromoted, heldFor(gate.OneBucketDominates))),
	}
}

func onsetCells() []cell {
	w := plain(200, .01, .03)
	w.Onset = 20 * time.Minute
	return []cell{{
		group: "late onset", name: "+3 points at minute 20, 200 rps", world: w, naive: true, times: 5, bar: "caught about 2 min later",
		clears: all(neverPromoted, rolledBackAtLeast(.95), endsWithin(w.Onset+150*time.Second)),
	}}
}

func latencyCells() (out []cell) {
	world := func(rps, slower, cold float64) World {
		w := plain(rps, .01, 0)
		w.Latency = Latency{Median: 50 * time.Millisecond, Sigma: .7, Slower: slower, Cold: cold, ColdFor: time.Minute}
		return w
	}
	f := func(name string, w World, good bool, bar string, clears func(Summary) error) {
		out = append(out, cell{group: "latency", name: name, world: w, latency: true, good: good, bar: bar, clears: clears})
	}
	f("p95 x1.5, 200 rps", world(200, 1.5, 0), false, "rolled back in about 4 min",
		all(neverPromoted, rolledBackAtLeast(.95), endsWithin(6*time.Minute)))
	f("p95 x1.2, 200 rps", world(200, 1.2, 0), false, "held", all(neverPromoted, rolledBackAtMost(.06)))
	for _, rps := range []float64{20, 200, 2000} {
		for _, cold := range []float64{0, 3} {
			name := fmt.Sprintf("no difference, %g rps", rps)
			if cold > 0 {
				name += ", cold start x3 for 60 s"
			}
			w := world(rps, 1, cold)
			bar, clears := "no rollback, promoted", all(rolledBackAtMost(.01), reachedAtLeast(.95))
			if rps == 20 {
				bar, clears = "no rollback", rolledBackAtMost(.01)
			}
			f(name, w, true, bar, clears)
		}
	}
	return out
}

// The bars. Shares are tested one-sided at odds of a thousand, so that few runs are not held to what only many can show;
// "never" is never.

func all(bars ...func(Summary) error) func(Summary) error {
	return func(s Summary) error {
		for _, bar := range bars {
			if err := bar(s); err != nil {
				return err
			}
		}
		return nil
	}
}

func neverPromoted(s Summary) error {
	if s.Reached > 0 {
		return fmt.Errorf("%d of %d reached 100 %%", s.Reached, s.Runs)
	}
	return nil
}

func neverRolledBack(s Summary) error {
	if s.RolledBack > 0 {
		return fmt.Errorf("%d of %d rolled back", s.RolledBack, s.Runs)
	}
	return nil
}

func rolledBackAtMost(p float64) func(Summary) error {
	return func(s Summary) error {
		if tail(s.Runs, s.RolledBack, p) < .001 {
			return fmt.Errorf("%d of %d rolled back, want at most %g %%", s.RolledBack, s.Runs, p*100)
		}
		return nil
	}
}

func rolledBackAtLeast(p float64) func(Summary) error {
	return func(s Summary) error {
		if tail(s.Runs, s.Runs-s.RolledBack, 1-p) < .001 {
			return fmt.Errorf("%d of %d rolled back, want at least %g %%", s.RolledBack, s.Runs, p*100)
		}
		return nil
	}
}

func reachedAtLeast(p float64) func(Summary) error {
	return func(s Summary) error {
		if tail(s.Runs, s.Runs-s.Reached, 1-p) < .001 {
			return fmt.Errorf("%d of %d reached 100 %%, want at least %g %%", s.Reached, s.Runs, p*100)
		}
		return nil
	}
}

func reachedBy(from, to time.Duration) func(Summary) error {
	return func(s Summary) error {
		early, late := s.within(s.ReachedAfter.all, from), s.Runs-s.within(s.ReachedAfter.all, to)
		if s.mostly(early) || s.mostly(late) {
			return fmt.Errorf("median time to 100 %% is %v (%d of %d), want %v to %v", s.ReachedAfter.Median, s.Reached, s.Runs, from, to)
		}
		return nil
	}
}

func endsWithin(d time.Duration) func(Summary) error {
	return func(s Summary) error {
		if s.mostly(s.RolledBack - s.within(s.RollbackAfter.all, d)) {
			return fmt.Errorf("median rollback after %v, want at most %v", s.RollbackAfter.Median, d)
		}
		return nil
	}
}

func requestsWithin(n uint64) func(Summary) error {
	return func(s Summary) error {
		over := 0
		for _, r := range s.CanaryRequests.all {
			if r > n {
				over++
			}
		}
		if s.mostly(over) {
			return fmt.Errorf("median of %d canary requests, want at most %d", s.CanaryRequests.Median, n)
		}
		return nil
	}
}

func heldFor(r gate.Reason) func(Summary) error {
	return func(s Summary) error {
		if 10*s.Reasons[r] < 9*s.Runs {
			return fmt.Errorf("%d of %d held with %s, want at least 90 %%", s.Reasons[r], s.Runs, r)
		}
		return nil
	}
}

// mostly reports whether k of the runs are more than half: by count where there are many, else at odds of a thousand.
func (s Summary) mostly(k int) bool {
	if s.Runs >= 100 {
		return 2*k > s.Runs
	}
	return tail(s.Runs, k, .5) < .001
}

// within counts the times of at most d.
func (s Summary) within(times []time.Duration, d time.Duration) (n int) {
	for _, t := range times {
		if t <= d {
			n++
		}
	}
	return n
}

// tail is the chance of k or more of n when each has probability p.
func tail(n, k int, p float64) float64 {
	sum := 0.0
	for i := k; i <= n; i++ {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(i + 1))
		c, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(a - b - c + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}

package sim

import (
	"math"
	"reflect"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/window"
)

func policy(t *testing.T, latency bool) *gate.Policy {
	t.Helper()
	p, err := barsPolicy(latency)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// read draws one stretch of traffic at a weight.
func read(w World, seed uint64, at, dt time.Duration, weight int) (stable, canary *window.Snapshot) {
	tr := newTraffic(w, seed)
	stable, canary = &window.Snapshot{Users: newUsers()}, &window.Snapshot{Users: newUsers()}
	tr.tick(at, dt, weight, stable, canary)
	return stable, canary
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance {
		t.Errorf("%s: got %v, want %v +- %v", what, got, want, tolerance)
	}
}

func TestTraffic_HasTheWorldsRatesAndShares(t *testing.T) {
	t.Parallel()
	for name, dt := range map[string]time.Duration{"in small draws": 20 * time.Second, "user by user": 200 * time.Second} {
		w := World{RPS: 1000, StableError: .02, CanaryError: .05, Heavy: Heavy{Share: .1, Error: .5}}
		s, c := read(w, 3, 0, dt, 2500)
		n := 1000 * dt.Seconds()
		all, heavy := s.Everyone(window.BadKind).N+c.Everyone(window.BadKind).N, .1*n
		near(t, name+": requests", all, n, 5*math.Sqrt(n))
		rest := func(s *window.Snapshot, heavy float64) window.Counts {
			k := s.Counts(window.BadKind)
			return window.Counts{X: k.X - heavy*.5, N: k.N - heavy}
		}
		tr := newTraffic(w, 3)
		onCanary := 0.0
		if tr.heavy < 2500 {
			onCanary = 1
		}
		cs, cc := rest(s, heavy*(1-onCanary)), rest(c, heavy*onCanary)
		near(t, name+": canary's share", cc.N/(cs.N+cc.N), .25, .02)
		near(t, name+": stable's errors", cs.Rate(), .02, .01)
		near(t, name+": canary's errors", cc.Rate(), .05, .02)
		users, bad := 0.0, 0.0
		for b := range s.Users[window.All] {
			if b < 2500 && s.Users[window.All][b] > 0 || b >= 2500 && c.Users[window.All][b] > 0 {
				t.Fatalf("%s: bucket %d is on both arms", name, b)
			}
			users += float64(s.Users[window.All][b] + c.Users[window.All][b])
			bad += float64(s.Users[window.BadKind][b] + c.Users[window.BadKind][b])
		}
		if x := s.Everyone(window.BadKind).X + c.Everyone(window.BadKind).X; users != all || bad != x {
			t.Errorf("%s: buckets hold %v of %v requests and %v of %v errors", name, users, all, bad, x)
		}
	}
}

func TestTraffic_CorrelatedUsers_HaveTheirDesignEffect(t *testing.T) {
	t.Parallel()
	w := World{RPS: 2000, StableError: .02, CanaryError: .02, ICC: .05}
	s, _ := read(w, 5, 0, 100*time.Second, 0) // 20 requests a user
	got := window.CrowdOf(window.BadKind, s.Users, nil, nil).DesignEffect
	near(t, "design effect", got, 1+20*.05, .2) // Poisson arrivals: 1 + mean * ICC
	near(t, "error rate", s.Counts(window.BadKind).Rate(), .02, .002)
}

func TestTraffic_OnsetAndOutage_ComeWhenTheyShould(t *testing.T) {
	t.Parallel()
	w := World{RPS: 2000, StableError: .01, CanaryError: .2, Onset: time.Hour, Outage: Outage{At: 10 * time.Minute, For: time.Minute, Error: .5}}
	for at, want := range map[time.Duration][2]float64{
		0: {.01, .01}, 10 * time.Minute: {.51, .51}, 11 * time.Minute: {.01, .01}, time.Hour: {.01, .2},
	} {
		s, c := read(w, 6, at, 5*time.Second, 5000)
		near(t, at.String()+" stable", s.Counts(window.BadKind).Rate(), want[0], .04)
		near(t, at.String()+" canary", c.Counts(window.BadKind).Rate(), want[1], .04)
	}
}

func TestTraffic_BetterCanary_HasFewerErrors(t *testing.T) {
	t.Parallel()
	_, c := read(World{RPS: 10000, StableError: .04, CanaryError: .01}, 7, 0, 5*time.Second, 5000)
	near(t, "canary", c.Counts(window.BadKind).Rate(), .01, .004)
}

func TestTraffic_Latency_IsLognormalWithTheCanarysFactors(t *testing.T) {
	t.Parallel()
	w := World{RPS: 4000, Latency: Latency{Median: 50 * time.Millisecond, Sigma: .5, Slower: 2, Cold: 3, ColdFor: time.Minute}}
	tr := newTraffic(w, 8)
	look := func(at time.Duration) (s, c window.Snapshot) {
		tr.tick(at, 5*time.Second, 5000, &s, &c)
		return s, c
	}
	ms := func(h *window.Hist, q float64) float64 { return h.Quantile(q).Seconds() * 1000 }
	s, cold := look(0)
	_, warm := look(2 * time.Minute)
	near(t, "stable p50", ms(&s.Latency, .5), 50, 2)
	near(t, "stable p95", ms(&s.Latency, .95), 50*math.Exp(1.645*.5), 5)
	near(t, "cold canary p50", ms(&cold.Latency, .5), 300, 12)
	near(t, "warm canary p50", ms(&warm.Latency, .5), 100, 4)
}

func TestTraffic_HugeTraffic_IsDrawnAsCounts(t *testing.T) {
	t.Parallel()
	w := World{RPS: 1e6, StableError: .3, CanaryError: .6, ICC: .1, Latency: Latency{Median: 20 * time.Millisecond, Sigma: .5}}
	s, c := read(w, 10, 0, 5*time.Second, 5000)
	near(t, "stable", s.Counts(window.BadKind).Rate(), .3, .02)
	near(t, "canary", c.Counts(window.BadKind).Rate(), .6, .02)
	near(t, "p50", s.Latency.Quantile(.5).Seconds()*1000, 20, .5)
	if n := s.Latency.Count(); n != s.Outcomes[window.Success] {
		t.Errorf("%d latencies of %d", n, s.Outcomes[window.Success])
	}
}

func TestTraffic_KnownHeavyUser_IsMasked(t *testing.T) {
	t.Parallel()
	w := World{RPS: 200, StableError: .01, CanaryError: .01, Heavy: Heavy{Share: .03, Error: .6, Known: true}}
	tr := newTraffic(w, 9)
	if mask, before := tr.before(); !mask.Has(tr.heavy) || mask.Count() > 20 || before.N == 0 {
		t.Errorf("known: masked %v among %d, %v before", mask.Has(tr.heavy), mask.Count(), before)
	}
	w.Heavy.Known = false
	tr = newTraffic(w, 9)
	if mask, _ := tr.before(); mask.Has(tr.heavy) {
		t.Error("a user that was never seen is masked")
	}
}

func TestRun_SameSeed_SameOutcome(t *testing.T) {
	t.Parallel()
	w := World{RPS: 200, StableError: .01, CanaryError: .03, ICC: .1}
	a, b := Run(policy(t, false), w, 4), Run(policy(t, false), w, 4)
	if !reflect.DeepEqual(a, b) {
		t.Errorf("got %+v, then %+v", a, b)
	}
}

func TestRun_BrokenCanary_IsRolledBackWithItsStory(t *testing.T) {
	t.Parallel()
	o := Run(policy(t, false), World{RPS: 200, StableError: .01, CanaryError: .5}, 1)
	if !o.RolledBack || o.Promoted || o.Reached != 0 || o.Duration > 2*time.Minute || o.Reason != gate.WorseThanStable {
		t.Errorf("got %+v", o)
	}
	last := o.Timeline[len(o.Timeline)-1]
	if last.Decision.Action != gate.ActRollback || last.Decision.To != 0 || last.At != o.Duration {
		t.Errorf("last moment: %v %v", last.At, last.Decision.Action)
	}
	if o.FailedRequests == 0 || o.FailedRequests > o.CanaryRequests {
		t.Errorf("%d failed of %d", o.FailedRequests, o.CanaryRequests)
	}
}

func TestRun_HealthyCanary_IsCompletedStageByStage(t *testing.T) {
	t.Parallel()
	o := Run(policy(t, false), World{RPS: 2000, StableError: .001, CanaryError: .001}, 2)
	if !o.Promoted || o.RolledBack || o.Duration < time.Hour || o.Reached < 45*time.Minute {
		t.Errorf("got promoted %v after %v, 100 %% after %v", o.Promoted, o.Duration, o.Reached)
	}
	stage := 0
	for _, m := range o.Timeline {
		if m.Decision.Action == gate.ActAdvance {
			stage++
			if m.At < time.Duration(stage)*barsEvery {
				t.Errorf("stage %d left after %v", stage, m.At)
			}
		}
	}
	if stage != 3 {
		t.Errorf("got %d advances, want 3", stage)
	}
}

func TestRun_ManualPolicy_IsPlayedByAPerson(t *testing.T) {
	t.Parallel()
	p := *policy(t, false)
	p.ManualStart = true
	p.Stages = append([]gate.Stage(nil), p.Stages...)
	p.Stages[1].Approve = &gate.Approve{}
	if o := Run(&p, World{RPS: 2000, StableError: .001, CanaryError: .001}, 3); !o.Promoted {
		t.Errorf("got %v at %v: %v", o.HeldAt, o.Duration, o.Reason)
	}
}

func TestRun_Horizon_EndsWhatIsHeld(t *testing.T) {
	t.Parallel()
	o := Run(policy(t, false), World{RPS: 2, StableError: .01, CanaryError: .01, Horizon: time.Hour}, 3)
	if o.Promoted || o.RolledBack || o.HeldAt != 100 || o.Duration != time.Hour || o.CanaryRequests == 0 {
		t.Errorf("got %+v", o)
	}
}

func TestDistribution_IsTheSumOfItsRuns(t *testing.T) {
	t.Parallel()
	p, w := policy(t, false), World{RPS: 200, StableError: .01, CanaryError: .05, Horizon: 30 * time.Minute}
	s := Distribution(p, w, 5, 100)
	again := Distribution(p, w, 5, 100)
	if !reflect.DeepEqual(s, again) {
		t.Error("the same arguments gave another answer")
	}
	if s.Runs != 5 || s.Promoted+s.RolledBack+s.Held != 5 || s.RolledBack < 4 {
		t.Errorf("got %+v", s)
	}
	one := Run(p, w, 100)
	found := false
	for _, d := range s.RollbackAfter.all {
		found = found || d == one.Duration
	}
	if one.RolledBack && !found {
		t.Errorf("the first seed's %v is not among %v", one.Duration, s.RollbackAfter.all)
	}
	if got := Distribution(p, w, 0, 1); got.Runs != 0 || got.Duration.Median != 0 {
		t.Errorf("no runs: got %+v", got)
	}
}

func BenchmarkRun(b *testing.B) {
	p, err := barsPolicy(false)
	if err != nil {
		b.Fatal(err)
	}
	for name, rps := range map[string]float64{"rps=200": 200, "rps=2000": 2000} {
		b.Run(name, func(b *testing.B) {
			for seed := uint64(0); b.Loop(); seed++ {
				Run(p, World{RPS: rps, StableError: .001, CanaryError: .001}, seed)
			}
		})
	}
}

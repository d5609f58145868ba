package control

import (
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
	"serin/gate/window"
	"serin/router"
)

// traffic sends rps requests a second by users at random to the rollout's arms until the returned function is called.
func (w *world) traffic(name string, rps int, stable, canary float64) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	rng := rand.New(rand.NewPCG(7, 7))
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-time.After(250 * time.Millisecond):
			}
			w.mu.Lock()
			p := w.planes[name]
			for range rps / 4 {
				bucket := router.Bucket(rng.IntN(router.Buckets))
				m, bad := p.stable, stable
				if p.setting.Weight.Arm(bucket) == router.Canary {
					m, bad = p.canary, canary
				}
				o := window.Success
				if rng.Float64() < bad {
					o = window.ServerError
				}
				m.Record(uint64(bucket), uint16(bucket), o, 20*time.Millisecond)
			}
			w.mu.Unlock()
		}
	}()
	return func() { close(done); <-ended }
}

func errorRate(t *testing.T) gate.Criterion {
	t.Helper()
	return limits(t, "stable + 0.5pt", "stable + 2pt")
}

func TestLoop_RealGate_BadCanaryIsGoneGoodOneIsReleased(t *testing.T) {
	for _, tt := range []struct {
		name   string
		canary float64
		want   gate.Phase
		within time.Duration
	}{
		{"the same 1 % errors", .01, gate.Completed, 20 * time.Minute},
		{"10 % errors", .10, gate.RolledBack, 5 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.users = true
				p := w.start(t, planOf(policy("checkout", errorRate(t))))
				defer p.end()
				synctest.Wait()
				stop := w.traffic("checkout", 400, .01, tt.canary)
				defer stop()
				began, highest := time.Now(), router.Weight(0)
				for time.Since(began) < tt.within && p.rollout(t, "checkout").Phase != tt.want {
					ticks(1)
					highest = max(highest, w.weight("checkout"))
				}
				r := p.rollout(t, "checkout")
				t.Logf("%s after %s, highest weight %s, %s", r.Phase, time.Since(began), highest, r.Sentence)
				if r.Phase != tt.want || tt.want == gate.RolledBack && (highest > 100 || w.weight("checkout") != 0) {
					t.Errorf("%s at %s, highest %s: %v", r.Phase, w.weight("checkout"), highest, r.Sentence)
				}
				if tt.want == gate.Completed && len(r.Recent) == 0 || r.Exposure.Users == 0 || r.Exposure.Requests == 0 {
					t.Errorf("series %d, exposure %+v", len(r.Recent), r.Exposure)
				}
			})
		})
	}
}

func TestPeople_OfRandomUsers_IsWithinFivePercent(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, tt := range []struct{ users, share int }{{10, 100}, {150, 100}, {2500, 2500}, {20_000, 10_000}, {3, 10_000}} {
		const rounds = 20
		sum := 0.0
		for range rounds {
			m := new(window.Mask)
			for range tt.users {
				m.Set(uint16(rng.IntN(tt.share)))
			}
			sum += float64(people(m, tt.share))
		}
		if mean := sum / rounds; math.Abs(mean-float64(tt.users)) > .05*float64(tt.users)+.5 {
			t.Errorf("%d users in %d buckets: estimated %.1f", tt.users, tt.share, mean)
		}
	}
	if got := people(new(window.Mask), 100); got != 0 {
		t.Errorf("nobody is estimated as %d", got)
	}
}

func TestSeries_AnyLength_KeepsItsBoundsAndLosesNoRequest(t *testing.T) {
	var s series
	var total [2]window.Snapshot
	now := time.Now()
	s.attempt()
	s.add(now, 100, &total)
	const points = 5000
	for i := range points {
		now = now.Add(pointEvery)
		total[0].Outcomes[window.Success] += 10
		total[1].Outcomes[window.ServerError]++
		total[1].Latency[window.BinOf(20*time.Millisecond)]++
		if i == points/2 { // a new step
			total = [2]window.Snapshot{}
			s.rebase()
		}
		s.add(now, 100, &total)
	}
	if len(s.recent) != recentPoints || len(s.whole) > wholePoints || len(s.whole) < wholePoints/2-1 {
		t.Errorf("recent %d, whole %d", len(s.recent), len(s.whole))
	}
	requests, errors, length := uint64(0), uint64(0), 0.0
	for _, p := range append(s.whole, s.open...) {
		requests += p.Stable.Requests
		errors += p.Canary.Errors
		length += p.Seconds
		if q := p.Canary.P99; q != 0 && (q < 19*time.Millisecond || q > 21*time.Millisecond) {
			t.Fatalf("a thinned p99 of %s", q)
		}
	}
	if requests != 10*(points-1) || errors != points-1 || length != points*pointEvery.Seconds() {
		t.Errorf("%d requests, %d errors, %.0f s, want %d, %d, %.0f", requests, errors, length, 10*(points-1), points-1, points*pointEvery.Seconds())
	}
}

func TestSettingOf_EveryPhase_SendsOnlyWhomTheStateSays(t *testing.T) {
	p := policy("checkout")
	p.Stages = []gate.Stage{
		{Mirror: 1000}, {Audience: "staff"}, {Audience: "friends"}, {Weight: 500}, {Weight: 10000},
	}
	f := func(name string, s gate.State, want Setting) {
		t.Helper()
		s.Step, want.Step = 3, 3
		if s.Revision == "" {
			s.Revision = "v2"
		}
		want.Revision = "v2"
		if got := settingOf(s, p, nil); !got.equal(want) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	f("waiting", gate.State{Phase: gate.Waiting}, Setting{})
	f("mirror", gate.State{Phase: gate.Progressing, Stage: 1}, Setting{Mirror: 1000})
	f("ring", gate.State{Phase: gate.Holding, Stage: 2, Rings: []string{"staff"}}, Setting{Audiences: []string{"staff"}, Ring: "staff"})
	f("two rings", gate.State{Phase: gate.Paused, Stage: 3, Rings: []string{"staff", "friends"}}, Setting{Audiences: []string{"staff", "friends"}, Ring: "friends"})
	f("a ring that a reload put before", gate.State{Phase: gate.Progressing, Stage: 3, Rings: []string{"friends"}}, Setting{Audiences: []string{"friends"}, Ring: "friends"})
	f("a ring that the file has no more", gate.State{Phase: gate.Progressing, Stage: 3, Rings: []string{"gone", "friends"}}, Setting{Audiences: []string{"friends"}, Ring: "friends"})
	f("weight", gate.State{Phase: gate.AwaitingApproval, Stage: 4, Weight: 500, Rings: []string{"staff", "friends"}}, Setting{Weight: 500, Audiences: []string{"staff", "friends"}})
	f("rolled back", gate.State{Phase: gate.RolledBack, Stage: 4, Rings: []string{"staff"}}, Setting{})
	f("completed", gate.State{Phase: gate.Completed, Stage: 5, Weight: 10000}, Setting{Weight: 10000})
	f("another revision", gate.State{Phase: gate.Progressing, Stage: 4, Weight: 500, Revision: "v1.5"}, Setting{})
	f("outdated stable", gate.State{Phase: gate.Waiting, Stage: 5, Weight: 10000, Revision: "v1.5", Live: "v1.5"}, Setting{Keep: "v1.5"})
}

func TestSetting_Widens_OnlyForNewPeople(t *testing.T) {
	f := func(a, b Setting, want bool) {
		t.Helper()
		if got := a.widens(b); got != want {
			t.Errorf("%+v to %+v: %v, want %v", a, b, got, want)
		}
	}
	f(Setting{Weight: 100}, Setting{Weight: 500}, true)
	f(Setting{Weight: 500}, Setting{Weight: 100}, false)
	f(Setting{}, Setting{Mirror: 1}, true)
	f(Setting{}, Setting{Audiences: []string{"staff"}}, true)
	f(Setting{Audiences: []string{"staff"}}, Setting{Audiences: []string{"staff"}, Weight: 0, Step: 9}, false)
}

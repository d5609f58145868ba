package control

import (
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
	"serin/gate/window"
	"serin/router"
)

// flow records a hundred requests a tick, one in ten of the canary's bad, for n ticks.
func flow(w *world, name string, n int) {
	for range n {
		w.plane(name).record(router.Stable, window.Success, 80)
		w.plane(name).record(router.Canary, window.Success, 18)
		w.plane(name).record(router.Canary, window.ServerError, 2)
		ticks(1)
	}
}

// sum is what points say of all their time together.
func sum(points []Point) (stable, canary, bad uint64, seconds float64) {
	for _, p := range points {
		stable, canary, bad = stable+p.Stable.Requests, canary+p.Canary.Requests, bad+p.Canary.Errors
		seconds += p.Seconds
	}
	return stable, canary, bad, seconds
}

func TestRecall_AfterARestart_TheSeriesGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		plan := planOf(policy("checkout", &scripted{}))
		p := w.start(t, plan)
		ticks(1)
		flow(w, "checkout", 300)
		before := p.rollout(t, "checkout")
		w.kill()
		p.end()

		time.Sleep(time.Hour)
		w = w.reborn()
		p = w.start(t, plan)
		defer p.end()
		ticks(2)
		flow(w, "checkout", 70)
		after := p.rollout(t, "checkout")
		for name, points := range map[string][2][]Point{
			"recent": {before.Recent, after.Recent}, "whole": {before.Whole, after.Whole}, "live": {before.Live, after.Live},
		} {
			was, is := points[0], points[1]
			stable, canary, bad, seconds := sum(is)
			if canary*4 != stable || bad*10 != canary || stable < 80*340 || stable > 80*380 {
				t.Errorf("%s: %d and %d requests, %d bad, of some 370 ticks of 80 and 20, 2 bad", name, stable, canary, bad)
			}
			if seconds < 340 || seconds > 380 {
				t.Errorf("%s: %.0f s, of which the hour of absence is none", name, seconds)
			}
			if len(is) == 0 || len(was) == 0 || !is[0].At.Before(was[len(was)/2].At) || is[len(is)-1].At.Sub(is[0].At) < time.Hour {
				t.Errorf("%s: the points are not those of both lives", name)
			}
			for i := 1; i < len(is); i++ {
				if !is[i].At.After(is[i-1].At) {
					t.Errorf("%s: point %d is not later than the one before", name, i)
				}
				if p := is[i].Canary; p.Requests > 0 && (p.P50 < 15*time.Millisecond || p.P50 > 25*time.Millisecond) {
					t.Errorf("%s: p50 %s at point %d, want 20 ms", name, p.P50, i)
				}
			}
		}
	})
}

func TestRecall_AnotherAttempt_IsNotItsPast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		plan := planOf(policy("checkout", &scripted{}))
		p := w.start(t, plan)
		ticks(1)
		flow(w, "checkout", 100)
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbRollback})
		ticks(1)
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbRetry})
		flow(w, "checkout", 40)
		w.kill()
		p.end()
		w = w.reborn()
		p = w.start(t, plan)
		defer p.end()
		ticks(40)
		if stable, _, _, _ := sum(p.rollout(t, "checkout").Whole); stable > 80*41 {
			t.Errorf("%d requests in the attempt's series, which had 40 ticks of 80", stable)
		}
	})
}

package control

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
	"serin/gate/window"
	"serin/router"
)

// counting is a scripted gate that knows how often it was asked.
type counting struct {
	scripted
	asked atomic.Int32
}

func (c *counting) Judge(q gate.Question) gate.Finding {
	c.asked.Add(1)
	return c.scripted.Judge(q)
}

// took is how often it was asked in n ticks.
func (c *counting) took(n int) int {
	before := c.asked.Load()
	ticks(n)
	return int(c.asked.Load() - before)
}

// quiet starts a rollout of one long stage after another that has had traffic once, and lets it come to rest.
func quiet(t *testing.T, least time.Duration) (*world, *process, *counting) {
	t.Helper()
	w, g := newWorld(), &counting{}
	w.tellsQuiet = true
	pol := policy("checkout", g)
	for i := range pol.Stages {
		pol.Stages[i].Least = least
	}
	p := w.start(t, planOf(pol))
	ticks(2)
	w.plane("checkout").record(router.Stable, window.Success, 90)
	w.plane("checkout").record(router.Canary, window.Success, 10)
	ticks(120)
	return w, p, g
}

func TestTick_QuietRollout_IsSeldomJudgedAndLosesNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p, g := quiet(t, time.Hour)
		defer p.end()
		if n := g.took(600); n < 55 || n > 65 {
			t.Errorf("judged %d times in 600 s, want about 60", n)
		}
		r := p.rollout(t, "checkout")
		if late := 720*time.Second - r.Stage.Elapsed; late < 0 || late > restEvery+2*time.Second {
			t.Errorf("the stage's clock says %s after 722 s", r.Stage.Elapsed)
		}
		if r.Canary.Requests != 10 || r.Exposure.Requests != 10 {
			t.Errorf("canary %+v, exposure %+v, want 10 requests", r.Canary, r.Exposure)
		}
	})
}

func TestTick_RestingRollout_IsJudgedAtOnceWhenAnythingHappens(t *testing.T) {
	for name, happens := range map[string]func(t *testing.T, w *world, p *process){
		"a request": func(_ *testing.T, w *world, _ *process) { w.plane("checkout").record(router.Canary, window.Success, 1) },
		"its pool dies": func(_ *testing.T, w *world, _ *process) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.planes["checkout"].canaryUp = false
		},
		"a person": func(t *testing.T, _ *world, p *process) {
			p.do(t, "checkout", gate.Operator{Verb: gate.VerbPause})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, p, g := quiet(t, time.Hour)
				defer p.end()
				happens(t, w, p)
				if n := g.took(5); n != 5 {
					t.Errorf("judged %d times in the next 5 s, want every second", n)
				}
			})
		})
	}
}

func TestTick_RestingRollout_AdvancesOnTheSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p, g := quiet(t, 3*time.Minute)
		defer p.end()
		g.answer(gate.Pass)
		ticks(57)
		if r := p.rollout(t, "checkout"); r.Stage.Index != 1 {
			t.Fatalf("stage %d after 179 s of 180", r.Stage.Index)
		}
		ticks(3)
		if r := p.rollout(t, "checkout"); r.Stage.Index != 2 {
			t.Errorf("stage %d at %s, want the second right after 180 s", r.Stage.Index, r.Stage.Elapsed)
		}
	})
}

func TestRestart_RestingRollout_KeepsItsEvidenceAndMostOfItsClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p, _ := quiet(t, time.Hour)
		ticks(600)
		w.kill()
		p.end()
		again := w.reborn()
		again.tellsQuiet = true
		p = again.start(t, planOf(policy("checkout", &scripted{})))
		defer p.end()
		r := p.rollout(t, "checkout")
		if r.Stage.Elapsed < 720*time.Second-sealFor-3*restEvery || r.Canary.Requests != 10 {
			t.Errorf("stage clock %s and %d canary requests after the restart", r.Stage.Elapsed, r.Canary.Requests)
		}
	})
}

package control

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/journal"
)

// cutting is a world whose data plane can break what is under way.
type cutting struct {
	*world
	cut []time.Duration // since the test began
	at  time.Time
}

func (c *cutting) Cut(string) { c.cut = append(c.cut, time.Since(c.at)) }

// run is a life of the loop on it, with a request that stays on the canary for ever.
func (c *cutting) run(t *testing.T, plan *config.Plan) (l *Loop, end func()) {
	t.Helper()
	c.at = time.Now()
	c.besides = func(_ string, _ Setting, r *Reading) { r.CanaryInFlight = 1 }
	j, restored, err := journal.Open("s", journal.Options{FS: c.world})
	if err != nil {
		t.Fatal(err)
	}
	l = New(Options{Plan: plan, Dataplane: c, Journal: j, Restored: restored})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	return l, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
}

func draining(revision string) *gate.Policy {
	p := policy("checkout", &scripted{verdict: gate.Pass})
	p.RevertDrain, p.Revision = 10*time.Second, revision
	p.ManualStart = revision != "v2"
	return p
}

func TestCut_AfterTheDrain_Once(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cutting{world: newWorld()}
		l, end := c.run(t, planOf(draining("v2")))
		defer end()
		ticks(5)
		if _, _, err := l.Operate(t.Context(), "checkout", gate.Operator{Verb: gate.VerbRollback, Actor: "ann"}); err != nil {
			t.Fatal(err)
		}
		ticks(60)
		if len(c.cut) != 1 || c.cut[0] < 15*time.Second || c.cut[0] > 17*time.Second {
			t.Errorf("cut at %v, want once, ten seconds after the rollback at 5 s", c.cut)
		}
	})
}

// What is on the next revision's pool is none of the old one's: health checks, forced and marked requests.
func TestCut_NewRevisionMeanwhile_IsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cutting{world: newWorld()}
		l, end := c.run(t, planOf(draining("v2")))
		defer end()
		ticks(5)
		if _, _, err := l.Operate(t.Context(), "checkout", gate.Operator{Verb: gate.VerbRollback, Actor: "ann"}); err != nil {
			t.Fatal(err)
		}
		ticks(3)
		if err := l.Reload(t.Context(), planOf(draining("v3"))); err != nil {
			t.Fatal(err)
		}
		ticks(60)
		if len(c.cut) != 0 {
			t.Errorf("cut the new revision's requests at %v", c.cut)
		}
	})
}

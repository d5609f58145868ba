package control

import (
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
	"serin/gate/criterion"
	"serin/gate/window"
	"serin/router"
)

// mirrored is a rollout that begins with a mirror, judged by mismatch_rate.
func mirrored(t *testing.T) *gate.Policy {
	t.Helper()
	limit, err := criterion.ParseLimit("5%")
	if err != nil {
		t.Fatal(err)
	}
	c, err := criterion.New(criterion.Spec{Metric: "mismatch_rate", Hold: limit})
	if err != nil {
		t.Fatal(err)
	}
	p := policy("checkout", c)
	p.Stages = append([]gate.Stage{{Label: "mirror 10 %", Mirror: 1000, Least: 10 * time.Second}}, p.Stages...)
	return p
}

// comparing counts comparisons, ten a tick.
type comparing struct {
	step   uint64
	number uint64
	meters [2]*window.Meter
	n      int
}

func (c *comparing) read(_ string, s Setting, r *Reading) {
	if s.Mirror == 0 {
		r.Mirrored = nil
		return
	}
	if c.meters[0] == nil || c.step != s.Step {
		c.step, c.number = s.Step, c.number+1
		c.meters = [2]*window.Meter{window.NewMeter(window.Options{Users: true}), window.NewMeter(window.Options{Users: true})}
	}
	for range 10 {
		c.n++
		c.meters[1].Record(0, uint16(c.n%1000), window.Success, time.Millisecond)
	}
	if r.Mirrored == nil {
		r.Mirrored = new([2]window.Snapshot)
	}
	for arm, m := range c.meters {
		m.Read(&r.Mirrored[arm], true)
	}
	r.Mirror = c.number
}

func TestMirror_AnotherMirrorInTheSameStep_BeginsItsCountsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		c := &comparing{}
		w.besides = c.read
		p := w.start(t, planOf(mirrored(t)))
		defer p.end()
		ticks(8)
		w.mu.Lock()
		c.meters[0] = nil // as after a reload of what is compared
		w.mu.Unlock()
		ticks(2)
		if n := p.rollout(t, "checkout").Gates[0].Samples.Canary; n == 0 || n > 30 {
			t.Errorf("%d comparisons, want those of the new mirror", n)
		}
	})
}

func TestMirror_Comparisons_AreTheEvidenceOfTheStageAndSurviveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.besides = (&comparing{}).read
		pol := mirrored(t)
		p := w.start(t, planOf(pol))
		ticks(8)
		if s := w.settingOf("checkout"); s.Mirror != 1000 || s.Weight != 0 {
			t.Fatalf("the mirror is %s at weight %s", s.Mirror, s.Weight)
		}
		before := p.rollout(t, "checkout").Gates[0].Samples.Canary
		next := w.reborn()
		p.end()
		next.besides = (&comparing{}).read
		p = next.start(t, planOf(pol))
		defer p.end()
		ticks(2)
		after := p.rollout(t, "checkout").Gates[0].Samples.Canary
		if before < 50 || after < before-50 || after <= 20 {
			t.Errorf("%d comparisons before the restart, %d after", before, after)
		}
		for range 60 {
			ticks(1)
			if w := next.weight("checkout"); w > 0 {
				if w != router.Weight(100) {
					t.Errorf("the mirror led to %s", w)
				}
				return
			}
		}
		t.Errorf("the mirror never ended: %+v", p.rollout(t, "checkout").Gates)
	})
}

func TestMirror_NoComparison_Holds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(mirrored(t)))
		defer p.end()
		ticks(60)
		if r := p.rollout(t, "checkout"); r.Phase != gate.Progressing || r.Stage.Index != 1 || r.Verdict != gate.Hold {
			t.Errorf("got %s in stage %d, verdict %s", r.Phase, r.Stage.Index, r.Verdict)
		}
	})
}

package control

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
	"serin/gate/window"
)

// drilled feeds a drill's meters: perTick requests an arm and tick, of which the canary's fail at a rate of one in every.
type drilled struct {
	perTick, every int
	id             string
	meters         [2]*window.Meter
	n              int
	left           int64
}

func (d *drilled) read(_ string, s Setting, r *Reading) {
	if s.Drill == nil {
		r.Drill = nil
		return
	}
	if d.id != s.Drill.ID || d.meters[0] == nil {
		d.id = s.Drill.ID
		for arm := range d.meters {
			d.meters[arm] = window.NewMeter(window.Options{Users: true})
		}
	}
	for range d.perTick {
		d.n++
		o := window.Success
		if d.every > 0 && d.n%d.every == 0 {
			o = window.ServerError
		}
		d.meters[0].Record(0, uint16(d.n%5000), window.Success, time.Millisecond)
		d.meters[1].Record(0, uint16(5000+d.n%5000), o, time.Millisecond)
	}
	if r.Drill == nil || r.Drill.ID != d.id {
		r.Drill = &DrillReading{ID: d.id}
	}
	r.Drill.Left = d.left
	for arm, m := range d.meters {
		m.Read(&r.Drill.Arms[arm], true)
	}
}

var aborts = gate.Drill{Actor: "alice", Faults: gate.Faults{Abort: .2, Status: 503}, For: time.Minute, Most: 1000}

// settingOf is what routing was told last.
func (w *world) settingOf(name string) Setting {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.planes[name].setting
}

func TestDrill_FiringGate_EndsItAndLeavesTheRolloutAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		d := &drilled{perTick: 100, every: 5, left: 1}
		w.besides = d.read
		p := w.start(t, planOf(policy("checkout", errorRate(t))))
		defer p.end()
		ticks(5)
		w.took()
		e, err := p.Drill(t.Context(), "checkout", aborts)
		if err != nil || e.Decision.Action != gate.ActDrill || !strings.Contains(e.Sentence, "abort 503=20%") {
			t.Fatalf("got %+v, %v", e, err)
		}
		if effects := w.took(); slices.Index(effects, "sync decisions.jsonl") < 0 ||
			slices.Index(effects, "set checkout 1 %") < slices.Index(effects, "sync decisions.jsonl") {
			t.Errorf("faults before the end time was on disk: %q", effects)
		}
		ticks(8)
		r := p.rollout(t, "checkout")
		got := r.State.Drilled
		if r.State.Drill != nil || got == nil || got.End != gate.DrillFired || !got.Passed || got.Fired.Gate != "error_rate" || got.Fired.Requests == 0 || got.Fired.Seconds <= 0 {
			t.Fatalf("got %+v", got)
		}
		if r.Phase != gate.Progressing || r.State.Weight != 100 || w.settingOf("checkout").Drill != nil {
			t.Errorf("the rollout is %s at %s", r.Phase, r.State.Weight)
		}
		list, err := p.Decisions("checkout", time.Time{}, 1)
		if err != nil || len(list) != 1 || !strings.Contains(list[0].Sentence, "error_rate would have rolled back after") {
			t.Errorf("got %+v, %v", list, err)
		}
	})
}

func TestDrill_NothingFires_EndsWithItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.besides = (&drilled{perTick: 50, left: 1}).read
		p := w.start(t, planOf(policy("checkout", errorRate(t))))
		defer p.end()
		ticks(2)
		if _, err := p.Drill(t.Context(), "checkout", aborts); err != nil {
			t.Fatal(err)
		}
		ticks(59)
		if w.settingOf("checkout").Drill == nil {
			t.Error("over before its time")
		}
		ticks(3)
		got := p.rollout(t, "checkout").State.Drilled
		if w.settingOf("checkout").Drill != nil || got == nil || got.End != gate.DrillTime || got.Passed || got.Fired != nil {
			t.Errorf("got %+v", got)
		}
	})
}

func TestDrill_KilledAtOnce_GoesOnWithWhatIsLeftAndNoMore(t *testing.T) {
	for _, after := range []int{0, 20} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			w.besides = (&drilled{perTick: 1, left: 1}).read
			plan := planOf(policy("checkout", errorRate(t)))
			p := w.start(t, plan)
			ticks(2)
			if _, err := p.Drill(t.Context(), "checkout", aborts); err != nil {
				t.Fatal(err)
			}
			until := time.Now().Add(time.Minute)
			ticks(after)
			next := w.reborn()
			p.end()
			next.besides = (&drilled{perTick: 1, left: 1}).read
			time.Sleep(15 * time.Second)
			p = next.start(t, plan)
			defer p.end()
			if d := next.settingOf("checkout").Drill; d == nil || d.Left > time.Until(until) || d.Restarts != 1 {
				t.Fatalf("after %d s and 15 s of darkness: %+v, want at most %s left", after, d, time.Until(until))
			}
			for next.settingOf("checkout").Drill != nil {
				ticks(1)
			}
			if late := time.Since(until); late > 2*time.Second {
				t.Errorf("it ended %s late", late)
			}
		})
	}
}

func TestDrill_DarknessLongerThanTheDrill_DoesNotBringItBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		plan := planOf(policy("checkout", errorRate(t)))
		p := w.start(t, plan)
		ticks(2)
		if _, err := p.Drill(t.Context(), "checkout", aborts); err != nil {
			t.Fatal(err)
		}
		next := w.reborn()
		p.end()
		time.Sleep(2 * time.Minute)
		p = next.start(t, plan)
		defer p.end()
		if d := next.settingOf("checkout").Drill; d != nil {
			t.Errorf("it came back: %+v", d)
		}
		ticks(3)
		if got := p.rollout(t, "checkout").State.Drilled; got == nil || got.End != gate.DrillTime {
			t.Errorf("got %+v", got)
		}
	})
}

func TestDrill_Refused_SaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.besides = (&drilled{perTick: 1, left: 1}).read
		waiting := policy("waiting", errorRate(t))
		waiting.ManualStart = true
		p := w.start(t, planOf(policy("checkout", errorRate(t)), policy("bare"), waiting))
		defer p.end()
		ticks(2)
		f := func(rollout, why string) {
			t.Helper()
			var refused *DrillError
			if _, err := p.Drill(t.Context(), rollout, aborts); !errors.As(err, &refused) || !strings.Contains(refused.Why, why) || refused.Hint == "" {
				t.Errorf("%s: got %v, want %q and a hint", rollout, err, why)
			}
		}
		f("bare", "no gate")
		f("waiting", "nobody is on the canary")
		marked := aborts
		marked.Header = "X-Drill"
		if _, err := p.Drill(t.Context(), "waiting", marked); err != nil {
			t.Errorf("marked requests on a waiting rollout: %v", err)
		}
		if _, err := p.Drill(t.Context(), "checkout", aborts); err != nil {
			t.Fatal(err)
		}
		f("checkout", "runs already")
		if _, err := p.Drill(t.Context(), "nobody", aborts); !errors.Is(err, ErrUnknownRollout) {
			t.Errorf("got %v", err)
		}
		p.do(t, "checkout", gate.Operator{Verb: gate.VerbRollback, Actor: "alice"})
		ticks(2)
		if got := p.rollout(t, "checkout").State.Drilled; got == nil || got.End != gate.DrillOver {
			t.Errorf("a rollback left the drill: %+v", got)
		}
		f("checkout", "rolled back")
		if e, err := p.StopDrill(t.Context(), "waiting", "bob"); err != nil || e.State.Drilled.End != gate.DrillStopped || e.Decision.Actor != "bob" {
			t.Errorf("stop: %+v, %v", e.State.Drilled, err)
		}
		var refused *DrillError
		if _, err := p.StopDrill(t.Context(), "waiting", "bob"); !errors.As(err, &refused) {
			t.Errorf("second stop: %v", err)
		}
	})
}

func TestDrill_Required_TheRolloutWaitsForOneThatPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		d := &drilled{perTick: 100, left: 1}
		w.besides = d.read
		pol := policy("checkout", errorRate(t))
		pol.DrillAge = time.Hour
		p := w.start(t, planOf(pol))
		defer p.end()
		marked := aborts
		marked.Header, marked.For = "X-Drill", 5*time.Second
		for _, every := range []int{0, 4} { // the first one fires nothing
			ticks(2)
			if r := p.rollout(t, "checkout"); r.Phase != gate.Waiting || r.Reason != gate.DrillRequired || r.WaitingFor != "a drill that passes" {
				t.Fatalf("got %s, %s, waiting for %q", r.Phase, r.Reason, r.WaitingFor)
			}
			d.every = every
			if _, err := p.Drill(t.Context(), "checkout", marked); err != nil {
				t.Fatal(err)
			}
			ticks(8)
		}
		if r := p.rollout(t, "checkout"); r.Phase != gate.Progressing || !r.State.Drilled.Passed {
			t.Errorf("got %s after %+v", r.Phase, r.State.Drilled)
		}
	})
}

package control

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
	"serin/gate/window"
	"serin/router"
)

// collected gathers what was announced.
type collected struct{ list []Announcement }

func (c *collected) add(a Announcement) { c.list = append(c.list, a) }

// actions are what was announced, in order.
func (c *collected) actions() []string {
	var out []string
	for _, a := range c.list {
		out = append(out, a.Entry.Decision.Action.String())
	}
	return out
}

func TestAnnounce_EveryDecision_WithWhatItRestedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, told := newWorld(), &collected{}
		w.announce = told.add
		judge := &scripted{verdict: gate.Pass}
		p := w.start(t, planOf(policy("checkout", judge)))
		ticks(3)
		w.plane("checkout").record(router.Canary, window.Success, 40)
		w.plane("checkout").record(router.Canary, window.ServerError, 10)
		ticks(3)
		judge.answer(gate.Fail)
		ticks(3)
		p.end()
		if got := told.actions(); !slices.Equal(got, []string{"replan", "start", "rollback"}) {
			t.Fatalf("announced %v", got)
		}
		a := told.list[2]
		if a.Canary.Requests != 50 || a.Canary.Errors != 10 {
			t.Errorf("the canary had %+v: the step that was judged is meant, not the one after", a.Canary)
		}
		if len(a.Findings) != 1 || a.Findings[0].Verdict != gate.Fail || a.Policy == nil || !strings.Contains(a.Next, "serin retry checkout") || !slices.Equal(a.Allowed, []string{"retry"}) {
			t.Errorf("got %+v", a)
		}
	})
}

func TestAnnounce_PersonsAct_ShowsTheLastFindings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, told := newWorld(), &collected{}
		w.announce = told.add
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Hold})))
		defer p.end()
		ticks(5)
		if _, _, err := p.Operate(t.Context(), "checkout", gate.Operator{Verb: gate.VerbPause, Actor: "alice"}); err != nil {
			t.Fatal(err)
		}
		last := told.list[len(told.list)-1]
		if last.Entry.Decision.Actor != "alice" || len(last.Findings) != 1 {
			t.Errorf("got %+v", last)
		}
	})
}

func TestAnnounce_ARaiseThatIsNotDurable_IsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, told := newWorld(), &collected{}
		w.announce = told.add
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Pass})))
		defer p.end()
		ticks(3)
		w.breakDisk(errDead)
		ticks(30)
		for _, a := range told.list {
			if a.Entry.Decision.Action == gate.ActAdvance {
				t.Errorf("told of an advance that did not happen: %+v", a.Entry.Decision)
			}
		}
	})
}

func TestStatus_AwaitedApproval_NamesStageOwnerAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			onTimeout string
			phase     gate.Phase
			weight    float64
		}{
			{"hold", gate.Holding, .01}, {"rollback", gate.RolledBack, 0}, {"advance", gate.Progressing, .05},
		} {
			w := newWorld()
			asked := policy("checkout", &scripted{verdict: gate.Pass})
			asked.Stages[1].Owner, asked.Stages[1].Approve = "product", &gate.Approve{Timeout: time.Minute, OnTimeout: tt.onTimeout}
			asked.Stages[1].Least = time.Hour
			p := w.start(t, planOf(asked))
			ticks(20)
			r := p.rollout(t, "checkout")
			if r.Phase != gate.AwaitingApproval || r.Approval == nil || r.Approval.Owner != "product" || r.Approval.Stage != 2 || r.WaitingFor != "approval by product" {
				t.Errorf("%s: %s, %+v", tt.onTimeout, r.Phase, r.Approval)
			}
			if left := time.Until(r.Approval.Until); left < 40*time.Second || left > time.Minute {
				t.Errorf("%s: %v are left", tt.onTimeout, left)
			}
			ticks(70)
			if r := p.rollout(t, "checkout"); r.Phase != tt.phase || r.Weight != tt.weight {
				t.Errorf("on_timeout = %s: %s at %v", tt.onTimeout, r.Phase, r.Weight)
			}
			p.end()
		}
	})
}

func TestOperate_RightsAreCheckedAgainstTheStateThatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := w.start(t, planOf(policy("checkout", &scripted{verdict: gate.Hold})))
		defer p.end()
		ticks(3)
		agent := &gate.Rights{Ceiling: 500}
		for i, want := range []gate.Refusal{"", gate.RefusedCeiling} { // 1 % to 5 %, then 5 % to 25 %
			d, _, err := p.Operate(t.Context(), "checkout", gate.Operator{Verb: gate.VerbPromote, Actor: "agent", Rights: agent})
			if err != nil || d.Refusal != want {
				t.Errorf("promote number %d: %q, %v, want %q", i+1, d.Refusal, err, want)
			}
		}
		if w.weight("checkout") != 500 {
			t.Errorf("the canary has %s", w.weight("checkout"))
		}
	})
}

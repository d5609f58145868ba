package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"serin/router"
)

// stage is the i-th rung, 1-based; the zero Stage where there is none.
func (p *Policy) stage(i int) Stage {
	if i < 1 || i > len(p.Stages) {
		return Stage{}
	}
	return p.Stages[i-1]
}

// weightOf is what stage i sends to the canary: in the last stage stable keeps the holdback.
func (p *Policy) weightOf(i int) router.Weight {
	w := min(p.stage(i).Weight, router.Full)
	if i == len(p.Stages) && p.Holdback < router.Full {
		w = min(w, router.Full-p.Holdback)
	}
	return w
}

// crossing is where the rollout goes next: its stage's own weight when a reload left it below, else the next stage, else
// the end. share is the users' fraction the crossing answers for: the next stage's weight. The end of the bake answers only
// for the holdback, whose users it adds: the last crossing has already excluded the hold limit for everybody, and with a
// hundredth of the users left on stable to excluding it once more would take most of a day. What a bake excludes is the
// rollback limit at full load, as the first stage did with the arms exchanged.
func (p *Policy) crossing(s *State) (stage int, weight router.Weight, share float64) {
	if w := p.weightOf(s.Stage); s.Stage > 0 && (w > s.Weight || s.shut(p)) {
		return s.Stage, max(w, s.Weight), p.share(s.Stage)
	}
	next := s.Stage + 1
	for s.Widened && next < len(p.Stages) && p.weightOf(next) <= s.Weight && p.free(next) && p.stage(next).Audience == "" {
		next++
	}
	if next > len(p.Stages) {
		return next, router.Full, float64(router.Full-s.Weight) / float64(router.Full)
	}
	return next, p.weightOf(next), p.share(next)
}

// free reports whether stage i needs nobody's approval.
func (p *Policy) free(i int) bool {
	st := p.stage(i)
	return st.Approve == nil && st.Owner == ""
}

func (p *Policy) share(i int) float64 {
	if i >= len(p.Stages) {
		return 1
	}
	return float64(p.weightOf(i)) / float64(router.Full)
}

// failers is C of gate.md: the criteria that share the ladder's false rollbacks.
func (p *Policy) failers() int {
	n := 0
	for _, c := range p.Criteria {
		if c.CanFail() {
			n++
		}
	}
	return n
}

// ladderText is the ladder's digest: another text is another ladder.
func (p *Policy) ladderText() string {
	var b strings.Builder
	for i, st := range p.Stages {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s", p.weightOf(i+1))
		if st.Preview {
			b.WriteString(" preview")
		}
		if st.Audience != "" {
			b.WriteString(" audience " + st.Audience)
		}
		if st.Mirror > 0 {
			b.WriteString(" mirror " + st.Mirror.String())
		}
	}
	return b.String()
}

// gatesText is the digest of the gates, and of whom they judge.
func (p *Policy) gatesText() string {
	rules := make([]string, 0, len(p.Criteria)+1)
	for _, c := range p.Criteria {
		rules = append(rules, c.Metric()+": "+c.Rule())
	}
	if p.Plain != nil {
		rules = append(rules, "plain")
	}
	if p.People != "" {
		rules = append(rules, "of "+p.People)
	}
	return strings.Join(rules, "; ")
}

// enter begins a stage: its clock, its evidence and everything that belongs to one stage are new.
func (s *State) enter(stage int, w router.Weight, now time.Time) {
	s.mark(stage, now)
	s.Raised = w > s.Weight
	s.Stage, s.Weight = stage, w
	s.Phase, s.Cause = Progressing, ""
	s.Clock, s.Waited = 0, 0
	s.Restarts, s.Extended = 0, 0
	s.Cleared, s.Widened = false, false
	s.collect()
}

// collect begins new evidence under a new identity; whatever was concluded from the old is gone.
func (s *State) collect() {
	s.renew()
	s.Held = 0
	s.Asked, s.SkewAccepted = false, false
}

// renew begins new evidence, and leaves a hold a hold.
func (s *State) renew() {
	s.Step++
	s.Age, s.Clear = 0, 0
	s.Failing, s.Above = 0, 0
}

// again restarts the evidence within the stage: the least time runs anew, and passing needs twice the odds.
func (s *State) again() {
	s.collect()
	s.Restarts++
	s.Clock = 0
	s.Raised = false
}

// leave ends the attempt at weight 0.
func (s *State) leave(state string, now time.Time) {
	s.close(state, now)
	s.Weight, s.Cause, s.Raised = 0, "", false
	s.Ebb = Ebb{}
	s.Approved, s.Begun, s.From = 0, false, 0
	s.collect()
}

// mark closes the current stage's record and opens the next one's.
func (s *State) mark(stage int, now time.Time) {
	if stage == s.Stage {
		return
	}
	state := "passed"
	if stage < s.Stage {
		state = "left"
	}
	s.close(state, now)
	s.History = append(s.History, StageRecord{Stage: stage, State: "current", Started: now.Round(0)})
}

// close ends the record of the current stage, on a copy: histories are never changed in place.
func (s *State) close(state string, now time.Time) {
	s.History = slices.Clone(s.History)
	if n := len(s.History); n > 0 && s.History[n-1].State == "current" {
		s.History[n-1].State = state
		s.History[n-1].Ended = now.Round(0)
	}
	if n := len(s.History); n > maxHistory {
		s.History = s.History[n-maxHistory:]
	}
}

// maxHistory bounds the records of an attempt that goes up and down for ever.
const maxHistory = 200

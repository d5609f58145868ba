package gate

import "time"

// Reviewed is what a policy's gates say of a look of the past.
type Reviewed struct {
	Decision  Decision // Verdict, Reason, Reasons, Baseline and Findings; nothing was decided
	Confirmed bool     // a confirmed finding: it would have held, and started the hold_timeout clock
}

// Review judges a look without deciding anything: what Step would go by at a tick of this state. The state it answers with
// is s with the plain judge's memory, for the next look of the same step.
func Review(s State, p *Policy, now time.Time, seen *Seen) (State, Reviewed) {
	s.Last = now
	t := &turn{was: s, s: s, p: p, now: now, load: seen.Load}
	j := t.judge(seen)
	t.d.Reason = j.reason
	t.d.Phase, t.d.Stage, t.d.Stages = s.Phase, s.Stage, len(p.Stages)
	t.d.From, t.d.To = s.Weight, s.Weight
	if j.verdict == Pass {
		t.d.Reason = Passed
	}
	return t.s, Reviewed{Decision: t.d, Confirmed: j.confirmed}
}

// StageAt is the stage of a ladder that a weight belongs to: the first at or above it, from 1.
func (p *Policy) StageAt(s State) int {
	for i := 1; i <= len(p.Stages); i++ {
		if p.weightOf(i) >= s.Weight && (s.Weight > 0 || i >= s.Stage) {
			return i
		}
	}
	return len(p.Stages)
}

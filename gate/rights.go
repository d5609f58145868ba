package gate

import (
	"slices"
	"time"

	"serin/router"
)

// Rights are what an actor may do beyond the verb itself. A nil pointer is everything: where there are no tokens nobody is told
// apart. The zero value owns no stage and has no ceiling. Immutable.
type Rights struct {
	Admin   bool          // may let every stage begin; one that belongs to somebody else as an override, with a reason
	Owns    []string      // the owners it may answer for
	Ceiling router.Weight // promote, approve, start and retry lead no higher; 0: no ceiling
}

// lets reports whether the actor may let the stage begin.
func (r *Rights) lets(st Stage) bool {
	return r == nil || r.Admin || st.Owner == "" || slices.Contains(r.Owns, st.Owner)
}

// replaces is the owner in whose place the actor lets the stage begin; "" where it is the actor's own or nobody's.
func (r *Rights) replaces(st Stage) string {
	if r == nil || st.Owner == "" || slices.Contains(r.Owns, st.Owner) {
		return ""
	}
	return st.Owner
}

// exceeds reports whether a weight is above the actor's ceiling.
func (r *Rights) exceeds(w router.Weight) bool { return r != nil && r.Ceiling > 0 && w > r.Ceiling }

// enter is why the actor may not let the stages from..to begin, or lead to the weight; "" where it may. An owner that is
// passed over is noted, and makes the act an override.
func (t *turn) enter(op *Operator, from, to int, weight router.Weight) Refusal {
	for i := max(from, 1); i <= min(to, len(t.p.Stages)); i++ {
		st := t.p.stage(i)
		if !op.Rights.lets(st) {
			return RefusedRole
		}
		if owner := op.Rights.replaces(st); owner != "" {
			t.d.TakenFrom, t.d.Override = owner, true
		}
	}
	switch {
	case op.Rights.exceeds(weight):
		return RefusedCeiling
	case t.d.TakenFrom != "" && op.Reason == "":
		return RefusedReason
	}
	return ""
}

// Allowed are the verbs that would change something now, as the command line spells them, in the verbs' order. It asks
// Step itself, for somebody who may do everything and says why.
func Allowed(s State, p *Policy, now time.Time) []string { return AllowedTo(s, p, now, nil) }

// AllowedTo is Allowed for an actor with these rights.
func AllowedTo(s State, p *Policy, now time.Time, r *Rights) []string {
	allowed := []string{}
	for v := VerbStart; v <= VerbRetry; v++ {
		op := Operator{Verb: v, Rights: r, Actor: s.PausedBy, Reason: "asked", Frozen: s.Frozen}
		if _, d := Step(s, p, now, op); d.Action != ActRefuse && d.News {
			allowed = append(allowed, v.String())
		}
	}
	return allowed
}

// NextStage is the stage that would begin next, from 1; the last one where there is none after it.
func NextStage(s State, p *Policy) int { return nextStage(&s, p) }

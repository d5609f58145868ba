package gate

import (
	"time"

	"serin/router"
)

// Decision is what Step answers: always exactly one, hold included.
type Decision struct {
	Action   Action        `json:"action"`
	From     router.Weight `json:"from"`
	To       router.Weight `json:"to"`
	Phase    Phase         `json:"phase"` // after
	Stage    int           `json:"stage"` // after
	Stages   int           `json:"stages,omitempty"`
	Cause    Cause         `json:"cause,omitempty"`
	Expected time.Duration `json:"expected,omitempty"` // until the evidence is in; < 0: not in sight, 0: unknown
	Verdict  Verdict       `json:"verdict"`
	Reason   Reason        `json:"reason"`
	Reasons  []Reason      `json:"reasons,omitempty"` // all of them when several hold
	Actor    string        `json:"actor"`             // gate, a person's name, serin
	Note     string        `json:"note,omitempty"`    // the person's reason
	Override bool          `json:"override,omitempty"`
	// TakenFrom is whose part the actor took: who had paused it, or the owner of a stage that another let begin.
	TakenFrom string        `json:"taken_from,omitempty"`
	Baseline  string        `json:"baseline,omitempty"` // concurrent | own_past | frozen | absolute
	Findings  []Finding     `json:"findings,omitempty"`
	Unjudged  []string      `json:"unjudged,omitempty"` // metrics that cannot be judged of a ring's members: too little past, or signals
	Verb      string        `json:"verb,omitempty"`     // what a person asked for
	Refusal   Refusal       `json:"refusal,omitempty"`
	DryRun    bool          `json:"dry_run,omitempty"`  // reported only: nothing moved
	Would     router.Weight `json:"would,omitempty"`    // dry run: the weight it would have set
	Raised    bool          `json:"raised,omitempty"`   // the canary got more users within the last minute
	Frozen    bool          `json:"frozen,omitempty"`   // on_fail = freeze
	Over      time.Duration `json:"over,omitempty"`     // a rollback that takes so long (revert.over)
	Load      float64       `json:"load,omitempty"`     // requests per second of both arms, where a pool's capacity is known
	Overload  float64       `json:"overload,omitempty"` // a rollback brings stable so many requests per second, more than it carries
	Arm       string        `json:"arm,omitempty"`      // of an experiment, that it is about; "": all
	News      bool          `json:"-"`                  // says something new: journal it, raise the version
}

// Refusal says why an operator's verb was refused; empty: it was not.
type Refusal string

const (
	RefusedPhase   Refusal = "phase"   // does not apply now: 409
	RefusedVersion Refusal = "version" // if_version differs: 412
	RefusedRole    Refusal = "role"    // not the owner: 403
	RefusedCeiling Refusal = "ceiling" // above what the actor may widen to: 403
	RefusedReason  Refusal = "reason"  // an override without a reason: 400
	RefusedInput   Refusal = "input"   // from_stage out of range and the like: 400
	RefusedLoad    Refusal = "load"    // the pool cannot carry that weight: 409
	RefusedFreeze  Refusal = "freeze"  // everything is paused: 409
)

// Recall is what a restored state is shown as until the first look at its traffic.
func Recall(s State, p *Policy) Decision {
	d := Decision{
		From: s.Weight, To: s.Weight, Phase: s.Phase, Stage: s.Stage, Stages: len(p.Stages), Cause: s.Cause,
		Reason: s.Reason, Actor: ActorSerin,
	}
	if s.Phase == Progressing {
		d.Reason = RestartReplayed
	}
	return d
}

// Protective reports whether d lowers the canary: act first, journal after.
func (d Decision) Protective() bool { return d.To < d.From }

package gate

import (
	"time"

	"serin/gate/window"
	"serin/router"
)

// State is one rollout's whole memory, saved as JSON after every journalled decision and with the evidence. Durations only:
// wall time is for people. Slices are never changed in place.
type State struct {
	Phase    Phase         `json:"phase"`
	Stage    int           `json:"stage"` // 1-based; 0: before the first
	Weight   router.Weight `json:"weight"`
	Revision string        `json:"revision"`
	Attempt  int           `json:"attempt"`
	Version  uint64        `json:"version"`  // rises with every journalled decision
	Step     uint64        `json:"step"`     // evidence identity: rises whenever evidence begins anew (new meters)
	Restarts int           `json:"restarts"` // evidence restarts within the stage: each halves AlphaPass
	Clock    time.Duration `json:"clock"`    // stage clock: runs in progressing with a healthy canary pool
	Age      time.Duration `json:"age"`      // since the step's evidence began, in every phase
	Reason   Reason        `json:"reason"`
	Resume   Phase         `json:"resume"`  // phase to return to after Paused
	Held     time.Duration `json:"held"`    // how long it has been in Holding
	Waited   time.Duration `json:"waited"`  // how long an approval has been awaited
	History  []StageRecord `json:"history"` // of this attempt
	Last     time.Time     `json:"-"`       // the event before: monotonic

	Ladder       string           `json:"ladder"`                   // digest of the ladder the stage number belongs to
	Gates        string           `json:"gates"`                    // digest of the gates the evidence is collected for
	Live         string           `json:"live,omitempty"`           // revision that completed last: what everybody gets
	Reverted     []string         `json:"reverted,omitempty"`       // revisions rolled back: they never start by themselves
	Begun        bool             `json:"begun,omitempty"`          // a person said start or retry
	From         int              `json:"from,omitempty"`           // retry: the stage to start at; 0 is 1
	Cause        Cause            `json:"cause,omitempty"`          // why it is holding
	Clear        time.Duration    `json:"clear,omitempty"`          // how long a confirmed finding has been gone
	Cleared      bool             `json:"cleared,omitempty"`        // its one automatic release is used up
	Asked        bool             `json:"asked,omitempty"`          // the hold has timed out, a person is asked
	Extended     int              `json:"extended,omitempty"`       // further max_stage periods a person granted
	Widened      bool             `json:"widened,omitempty"`        // sparse = widen has widened this stage
	Raised       bool             `json:"raised,omitempty"`         // the step began with more users on the canary
	SteppedBack  []int            `json:"stepped_back,omitempty"`   // stages that hold_timeout has left downwards once
	Approved     int              `json:"approved,omitempty"`       // the stage that may begin
	SkewAccepted bool             `json:"skew_accepted,omitempty"`  // a person resumed in spite of skewed keys
	Kept         time.Duration    `json:"kept,omitempty"`           // since completion
	Withdrawn    bool             `json:"withdrawn,omitempty"`      // the file has it no more
	Failing      int              `json:"failing,omitempty"`        // plain judge: consecutive checks over the rollback limit
	Above        int              `json:"above,omitempty"`          // plain judge: consecutive checks over the hold limit
	Rings        []string         `json:"rings,omitempty"`          // audiences whose members are on the canary, whatever the weight
	Baseline     *window.Snapshot `json:"baseline_table,omitempty"` // holdback 0: stable's last table
	PausedBy     string           `json:"paused_by,omitempty"`      // who paused it last
	Would        string           `json:"would,omitempty"`          // dry run: what was reported last
	Frozen       bool             `json:"frozen,omitempty"`         // paused as part of a freeze: its end resumes it
	Stopped      []string         `json:"stopped,omitempty"`        // an experiment's arms that were stopped
	Ebb          Ebb              `json:"-"`                        // a gradual return: after a restart it is over
	Drill        *Drill           `json:"drill,omitempty"`          // that runs now
	Drilled      *DrillResult     `json:"drilled,omitempty"`        // the last one that ended
}

// Ebb is a weight on its way back to nothing (revert.over). The state's own Weight is 0 from the decision on, so whatever
// dies in between leaves nobody on the canary.
type Ebb struct {
	Weight, From router.Weight // now, and when it was decided
	Spent        time.Duration
}

// Cause is why a rollout is in Holding; empty elsewhere.
type Cause string

const (
	CauseFinding  Cause = "finding"  // a confirmed hold: hold_timeout runs
	CauseFailed   Cause = "failed"   // on_fail = freeze: failed and kept where it is
	CauseSparse   Cause = "sparse"   // the evidence did not come in time
	CauseSkewed   Cause = "skewed"   // the keys do not part the users
	CauseApproval Cause = "approval" // nobody approved in time
)

// WeightFor is the weight a canary pool of this revision may have: none unless the state was decided for it.
func (s State) WeightFor(revision string) router.Weight {
	if revision != s.Revision {
		return 0
	}
	return s.Weight
}

// StageRecord is one stage of an attempt, for people.
type StageRecord struct {
	Stage   int       `json:"stage"`
	State   string    `json:"state"` // passed | current | failed | left
	Started time.Time `json:"started_at"`
	Ended   time.Time `json:"ended_at,omitzero"`
}

package control

import (
	"time"

	"serin/gate"
	"serin/gate/journal"
	"serin/router"
)

// Status is everything a person or a program may see, as of one tick or decision. It is immutable. Shares are fractions, rates
// per second; durations are monotonic, times are wall times for people.
type Status struct {
	File        string
	Rollouts    []RolloutStatus    // in the plan's order
	Experiments []ExperimentStatus // in the plan's order
	Journal     JournalStatus
	Unwritten   []journal.Entry // done, and not on disk yet; oldest first
	Freeze      *gate.Freeze    // everything is paused; nil: it is not
}

// JournalStatus says whether the disk takes decisions.
type JournalStatus struct {
	Available bool
	Err       string // why not
}

// Rollout returns the named rollout's status.
func (s *Status) Rollout(name string) (RolloutStatus, bool) {
	for _, r := range s.Rollouts {
		if r.Name == name {
			return r, true
		}
	}
	return RolloutStatus{}, false
}

// RolloutStatus is one rollout, as the API tells it.
type RolloutStatus struct {
	Name            string
	Version         uint64
	Phase           gate.Phase
	Revision        string
	Attempt         int
	Route           string
	Audience        string // whom it is for; "": everybody
	StableUpstream  string // the arms' pools, as the file names them
	CanaryUpstream  string
	Weight          float64
	ObservedWeight  *float64 // nil: no traffic yet
	KeyMissingRatio float64
	Stage           StageStatus
	Stages          []RungStatus
	Verdict         gate.Verdict
	Reason          gate.Reason
	Reasons         []gate.Reason
	Baseline        string
	BaselineNote    string // whom a ring's members are compared with, in words; "": no stage of a ring
	Sentence        string
	Next            string
	Gates           []gate.Finding
	Stable, Canary  ArmStatus
	Exposure        ExposureStatus
	Users           UsersStatus
	Window          WindowStatus
	Approval        *DeadlineStatus        // nil: nobody is asked
	Hold            *DeadlineStatus        // nil: no confirmed hold
	Allowed         []string               // verbs that apply now
	WaitingFor      string                 // "" : nothing
	LastDecision    *journal.Entry         // nil: none yet
	Decided         map[gate.Action]uint64 // decisions done since the loop was made; to be read only
	DryRun          bool
	Policy          *gate.Policy    // what the state is judged by; to be read only
	Capacity        *CapacityStatus // nil: nobody said what the pools carry
	StableHealthy   bool
	CanaryHealthy   bool
	State           gate.State   // the whole memory
	Drill           *DrillStatus // nil: none runs
	Live            []Point      // the last ten minutes, finely; to be read only, as are
	Recent, Whole   []Point      // two hours, and the whole attempt
}

// StageStatus is where the rollout is on its ladder. Index 0: before the first stage.
type StageStatus struct {
	Index, Count int
	Weight       router.Weight
	Elapsed      time.Duration // the stage clock
	Least        time.Duration
	Remaining    *time.Duration // estimate; nil: cannot be told
	Expected     *time.Duration // of the whole stage
}

// RungStatus is one stage of the ladder with its history. State is ahead, current, passed, failed, left or skipped.
type RungStatus struct {
	Index            int
	Weight           router.Weight
	Label            string
	State            string
	Least            time.Duration
	Started, Ended   time.Time // zero: not yet
	Owner            string
	Audience         string
	Mirror           router.Weight
	ApprovalRequired bool
}

// ArmStatus is one arm's evidence since the stage began. Rate is over the last minute, or since then where it is younger.
// Quantiles are 0 before the first timed answer.
type ArmStatus struct {
	Requests, Errors, Neutral uint64
	Rate                      float64
	P50, P95, P99             time.Duration
}

// ExposureStatus is what the canary has cost in this attempt. Users are estimated from buckets.
type ExposureStatus struct {
	Users, Requests, Failed, UsersFailed uint64
	Shares                               []journal.ShareTime // in the order of their first use; to be read only
}

// UsersStatus says how alike the requests of one user are.
type UsersStatus struct {
	Active           int // buckets with a request, of both arms
	DesignEffect     float64
	MaskedBuckets    int
	WorstBucketShare float64
}

// WindowStatus is the release window. Until is when Open changes; zero: never.
type WindowStatus struct {
	Open  bool
	Until time.Time
}

// CapacityStatus is what the pools carry, in requests per second; 0: not said.
type CapacityStatus struct {
	Canary, Stable float64
	Load           float64 // of both arms together, over the last minute; < 0: not known yet
	Most           float64 // the largest weight that the canary's pool carries of it
}

// DeadlineStatus is a wait that may end by itself. Until zero: it does not.
type DeadlineStatus struct {
	Reason gate.Reason
	Since  time.Time
	Until  time.Time
	Then   string // what happens then
	Stage  int    // of an approval: the stage that waits; 0: none
	Owner  string // of that stage; "": anybody may approve
}

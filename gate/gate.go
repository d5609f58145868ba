// Package gate is the brain: what was seen at a tick becomes exactly one decision. It is pure: it knows no TOML, no
// HTTP, no clock and no criterion by name. Same state, policy, time and event: same answer, for ever.
//
//	Tick | Operator | Replan -> Step(State, *Policy, now, Event) -> (State, Decision)
//
// Unsure is Hold, never Pass and never Fail. Only Pass on every criterion widens; a rollback may come from every phase.
package gate

import (
	"time"

	"serin/gate/calendar"
	"serin/gate/window"
	"serin/router"
)

// Verdict is the answer of one criterion (its finding) or of the whole stage. The zero value holds.
type Verdict uint8

const (
	Hold Verdict = iota
	Pass
	Fail
)

// Phase is where a rollout is in its life. The zero value, Waiting, sends nothing to the canary.
type Phase uint8

const (
	Waiting Phase = iota
	Progressing
	AwaitingApproval
	Holding
	Paused
	Completed
	RolledBack
)

// Action is what a decision did. The zero value did nothing.
type Action uint8

const (
	ActHold Action = iota
	ActStart
	ActAdvance
	ActComplete
	ActRollback
	ActStepBack
	ActPause
	ActResume
	ActPromote
	ActApprove
	ActRetry
	ActRestart   // a new revision: new attempt, weight to 0 or stage 1
	ActReplan    // a reload changed ladder, gates or policies in flight
	ActFreeze    // on_fail = freeze: failed, kept where it is
	ActWithdrawn // a reload removed the rollout
	ActAwait     // the evidence is in, a person is asked
	ActRefuse    // an operator's verb that does not apply: nothing changed
	ActStopArm   // an arm of an experiment was stopped: its users are on the control
	ActEnd       // an experiment's time is over: everybody is on the control
	ActWiden     // sparse = widen: more of the users within the stage, opted in, without the evidence
	ActDrill     // a drill began or ended: nothing moved
)

// Reason is the code of a reason, as the API tells it; the empty reason is only for decisions that need none.
type Reason string

// Reason codes of holds; texts for people are in explain.go.
const (
	Collecting           Reason = "collecting"
	NotEnoughEvidence    Reason = "not_enough_evidence"
	EstimateAboveHold    Reason = "estimate_above_hold"
	WorseThanStable      Reason = "worse_than_stable"
	StableUnhealthy      Reason = "stable_unhealthy"
	NoCanaryTraffic      Reason = "no_canary_traffic"
	NoStableTraffic      Reason = "no_stable_traffic"
	Warmup               Reason = "warmup"
	OneBucketDominates   Reason = "one_bucket_dominates"
	SaturatedUsers       Reason = "saturated_users"
	CanaryPoolUnhealthy  Reason = "canary_pool_unhealthy"
	WindowClosed         Reason = "window_closed"
	SkewedKeys           Reason = "skewed_keys"
	StableOutdated       Reason = "stable_outdated"
	AwaitingApprovalCode Reason = "awaiting_approval"
	PausedCode           Reason = "paused"
	JournalUnavailable   Reason = "journal_unavailable"
	StaleReplicas        Reason = "stale_replicas"
	RestartReplayed      Reason = "restart_replayed"
	DrillRequired        Reason = "drill_required"
	Manual               Reason = "manual"
	CapacityReached      Reason = "capacity_reached" // the pool carries no more of this traffic
)

// Reason codes of decisions that moved something.
const (
	Passed           Reason = "pass"             // every gate passed
	HoldTimedOut     Reason = "hold_timeout"     // a confirmed hold lasted too long
	ApprovalTimedOut Reason = "approval_timeout" // nobody answered
	Sparse           Reason = "sparse"           // too little traffic for the evidence to come in time
	NewRevision      Reason = "new_revision"     // the file names another version
	PolicyChanged    Reason = "policy_changed"   // the file has another ladder, other gates or another audience
	Started          Reason = "start"            // pool healthy, window open
	TimeOver         Reason = "time_over"        // the experiment has run as long as it was to
	Removed          Reason = "removed"          // the file has the rollout no more
)

// Stage is one rung of the ladder.
type Stage struct {
	Label    string        // "1 %", "preview", "ring staff": for people
	Weight   router.Weight // the canary's share
	Audience string        // name of the ring whose members go to the canary; empty: none
	Mirror   router.Weight // share of dark traffic
	Preview  bool          // canary only for forced requests and audiences
	Least    time.Duration // the stage clock must reach this (every, for)
	Owner    string        // role that approves; empty: anyone allowed
	Approve  *Approve      // nil: no approval needed
}

// Approve asks a person before the stage begins.
type Approve struct {
	Timeout   time.Duration // 0: for ever
	OnTimeout string        // hold | rollback | advance
}

// Criterion judges one metric. Implementations are immutable values in gate/criterion; config builds them from its registry.
type Criterion interface {
	Metric() string // error_rate, latency_p99, ...
	Rule() string   // all the user wrote of it, for people; another rule is another gate
	CanFail() bool  // has a rollback limit and is not dry: shares the ladder's alpha
	// Applies reports whether the gate is asked in the 1-based stage: the user may name stages, and a relative gate has
	// nothing to compare with where a stage sends no share of the users.
	Applies(stage int, s Stage) bool
	Judge(q Question) Finding
}

// Question is what a criterion is asked at one tick.
type Question struct {
	View      *window.View
	Mirror    *window.View            // comparisons of mirrored answers, stable's those of stable with itself; nil: no mirror
	Crossings int                     // K: crossings of the ladder, the bake included
	Failers   int                     // C: criteria with CanFail in this ladder
	NextShare float64                 // the share of the users that the crossing answers for (Policy.crossing)
	Dwelled   bool                    // the stage clock has reached Least
	Frozen    *window.Snapshot        // stable's last table where no living baseline exists; nil: concurrent
	AlphaFail float64                 // errors.false_rollback, default .01
	AlphaPass float64                 // errors.false_pass, default .05, halved by each evidence restart
	Signals   map[string]*window.View // by signal; nil: none is judged
	Outside   map[string]Outside      // by Criterion.Rule; nil: nothing was asked
	Past      *Past                   // the canary has only a ring's members, and Frozen is their own past; nil: it is not
	Plain     *Plain                  // judge = "plain": limits on View.Plain, no statistics; nil: evidence
	Terse     bool                    // leave out what is for people only: the intervals
}

// Finding is one criterion's answer. JSON names are the API's.
type Finding struct {
	Metric          string   `json:"metric"`
	Scale           string   `json:"scale"` // points | ratio
	Rule            string   `json:"rule"`
	Verdict         Verdict  `json:"verdict"`
	Reason          Reason   `json:"reason"`
	Stable          float64  `json:"stable"` // rate, or milliseconds for latency
	Canary          float64  `json:"canary"`
	Difference      float64  `json:"difference"`
	DifferenceLow   float64  `json:"difference_low"`
	DifferenceHigh  float64  `json:"difference_high"`
	HoldLimit       float64  `json:"hold_limit"`
	RollbackLimit   *float64 `json:"rollback_limit"`
	PassLimit       float64  `json:"pass_limit"`
	PassOdds        float64  `json:"pass_odds"`
	PassNeeds       float64  `json:"pass_needs"`
	FailOdds        float64  `json:"fail_odds"`
	FailNeeds       *float64 `json:"fail_needs"`
	Samples         Samples  `json:"samples"`
	ExpectedSeconds *float64 `json:"expected_seconds"`
	DryRun          bool     `json:"dry_run,omitempty"`
	Confirmed       bool     `json:"confirmed,omitempty"` // a confirmed finding: alert, start the hold_timeout clock
	Absolute        bool     `json:"absolute,omitempty"`  // the limit asks nothing of stable
	Clear           bool     `json:"-"`                   // the last 300 s are back under the hold limit, without a trace of evidence
	WorstShare      float64  `json:"worst_bucket_share,omitempty"`
	Past            bool     `json:"own_past,omitempty"`       // stable\'s numbers are the same people's, before their ring opened
	Unfit           bool     `json:"-"`                        // the own past is too little to ever pass against: the gate is not asked
	Lower           bool     `json:"lower,omitempty"`          // lower is worse: the rates are of what should happen, differences and limits are harm
	Note            string   `json:"note,omitempty"`           // what an outside source said, or why it said nothing
	Unanswered      bool     `json:"unanswered,omitempty"`     // latency: the canary's quantile is of requests whose clients went away
	LeftOut         bool     `json:"left_out,omitempty"`       // what holds is seen with the masked users only, not in these numbers
	WindowSeconds   float64  `json:"window_seconds,omitempty"` // the numbers are of the last 60 or 300 s; 0: of the whole step
}

// Samples are raw counts of the step, before the design effect.
type Samples struct {
	Stable    uint64 `json:"stable"`
	StableBad uint64 `json:"stable_bad"`
	Canary    uint64 `json:"canary"`
	CanaryBad uint64 `json:"canary_bad"`
}

// Policy is what the operator asked for: one rollout's ladder, gates and choices, immutable once built.
type Policy struct {
	Rollout, Route string
	Audience       string // whom the release is for; "": everybody
	People         string // digest of who that is: evidence of one is none of another
	Revision       string // of the canary upstream
	StableRevision string // of the stable upstream: a completed rollout whose stable is not its last canary is outdated
	StableAlias    string // what the stable upstream's servers would be called under the canary's name; "": unknown
	Stages         []Stage
	Criteria       []Criterion
	ManualStart    bool
	DrillAge       time.Duration // a drill of this revision must have passed within it before the first stage; 0: none is asked for
	MaxStage       time.Duration // default 6h
	Warmup         time.Duration // default 120s
	Sparse         string        // extend | widen | ask
	WidenMax       router.Weight
	HoldTimeout    time.Duration // default 60m; 0: none
	OnHoldTimeout  string        // rollback | step_back | ask
	OnFail         string        // rollback | freeze
	Holdback       router.Weight // default 100 (1 %)
	KeepOld        time.Duration // default 1h
	AlphaFail      float64       // default .01
	AlphaPass      float64       // default .05
	Plain          *Plain        // judge = "plain"; nil: evidence
	DryRun         bool
	Notify         []string         // whom to tell: carried for whoever announces, the gate asks nobody
	Window         calendar.Windows // widening only inside; none: always
	RevertOver     time.Duration    // a rollback takes the weight down over so long; 0: at once
	RevertDrain    time.Duration    // after nobody is sent to the canary any more, what is still under way there is cut off; 0: never
	Capacity       float64          // requests per second the canary's pool carries; 0: not said
	StableCapacity float64          // the same of stable's pool: a rollback that asks more says so
}

// Plain is the simple judge: limits on a rolling window, no statistics.
type Plain struct {
	Window      time.Duration // default 5m
	MinRequests int           // default 100
	Failures    int           // consecutive failed checks before a rollback, default 3
}

// Seen is what the control loop read at a tick.
type Seen struct {
	View             window.View
	Mirror           *window.View // comparisons of mirrored answers; nil: no mirror
	Drilled          bool         // a drill of this revision has passed lately (Policy.DrillAge)
	Past             *Past        // of the stage's ring; nil: unknown
	Outside          map[string]Outside
	Signals          map[string]*window.View // business signals of the step
	StableHealthy    bool                    // pools with at least one healthy server
	CanaryHealthy    bool
	WindowOpen       bool
	JournalAvailable bool
	ObservedWeight   float64 // canary's share of keyed requests of the step; < 0: unknown
	Terse            bool    // nobody reads the findings: leave the intervals out (simulation)
	Load             float64 // requests per second of both arms together, over the last minute
	Freeze           *Freeze // a person has paused everything; nil: nobody has
}

// Freeze is a pause of every rollout, those to come included.
type Freeze struct {
	Actor  string    `json:"actor"`
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since"` // wall time, for people
}

// Event is what Step is told: exactly one of Tick, Operator, Replan.
type Event interface{ event() }

// Tick is the regular look.
type Tick struct{ Seen Seen }

// Verb is an operator's wish.
type Verb uint8

const (
	VerbStart Verb = iota + 1
	VerbPause
	VerbResume
	VerbPromote
	VerbStepBack
	VerbRollback
	VerbApprove
	VerbRetry
)

// Operator is a person's (or agent's) act.
type Operator struct {
	Verb      Verb
	Actor     string
	Reason    string
	IfVersion *uint64 // refuse unless State.Version equals
	Full      bool    // promote: to the end
	FromStage int     // retry: 0 is stage 1
	Rights    *Rights // nil: everything
	All       bool    // pause, resume: as part of a freeze of everything, or of its end
	Frozen    bool    // everything is paused: a single rollout cannot go on
	Load      float64 // as in Seen: what a promoted weight would bring
}

// Replan says the policy given to Step is another one than before (reload, or first sight of the rollout).
type Replan struct{ Withdrawn bool }

func (Tick) event()     {} // and *Tick: a View is large
func (Operator) event() {}
func (Replan) event()   {}

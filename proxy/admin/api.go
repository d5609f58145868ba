package admin

import (
	"time"

	"serin/config"
	"serin/gate"
)

// Rollouts is the answer of GET /v1/rollouts and the data of the first event of GET /v1/events.
type Rollouts struct {
	Rollouts []Rollout `json:"rollouts"`
}

// Daemon says who answers: in the first event of GET /v1/events, and its event daemon when something of it changes.
type Daemon struct {
	Node          string        `json:"node"`
	Serin         string        `json:"serin"` // version of the binary
	Zone          string        `json:"zone"`  // that of the times in sentences
	OffsetSeconds int           `json:"offset_seconds"`
	Config        DaemonConfig  `json:"config"`
	Journal       DaemonJournal `json:"journal"`
	Freeze        *Freeze       `json:"freeze"` // everything is paused; null: it is not
}

// DaemonConfig is the file in force, and why a newer one was refused.
type DaemonConfig struct {
	File     string    `json:"file"`
	OK       bool      `json:"ok"` // the file's newest form is in force
	LoadedAt time.Time `json:"loaded_at"`
	Problems []Problem `json:"problems,omitempty"`
}

// DaemonJournal says whether the disk takes decisions; without it nothing widens.
type DaemonJournal struct {
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

// Rollout is the status of one rollout. Shares and rates are fractions (0.05) and per second; durations are seconds of the
// monotonic clock; times are wall time, for people. More fields may follow, none of these changes its name.
type Rollout struct {
	Name            string            `json:"name"`
	Version         uint64            `json:"version"` // rises with every journalled decision; if_version compares with it
	Phase           string            `json:"phase"`   // waiting progressing awaiting_approval holding paused completed rolled_back
	Revision        string            `json:"revision"`
	Attempt         int               `json:"attempt"`
	Route           string            `json:"route"`
	Audience        string            `json:"audience,omitempty"` // whom it is for: weights and shares are of its members; absent: everybody
	Weight          float64           `json:"weight"`             // of buckets
	ObservedWeight  *float64          `json:"observed_weight"`    // of requests; null: no traffic yet
	KeyMissingRatio float64           `json:"key_missing_ratio"`  // requests without any key
	Stage           Stage             `json:"stage"`
	Stages          []Rung            `json:"stages"`
	Verdict         string            `json:"verdict"` // hold pass fail
	Reason          string            `json:"reason"`  // a reason code; empty where none is needed
	Baseline        string            `json:"baseline"`
	BaselineNote    string            `json:"baseline_note,omitempty"` // whom a ring's members are compared with, in words
	Sentence        string            `json:"sentence"`
	Next            string            `json:"next"`
	Gates           []Gate            `json:"gates"`
	Arms            Arms              `json:"arms"`
	Exposure        Exposure          `json:"exposure"`
	Users           Users             `json:"users"`
	Window          OpenWindow        `json:"window"`
	Capacity        *Capacity         `json:"capacity"`               // null: nobody said what the pools carry
	Approval        *Deadline         `json:"approval"`               // null: nobody is asked
	Hold            *Deadline         `json:"hold"`                   // null: no confirmed hold
	Signals         []Signal          `json:"signals,omitempty"`      // business signals of all stages, by name
	SignalsLate     uint64            `json:"signals_late,omitempty"` // judged events that came after their stage was over
	Allowed         []string          `json:"allowed"`                // verbs that apply now
	WaitingFor      *string           `json:"waiting_for"`
	LastDecision    *DecisionView     `json:"last_decision"`
	Reasons         []string          `json:"reasons,omitempty"` // all of them when several hold
	DryRun          bool              `json:"dry_run,omitempty"`
	Drill           *DrillRun         `json:"drill,omitempty"`  // that runs now
	Mirror          map[string]uint64 `json:"mirror,omitempty"` // mirrored requests by result, since the daemon's start
	Shield          map[string]uint64 `json:"shield,omitempty"` // canary failures by what stable made of them
	StableHealthy   bool              `json:"stable_healthy"`   // a server of the pool takes traffic
	CanaryHealthy   bool              `json:"canary_healthy"`
	You             string            `json:"you,omitempty"`   // the token that asks: allowed is what it may do
	Alert           *Alert            `json:"alert,omitempty"` // what was told and waits for somebody
	Upstreams       ArmUpstreams      `json:"upstreams"`
}

// ArmUpstreams names the pools of the arms.
type ArmUpstreams struct {
	Stable string `json:"stable"`
	Canary string `json:"canary"`
}

// Stage is where the rollout is on its ladder. Index is 1-based, 0 before the first stage.
type Stage struct {
	Index            int      `json:"index"`
	Count            int      `json:"count"`
	Weight           float64  `json:"weight"`
	ElapsedSeconds   float64  `json:"elapsed_seconds"` // the stage clock
	LeastSeconds     float64  `json:"least_seconds"`
	RemainingSeconds *float64 `json:"remaining_seconds"` // estimate; null: cannot be told
	ExpectedSeconds  *float64 `json:"expected_seconds"`  // estimate of the whole stage
}

// Rung is one stage of the ladder with its history.
type Rung struct {
	Index        int        `json:"index"`
	Weight       float64    `json:"weight"`
	Label        string     `json:"label"`
	State        string     `json:"state"` // ahead current passed failed left skipped
	LeastSeconds float64    `json:"least_seconds"`
	StartedAt    *time.Time `json:"started_at"`
	EndedAt      *time.Time `json:"ended_at"`
	Owner        *string    `json:"owner"`
	Audience     string     `json:"audience,omitempty"`          // a ring: its members are on the canary
	Mirror       float64    `json:"mirror,omitempty"`            // share of safe requests that are copied
	Approval     bool       `json:"approval_required,omitempty"` // a person lets the rollout in
}

// Gate is one gate's finding with its numbers.
type Gate = gate.Finding

// Arms is what both arms did since the stage began: evidence only.
type Arms struct {
	Stable Arm `json:"stable"`
	Canary Arm `json:"canary"`
}

// Arm is one arm's evidence since the stage began. Rate is requests per second; quantiles are null before the first timed
// response.
type Arm struct {
	Requests uint64   `json:"requests"`
	Errors   uint64   `json:"errors"`
	Neutral  uint64   `json:"neutral"`
	Rate     float64  `json:"rate"`
	P50MS    *float64 `json:"p50_ms"`
	P95MS    *float64 `json:"p95_ms"`
	P99MS    *float64 `json:"p99_ms"`
}

// Exposure is what the canary has cost so far in this attempt. Users are estimated from buckets.
type Exposure struct {
	Users       uint64 `json:"users"`
	Requests    uint64 `json:"requests"`
	Failed      uint64 `json:"failed"`
	UsersFailed uint64 `json:"users_failed"`
	// Shares say how long the canary had each share of the users in this attempt, in the order of their first use.
	Shares []ShareTime `json:"shares"`
}

// Users says how alike the requests of one user are; all from per-bucket counters of the stage.
type Users struct {
	Active           int     `json:"active"`
	DesignEffect     float64 `json:"design_effect"`
	MaskedBuckets    int     `json:"masked_buckets"`
	WorstBucketShare float64 `json:"worst_bucket_share"`
}

// OpenWindow is the release window: widening happens only inside. Until is when that changes; null: never.
type OpenWindow struct {
	Open  bool       `json:"open"`
	Until *time.Time `json:"until"`
}

// Deadline is a wait that ends by itself: since when, until when (null: never) and what happens then.
type Deadline struct {
	Reason string     `json:"reason,omitempty"`
	Since  *time.Time `json:"since"`
	Until  *time.Time `json:"until"`
	Then   string     `json:"then"`
	Stage  int        `json:"stage,omitempty"` // of an approval: the stage that waits for it, from 1
	Owner  *string    `json:"owner,omitempty"` // whose approval it takes; missing: anybody's
}

// Decisions is the answer of GET /v1/rollouts/{name}/decisions, newest first.
type Decisions struct {
	Decisions []DecisionView `json:"decisions"`
}

// DecisionView is one journalled decision, and the answer of every act.
type DecisionView struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Action   string    `json:"action"`
	From     float64   `json:"from"`
	To       float64   `json:"to"`
	Actor    string    `json:"actor"`
	Reason   string    `json:"reason"`
	Sentence string    `json:"sentence"`
	Evidence Evidence  `json:"evidence"`
	Attempt  *Attempt  `json:"attempt,omitempty"` // what the attempt cost that it ended; it ended none where this is missing
}

// Evidence is what a decision rested on.
type Evidence struct {
	Phase    string   `json:"phase,omitempty"` // after the decision
	Stage    int      `json:"stage,omitempty"` // after the decision, 1-based
	Verdict  string   `json:"verdict,omitempty"`
	Reasons  []string `json:"reasons,omitempty"`
	Baseline string   `json:"baseline,omitempty"`
	Note     string   `json:"note,omitempty"` // the person's reason
	Override bool     `json:"override,omitempty"`
	// TakenFrom is whose part the actor took: who had paused it, or the owner of a stage that another let begin.
	TakenFrom string `json:"taken_from,omitempty"`
	Gates     []Gate `json:"gates,omitempty"`
}

// Act is the body of POST /v1/rollouts/{name}/{verb}. All fields are optional.
type Act struct {
	Reason    string  `json:"reason,omitempty"`
	Actor     string  `json:"actor,omitempty"`
	IfVersion *uint64 `json:"if_version,omitempty"`
	Full      bool    `json:"full,omitempty"`       // promote: to the end
	FromStage int     `json:"from_stage,omitempty"` // retry: 1-based; 0 is stage 1
}

// Upstreams is the answer of GET /v1/upstreams.
type Upstreams struct {
	Upstreams []Upstream `json:"upstreams"`
}

// Upstream is one pool. Counters go up from the pool's making.
type Upstream struct {
	Name     string            `json:"name"`
	Revision string            `json:"revision"`
	Healthy  int               `json:"healthy"` // servers that take traffic
	InFlight int               `json:"in_flight"`
	Queued   int               `json:"queued"`
	Draining bool              `json:"draining"`
	Errors   map[string]uint64 `json:"errors"` // by reason, those of no server included
	Servers  []UpstreamServer  `json:"servers"`
}

// UpstreamServer is one address of a pool.
type UpstreamServer struct {
	Name        string            `json:"name"`
	Address     string            `json:"address"`
	State       string            `json:"state"` // up unknown down ejected warming draining
	InFlight    int               `json:"in_flight"`
	Connections int               `json:"connections"`
	Idle        int               `json:"idle"`
	Rate        float64           `json:"rate"` // requests per second, over about 10 s
	Requests    uint64            `json:"requests"`
	Retries     uint64            `json:"retries"`
	Ejections   uint64            `json:"ejections"`
	Errors      map[string]uint64 `json:"errors"` // by reason
	LastCheck   *Check            `json:"last_check"`
}

// Check is the last active health check of a server.
type Check struct {
	At     time.Time `json:"at"`
	OK     bool      `json:"ok"`
	Detail string    `json:"detail,omitempty"`
}

// Explain is the answer of GET /v1/explain?key=.
type Explain struct {
	Key         string          `json:"key"`
	Rollouts    []ExplainSplit  `json:"rollouts"`
	Experiments []ExplainExp    `json:"experiments"`
	Flags       []ExplainedFlag `json:"flags"`
}

// ExplainSplit is one rollout's answer for a key: its bucket, its arm now, and the smallest weight that sends it to the canary.
type ExplainSplit struct {
	Name          string   `json:"name"`
	Bucket        int      `json:"bucket"`
	Arm           string   `json:"arm"`                // none: the rollout is for others
	For           string   `json:"for,omitempty"`      // the audience that the rollout is for; absent: everybody
	FlipsAtWeight *float64 `json:"flips_at_weight"`    // null: never, another member of the exclusive group has the user, or the rollout is not for him
	Audience      string   `json:"audience,omitempty"` // the ring of the ladder that the user belongs to
	Reason        string   `json:"reason"`
}

// ExplainExp is one experiment's arm for a key.
type ExplainExp struct {
	Name   string `json:"name"`
	Bucket int    `json:"bucket"`
	Arm    string `json:"arm"`           // none: the experiment is for others
	For    string `json:"for,omitempty"` // the audience that the experiment is for; absent: everybody
	Reason string `json:"reason"`        // weight; stopped: his arm was stopped; other: another member of the group has him; outside: it is not for him
}

// ExplainedFlag is one flag's value for a key.
type ExplainedFlag struct {
	Name   string `json:"name"`
	Value  any    `json:"value"`
	Reason string `json:"reason"`
}

// Series is the answer of GET /v1/rollouts/{name}/series: 30 s points of the last two hours, the whole attempt thinned to at
// most 480 points, 2 s points of the last ten minutes, and when the share changed. since=TIME leaves out what is not newer,
// part=NAME the other lists, points=N merges neighbours until at most N are left of each.
type Series struct {
	Recent  []Point `json:"recent"`
	Attempt []Point `json:"attempt"`
	Live    []Point `json:"live"`
	Marks   []Mark  `json:"marks"`
}

// Mark is a decision that changed the canary's share.
type Mark struct {
	At     time.Time `json:"at"`
	Action string    `json:"action"`
	From   float64   `json:"from"`
	To     float64   `json:"to"`
}

// Point is one stretch of time, At its end.
type Point struct {
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`
	Weight  float64   `json:"weight"`
	Stable  PointArm  `json:"stable"`
	Canary  PointArm  `json:"canary"`
}

// PointArm is one arm over a point's stretch. ErrorLow and ErrorHigh are the 95 % Wilson interval; all but Requests are
// null where there is nothing to measure.
type PointArm struct {
	Requests  uint64   `json:"requests"`
	Errors    uint64   `json:"errors"`
	ErrorRate *float64 `json:"error_rate"`
	ErrorLow  *float64 `json:"error_low"`
	ErrorHigh *float64 `json:"error_high"`
	P50MS     *float64 `json:"p50_ms"`
	P95MS     *float64 `json:"p95_ms"`
	P99MS     *float64 `json:"p99_ms"`
}

// Reload is the answer of POST /v1/reload when the file is in force.
type Reload struct {
	Status   string    `json:"status"` // in_force
	File     string    `json:"file"`
	Warnings []Problem `json:"warnings,omitempty"`
}

// Problem is one thing wrong in a configuration file.
type Problem = config.Problem

// Failure is the body of every answer that is not 2xx.
type Failure struct {
	Error    string    `json:"error"`
	Hint     string    `json:"hint"`
	Problems []Problem `json:"problems,omitempty"` // POST /v1/reload
}

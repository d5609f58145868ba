// Package notify tells people what was decided, wherever they look: a chat, a pager, a program.
//
//	control loop -> Tell (memory only, never waits) -> outbox, one bounded list a sink -> worker, one a sink -> the world
//	                                                     |  written to disk beside it
//	                                                     +- alerts: what waits for a person is told again until it is over
//
// Sinks only render and send: one file each. When to send again, what was sent already, what to drop and when to leave a dead
// receiver alone live here, once. A notice is sent at least once: it keeps its ID over all tries, so a receiver can tell a
// repeat. Nothing here can delay a decision: Tell takes a mutex that is never held over I/O.
package notify

import (
	"slices"
	"time"

	"serin/gate"
)

// Words of Notice.Event: what can be told, and what `events` of a sink may list.
const (
	EventStart    = "start"     // the first stage began
	EventAdvance  = "advance"   // a stage passed, or was widened for want of traffic
	EventHold     = "hold"      // a confirmed finding, sparse traffic, skewed keys, a frozen fail: a person should look
	EventApproval = "approval"  // a stage waits for a person's approval
	EventApprove  = "approve"   // it was given
	EventRollback = "rollback"  // everybody is back on stable
	EventStepBack = "step_back" // one stage down
	EventComplete = "complete"  // everybody is on the canary
	EventPause    = "pause"
	EventResume   = "resume"
	EventPromote  = "promote"
	EventRetry    = "retry"
	EventRevision = "revision"  // the file names another version, ladder or gates
	EventWithdraw = "withdrawn" // the file has the rollout no more
)

// Events lists every event's word, in the order of a rollout's life.
func Events() []string {
	return []string{
		EventRevision, EventStart, EventAdvance, EventHold, EventApproval, EventApprove, EventRollback, EventStepBack, EventComplete,
		EventPause, EventResume, EventPromote, EventRetry, EventWithdraw,
	}
}

// States of a notice.
const (
	Open         = "open"         // waits for somebody: told again where the sink says repeat
	Acknowledged = "acknowledged" // somebody looks; only for sinks that keep alerts of their own
	Resolved     = "resolved"     // what was open is over; only for sinks that keep alerts of their own
	Done         = "done"         // for information
)

// Severities, as PagerDuty and Alertmanager users sort them.
const (
	Info     = "info"
	Warning  = "warning"
	Critical = "critical"
)

// Notice is one thing told. Its JSON is what a webhook gets as data and a command on stdin. Shares are fractions, times wall
// times.
type Notice struct {
	ID       string         `json:"id"` // of the decision: the same over all tries, repeats and restarts
	Event    string         `json:"event"`
	State    string         `json:"state"`           // open | acknowledged | resolved | done
	Alert    string         `json:"alert,omitempty"` // names what is open, from its first notice to its last
	Severity string         `json:"severity"`        // info | warning | critical
	Repeat   int            `json:"repeat,omitempty"`
	Sample   bool           `json:"sample,omitempty"` // `serin notify test`: nothing has happened
	At       time.Time      `json:"at"`
	Rollout  string         `json:"rollout"`           // or the experiment's name
	Control  string         `json:"control,omitempty"` // of an experiment: the arm the others are compared with; "": a rollout
	Arm      string         `json:"arm,omitempty"`     // of an experiment: the arm that was stopped
	Revision string         `json:"revision"`
	Attempt  int            `json:"attempt"`
	Version  uint64         `json:"version"`
	Phase    string         `json:"phase"`
	Action   string         `json:"action"`
	Reason   string         `json:"reason,omitempty"` // a reason code
	Actor    string         `json:"actor,omitempty"`
	Note     string         `json:"note,omitempty"` // the person's reason
	Override bool           `json:"override,omitempty"`
	DryRun   bool           `json:"dry_run,omitempty"`
	Sentence string         `json:"sentence"`
	Next     string         `json:"next,omitempty"`
	Stage    Stage          `json:"stage"`
	From     float64        `json:"from"`
	To       float64        `json:"to"`
	Arms     Arms           `json:"arms"`
	Gates    []gate.Finding `json:"gates,omitempty"`
	Exposure Exposure       `json:"exposure"`
	Awaits   string         `json:"awaits,omitempty"` // label of the stage that waits for approval
	Owner    string         `json:"owner,omitempty"`  // whose approval it takes
	Until    *time.Time     `json:"until,omitempty"`  // when it ends by itself
	Then     string         `json:"then,omitempty"`   // what happens then
	Commands []string       `json:"commands,omitempty"`
	Links    []Link         `json:"links,omitempty"`
}

// Stage is where the rollout is after the decision; Index 0: before its first stage.
type Stage struct {
	Index int    `json:"index"`
	Count int    `json:"count"`
	Label string `json:"label,omitempty"`
}

// Arms is what both arms did in the stage that was decided about; of an experiment, what the control (Stable) and the arm that
// was stopped (Canary) did.
type Arms struct {
	Stable Arm `json:"stable"`
	Canary Arm `json:"canary"`
}

// Arm is one arm. P99MS is 0 before the first timed answer.
type Arm struct {
	Requests uint64  `json:"requests"`
	Errors   uint64  `json:"errors"`
	P99MS    float64 `json:"p99_ms,omitempty"`
}

// Exposure is what the canary has cost in this attempt. Users are estimated from buckets.
type Exposure struct {
	Users       uint64 `json:"users"`
	Requests    uint64 `json:"requests"`
	Failed      uint64 `json:"failed"`
	UsersFailed uint64 `json:"users_failed"`
}

// Link leads to a page that asks before it acts (Verb approve, rollback) or only shows (Verb "").
type Link struct {
	Verb    string     `json:"verb,omitempty"`
	Label   string     `json:"label"`
	URL     string     `json:"url"`
	Expires *time.Time `json:"expires,omitempty"`
}

// Spec is one sink as configured. URL and Secret are asked at every send, so that a rotated one counts at once; nil: none.
type Spec struct {
	Name    string
	Kind    string
	URL     func() (string, error)
	Secret  func() (string, error)
	Command []string
	Timeout time.Duration // of one try; 0: 10s
	Events  []string      // what is told
	Repeat  time.Duration // how often what is open is told again until acknowledged or over; 0: once
}

func (s *Spec) wants(event string) bool { return slices.Contains(s.Events, event) }

// key names one notice to one sink, for dedup.
func (n *Notice) key() string {
	key := n.ID + "/" + n.Event + "/" + n.State
	if n.Repeat > 0 {
		key += "/" + count(uint64(n.Repeat))
	}
	return key
}

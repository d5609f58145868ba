// Package control is the loop: one goroutine owns every change of routing.
//
//	tick | reload | operator -> read meters -> window.Tracker -> gate.Step -> effects -> Status
//
// The order of effects is what keeps a rollback from being lost, whatever dies in between:
//
//	lowers the canary        Dataplane.Set, then the journal. The journal cannot stop it.
//	lets it rise             the journal (fsync), then Dataplane.Set. A journal that cannot write drops the decision:
//	                         Step is pure, so the state before is still there, and the rollout holds.
//	neither (pause, ...)     at once, then the journal
//
// The disk has a goroutine of its own, so the loop never waits for it: a decision that lets the canary rise is pending until
// the writer reports it durable, and is overtaken by whatever lowers the weight, or a person's pause, in the meantime. What
// was acted on and could not be written stays in memory in order and is tried again at every tick; until it is written,
// nothing rises.
//
// Every duration is monotonic. A gap in the ticks (a suspended machine) drops the rolling windows; the wall clock is shown
// to people only.
package control

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/journal"
)

// Journal is what the loop asks of the disk. Append and Save are called by one goroutine at a time.
type Journal interface {
	Append(entries ...journal.Entry) error
	Save(s journal.Saved) error
	Decisions(rollout string, since time.Time, limit int) ([]journal.Entry, error)
}

// Errors of Operate and Reload.
var (
	ErrUnknownRollout     = errors.New("unknown rollout")
	ErrJournalUnavailable = errors.New("the journal cannot be written, so nothing that widens the canary is done")
	ErrOvertaken          = errors.New("overtaken by a decision that lowers or stops the canary")
	ErrStopped            = errors.New("the control loop has stopped")
)

// Options of a Loop. Plan, Dataplane and Journal are required.
type Options struct {
	Plan      *config.Plan
	Dataplane Dataplane
	Journal   Journal
	Restored  *journal.Restored // what the journal found; nil: a first start
	Log       *slog.Logger      // nil: silent
	Tick      time.Duration     // between two looks, default 1s
	Save      time.Duration     // between two saves of the evidence, default 5s
	// Announce is told of every decision as soon as it is done, in the loop itself: it must not wait. nil: nobody is told.
	Announce func(Announcement)
	// Outside is what outside gates heard last for a rollout, by rule. nil: nobody asks.
	Outside func(rollout string, now time.Time) map[string]gate.Outside
	// WindowOpen reports whether the rollout may widen at a wall time, and until when that holds (zero: for ever). nil: what
	// its policy's windows say.
	WindowOpen func(rollout string, at time.Time) (open bool, until time.Time)
}

// Loop drives the rollouts of one plan. Start, then Run; the other methods may be called by anybody at any time.
type Loop struct {
	dataplane Dataplane
	journal   Journal
	log       *slog.Logger
	tick      time.Duration
	save      time.Duration
	window    func(string, time.Time) (bool, time.Time) // nil: the policies' own
	announce  func(Announcement)
	outside   func(string, time.Time) map[string]gate.Outside

	mail     chan any
	stopped  chan struct{} // closed when Run has returned
	status   atomic.Pointer[Status]
	lastTick atomic.Int64 // nanoseconds since born
	born     time.Time
	watchers watchers

	// owned by Start, then by Run
	plan     *config.Plan
	rollouts []*rollout // in the plan's order
	trials   []*trial   // the experiments, in the plan's order
	gone     map[string]journal.Record
	restored *journal.Restored
	pen      pen
	saveAt   time.Time    // of the last regular save
	shownAt  time.Time    // of the last Status
	reloaded []chan error // answered with the next Status
	told     gate.Tick    // what the brain was told last
	freeze   *gate.Freeze
	decided  map[string]map[gate.Action]uint64 // done since New, by rollout
	recorder Recorder
	cutter   Cutter
	started  bool
}

// New makes a loop; nothing moves before Start.
func New(o Options) *Loop {
	l := &Loop{
		dataplane: o.Dataplane, journal: o.Journal, log: o.Log, tick: o.Tick, save: o.Save, window: o.WindowOpen, announce: o.Announce, outside: o.Outside,
		mail: make(chan any, 16), stopped: make(chan struct{}), born: time.Now(),
		plan: o.Plan, gone: map[string]journal.Record{}, restored: o.Restored,
		decided: map[string]map[gate.Action]uint64{},
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.tick <= 0 {
		l.tick = time.Second
	}
	if l.save <= 0 {
		l.save = 5 * time.Second
	}
	if l.outside == nil {
		l.outside = func(string, time.Time) map[string]gate.Outside { return nil }
	}
	if l.restored == nil {
		l.restored = &journal.Restored{Fresh: true}
	}
	l.cutter, _ = o.Dataplane.(Cutter)
	l.recorder, _ = o.Journal.(Recorder)
	l.pen.init()
	return l
}

// Decisions returns at most limit decisions of a rollout ("": all) made at or after since (zero: ever), newest first. Those
// the journal could not take yet come first. An unknown rollout that never decided anything has none.
func (l *Loop) Decisions(rollout string, since time.Time, limit int) ([]journal.Entry, error) {
	var out []journal.Entry
	unwritten := l.Status().Unwritten
	for i := len(unwritten) - 1; i >= 0 && len(out) < limit; i-- {
		if e := unwritten[i]; (rollout == "" || e.Rollout == rollout) && !e.At.Before(since) {
			out = append(out, e)
		}
	}
	if len(out) >= limit {
		return out, nil
	}
	written, err := l.journal.Decisions(rollout, since, limit-len(out))
	for _, e := range written {
		if !contains(out, e.ID) {
			out = append(out, e)
		}
	}
	return out, err
}

func contains(entries []journal.Entry, id string) bool {
	for _, e := range entries {
		if e.ID == id {
			return true
		}
	}
	return false
}

// Status is the state as of the last tick or decision, never nil once Start has returned. It is immutable.
func (l *Loop) Status() *Status { return l.status.Load() }

// windowOf asks the rollout's own windows, where the options have no other.
func (l *Loop) windowOf(r *rollout, at time.Time) (open bool, until time.Time) {
	if l.window != nil {
		return l.window(r.name, at)
	}
	return r.policy.Window.Open(at)
}

func (l *Loop) find(name string) *rollout {
	for _, r := range l.rollouts {
		if r.name == name {
			return r
		}
	}
	return nil
}

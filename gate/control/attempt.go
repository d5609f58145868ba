package control

import (
	"slices"
	"time"

	"serin/gate"
	"serin/gate/journal"
	"serin/gate/window"
	"serin/router"
)

// underway reports whether an attempt has begun and not ended: what it costs is its own.
func (r *rollout) underway() bool { return underway(&r.state) }

func underway(s *gate.State) bool {
	switch s.Phase {
	case gate.Progressing, gate.AwaitingApproval, gate.Holding, gate.Paused:
		return s.Stage > 0 && !s.Withdrawn
	case gate.Waiting, gate.Completed, gate.RolledBack:
	}
	return false
}

// longestLook is the most that passes between two looks of a machine that was not suspended.
const longestLook = 15 * time.Second

// spend lets the time since the last look count for the share in force.
func (r *rollout) spend(now time.Time) {
	was := r.lookedAt
	r.lookedAt = now
	if !was.IsZero() && r.underway() {
		r.here += min(now.Sub(was), longestLook)
	}
}

// fold writes the time at a share into the attempt's account.
func (r *rollout) fold(w router.Weight) {
	if r.here > 0 {
		r.spent.shares = addShare(r.spent.shares, journal.ShareTime{Weight: w, Seconds: r.here.Seconds()})
		r.here = 0
	}
}

// count adds one step's canary to its share.
func (e *exposure) count(w router.Weight, canary *window.Snapshot) {
	e.shares = addShare(e.shares, journal.ShareTime{
		Weight: w, Requests: canary.Total(), Failed: uint64(canary.Everyone(window.BadKind).X),
	})
}

// countShare adds the step's canary to its share, the members of rings included: they are no evidence, and people.
func (r *rollout) countShare(e *exposure, w router.Weight) {
	for _, s := range []*window.Snapshot{&r.total[1], r.rings.base, r.reading.Members} {
		if s != nil {
			e.count(w, s)
		}
	}
}

// addShare is shares with one more, merged with what its weight has; shares itself is not changed.
func addShare(shares []journal.ShareTime, more journal.ShareTime) []journal.ShareTime {
	if more.Seconds == 0 && more.Requests == 0 {
		return shares
	}
	i := slices.IndexFunc(shares, func(s journal.ShareTime) bool { return s.Weight == more.Weight })
	if i < 0 {
		return append(slices.Clip(shares), more)
	}
	out := slices.Clone(shares)
	out[i].Seconds += more.Seconds
	out[i].Requests += more.Requests
	out[i].Failed += more.Failed
	return out
}

// ended is the report of the attempt that a decision ends; nil where it ends none.
func (r *rollout) ended(next gate.State) *journal.Attempt {
	if !r.underway() || underway(&next) && next.Attempt == r.state.Attempt {
		return nil
	}
	cost := r.cost()
	return &journal.Attempt{
		Number: r.state.Attempt, Revision: r.state.Revision,
		Users: cost.Users, Requests: cost.Requests, Failed: cost.Failed, UsersFailed: cost.UsersFailed, Shares: cost.Shares,
	}
}

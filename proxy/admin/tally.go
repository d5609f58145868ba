package admin

import (
	"context"
	"maps"
	"sync"

	"serin/gate/control"
)

// tally counts journalled decisions by rollout and action since the daemon's start, from the stream of states: each holds
// the rollout's last decision, and a new id is a new decision.
type tally struct {
	mu     sync.Mutex
	last   map[string]string            // id of the last decision, by rollout
	counts map[string]map[string]uint64 // by rollout, then action
}

func newTally() *tally {
	return &tally{last: map[string]string{}, counts: map[string]map[string]uint64{}}
}

// run follows the stream until ctx ends or the loop does.
func (t *tally) run(ctx context.Context, from Stream) {
	for ctx.Err() == nil {
		sub, err := from.Subscribe(64)
		if err != nil {
			return
		}
		stop := context.AfterFunc(ctx, sub.Close)
		for status := range sub.C {
			t.observe(status)
		}
		stop()
	}
}

// observe takes one state. The first sight of a rollout sets the mark and counts nothing: what the journal brought back was
// decided before.
func (t *tally) observe(s *control.Status) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range s.Rollouts {
		id, action := "", ""
		if r.LastDecision != nil {
			id, action = r.LastDecision.ID, r.LastDecision.Decision.Action.String()
		}
		before, known := t.last[r.Name]
		t.last[r.Name] = id
		if !known || id == before {
			continue
		}
		if t.counts[r.Name] == nil {
			t.counts[r.Name] = map[string]uint64{}
		}
		t.counts[r.Name][action]++
	}
}

// of returns a copy of one rollout's counts.
func (t *tally) of(rollout string) map[string]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.counts[rollout])
}

package control

import (
	"maps"
	"time"

	"serin/gate/journal"
)

// maxGone bounds the memory of rollouts that the file has no more; the longest gone are forgotten first.
const maxGone = 1000

// compose is everything a restart needs, sharing nothing that changes with the loop.
func (l *Loop) compose() journal.Saved {
	l.forget()
	all := maps.Clone(l.gone)
	for _, r := range l.rollouts {
		all[r.name] = l.remembered(r)
	}
	for _, t := range l.trials {
		all[t.name] = l.trialRecord(t)
	}
	return journal.Saved{Rollouts: all, Freeze: l.freeze}
}

// remembered is r's record. While r rests it is made once in a while: nothing but its clocks moves, and a clock that a
// restart sets back a little moves nobody.
func (l *Loop) remembered(r *rollout) journal.Record {
	now := l.born.Add(time.Duration(l.lastTick.Load()))
	if !r.rest.long(now) {
		return l.record(r)
	}
	if now.Sub(r.rest.sealedAt) >= sealFor {
		sealed, err := l.record(r).Seal()
		if err != nil {
			l.log.Error("state not saved", "rollout", r.name, "err", err)
			return sealed
		}
		r.rest.sealed, r.rest.sealedAt = sealed, now
	}
	return r.rest.sealed
}

// record is one rollout's memory. A pending decision is not in it: if it gets durable, its line in the journal is newer.
func (l *Loop) record(r *rollout) journal.Record {
	r.fold(r.setting.Weight)
	out := journal.Record{
		State: r.state, Number: r.number, Last: r.last, Mask: r.mask, Before: r.before, Exposure: r.spent.record(),
		Rings: r.rings.record(time.Now()),
	}
	tracker, err := r.tracker.MarshalJSON()
	if err != nil {
		l.log.Error("evidence not saved", "rollout", r.name, "err", err)
		return out
	}
	out.Evidence = &journal.Evidence{
		Step: r.state.Step, Tracker: tracker, Stable: r.total[0].Clone(), Canary: r.total[1].Clone(),
		Members: r.memberRecord(),
		Mirror:  r.compareRecord(),
		Signals: r.signals.records(r.state.Step),
	}
	return out
}

func (l *Loop) forget() {
	for len(l.gone) > maxGone {
		oldest := ""
		for name, record := range l.gone {
			if oldest == "" || older(record, l.gone[oldest]) {
				oldest = name
			}
		}
		delete(l.gone, oldest)
	}
}

func older(a, b journal.Record) bool {
	return b.Last != nil && (a.Last == nil || a.Last.At.Before(b.Last.At))
}

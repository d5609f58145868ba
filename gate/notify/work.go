package notify

import (
	"context"
	"errors"
	"slices"
	"time"
)

const (
	firstWait = time.Second     // after a first failure; doubled at each further one
	lastWait  = 5 * time.Minute // and no more than this
	breakAt   = 5               // failures in a row of a sink that open its breaker
)

// breaker leaves a dead receiver alone: from the fifth failure in a row on, one try at a time, further and further apart.
type breaker struct {
	fails int
	until time.Time
}

// rests reports that nothing is tried now.
func (b *breaker) rests(now time.Time) bool { return b.fails >= breakAt && now.Before(b.until) }

// work sends what waits for one sink until ctx ends or the sink is gone.
func (q *Queue) work(ctx context.Context, s *sink) {
	for {
		it, spec, wait := q.pick(s)
		if it != nil {
			err := q.try(ctx, &spec, it)
			if ctx.Err() != nil && err != nil {
				return // it stays in the outbox
			}
			q.judge(s, it, err)
			continue
		}
		if wait < 0 {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-s.wake:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

func (q *Queue) try(ctx context.Context, spec *Spec, it *item) error {
	ctx, cancel := context.WithTimeout(ctx, spec.Timeout)
	defer cancel()
	return q.send(ctx, spec, &it.Notice)
}

// pick takes the first notice that is due. Without one it says how long to wait; < 0: the sink is gone.
func (q *Queue) pick(s *sink) (*item, Spec, time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if s.gone {
		return nil, Spec{}, -1
	}
	if s.breaker.rests(now) {
		return nil, Spec{}, s.breaker.until.Sub(now)
	}
	wait := time.Hour
	for _, it := range s.items {
		if !now.Before(it.next) {
			it.busy = true
			return it, s.spec, 0
		}
		wait = min(wait, it.next.Sub(now))
	}
	return nil, Spec{}, wait
}

// judge keeps the books of a try.
func (q *Queue) judge(s *sink, it *item, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	it.busy = false
	var refused *refusedError
	switch {
	case err == nil:
		if s.breaker.fails >= breakAt {
			q.log.Info("sink answers again", "sink", s.spec.Name)
		}
		s.breaker, s.last, s.lastOK = breaker{}, "", now.Round(0)
		s.counts.Sent++
		q.remove(s, it)
	case errors.As(err, &refused):
		s.last = err.Error()
		s.counts.Refused++
		q.remove(s, it)
		q.log.Error("notice refused", "sink", s.spec.Name, "id", it.Notice.ID, "event", it.Notice.Event, "err", err)
	default:
		q.again(s, it, err, now)
	}
}

// again plans the next try of a notice and, where the sink keeps failing, of the sink. With mu held.
func (q *Queue) again(s *sink, it *item, err error, now time.Time) {
	s.last = err.Error()
	s.counts.Failed++
	it.Tries++
	s.breaker.fails++
	if s.breaker.fails == breakAt {
		q.log.Warn("sink rests: it failed too often in a row and is tried rarely now", "sink", s.spec.Name, "err", err)
	}
	if now.Sub(it.Since) > maxAge {
		s.counts.Expired++
		q.remove(s, it)
		q.log.Error("notice dropped after a day of tries", "sink", s.spec.Name, "id", it.Notice.ID, "event", it.Notice.Event, "err", err)
		return
	}
	wait := q.backoff(it.Tries)
	var later *laterError
	if errors.As(err, &later) {
		wait = max(wait, later.after)
	}
	it.next = now.Add(wait)
	if s.breaker.fails >= breakAt {
		s.breaker.until = now.Add(q.backoff(s.breaker.fails))
	}
}

// backoff is 1, 2, 4 ... seconds to five minutes, at least half of it, the rest by chance: receivers that come back are not
// met by everybody at once.
func (q *Queue) backoff(tries int) time.Duration {
	wait := lastWait
	if tries < 10 {
		wait = min(firstWait<<(tries-1), lastWait)
	}
	return wait/2 + time.Duration(q.random()*float64(wait/2))
}

// remove takes a notice off the list. With mu held.
func (q *Queue) remove(s *sink, it *item) {
	s.items = slices.DeleteFunc(s.items, func(have *item) bool { return have == it })
	nudge(q.unsaved)
}

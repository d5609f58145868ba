package control

import (
	"errors"
	"sync"
)

// maxWatchers bounds the subscriptions.
const maxWatchers = 256

// ErrTooMany says that there are as many subscriptions as allowed.
var ErrTooMany = errors.New("too many subscribers")

// Subscription is a stream of states: the one now, then one after every tick or decision.
type Subscription struct {
	// C is closed when the loop ends, when Close is called, and when the reader falls behind by more than its buffer.
	C    <-chan *Status
	c    chan *Status
	from *watchers
}

type watchers struct {
	mu    sync.Mutex
	all   map[*Subscription]struct{}
	ended bool
}

// Subscribe begins a stream with room for buffer states (at least 1). The loop never waits for a reader: a slow one is
// dropped. At most 256 at a time, else ErrTooMany; ErrStopped after the loop's end.
func (l *Loop) Subscribe(buffer int) (*Subscription, error) {
	c := make(chan *Status, max(buffer, 1))
	s := &Subscription{C: c, c: c, from: &l.watchers}
	w := &l.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.ended:
		return nil, ErrStopped
	case len(w.all) >= maxWatchers:
		return nil, ErrTooMany
	}
	if w.all == nil {
		w.all = map[*Subscription]struct{}{}
	}
	w.all[s] = struct{}{}
	if now := l.Status(); now != nil {
		c <- now
	}
	return s, nil
}

// Close ends the stream. It may be called more than once, by anybody.
func (s *Subscription) Close() {
	s.from.mu.Lock()
	defer s.from.mu.Unlock()
	s.from.drop(s)
}

// drop ends a subscription, with mu held.
func (w *watchers) drop(s *Subscription) {
	if _, there := w.all[s]; there {
		delete(w.all, s)
		close(s.c)
	}
}

func (w *watchers) send(status *Status) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for s := range w.all {
		select {
		case s.c <- status:
		default:
			w.drop(s)
		}
	}
}

func (w *watchers) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	for s := range w.all {
		w.drop(s)
	}
}

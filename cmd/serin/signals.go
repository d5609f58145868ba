package main

import (
	"fmt"
	"sync"
	"time"

	"serin/config"
	"serin/gate/control"
	"serin/gate/criterion"
	"serin/gate/signal"
	"serin/gate/window"
	"serin/proxy"
	"serin/proxy/admin"
	"serin/router"
)

// signalKeeper has a book of business signals for each rollout, for as long as its gates judge the same ones. begin and
// forget are the control loop's alone.
type signalKeeper struct {
	mu    sync.RWMutex
	books map[string]*signal.Book // guarded by mu; by rollout
	from  map[string]*heard       // guarded by mu; by rollout: where fields bring signals
}

// heard is a rollout's field of signals in one step: what an answer says belongs to the step of its request.
type heard struct {
	book    *signal.Book
	step    uint64
	signals *proxy.Signals
}

var _ admin.Signals = (*signalKeeper)(nil)

func newSignalKeeper() *signalKeeper {
	return &signalKeeper{books: map[string]*signal.Book{}, from: map[string]*heard{}}
}

// begin has the rollout's events attributed by split from now on, and returns where a field brings some; nil: nowhere.
func (k *signalKeeper) begin(ro *config.Rollout, s control.Setting, split *router.Split) *proxy.Signals {
	k.mu.Lock()
	defer k.mu.Unlock()
	gated := criterion.SignalsOf(ro.Policy.Criteria)
	b := k.books[ro.Name]
	if b == nil || !b.Judges(gated) {
		b = signal.NewBook(gated)
		k.books[ro.Name] = b
	}
	b.Begin(s.Step, split, s.Mask, time.Now())
	if ro.Signals == "" {
		delete(k.from, ro.Name)
		return nil
	}
	if h := k.from[ro.Name]; h != nil && h.book == b && h.step == s.Step && h.signals.Header == ro.Signals {
		return h.signals
	}
	h := &heard{book: b, step: s.Step, signals: &proxy.Signals{Header: ro.Signals, Hear: func(arm router.Arm, bucket router.Bucket, field []byte) {
		signal.Parse(field, func(name string, value float64) {
			_ = b.RecordArm(s.Step, arm, uint16(bucket), name, value) // an upstream's nonsense is no request's failure
		})
	}}}
	k.from[ro.Name] = h
	return h.signals
}

// forget drops the books of rollouts that the plan has no more.
func (k *signalKeeper) forget(plan *config.Plan) {
	k.mu.Lock()
	defer k.mu.Unlock()
	named := map[string]bool{}
	for i := range plan.Rollouts {
		named[plan.Rollouts[i].Name] = true
	}
	for name := range k.books {
		if !named[name] {
			delete(k.books, name)
			delete(k.from, name)
		}
	}
}

// read fills in the evidence of the rollout's step.
func (k *signalKeeper) read(rollout string, r *control.Reading) {
	k.mu.RLock()
	b := k.books[rollout]
	k.mu.RUnlock()
	if b == nil || b.Judges(nil) {
		r.Signals = nil
		return
	}
	if r.Signals == nil {
		r.Signals = map[string]*[2]window.Snapshot{}
	}
	b.Read(r.Signals)
}

// Record implements admin.Signals: all events are checked before the first is counted.
func (k *signalKeeper) Record(events []admin.SignalEvent) (admin.SignalCounts, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for i := range events {
		e := events[i].Event()
		if err := e.Check(); err != nil {
			return admin.SignalCounts{}, fmt.Errorf("event %d: %w", i, err)
		}
		if name := events[i].Rollout; name != "" && k.books[name] == nil {
			return admin.SignalCounts{}, fmt.Errorf("event %d: no rollout is called %q", i, name)
		}
		for name, b := range k.books {
			if (events[i].Rollout == "" || events[i].Rollout == name) && !b.Takes(e) {
				return admin.SignalCounts{}, fmt.Errorf("event %d: value %v of %s is outside 0 to 1, and a gate of %s judges it", i, e.Value, e.Name, name)
			}
		}
	}
	var n admin.SignalCounts
	for i := range events {
		k.record(&events[i], &n)
	}
	return n, nil
}

// record counts one event for every rollout it is for. The caller holds mu.
func (k *signalKeeper) record(event *admin.SignalEvent, n *admin.SignalCounts) {
	e := event.Event()
	var anybody, late, full bool
	for name, b := range k.books {
		if event.Rollout != "" && event.Rollout != name {
			continue
		}
		after, ok, err := b.Record(e)
		late, anybody, full = late || after, anybody || ok && err == nil, full || err != nil
	}
	switch {
	case full:
		n.Dropped++
	case !anybody:
		n.Unattributed++
	default:
		n.Accepted++
	}
	if late {
		n.Late++
	}
}

// Totals implements admin.Signals.
func (k *signalKeeper) Totals(rollout string) (list []admin.Signal, late uint64) {
	k.mu.RLock()
	b := k.books[rollout]
	k.mu.RUnlock()
	if b == nil {
		return nil, 0
	}
	totals, late := b.Totals()
	for _, t := range totals {
		list = append(list, admin.Signal{
			Name: t.Name, Judged: t.Gated, Lower: t.Lower,
			Stable: admin.SignalArmOf(t.Counts[0], t.Sums[0]), Canary: admin.SignalArmOf(t.Counts[1], t.Sums[1]),
		})
	}
	return list, late
}

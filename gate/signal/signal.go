// Package signal counts what happens to users after the answer: orders, clicks, tickets. An event names a user's key, not an
// arm; whoever records it hashes the key again and so finds the arm, at the event's own time.
//
//	event {key, name, value} -> router.Split.ChooseText -> Book.Record(arm, bucket) -> a meter of the step -> window.View
//
// A signal that a gate judges takes values from 0 to 1 and is counted as a request is: its bad mass is the value, or, where
// lower is worse, one minus the value. A value in between is counted as bad with that probability, which keeps the evidence
// valid (a Bernoulli draw spreads no less than what it stands for) and the counters whole. Sums are exact and shown.
// Any other signal is shown only.
package signal

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"serin/gate/window"
	"serin/router"
)

// Bounds of a Book: what a flood can do ends here.
const (
	MaxNames = 64  // signals of one rollout that no gate judges
	MaxName  = 64  // bytes
	MaxKey   = 512 // bytes
	keptPast = 32  // stages whose late events are still attributed
)

// Errors of Record.
var (
	ErrRange = errors.New("the value is outside 0 to 1, and a gate judges this signal")
	ErrNames = errors.New("too many different signals")
)

// Event is something that happened to a user.
type Event struct {
	Key   string
	Name  string
	Value float64
	At    time.Time // zero: now
}

// Check refuses an event that can mean nothing.
func (e *Event) Check() error {
	switch {
	case e.Key == "" || len(e.Key) > MaxKey:
		return fmt.Errorf("key has %d bytes, want 1 to %d", len(e.Key), MaxKey)
	case !ValidName(e.Name):
		return fmt.Errorf("name %.80q is none: want 1 to %d letters, digits, '_', '-' or '.'", e.Name, MaxName)
	case math.IsNaN(e.Value) || math.IsInf(e.Value, 0):
		return fmt.Errorf("value %v is no number", e.Value)
	}
	return nil
}

// ValidName reports whether a signal may be called so.
func ValidName[T string | []byte](name T) bool {
	if len(name) == 0 || len(name) > MaxName {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// Book counts one rollout's signals. Safe for concurrent use; Record holds a lock for a few additions.
type Book struct {
	gated map[string]bool // signal: lower is worse; immutable
	step  atomic.Pointer[step]
	late  atomic.Uint64

	mu    sync.Mutex
	past  []*step           // guarded by mu; oldest first
	shown map[string]*tally // guarded by mu; what no gate judges, and the sums of what one does
}

// step is the evidence of one stage.
type step struct {
	number uint64
	since  time.Time
	split  *router.Split
	meters map[string]*[2]*window.Meter // of gated signals; immutable
}

// tally are exact sums by arm, since the book began.
type tally [2]struct {
	count uint64
	sum   float64
}

// Total is one signal's sums over all stages.
type Total struct {
	Name   string
	Gated  bool
	Lower  bool // lower is worse
	Counts [2]uint64
	Sums   [2]float64
}

// NewBook makes a book for the signals that gates judge; true where lower is worse.
func NewBook(gated map[string]bool) *Book {
	return &Book{gated: maps.Clone(gated), shown: map[string]*tally{}}
}

// Judges reports whether the book counts these signals as evidence, polarity and all.
func (b *Book) Judges(gated map[string]bool) bool { return maps.Equal(b.gated, gated) }

// Takes reports whether the event's value is one that the book can count.
func (b *Book) Takes(e Event) bool {
	_, gated := b.gated[e.Name]
	return !gated || e.Value >= 0 && e.Value <= 1
}

// Begin makes split, in force since a time, the one that events are attributed by. Another number begins new meters.
func (b *Book) Begin(number uint64, split *router.Split, mask *window.Mask, since time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.step.Load()
	next := &step{number: number, since: since, split: split}
	if now != nil {
		if now.number == number && now.split == split {
			return
		}
		over := &step{number: now.number, since: now.since, split: now.split} // without its meters, which are large
		if b.past = append(b.past, over); len(b.past) > keptPast {
			b.past = b.past[1:]
		}
	}
	if now != nil && now.number == number {
		next.meters = now.meters
	} else {
		next.meters = make(map[string]*[2]*window.Meter, len(b.gated))
		for name := range b.gated {
			o := window.Options{Mask: mask, Users: true}
			next.meters[name] = &[2]*window.Meter{window.NewMeter(o), window.NewMeter(o)}
		}
	}
	b.step.Store(next)
}

// Record attributes an event that Check has passed to the arm of its key at its time. late: it is of an earlier stage, and
// counts for the sums but is no evidence of this one. ok is false where the user has no arm here: the rollout has not begun, or
// another of its exclusive group has the user.
func (b *Book) Record(e Event) (late, ok bool, err error) {
	now := b.step.Load()
	if now == nil {
		return false, false, nil
	}
	of := now
	if !e.At.IsZero() && e.At.Before(now.since) {
		if of = b.at(e.At, now); of == nil {
			return true, false, nil
		}
	}
	if people := of.split.Audience; people != nil && !people.Keyed() { // it takes a request to tell whether he is one of them
		return of != now, false, nil
	}
	choice := of.split.ChooseText(e.Key)
	if choice.Why != router.ByWeight {
		return of != now, false, nil
	}
	return of != now && of.number != now.number, true, b.RecordArm(of.number, choice.Arm, uint16(choice.Bucket), e.Name, e.Value)
}

// at is the step in force at a time; nil where none is known.
func (b *Book) at(t time.Time, now *step) *step {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range slices.Backward(b.past) {
		if !t.Before(s.since) {
			return s
		}
	}
	return nil
}

// RecordArm counts an event whose arm and bucket are known, of the step with that number.
func (b *Book) RecordArm(number uint64, arm router.Arm, bucket uint16, name string, value float64) error {
	lower, gated := b.gated[name]
	if gated && (value < 0 || value > 1) {
		return ErrRange
	}
	if err := b.sum(name, gated, arm, value); err != nil {
		return err
	}
	now := b.step.Load()
	if !gated || now == nil || now.number != number {
		if gated {
			b.late.Add(1)
		}
		return nil
	}
	bad := value
	if lower {
		bad = 1 - value
	}
	outcome := window.Success
	if bad >= 1 || bad > 0 && rand.Float64() < bad {
		outcome = window.ServerError
	}
	now.meters[name][arm&1].Record(uint64(bucket), bucket, outcome, 0)
	return nil
}

func (b *Book) sum(name string, gated bool, arm router.Arm, value float64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.shown[name]
	if t == nil {
		if !gated && len(b.shown) >= MaxNames+len(b.gated) {
			return ErrNames
		}
		t = new(tally)
		b.shown[name] = t
	}
	t[arm&1].count++
	t[arm&1].sum += value
	return nil
}

// Read fills into with the evidence of the step, by signal and arm: stable, canary.
func (b *Book) Read(into map[string]*[2]window.Snapshot) {
	s := b.step.Load()
	if s == nil {
		return
	}
	for name, meters := range s.meters {
		if into[name] == nil {
			into[name] = new([2]window.Snapshot)
		}
		for arm, m := range meters {
			m.Read(&into[name][arm], true)
		}
	}
}

// Totals are all sums, by name, and how many gated events came after their stage was over.
func (b *Book) Totals() (list []Total, late uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(b.shown)) {
		t := b.shown[name]
		lower, gated := b.gated[name]
		list = append(list, Total{
			Name: name, Gated: gated, Lower: lower,
			Counts: [2]uint64{t[0].count, t[1].count}, Sums: [2]float64{t[0].sum, t[1].sum},
		})
	}
	return list, b.late.Load()
}

// Parse reads the value of a response field: "name=1, other=0.5". What is none is left out.
func Parse(field []byte, each func(name string, value float64)) {
	for len(field) > 0 {
		var part []byte
		part, field = cut(field, ',')
		name, number := cut(part, '=')
		name, number = trim(name), trim(number)
		if !ValidName(name) {
			continue
		}
		value := 1.0
		if len(number) > 0 {
			v, err := parseFloat(number)
			if err != nil {
				continue
			}
			value = v
		}
		each(string(name), value)
	}
}

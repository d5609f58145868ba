package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	maxItems    = 256 // waiting for one sink; the oldest that is only for information goes first
	maxSeen     = 512 // keys remembered for dedup, a sink
	maxAge      = 24 * time.Hour
	usual       = 10 * time.Second // of one try
	leastRepeat = 5 * time.Second
)

// Options of a Queue. The zero value keeps the outbox in memory only.
type Options struct {
	Path      string            // of the outbox file, mode 0600; "": none
	Source    string            // who we are, in events; default "serin"
	Transport http.RoundTripper // nil: as the environment's proxies say
	Log       *slog.Logger      // nil: silent
	Random    func() float64    // jitter, in [0, 1); nil: random
}

// Queue holds what is to be told. Set, Tell, Ack, Test and Sinks may be called by anybody at any time and never wait for a
// receiver or a disk, Test aside.
type Queue struct {
	path   string
	source string
	client *http.Client
	log    *slog.Logger
	random func() float64

	changed chan struct{} // capacity 1: Run, look at the sinks
	unsaved chan struct{} // capacity 1: the outbox file is behind

	mu     sync.Mutex
	sinks  map[string]*sink  // guarded by mu
	alerts map[string]*alert // guarded by mu; by rollout
	left   outbox            // guarded by mu; what a process before left for sinks that Set has not named yet
}

// sink is one receiver with what waits for it. All of it is guarded by Queue.mu.
type sink struct {
	spec    Spec
	items   []*item
	seen    []string // keys, oldest first
	breaker breaker
	counts  Counts
	last    string    // why the last try failed; "" when it did not
	lastOK  time.Time // wall time of the last success
	wake    chan struct{}
	gone    bool
}

// item is a notice on its way.
type item struct {
	Notice Notice    `json:"notice"`
	Since  time.Time `json:"since"` // told
	Tries  int       `json:"tries,omitempty"`
	next   time.Time // not before
	busy   bool      // being sent
}

// New reads what a process before left unsent. A damaged outbox is put aside and told in the log; nothing starts before Run.
func New(o Options) *Queue {
	q := &Queue{
		path: o.Path, source: o.Source, log: o.Log, random: o.Random,
		changed: make(chan struct{}, 1), unsaved: make(chan struct{}, 1), sinks: map[string]*sink{}, alerts: map[string]*alert{},
	}
	if q.log == nil {
		q.log = slog.New(slog.DiscardHandler)
	}
	if q.random == nil {
		q.random = rand.Float64
	}
	if q.source == "" {
		q.source = "serin"
	}
	if o.Transport == nil {
		o.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		}
	}
	q.client = &http.Client{
		Transport:     o.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	q.left = q.read()
	if q.left.Alerts != nil {
		q.alerts = q.left.Alerts
	}
	return q
}

// Set makes these the sinks. What waits for one that stays goes on waiting; what waits for one that left is dropped.
func (q *Queue) Set(specs []Spec) {
	q.mu.Lock()
	defer q.mu.Unlock()
	named := map[string]bool{}
	for _, spec := range specs {
		if spec.Timeout <= 0 {
			spec.Timeout = usual
		}
		named[spec.Name] = true
		s := q.sinks[spec.Name]
		if s == nil {
			s = &sink{wake: make(chan struct{}, 1)}
			if kept := q.left.Sinks[spec.Name]; kept != nil {
				s.items, s.seen, s.counts = kept.Items, kept.Seen, kept.Counts
				delete(q.left.Sinks, spec.Name)
			}
			q.sinks[spec.Name] = s
		}
		s.spec, s.breaker = spec, breaker{} // a mended configuration is tried at once
		for _, it := range s.items {
			it.next = time.Time{}
		}
		nudge(s.wake)
	}
	for name, s := range q.sinks {
		if !named[name] {
			if len(s.items) > 0 {
				q.log.Warn("notices dropped: the configuration has their sink no more", "sink", name, "count", len(s.items))
			}
			s.gone = true
			delete(q.sinks, name)
		}
	}
	nudge(q.changed)
	nudge(q.unsaved)
}

// nudge wakes whoever waits, without waiting.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Tell hands a notice to the named sinks that want its event, and ends or renews what is open of its rollout. It never waits.
func (q *Queue) Tell(n Notice, sinks []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	q.settle(&n, sinks, now)
	for _, name := range sinks {
		if s := q.sinks[name]; s != nil && s.spec.wants(n.Event) {
			q.add(s, n, now)
			q.note(&n, name, now)
		}
	}
	nudge(q.unsaved)
}

// add puts a notice in a sink's list, once. With mu held.
func (q *Queue) add(s *sink, n Notice, now time.Time) {
	key := n.key()
	if slices.Contains(s.seen, key) {
		return
	}
	s.seen = append(s.seen, key)
	if over := len(s.seen) - maxSeen; over > 0 {
		s.seen = slices.Delete(s.seen, 0, over)
	}
	if len(s.items) >= maxItems {
		s.counts.Dropped++
		at := slices.IndexFunc(s.items, func(it *item) bool { return !it.busy && it.Notice.Severity == Info })
		if at < 0 {
			at = slices.IndexFunc(s.items, func(it *item) bool { return !it.busy })
		}
		s.items = slices.Delete(s.items, at, at+1)
	}
	s.items = append(s.items, &item{Notice: n, Since: now.Round(0)})
	nudge(s.wake)
}

// Test sends a sample to a sink at once, past the outbox, and says how it went.
func (q *Queue) Test(ctx context.Context, name string, n Notice) error {
	q.mu.Lock()
	s := q.sinks[name]
	var spec Spec
	if s != nil {
		spec = s.spec
	}
	q.mu.Unlock()
	if s == nil {
		return ErrUnknownSink
	}
	ctx, cancel := context.WithTimeout(ctx, spec.Timeout)
	defer cancel()
	return q.send(ctx, &spec, &n)
}

// ErrUnknownSink says that no sink has the name.
var ErrUnknownSink = errors.New("no such sink")

// Counts of a sink go up for as long as the outbox file lives.
type Counts struct {
	Sent    uint64 `json:"sent"`    // the receiver took it
	Failed  uint64 `json:"failed"`  // tries that will be made again
	Refused uint64 `json:"refused"` // dropped: the receiver said no for good
	Expired uint64 `json:"expired"` // dropped after a day of tries
	Dropped uint64 `json:"dropped"` // the list was full
}

// Sink is how a receiver stands.
type Sink struct {
	Name, Kind string
	Events     []string
	Repeat     time.Duration
	Counts     Counts
	Waiting    int       // notices not sent yet
	Resting    bool      // the breaker is open: it failed too often in a row and is tried rarely
	LastError  string    // of the last try; "": it went well, or there was none
	LastSent   time.Time // wall time; zero: never
}

// Sinks lists the receivers by name.
func (q *Queue) Sinks() []Sink {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	list := make([]Sink, 0, len(q.sinks))
	for _, name := range slices.Sorted(maps.Keys(q.sinks)) {
		s := q.sinks[name]
		list = append(list, Sink{
			Name: name, Kind: s.spec.Kind, Events: s.spec.Events, Repeat: s.spec.Repeat, Counts: s.counts, Waiting: len(s.items),
			Resting: s.breaker.rests(now), LastError: s.last, LastSent: s.lastOK,
		})
	}
	return list
}

// Run sends until ctx ends, then writes what is left. It leaves no goroutine.
func (q *Queue) Run(ctx context.Context) error {
	var all sync.WaitGroup
	defer q.client.CloseIdleConnections()
	all.Go(func() { q.keep(ctx) })
	all.Go(func() { q.repeat(ctx) })
	working := map[*sink]bool{}
	for {
		q.mu.Lock()
		for _, s := range q.sinks {
			if !working[s] {
				working[s] = true
				all.Go(func() { q.work(ctx, s) })
			}
		}
		maps.DeleteFunc(working, func(s *sink, _ bool) bool {
			if s.gone {
				nudge(s.wake)
			}
			return s.gone
		})
		q.mu.Unlock()
		select {
		case <-q.changed:
		case <-ctx.Done():
			all.Wait()
			if err := q.write(); err != nil {
				return fmt.Errorf("write the outbox: %w", err)
			}
			return nil
		}
	}
}

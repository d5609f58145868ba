package proxy

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"serin/gate/window"
	"serin/proxy/shadow"
	"serin/proxy/upstream"
	"serin/proxy/wire"
	"serin/router"
)

const (
	// mirrorLine marks every copy to whoever answers it. Clients cannot send it: Serin-* fields are cut from theirs.
	mirrorLine = "Serin-Mirror: 1\r\n"
	// mirrorHead is what the head of an answer may add to the bytes kept of it.
	mirrorHead = 16 << 10
	// mirrorBeat is how long a copy may wait to be dispatched.
	mirrorBeat = 5 * time.Millisecond
	// mirrorIdle bounds what an unused copy keeps of its memory.
	mirrorIdle = 64 << 10
)

// MirrorOptions of a Mirror. Canary, Stable and Rules are required; the pools are the mirror's own, so that nothing a shadow
// does to a connection, a queue or a breaker is felt by users.
type MirrorOptions struct {
	Number      uint64         // names it: what another number counts begins at zero
	Share       router.Weight  // of the users, by bucket
	Canary      *upstream.Pool // answers the copies
	Stable      *upstream.Pool // answers the copies that noise is learned from
	Rules       *shadow.Rules
	Noise       float64       // share of the copies that stable answers once more, 0..1; 0: nothing is learned
	Body        int           // most bytes of an answer that are compared, default 64 KiB
	Credentials bool          // copies carry the user's Authorization and Cookie
	Concurrency int           // copies under way, default 8
	Queue       int           // copies in memory, waiting and under way, default 64
	Timeout     time.Duration // of one copy, default 10s
	Mask        *window.Mask  // buckets that are no evidence
	Bug         func(any)     // is told of a panic, which costs one copy; called where it was recovered; nil: nobody is
}

// Mirror sends copies of a share of one rollout's safe requests to its canary and compares the answers with what the users
// got. It serves one step of the rollout.
//
//	exchange: sample (a free copy, or none) -> tee of the answer -> hand over when the user has it all
//	worker:   ask the canary (and stable, to learn what differs anyway) -> shadow.Compare -> Meters
//
// The users' side never waits: copies are a fixed number of buffers, and a request that finds none free is not mirrored.
// Copies leave after the user's answer is complete, by connections of their own.
type Mirror struct {
	o      MirrorOptions
	free   chan *mirrored
	queue  chan *mirrored   // as large as there are copies: handing over never blocks
	Meters [2]*window.Meter // by router.Arm: comparisons of stable with itself, of the canary with stable; bad: they differ

	counts mirrorCounts

	mu    sync.Mutex
	noise shadow.Noise // guarded by mu
	book  shadow.Book  // guarded by mu
}

type mirrorCounts struct {
	sampled, dropped, large, skipped, learning, match, mismatch, failed, asked, unlike atomic.Uint64
}

// MirrorTotals is what a mirror did so far.
type MirrorTotals struct {
	Sampled    uint64 // requests copied
	Dropped    uint64 // not copied: every copy was in use
	TooLarge   uint64 // an answer was larger than is compared
	Skipped    uint64 // the user's answer was none to compare with: broken off, or our own
	Learning   uint64 // spent on learning the noise
	Matched    uint64
	Mismatched uint64 // Failed included
	Failed     uint64 // the canary gave no answer
	Control    uint64 // stable's answers compared with one another after the learning
	Unlike     uint64 // those among them that differed
}

// mirrored is one copy: the request as the canary gets it, and the answer as the user got it.
type mirrored struct {
	mirror *Mirror
	head   []byte // to the canary
	again  []byte // to stable; empty: not this time
	answer []byte // head and body as sent to the user
	method []byte
	target []byte
	asked  wire.Asked
	bucket uint16
	key    uint64
	over   bool // the answer is too large
}

// NewMirror makes a mirror that copies nothing before a Split has it and compares nothing before Run.
func NewMirror(o MirrorOptions) *Mirror {
	if o.Body <= 0 {
		o.Body = 64 << 10
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 8
	}
	if o.Queue <= 0 {
		o.Queue = 64
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	m := &Mirror{o: o, free: make(chan *mirrored, o.Queue), queue: make(chan *mirrored, o.Queue)}
	for range o.Queue {
		m.free <- &mirrored{mirror: m}
	}
	for arm := range m.Meters {
		m.Meters[arm] = window.NewMeter(window.Options{Users: true, Mask: o.Mask})
	}
	return m
}

// Run answers copies until ctx ends.
func (m *Mirror) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	work := make(chan *mirrored, cap(m.queue))
	wg.Go(func() { m.dispatch(ctx, work) })
	for i := range m.o.Concurrency {
		wg.Go(func() {
			w := &mirrorWorker{mirror: m, hint: uint64(i)}
			for {
				select {
				case <-ctx.Done():
					return
				case c := <-work:
					w.take(c)
				}
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// dispatch hands the copies to the workers in its own rhythm: a user's goroutine that hands one over wakes nobody, who
// would compete with the answer for the processor.
func (m *Mirror) dispatch(ctx context.Context, work chan<- *mirrored) {
	beat := time.NewTicker(mirrorBeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
		for range len(m.queue) {
			work <- <-m.queue // room for all of them
		}
	}
}

// sample decides whether the request is copied, and copies it.
func (m *Mirror) sample(x *exchange) {
	r := &x.request
	by := x.choice.Why == router.ByWeight || x.choice.Why == router.ByAudience
	if !by || x.choice.Arm != router.Stable || router.Weight(x.choice.Bucket) >= m.o.Share {
		return
	}
	if r.Framing != wire.NoBody || r.HTTP10 || r.Upgrade || !safe(r.Method) {
		return
	}
	var c *mirrored
	select {
	case c = <-m.free:
	default:
		m.counts.dropped.Add(1)
		return
	}
	m.counts.sampled.Add(1)
	o := x.outgoing
	o.Anonymous = !m.o.Credentials
	o.Lines = x.split.mirrorLines[router.Canary]
	c.head = wire.AppendRequest(c.head[:0], r, &o)
	c.again = c.again[:0]
	if m.asksStable() {
		o.Lines = x.split.mirrorLines[router.Stable]
		c.again = wire.AppendRequest(c.again, r, &o)
	}
	c.method, c.target = append(c.method[:0], r.Method...), append(c.target[:0], r.Target...)
	c.asked, c.bucket, c.key = r.Asked(), uint16(x.choice.Bucket), x.choice.Hash
	c.answer, c.over = c.answer[:0], false
	x.copy = c
}

// safe methods change nothing (RFC 9110, section 9.2.1); TRACE shows credentials, and is none of ours.
func safe(method []byte) bool {
	switch string(method) {
	case "GET", "HEAD", "OPTIONS":
		return true
	}
	return false
}

// asksStable reports whether the next copy goes to stable too: all of them while the noise is learned.
func (m *Mirror) asksStable() bool {
	if m.o.Noise <= 0 {
		return false
	}
	return m.Meters[router.Stable].Total() == 0 && !m.learned() || rand.Float64() < m.o.Noise
}

func (m *Mirror) learned() bool {
	if m.o.Noise <= 0 {
		return true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.noise.Learned()
}

// tee keeps what the user is sent, up to what is compared.
func (c *mirrored) tee(b []byte) {
	if c.over || len(c.answer)+len(b) > c.mirror.o.Body+mirrorHead {
		c.over = true
		return
	}
	c.answer = append(c.answer, b...)
}

// teeWriter is an exchange as the sink of its answer: to the client first, then to the copy.
type teeWriter exchange

func (t *teeWriter) Write(p []byte) (int, error) {
	n, err := t.client.conn.Write(p)
	if err == nil {
		t.copy.tee(p)
	}
	return n, err
}

// handOver gives the copy to the workers once the user has the whole answer of stable's.
func (x *exchange) handOver() {
	c := x.copy
	x.copy = nil
	m := c.mirror
	switch {
	case c.over:
		m.counts.large.Add(1)
	case x.end.origin != answered || !x.replied:
		m.skip(c)
		return
	default:
		m.queue <- c
		return
	}
	m.giveBack(c)
}

// skip gives a copy back that there is nothing to compare with.
func (m *Mirror) skip(c *mirrored) {
	m.counts.skipped.Add(1)
	m.giveBack(c)
}

func (m *Mirror) giveBack(c *mirrored) {
	if cap(c.answer) > mirrorIdle+mirrorHead {
		c.answer = nil
	}
	m.free <- c
}

// Number is Options.Number.
func (m *Mirror) Number() uint64 { return m.o.Number }

// Totals reads the counters.
func (m *Mirror) Totals() MirrorTotals {
	n := &m.counts
	return MirrorTotals{
		Sampled: n.sampled.Load(), Dropped: n.dropped.Load(), TooLarge: n.large.Load(), Skipped: n.skipped.Load(),
		Learning: n.learning.Load(), Matched: n.match.Load(), Mismatched: n.mismatch.Load(), Failed: n.failed.Load(),
		Control: n.asked.Load(), Unlike: n.unlike.Load(),
	}
}

// Findings are the fields in which the canary differs, and those that differ anyway.
func (m *Mirror) Findings() (found []shadow.Found, noisy []string, learned bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.book.List(), m.noise.Fields(), m.o.Noise <= 0 || m.noise.Learned()
}

// Add adds o to t.
func (t *MirrorTotals) Add(o MirrorTotals) {
	t.Sampled += o.Sampled
	t.Dropped += o.Dropped
	t.TooLarge += o.TooLarge
	t.Skipped += o.Skipped
	t.Learning += o.Learning
	t.Matched += o.Matched
	t.Mismatched += o.Mismatched
	t.Failed += o.Failed
	t.Control += o.Control
	t.Unlike += o.Unlike
}

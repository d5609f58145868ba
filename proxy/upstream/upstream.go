// Package upstream keeps the connections to one pool of servers: which server takes the next request, which connection
// carries it, and which servers take none for now.
//
//	Get -> choose a server (balance) -> an idle connection that is provably quiet, else dial, else wait in the queue
//	Done <- the exchange is over: back on the stack when the message was complete, closed otherwise; counted once
//
// A pooled connection is the most dangerous object of a proxy: bytes that arrived while it was idle would be read as the
// answer to the next user's request. So it goes back only by Done with reuse (the caller read its message to the end and
// nothing after it), and before it is lent again the kernel must say that nothing, not even an end, is waiting.
//
// Servers drop out in two ways: an active check finds them down, or requests on them fail several times in a row and
// they are ejected for a while. When fewer than half are left, ejections are ignored (panic mode): the set that takes
// traffic is never empty while there is a server.
//
// Names are looked up again and again; the last good answer is kept without limit when the resolver fails.
package upstream

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"serin/proxy/deadline"
)

const (
	// idleFor closes connections before the usual server does: Node.js ends idle ones after 5 s.
	idleFor = 4 * time.Second
	// maxAge renews connections, so that a balancer behind a name gets its say.
	maxAge = 10 * time.Minute
	// tickEvery is the grain of ejection, health and idle times.
	tickEvery = 250 * time.Millisecond
	// maxDials is how many servers one request may find refusing.
	maxDials = 3
	// slowStart is how long a recovered server's share grows.
	slowStart = 10 * time.Second
)

// Spec says what a pool is. Balance is p2c (default), round_robin or hash.
type Spec struct {
	Name    string
	Servers []ServerSpec
	Balance string
	Health  *Health // nil: no active checks
	Eject   Eject
	Timeout Timeout
	Retry   Retry
	Limits  Limits
	TLS     *tls.Config // for servers with TLS; nil: the system's roots
}

// ServerSpec is one configured address: network tcp or unix, address "host:port" or a path.
type ServerSpec struct {
	Name, Network, Address string
	TLS                    bool
}

// Health asks GET Path every Every; Unhealthy failures in a row take a server out, Healthy successes bring it back.
type Health struct {
	Path               string
	Every, Timeout     time.Duration
	Healthy, Unhealthy int
}

// Eject takes a server out for For after Consecutive failures, at most the fraction Max of the pool; 0: never.
type Eject struct {
	Consecutive int
	For         time.Duration
	Max         float64
}

// Timeout holds the waits of the upstream side. Connect covers TLS and a place in the queue as well; default 1s. The
// others are the exchange's: Response from request to response head, Idle between two reads of a body; 0: none.
type Timeout struct{ Connect, Response, Idle time.Duration }

// Retry bounds retries: Max per request, Budget as a fraction of the requests of the last 10 s, plus 10 per second.
type Retry struct {
	Max    int
	Budget float64
}

// Limits bound the pool: connections (default 1024) and requests that wait for one (0: none wait).
type Limits struct{ Connections, Queue int }

// Resolver looks names up; net.DefaultResolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Options may be zero.
type Options struct {
	Log      *slog.Logger  // nil: discard
	Resolver Resolver      // nil: the system's
	Grain    time.Duration // of waits; 0: deadline.Grain
}

// Pool lends connections to the servers of one upstream. All methods are safe for concurrent use.
type Pool struct {
	spec     Spec
	log      *slog.Logger
	resolver Resolver
	sweeper  *deadline.Sweeper
	base     time.Time
	cut      atomic.Bool
	healthy  atomic.Int32 // servers up and not ejected; with active checks only those found up

	mu       sync.Mutex
	servers  []*Server // guarded by mu, as are the servers' fields
	open     []*Server // those that take traffic
	names    []*name
	total    int // connections, dials under way included
	inFlight int // connections lent or being dialled
	waiting  []chan struct{}
	next     int // round robin
	budget   budget
	errors   [reasons]uint64
	closed   bool
	drained  chan struct{} // closed when closed and nothing is in flight
}

// New makes a pool and starts nothing: names are unknown until Prepare or Run, checks and waits work while Run runs.
func New(spec Spec, o Options) *Pool {
	if spec.Timeout.Connect <= 0 {
		spec.Timeout.Connect = time.Second
	}
	if spec.Limits.Connections <= 0 {
		spec.Limits.Connections = 1024
	}
	if spec.Eject.For <= 0 {
		spec.Eject.For = 30 * time.Second
	}
	if spec.TLS == nil {
		spec.TLS = &tls.Config{}
	}
	p := &Pool{
		spec: spec, log: o.Log, resolver: o.Resolver,
		sweeper: deadline.NewSweeper(o.Grain), base: time.Now(), drained: make(chan struct{}),
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	if p.resolver == nil {
		p.resolver = net.DefaultResolver
	}
	for _, s := range spec.Servers {
		p.addSpec(s)
	}
	p.recount()
	return p
}

// Name is the upstream's name.
func (p *Pool) Name() string { return p.spec.Name }

// Host is the Host of requests that name none: the first server's address.
func (p *Pool) Host() string {
	if len(p.spec.Servers) == 0 || p.spec.Servers[0].Network == "unix" {
		return "localhost"
	}
	return p.spec.Servers[0].Address
}

// Timeouts are the waits of one exchange.
func (p *Pool) Timeouts() Timeout { return p.spec.Timeout }

// Retries is how often one request may be sent again.
func (p *Pool) Retries() int { return p.spec.Retry.Max }

// Keyed reports whether Get's key decides the server.
func (p *Pool) Keyed() bool { return p.spec.Balance == "hash" }

// Healthy reports whether at least one server is up and not ejected. With active checks a server counts once a check
// found it up.
func (p *Pool) Healthy() bool { return p.healthy.Load() > 0 }

// Run keeps the pool: waits, active checks, ejections, names, idle connections. It returns when ctx ends; keep it running
// until Drain has returned.
func (p *Pool) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { _ = p.sweeper.Run(ctx) })
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		p.lookUpDue(ctx, &wg)
		p.checkDue(ctx, &wg)
		p.tick(p.since())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// Drain lends nothing new, closes idle connections and waits until those in flight are done. When ctx ends first, what is
// left is broken and ctx's error returned.
func (p *Pool) Drain(ctx context.Context) error {
	p.Close()
	select {
	case <-p.drained:
		return nil
	case <-ctx.Done():
		p.cut.Store(true)
		p.sweeper.BreakAll()
		return ctx.Err()
	}
}

// Cut reports whether Drain broke what was left: what fails now is not the servers' doing.
func (p *Pool) Cut() bool { return p.cut.Load() }

// Close is Drain without waiting. Requests that still come are answered by ErrClosed.
func (p *Pool) Close() {
	p.mu.Lock()
	first := !p.closed
	p.closed = true
	var idle []*Conn
	for _, s := range p.servers {
		idle = append(idle, p.takeIdle(s, len(s.idle))...)
	}
	p.wakeAll()
	if first && p.inFlight == 0 {
		close(p.drained)
	}
	p.mu.Unlock()
	closeAll(idle)
}

// tick does what time alone does: ejections end, ramps end, idle connections go, rates are taken.
func (p *Pool) tick(now time.Duration) {
	p.mu.Lock()
	var idle []*Conn
	changed := false
	for _, s := range p.servers {
		if s.ejected && now >= s.ejectedUntil {
			s.ejected, s.rampFrom, changed = false, now, true
		}
		if s.rampFrom != 0 && now-s.rampFrom > slowStart {
			s.rampFrom = 0
		}
		overdue := 0 // the stack's bottom is the longest idle
		for overdue < len(s.idle) && now-s.idle[overdue].idleSince > idleFor {
			overdue++
		}
		idle = append(idle, p.takeIdle(s, overdue)...)
		s.takeRate(now)
	}
	if changed {
		p.recount()
	}
	p.mu.Unlock()
	closeAll(idle)
}

func (p *Pool) since() time.Duration { return time.Since(p.base) }

func closeAll(conns []*Conn) {
	for _, c := range conns {
		_ = c.Close()
	}
}

// Package deadline ends waits on connections without a timer per wait.
//
// A proxy waits five times per request (head, body, response head, response body, write), and a net.Conn deadline
// costs about 130 ns each time it is set. Here a wait is one atomic store of "by when", and one goroutine, the sweeper,
// looks at all connections every Grain and interrupts the overdue ones by a net.Conn deadline in the past:
//
//	exchange:  conn.ReadWithin(30s) -> conn.Read ................ os.ErrDeadlineExceeded
//	sweeper:   every 100 ms: now++ ; readBy < now? ------------------^ SetReadDeadline(past)
//
// The price is precision: a wait ends up to two Grains late, never early. The sweeper may interrupt a connection just as
// its wait ended well; Read and Write notice (they are not overdue), lift the net.Conn deadline and go on.
//
// A wait to write is not over while the peer takes bytes from the kernel, though none of the writer's may fit yet: the
// sweeper looks at what is left there before it interrupts, see sweepWrite.
//
// The sweeper also notices clients that left: while a request waits for its upstream nobody reads the client's
// connection, so every second the kernel is asked whether the client has reset it. See Conn.Guard.
package deadline

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Grain is the default interval of a Sweeper: half of how late a wait may end.
const Grain = 100 * time.Millisecond

// past is a deadline that is over.
var past = time.Unix(1, 0)

// Sweeper interrupts overdue connections. Its methods are safe for concurrent use.
type Sweeper struct {
	grain time.Duration
	base  time.Time
	now   atomic.Int64 // nanoseconds since base, as of the last sweep

	mu    sync.Mutex
	conns []*Conn // guarded by mu
}

// NewSweeper returns a sweeper that looks every grain; 0: Grain. Until Run runs, no wait ends.
func NewSweeper(grain time.Duration) *Sweeper {
	if grain <= 0 {
		grain = Grain
	}
	s := &Sweeper{grain: grain, base: time.Now()}
	s.now.Store(1)
	return s
}

// Run sweeps until ctx ends.
func (s *Sweeper) Run(ctx context.Context) error {
	ticker := time.NewTicker(s.grain)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			s.sweep(int64(time.Since(s.base)))
		}
	}
}

// Now is the sweeper's coarse monotonic clock: at most one grain behind, two nanoseconds to read.
func (s *Sweeper) Now() time.Duration { return time.Duration(s.now.Load()) }

// Watch returns conn with waits that s ends. Closing the result ends the watch.
func (s *Sweeper) Watch(conn net.Conn) *Conn {
	c := &Conn{conn: conn, sweeper: s}
	c.raw = rawConn(conn)
	c.direct()
	s.mu.Lock()
	c.index = len(s.conns)
	s.conns = append(s.conns, c)
	s.mu.Unlock()
	return c
}

// BreakAll breaks every connection watched.
func (s *Sweeper) BreakAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Break()
	}
}

func (s *Sweeper) sweep(now int64) {
	s.now.Store(now)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.sweep(now)
	}
}

func (s *Sweeper) forget(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.conns) - 1
	if c.index < 0 || c.index > last || s.conns[c.index] != c {
		return
	}
	s.conns[c.index] = s.conns[last]
	s.conns[c.index].index = c.index
	s.conns[last] = nil
	s.conns = s.conns[:last]
	c.index = -1
}

// isTimeout reports whether err is the net.Conn deadline, the sweeper's way to interrupt.
func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

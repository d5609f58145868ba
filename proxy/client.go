package proxy

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"serin/proxy/deadline"
	"serin/proxy/listen"
	"serin/proxy/wire"
)

const (
	// maxRequests bounds the life of a client connection where no option does.
	maxRequests = 1 << 20
	// drainGrace is how long an idle connection may still bring a request that was on its way when draining began.
	drainGrace = 500 * time.Millisecond
	// firstGrace is the same for a new connection's first request. Who connects has something to say, and a packet that is
	// lost comes again after a second (RFC 6298); a drain leaves that much to those who were let in last.
	firstGrace = 2 * time.Second
	// lingerBytes and lingerFor bound what is read after an early answer, so that no reset overtakes it.
	lingerBytes = 64 << 10
	lingerFor   = time.Second
	// spread is odd, so that its multiples meet every shard and every place of a sample equally often (2^64 / the golden ratio).
	spread = 0x9e3779b97f4a7c15
)

// States of a client. Above lastState: busy with a request, the value less lastState is the generation of its snapshot.
const (
	idle      uint64 = iota
	hurrying         // Drain or Retire is interrupting
	hurried          // it has interrupted
	lastState = hurried
)

// client is one client connection: a goroutine that reads requests one after the other and answers them in order.
type client struct {
	proxy    *Proxy
	serving  *Serving
	asked    bool          // guarded by proxy.mu: to leave, by askToLeave
	options  *ServeOptions // serving's at acceptance
	accepted *listen.Conn
	conn     *deadline.Conn // nil until opened
	in       wire.Reader
	hint     uint64 // spreads writers over a meter's shards
	peer     netip.Addr
	peerText []byte
	trusted  bool
	served   int
	graced   bool
	turnOnce func(fd uintptr) bool // turn, bound once
	inTurn   bool                  // turn is serving
	over     bool                  // turn has found the connection's end
	doomed   bool                  // reset it after the turn
	linger   bool                  // something may be unread: close with care
	opened   atomic.Bool           // conn is there
	state    atomic.Uint64
	sequence uint      // of the requests, for sampling
	byLane   uint      // how many of them went by the lane
	x        *exchange // lent while a request is under way or has come in part; nil while idle
}

func newClient(p *Proxy, accepted *listen.Conn, s *Serving) *client {
	c := &client{proxy: p, serving: s, options: s.options.Load(), accepted: accepted, hint: (p.accepted.Add(1) - 1) * spread}
	c.sequence = uint(c.hint)%sampleEvery + sampleEvery - 1 // of connections with one request each, one in 64 is measured
	return c
}

// generation is that of the snapshot in use, 0 when idle.
func (c *client) generation() uint64 {
	if s := c.state.Load(); s > lastState {
		return s - lastState
	}
	return 0
}

// serve is the connection's goroutine.
func (c *client) serve() {
	defer c.finish()
	if err := c.accepted.Open(context.Background()); err != nil {
		c.proxy.log.Debug("connection refused", "err", err)
		return
	}
	c.open()
	for c.next() && c.x.run() {
		c.served++
	}
	c.close()
}

func (c *client) open() {
	c.conn = c.proxy.sweeper.Watch(c.accepted.Conn)
	c.conn.EachWrite(c.options.WriteIdle, c.options.WriteRate)
	c.in.Reset(c.conn, c.conn.Plain())
	c.turnOnce = c.turn
	c.peer = c.accepted.Peer.Addr().Unmap()
	if c.peer.IsValid() {
		c.peerText = c.peer.AppendTo(nil)
	}
	c.trusted = wire.Trusted(c.peer, c.options.Trusted)
	c.opened.Store(true)
}

// finish ends the connection whatever happened; a panic costs this connection's request, not the process.
func (c *client) finish() {
	if bug := recover(); bug != nil {
		c.proxy.bug(bug)
		if c.x != nil {
			c.x.lost()
			c.x = nil // nobody uses it again
		}
		if c.conn != nil {
			_ = c.conn.Reset()
		}
	}
	c.giveBack()
	_ = c.accepted.Close() // again, for the listener's place
	c.proxy.leave(c)
}

// bug counts a panic; the first is logged with its stack.
func (p *Proxy) bug(what any) {
	if p.panics.Add(1) == 1 {
		p.log.Error("panic in a connection, further ones are only counted", "err", what, "stack", string(debug.Stack()))
	}
}

// next waits for a request and reads its head; false: there is none any more.
func (c *client) next() bool {
	c.rest()
	started := c.in.Buffered() > 0
	for {
		if c.in.Buffered() > 0 {
			n, err := c.borrow().request.Parse(c.in.Bytes(), &c.options.Limits)
			if err != nil {
				return c.refuseHead(err)
			}
			if n > 0 {
				c.x.headBytes = n
				return c.accept()
			}
			if !started {
				started = true
				c.conn.ReadWithin(c.options.Head)
			}
		} else {
			c.in.Release()
		}
		_, err := c.in.FillAndServe(c.headMost(), c.turnOnce)
		switch {
		case c.over:
			if c.doomed {
				_ = c.conn.Reset()
			}
			return false
		case err != nil && !c.again(err):
			return false
		}
	}
}

// turn serves the requests that have just been read inside the wait for them (wire.Reader.FillAndServe): next, run and next
// again, without the read that would find nothing. Only requests that came whole and need nothing from their client but to
// take the answer; any other goes back to next as it was read. True: all are answered, wait on.
func (c *client) turn(fd uintptr) bool {
	if c.options.Strict {
		return false
	}
	r := &c.borrow().request
	for {
		n, err := r.Parse(c.in.Bytes(), &c.options.Limits)
		if err != nil || n == 0 || !c.cameWhole(n) {
			r.Reset()
			return false
		}
		c.x.headBytes = n
		c.accept()
		c.inTurn = true
		c.conn.Hold(fd)
		keep := c.x.run()
		c.conn.Let()
		c.inTurn = false
		if !keep {
			c.over = true
			return false
		}
		c.served++
		c.rest()
		if c.in.Buffered() == 0 {
			c.conn.Recheck() // an end that came with the request is no news to the poller
			return true
		}
	}
}

// cameWhole reports whether the request whose head of n bytes is in front needs nothing more from its client.
func (c *client) cameWhole(n int) bool {
	r := &c.x.request
	if !r.Plain || r.Upgrade || r.Expect100 {
		return false
	}
	return r.Framing == wire.NoBody || r.Framing == wire.Length && int64(c.in.Buffered()-n) >= r.ContentLength
}

// reset ends the connection so that what the client has does not look whole. A turn holds the descriptor: it is reset
// afterwards.
func (c *client) reset() {
	if c.doomed = c.inTurn; !c.inTurn {
		_ = c.conn.Reset()
	}
}

// awaitFirst bounds the wait for a head's first byte.
func (c *client) awaitFirst(started bool) {
	switch {
	case c.ending() && !started:
		c.conn.ReadWithin(c.grace())
	case started || c.served == 0:
		c.conn.ReadWithin(c.options.Head)
	default:
		c.conn.ReadWithin(c.options.KeepAlive)
	}
}

// ending reports whether the connection should end with the answer under way: the proxy drains, its listener went, or
// others wait for its place, or for its memory.
func (c *client) ending() bool {
	return c.proxy.draining.Load() || c.serving.retired.Load() || c.accepted.Crowded() || c.proxy.short.Load() == dire
}

// headMost is what a head and the bytes read with it may take: Parse must see one byte too many to refuse it.
func (c *client) headMost() int {
	most := c.options.Limits.Head
	if most <= 0 {
		most = wire.DefaultHead
	}
	return max(2*most, wire.SmallBuffer)
}

// again handles the end of a wait for a head; true: wait on.
func (c *client) again(err error) bool {
	timeout := errors.Is(err, os.ErrDeadlineExceeded)
	if timeout && c.unhurry() && !c.graced {
		c.graced = true
		if c.in.Buffered() == 0 {
			c.conn.ReadWithin(c.grace())
		} else {
			c.conn.ReadWithin(c.options.Head)
		}
		return true
	}
	switch {
	case c.in.Buffered() == 0: // the usual end of a connection
	case timeout:
		c.refuseUnparsed(408, "head_timeout", "The request's head did not come in time.")
	case errors.Is(err, io.ErrShortBuffer):
		c.refuseUnparsed(431, "head_too_large", "The request's fields are too large.")
	}
	return false
}

// refuseHead answers a head that is no request.
func (c *client) refuseHead(err error) bool {
	refusal, ok := errors.AsType[*wire.Error](err)
	if !ok {
		refusal = &wire.Error{Status: 400, Reason: "bad_request", Text: "The request is malformed."}
	}
	c.refuseUnparsed(refusal.Status, refusal.Reason, refusal.Text)
	return false
}

// accept loads the snapshot for a request, once, and says so where Totals can see it.
func (c *client) accept() bool {
	snap := c.proxy.snap.Load()
	for {
		generation := uint64(1)
		if snap != nil {
			generation = snap.generation
		}
		if !c.state.CompareAndSwap(idle, lastState+generation) {
			c.unhurry()
			continue
		}
		latest := c.proxy.snap.Load()
		if latest == snap {
			break
		}
		snap = latest
		c.state.Store(idle)
	}
	c.x.snap = snap
	return true
}

// close ends the connection so that the client gets what was written: while the client sends more, the kernel would send
// a reset, which may overtake the last answer (RFC 9112, section 9.6). A client that asked to close and has sent nothing
// more is not waited for.
func (c *client) close() {
	if (c.linger || c.in.Buffered() > 0) && c.conn.CloseWrite() == nil {
		c.conn.ReadWithin(lingerFor)
		for left := lingerBytes; left > 0; {
			c.in.Discard(c.in.Buffered())
			n, err := c.in.Fill(0)
			if err != nil {
				break
			}
			left -= n
		}
	}
	c.in.Discard(c.in.Buffered())
	c.in.Release()
	_ = c.conn.Close()
}

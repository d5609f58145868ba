package upstream

import (
	"slices"
	"time"
)

// Get lends a connection for one exchange: an idle one that is provably quiet, else a new one, else after a wait in the
// queue. Key decides the server where balance is hash. Avoid, when not nil, is the server a retry goes to only when there is
// no other; a retry also gets a new connection, since whoever closed the last one may be closing its idle ones too. Servers
// that refuse are passed over, at most maxDials of them: nothing was sent, so this is no retry. The error
// is an *Error.
func (p *Pool) Get(key uint64, avoid *Server) (*Conn, error) { return p.get(key, avoid, false) }

// GetToAsk is Get for a caller who Asks: an idle connection that Asks comes unproved, since Ask proves it in the same turn
// in which it sends. One that is not quiet goes back by Stale, and the caller gets another.
func (p *Pool) GetToAsk(key uint64, avoid *Server) (*Conn, error) { return p.get(key, avoid, true) }

func (p *Pool) get(key uint64, avoid *Server, toAsk bool) (*Conn, error) {
	var triedArray [maxDials + 1]*Server
	tried := triedArray[:0]
	if avoid != nil {
		tried = append(tried, avoid)
	}
	var last *Error
	for range maxDials {
		s, conn, err := p.take(key, tried, avoid, last != nil, toAsk)
		if err != nil {
			if last != nil { // what the servers said tells more than that none is left
				return nil, last
			}
			return nil, err
		}
		if conn != nil {
			return conn, nil
		}
		conn, last = p.dial(s)
		if last == nil {
			return conn, nil
		}
		if s == avoid {
			return nil, last
		}
		tried = append(tried, s)
	}
	return nil, last
}

// take chooses a server and takes its best idle connection, or, with a nil Conn, the right to dial it. Refused says that a
// server of tried could not be reached just now.
func (p *Pool) take(key uint64, tried []*Server, avoid *Server, refused, toAsk bool) (*Server, *Conn, *Error) {
	var until time.Time
	p.mu.Lock()
	counted := len(tried) > 0
	for {
		now := p.coarse()
		s := p.choose(key, tried, now)
		if s == nil && len(p.open) > 0 {
			s = avoid // no other server is left
		}
		if p.closed || s == nil {
			return nil, nil, p.refuse(refused)
		}
		if !counted {
			p.budget.request(now)
			counted = true
		}
		if n := len(s.idle); n > 0 && avoid == nil {
			conn := s.idle[n-1]
			s.idle[n-1], s.idle = nil, s.idle[:n-1]
			p.lend(s)
			p.mu.Unlock()
			if toAsk && conn.Asks() || conn.Quiet() {
				return s, conn, nil
			}
			_ = conn.Close()
			p.mu.Lock()
			p.giveBack(s, true)
			continue
		}
		if victim, room := p.room(); room {
			p.lend(s)
			p.total++
			s.conns++
			p.mu.Unlock()
			if victim != nil {
				_ = victim.Close()
			}
			return s, nil, nil
		}
		if until.IsZero() {
			until = time.Now().Add(p.spec.Timeout.Connect)
		}
		if err := p.wait(until); err != nil {
			return nil, nil, err
		}
	}
}

// refuse ends a take that has no server, or none left after the refusals that dial has counted; it unlocks mu.
func (p *Pool) refuse(refused bool) *Error {
	reason := NoServer
	if p.closed {
		reason = Closed
	}
	if !refused || p.closed {
		p.errors[reason]++
	}
	p.mu.Unlock()
	return &Error{Reason: reason, Upstream: p.spec.Name}
}

// room reports whether one more connection may be made; if an idle one must go for it, that is returned.
func (p *Pool) room() (*Conn, bool) {
	if p.total < p.spec.Limits.Connections {
		return nil, true
	}
	for _, s := range p.servers {
		if len(s.idle) > 0 {
			return p.takeIdle(s, 1)[0], true
		}
	}
	return nil, false
}

// wait queues for a connection to come free. It is called with mu held and returns with mu held when there is news, else
// unlocked with an error.
func (p *Pool) wait(until time.Time) *Error {
	if len(p.waiting) >= p.spec.Limits.Queue {
		p.errors[QueueFull]++
		p.mu.Unlock()
		return &Error{Reason: QueueFull, Upstream: p.spec.Name}
	}
	turn := make(chan struct{}, 1)
	p.waiting = append(p.waiting, turn)
	p.mu.Unlock()
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-turn:
		p.mu.Lock()
		return nil
	case <-timer.C:
	}
	p.mu.Lock()
	for i, c := range p.waiting {
		if c == turn {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			break
		}
	}
	select {
	case <-turn: // it came at the last moment: pass it on
		p.wake()
	default:
	}
	p.errors[QueueTime]++
	p.mu.Unlock()
	return &Error{Reason: QueueTime, Upstream: p.spec.Name}
}

// wake lets the request that has waited longest try again; called with mu held.
func (p *Pool) wake() {
	if len(p.waiting) == 0 {
		return
	}
	p.waiting[0] <- struct{}{}
	p.waiting = append(p.waiting[:0], p.waiting[1:]...)
}

func (p *Pool) wakeAll() {
	for len(p.waiting) > 0 {
		p.wake()
	}
}

func (p *Pool) lend(s *Server) {
	p.inFlight++
	s.inFlight++
	s.requests++
}

// giveBack undoes lend for a connection that is gone. An idle connection that proved stale carried nothing: uncounted.
func (p *Pool) giveBack(s *Server, uncounted bool) {
	p.total--
	s.conns--
	if uncounted {
		s.requests--
	}
	p.landed(s)
}

// Stale takes back, instead of Done, a connection that Ask found not quiet. It carried nothing, so nothing is counted.
func (p *Pool) Stale(c *Conn) {
	_ = c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.giveBack(c.server, true)
	p.wake()
}

func (p *Pool) landed(s *Server) {
	p.inFlight--
	s.inFlight--
	if p.closed && p.inFlight == 0 {
		close(p.drained)
	}
}

// takeIdle removes the n longest idle connections of s; called with mu held.
func (p *Pool) takeIdle(s *Server, n int) []*Conn {
	if n == 0 {
		return nil
	}
	gone := append([]*Conn(nil), s.idle[:n]...)
	s.idle = append(s.idle[:0], s.idle[n:]...)
	p.total -= n
	s.conns -= n
	return gone
}

// Done ends an exchange, exactly once per Get. Reuse says that the response was read to its end with nothing after it and
// the request was sent to its end; otherwise the connection is closed. Reason counts a failure, None a success.
func (p *Pool) Done(c *Conn, reuse bool, reason Reason) {
	now := p.coarse()
	if !reuse || c.Broken() {
		_ = c.Close()
		reuse = false
	}
	s := c.server
	p.mu.Lock()
	keep := reuse && !p.closed && !s.removed && now-c.born < maxAge
	p.judge(s, reason, now)
	if keep {
		c.reused, c.idleSince = true, now
		s.idle = append(s.idle, c)
		p.landed(s)
	} else {
		p.giveBack(s, false)
	}
	p.wake()
	p.mu.Unlock()
	if !keep && reuse {
		_ = c.Close()
	}
}

// Retry asks the budget for one retry of a request that failed on s. A pool that is being retired grants it too: Get then
// says Closed, and another pool may have it.
func (p *Pool) Retry(s *Server) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.budget.retry(p.coarse(), p.spec.Retry.Budget) {
		return false
	}
	s.retries++
	return true
}

// Twin is p's server at the address of s, which may be another pool's, for a retry that goes from pool to pool; nil: there is
// none, or s is nil.
func (p *Pool) Twin(s *Server) *Server {
	if s == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, own := range p.servers {
		if own.spec.Network == s.spec.Network && slices.Equal(own.addrs, s.addrs) {
			return own
		}
	}
	return nil
}

// coarse is the sweeper's clock: good for ages and budgets, and nearly free.
func (p *Pool) coarse() time.Duration { return p.sweeper.Now() }

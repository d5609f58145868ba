package upstream

import (
	"math/rand/v2"
	"slices"
	"time"
)

// recount decides which servers take traffic; called with mu held whenever a server's state changed.
func (p *Pool) recount() {
	up, known := 0, 0
	for _, s := range p.servers {
		if s.down || s.ejected {
			continue
		}
		up++
		if s.checked || p.spec.Health == nil {
			known++
		}
	}
	panicking := up*2 < len(p.servers)
	open := make([]*Server, 0, len(p.servers))
	for _, s := range p.servers {
		if !s.down && (!s.ejected || panicking) {
			open = append(open, s)
		}
	}
	if len(open) == 0 {
		open = append(open, p.servers...)
	}
	p.open = open
	p.healthy.Store(int32(known))
}

// choose picks a server for a request that has not been on any of tried; nil: none is left. Called with mu held.
func (p *Pool) choose(key uint64, tried []*Server, now time.Duration) *Server {
	var s *Server
	switch {
	case len(p.open) == 0:
		return nil
	case p.spec.Balance == "hash":
		return p.rendezvous(key, tried)
	case p.spec.Balance == "round_robin":
		p.next++
		s = p.open[p.next%len(p.open)]
	default:
		s = p.lesser()
	}
	if s.rampFrom != 0 && rand.Float64() > s.share(now) {
		s = p.open[rand.IntN(len(p.open))]
	}
	if slices.Contains(tried, s) {
		return p.untried(tried)
	}
	return s
}

// lesser takes two servers at random and of them the one with less in flight (Mitzenmacher 2001).
func (p *Pool) lesser() *Server {
	n := len(p.open)
	if n == 1 {
		return p.open[0]
	}
	r := rand.Uint64()
	i := int(uint32(r) % uint32(n))
	j := int(uint32(r>>32) % uint32(n-1))
	if j >= i {
		j++
	}
	a, b := p.open[i], p.open[j]
	if b.inFlight < a.inFlight {
		return b
	}
	return a
}

// rendezvous gives a key the server with the highest score: a server that leaves moves only its own keys (Thaler and
// Ravishankar 1998).
func (p *Pool) rendezvous(key uint64, tried []*Server) *Server {
	var best *Server
	var most uint64
	for _, s := range p.open {
		if score := mix(key ^ s.seed); (best == nil || score > most) && !slices.Contains(tried, s) {
			best, most = s, score
		}
	}
	if best == nil {
		return p.untried(tried)
	}
	return best
}

// untried is any server not tried yet, open ones first.
func (p *Pool) untried(tried []*Server) *Server {
	for _, s := range p.open {
		if !slices.Contains(tried, s) {
			return s
		}
	}
	for _, s := range p.servers {
		if !slices.Contains(tried, s) && !s.down {
			return s
		}
	}
	return nil
}

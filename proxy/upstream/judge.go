package upstream

import "time"

// judge counts how a request on s ended, and ejects s after too many failures in a row; called with mu held.
func (p *Pool) judge(s *Server, reason Reason, now time.Duration) {
	if reason == None {
		s.failures = 0
		return
	}
	p.errors[reason]++
	s.errors[reason]++
	if reason.ours() {
		return
	}
	s.failures++
	if p.spec.Eject.Consecutive > 0 && s.failures >= p.spec.Eject.Consecutive && !s.ejected && p.mayEject() {
		p.eject(s, now)
	}
}

// mayEject holds ejections to max, and to less than all and at most half of the pool whatever max says.
func (p *Pool) mayEject() bool {
	ejected := 1
	for _, s := range p.servers {
		if s.ejected {
			ejected++
		}
	}
	limit := min(p.spec.Eject.Max, .5)
	return float64(ejected) <= limit*float64(len(p.servers))
}

func (p *Pool) eject(s *Server, now time.Duration) {
	s.ejected, s.ejectedUntil = true, now+p.spec.Eject.For
	s.ejections++
	s.failures = 0
	p.recount()
	p.log.Warn("server ejected", "upstream", p.spec.Name, "server", s.spec.Name, "dur", p.spec.Eject.For)
}

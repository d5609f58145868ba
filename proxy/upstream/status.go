package upstream

// Status is one look at a pool. Counters go up from the pool's making.
type Status struct {
	Name     string
	Healthy  int // servers that are up and not ejected
	InFlight int
	Queued   int
	Draining bool
	Errors   map[string]uint64 // by reason, those of no server included
	Servers  []ServerStatus
}

// ServerStatus is one server: State is up, unknown (no check has answered yet), down, ejected, warming or draining.
type ServerStatus struct {
	Name, Address               string
	State                       string
	InFlight, Connections, Idle int
	Rate                        float64 // requests per second over about 10 s
	Requests, Retries           uint64
	Ejections                   uint64
	Errors                      map[string]uint64 // by reason
	LastCheck                   Check
}

// Status reads the pool's state.
func (p *Pool) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	status := Status{
		Name: p.spec.Name, Healthy: int(p.healthy.Load()), InFlight: p.inFlight,
		Queued: len(p.waiting), Draining: p.closed, Errors: byName(&p.errors),
	}
	for _, s := range p.servers {
		status.Servers = append(status.Servers, ServerStatus{
			Name: s.spec.Name, Address: s.addrs[0], State: p.stateOf(s),
			InFlight: s.inFlight, Connections: s.conns, Idle: len(s.idle), Rate: s.rate,
			Requests: s.requests, Retries: s.retries, Ejections: s.ejections,
			Errors: byName(&s.errors), LastCheck: s.lastCheck,
		})
	}
	return status
}

// InFlight is the number of connections lent now: requests and tunnels.
func (p *Pool) InFlight() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inFlight
}

func (p *Pool) stateOf(s *Server) string {
	switch {
	case p.closed:
		return "draining"
	case s.down:
		return "down"
	case s.ejected:
		return "ejected"
	case p.spec.Health != nil && !s.checked:
		return "unknown"
	case s.rampFrom != 0:
		return "warming"
	}
	return "up"
}

func byName(counts *[reasons]uint64) map[string]uint64 {
	all := make(map[string]uint64)
	for r, n := range counts {
		if n > 0 {
			all[Reason(r).String()] = n
		}
	}
	return all
}

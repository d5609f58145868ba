package window

// Add adds o to s, users included where o has them: it merges machines, retired meters or a saved base with live counts.
// Counters are modular, so Add commutes and Sub undoes it. o is not changed and not kept.
func (s *Snapshot) Add(o *Snapshot) {
	for i := range s.Outcomes {
		s.Outcomes[i] += o.Outcomes[i]
		s.Masked[i] += o.Masked[i]
	}
	s.Latency.add(&o.Latency)
	s.Aborts.add(&o.Aborts)
	s.Seconds += o.Seconds
	if o.Users != nil {
		if s.Users == nil {
			s.Users = new(Users)
		}
		s.Users.add(o.Users)
	}
}

// Sub takes o, an older reading of the same counters, away from s: what is left is the stretch between them. Wraps of
// the 32-bit counters are harmless as long as fewer than 2^32 events lie between the two.
func (s *Snapshot) Sub(o *Snapshot) {
	for i := range s.Outcomes {
		s.Outcomes[i] -= o.Outcomes[i]
		s.Masked[i] -= o.Masked[i]
	}
	s.Latency.sub(&o.Latency)
	s.Aborts.sub(&o.Aborts)
	s.Seconds -= o.Seconds
	if o.Users != nil {
		if s.Users == nil {
			s.Users = new(Users)
		}
		s.Users.sub(o.Users)
	}
}

// Clone is a copy of s that shares nothing with it.
func (s *Snapshot) Clone() *Snapshot {
	c := *s
	if s.Users != nil {
		c.Users = s.Users.clone()
	}
	return &c
}

// Total is every request that was recorded: judged or not, masked or not.
func (s *Snapshot) Total() uint64 {
	var n uint64
	for i := range s.Outcomes {
		n += s.Outcomes[i] + s.Masked[i]
	}
	return n
}

// Judged is the evidence requests: the denominator of the error rate. Masked ones are not among them.
func (s *Snapshot) Judged() uint64 { return count(&s.Outcomes, Outcome.Judged) }

// Bad is the errors among Judged.
func (s *Snapshot) Bad() uint64 { return count(&s.Outcomes, Outcome.Bad) }

// Counts is kind k's share as x of n: n is Judged, and for AbortKind the aborted ones too.
func (s *Snapshot) Counts(k Kind) Counts { return countsOf(&s.Outcomes, k) }

// Everyone is Counts with the masked buckets: what users felt, never evidence.
func (s *Snapshot) Everyone(k Kind) Counts {
	c, m := countsOf(&s.Outcomes, k), countsOf(&s.Masked, k)
	return Counts{X: c.X + m.X, N: c.N + m.N}
}

func countsOf(o *[Outcomes]uint64, k Kind) Counts {
	n := count(o, Outcome.Judged)
	if k == AbortKind {
		n += o[Abort]
	}
	return Counts{X: float64(countOf(o, k)), N: float64(n)}
}

func countOf(o *[Outcomes]uint64, k Kind) uint64 {
	switch k {
	case All:
		return count(o, Outcome.Judged)
	case BadKind:
		return count(o, Outcome.Bad)
	case ClientKind:
		return o[ClientError]
	case TimeoutKind:
		return o[Timeout]
	case AbortKind:
		return o[Abort]
	}
	panic("BUG: unknown kind")
}

func count(o *[Outcomes]uint64, in func(Outcome) bool) uint64 {
	var n uint64
	for i, c := range o {
		if in(Outcome(i)) {
			n += c
		}
	}
	return n
}

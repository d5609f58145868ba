package router

// Share is one arm of an experiment: a fixed stretch of the buckets. The first is the control.
type Share struct {
	Name     string
	Until    Weight // the first bucket that is not the arm's; the stretch begins where the one before ends
	Upstream int
	Stopped  bool // its users are on the control, and are no evidence there
}

// chooseShare is chooseHash for an experiment. Who belongs to a stopped arm meets the control: he is no evidence any more,
// for he has seen the other.
func (s *Split) chooseShare(hash uint64) Choice {
	c := Choice{Why: ByWeight, Bucket: bucketOf(hash), Hash: hash}
	for i := range s.Shares {
		if uint16(c.Bucket) >= uint16(s.Shares[i].Until) {
			continue
		}
		if s.Shares[i].Stopped {
			c.Why = ByStopped
			return c
		}
		c.Arm = Arm(i)
		return c
	}
	c.Why = ByOther // the shares of a build that let some buckets go
	return c
}

// Upstream is the upstream ID of an arm.
func (s *Split) Upstream(a Arm) int {
	if s.Shares != nil {
		return s.Shares[int(a)%len(s.Shares)].Upstream
	}
	return s.Upstreams[a&1]
}

// ArmName is what headers, metrics and people call an arm of this split.
func (s *Split) ArmName(a Arm) string {
	if s.Shares == nil {
		return a.String()
	}
	return s.Shares[int(a)%len(s.Shares)].Name
}

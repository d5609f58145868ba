package gate

import (
	"fmt"

	"serin/router"
)

// slack is how far below its capacity the load must fall before a pool that was at it counts as able to carry more: a
// load that wavers around the capacity is one hold, not many.
const slack = .9

// overloads reports whether a weight would ask more of the canary's pool than it carries, at a load of both arms in
// requests per second (below 0: not known yet).
func (t *turn) overloads(w router.Weight, load float64) bool {
	capacity := t.p.Capacity
	if capacity <= 0 || w == 0 {
		return false
	}
	if load < 0 { // not known yet, so soon after a start: nobody new until it is
		return w > t.s.Weight
	}
	if t.was.Reason == CapacityReached {
		capacity *= slack
	}
	return load*w.Fraction() > capacity
}

// MostWeight is the largest weight that the canary's pool carries of a load; 100 % where nothing is known.
func (p *Policy) MostWeight(load float64) router.Weight {
	if p.Capacity <= 0 || load <= p.Capacity {
		return router.Full
	}
	return router.Weight(float64(router.Full) * p.Capacity / load)
}

// capacityText says what a pool would have to carry.
func capacityText(s State, p *Policy, d *Decision) string {
	if d.Load < 0 {
		return "how much traffic there is, is not known yet, and the canary's pool has a capacity"
	}
	_, to, _ := p.crossing(&s)
	if d.Verdict != Pass && len(d.Reasons) > 0 && d.Load*s.Weight.Fraction() > p.Capacity {
		return fmt.Sprintf("%s of %s requests/s is more than the %s that the canary's pool carries: it has grown since the weight was set",
			s.Weight, decimals(d.Load, 1), decimals(p.Capacity, 1))
	}
	return fmt.Sprintf("%s of %s requests/s would be more than the %s that the canary's pool carries", to, decimals(d.Load, 1), decimals(p.Capacity, 1))
}

// overload warns that a rollback brings stable more than it carries.
func overload(p *Policy, d *Decision) string {
	if d.Overload == 0 || d.Action != ActRollback {
		return ""
	}
	return fmt.Sprintf(" Stable's pool carries %s requests/s and now gets about %s.", decimals(p.StableCapacity, 1), decimals(d.Overload, 1))
}

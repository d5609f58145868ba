package upstream

import "time"

// budgetSlots seconds are what a retry budget looks back on (Linkerd's default).
const budgetSlots = 10

// retriesPerSecond are always allowed, so that a quiet service may retry at all.
const retriesPerSecond = 10

// budget bounds retries to a fraction of the recent requests, so that retries do not multiply an overload.
type budget struct {
	second            int64
	requests, retries [budgetSlots]uint32
}

func (b *budget) turn(now time.Duration) {
	second := int64(now / time.Second)
	for i := min(second-b.second, budgetSlots); i > 0; i-- {
		b.requests[(second-i+1)%budgetSlots] = 0
		b.retries[(second-i+1)%budgetSlots] = 0
	}
	b.second = max(b.second, second)
}

func (b *budget) request(now time.Duration) {
	b.turn(now)
	b.requests[b.second%budgetSlots]++
}

// retry takes one retry out of the budget and reports whether it was there.
func (b *budget) retry(now time.Duration, fraction float64) bool {
	b.turn(now)
	var requests, retries float64
	for i := range budgetSlots {
		requests += float64(b.requests[i])
		retries += float64(b.retries[i])
	}
	if retries+1 > requests*fraction+budgetSlots*retriesPerSecond {
		return false
	}
	b.retries[b.second%budgetSlots]++
	return true
}

// Spare asks the budget for one more request than the pool was sent: one that failed elsewhere.
func (p *Pool) Spare() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.closed && p.budget.retry(p.coarse(), p.spec.Retry.Budget)
}

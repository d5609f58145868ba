package proxy

import (
	"context"
	"runtime/debug"
	"time"
)

const (
	// tidyEvery is how often memory is looked after.
	tidyEvery = 5 * time.Second
	// tidyFrom is how many clients must have left before it is worth a collection.
	tidyFrom = 512
)

// tidy gives memory back after a crowd has left, until ctx ends. Requests allocate nothing, so that without it the next
// collection might be minutes away, and the next crowd would come on top of what the last one left behind.
func (p *Proxy) tidy(ctx context.Context) {
	ticker := time.NewTicker(tidyEvery)
	defer ticker.Stop()
	var t tide
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if t.ebbs(p.tideline()) {
				debug.FreeOSMemory()
			}
		}
	}
}

// tideline is the most clients since it was asked last, and how many there are now.
func (p *Proxy) tideline() (high, clients int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	clients = len(p.clients)
	high, p.high = p.high, clients
	return high, clients
}

// tide follows the number of clients.
type tide struct {
	high  int  // most since the last collection
	again bool // pooled buffers outlive one collection
}

// ebbs reports whether so many of the clients have left that a collection pays; true a second time after it. High is the
// most there were since it was asked last.
func (t *tide) ebbs(high, clients int) bool {
	t.high = max(t.high, high)
	if t.again {
		t.again = false
		return true
	}
	if t.high-clients < tidyFrom || clients > t.high/2 {
		return false
	}
	t.high, t.again = clients, true
	return true
}

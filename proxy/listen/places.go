package listen

import (
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"
)

// places bounds the open connections. The bound may change at any time: those above a lowered one stay.
type places struct {
	freed chan struct{} // capacity 1: look again

	mu         sync.Mutex
	open, most int // guarded by mu
}

// enter takes a place if there is one.
func (p *places) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open >= p.most {
		return false
	}
	p.open++
	return true
}

func (p *places) leave() {
	p.mu.Lock()
	p.open--
	p.mu.Unlock()
	p.wake()
}

func (p *places) resize(most int) {
	p.mu.Lock()
	p.most = most
	p.mu.Unlock()
	p.wake()
}

// wake makes whoever waits for a place look again.
func (p *places) wake() {
	select {
	case p.freed <- struct{}{}:
	default:
	}
}

// size is how many places there are.
func (p *places) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.most
}

func (p *places) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

// most is how many clients may be connected: each may need a descriptor of its own and one upstream, unless all the
// upstreams together have fewer.
func most(wanted, upstreams int) int {
	var limit unix.Rlimit
	most := 1 << 20
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err == nil {
		all := int(min(limit.Cur, 1<<22))
		free := all - reserved - adminShare(all)
		theirs := free / 2
		if upstreams > 0 {
			theirs = min(theirs, upstreams)
		}
		most = min(most, max(1, free-theirs))
	}
	if wanted <= 0 {
		return most
	}
	return min(wanted, most)
}

// AdminShare is how many connections the admin API may have open, for which clients leave descriptors.
func AdminShare() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return mostAdmin
	}
	return adminShare(int(min(limit.Cur, 1<<22)))
}

func adminShare(descriptors int) int { return max(1, min(mostAdmin, descriptors/8)) }

// perIP counts open connections by address, also while there is no limit: one that comes later finds them counted.
type perIP struct {
	mu   sync.Mutex
	open map[netip.Addr]int // guarded by mu
}

// enter counts a connection in, unless limit are open; 0: no limit.
func (p *perIP) enter(addr netip.Addr, limit int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if limit > 0 && p.open[addr] >= limit {
		return false
	}
	if p.open == nil {
		p.open = make(map[netip.Addr]int)
	}
	p.open[addr]++
	return true
}

func (p *perIP) leave(addr netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[addr]--; p.open[addr] <= 0 {
		delete(p.open, addr)
	}
}

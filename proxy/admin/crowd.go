package admin

import (
	"net"
	"net/http"
	"sync"
)

// maxConnections is how many clients may be connected when Options says nothing: as many browsers as there are event streams,
// six connections each, and a quarter more for everybody else.
const maxConnections = 8 * maxSubscribers

// crowd bounds the connections, so that a flood here leaves descriptors to the data plane. When it is full, the one that
// has been waiting for a request the longest makes room for the next; where all are busy the next is closed.
type crowd struct {
	most int

	mu   sync.Mutex
	open map[net.Conn]uint64 // guarded by mu; when it began to wait, 0: busy
	turn uint64              // guarded by mu
}

func newCrowd(most int) *crowd {
	if most <= 0 {
		most = maxConnections
	}
	return &crowd{most: most, open: make(map[net.Conn]uint64)}
}

// track is an http.Server's ConnState.
func (c *crowd) track(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		if len(c.open) >= c.most && !c.makeRoom() {
			_ = conn.Close()
			return
		}
		c.turn++
		c.open[conn] = c.turn
	case http.StateActive:
		if _, ok := c.open[conn]; ok {
			c.open[conn] = 0
		}
	case http.StateIdle:
		if _, ok := c.open[conn]; ok {
			c.turn++
			c.open[conn] = c.turn
		}
	case http.StateHijacked, http.StateClosed:
		delete(c.open, conn)
	}
}

// makeRoom closes the connection that has waited the longest; false: none waits.
func (c *crowd) makeRoom() bool {
	var oldest net.Conn
	for conn, since := range c.open {
		if since > 0 && (oldest == nil || since < c.open[oldest]) {
			oldest = conn
		}
	}
	if oldest == nil {
		return false
	}
	delete(c.open, oldest)
	_ = oldest.Close()
	return true
}

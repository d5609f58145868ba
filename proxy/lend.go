package proxy

import (
	"sync"

	"serin/router"
)

// exchanges are lent to clients from the first bytes of a request to its record: an idle connection has none, and of a
// thousand that take turns the same few are used, which are in the cache.
var exchanges = sync.Pool{New: func() any {
	x := &exchange{uploaded: make(chan struct{}, 1)}
	x.stamp = func() { x.sentAt = x.client.proxy.now() }
	return x
}}

// borrow is the client's exchange.
func (c *client) borrow() *exchange {
	if c.x == nil {
		c.x = exchanges.Get().(*exchange)
		c.x.client = c
	}
	return c.x
}

// giveBack ends the use of the exchange, if there is one. What admit and prepare do not set anew is forgotten here: the next
// request is somebody else's.
func (c *client) giveBack() {
	x := c.x
	if x == nil {
		return
	}
	x.request.Reset()
	x.routed, x.client, c.x = router.Request{}, nil, nil
	if x.upload.started {
		x.upload.pipe.Src, x.upload.pipe.Dst = nil, nil
	}
	exchanges.Put(x)
}

// rest ends a request and begins the wait for the next.
func (c *client) rest() {
	if c.in.Buffered() == 0 {
		c.giveBack()
	} else if c.x != nil {
		c.x.request.Reset()
	}
	if c.state.Load() > lastState { // Drain may have found a new client idle already
		c.state.Store(idle)
	}
	c.graced = false
	c.awaitFirst(c.in.Buffered() > 0)
}

package proxy

import (
	"runtime"
	"time"
)

// hurry asks an idle connection to end and reports whether it was idle; a busy one sees that it should when it answers.
// Called by Drain, Retire and askToLeave.
func (c *client) hurry() bool {
	if !c.opened.Load() || !c.state.CompareAndSwap(idle, hurrying) {
		return false
	}
	c.conn.Interrupt()
	c.state.Store(hurried)
	return true
}

// unhurry takes an interruption by Drain back and reports whether there was one.
func (c *client) unhurry() bool {
	for c.state.Load() == hurrying {
		runtime.Gosched()
	}
	if !c.state.CompareAndSwap(hurried, idle) {
		return false
	}
	c.conn.Resume()
	return true
}

// abandon resets the connection, whatever it is doing. Called by Drain when time is up.
func (c *client) abandon() {
	if !c.opened.Load() {
		_ = c.accepted.Close()
		return
	}
	c.conn.BreakBoth()
}

// grace is how long a connection that should end may still bring a request. While others wait for its place it has no more
// for being new.
func (c *client) grace() time.Duration {
	if c.served == 0 && (c.proxy.draining.Load() || c.serving.retired.Load()) {
		return firstGrace
	}
	return drainGrace
}

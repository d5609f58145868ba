package deadline

import (
	"syscall"

	"serin/proxy/socket"
)

// Plain is the connection's descriptor for readers that want to wait without holding a buffer: reads through it obey the
// waits of c. Nil for TLS and for whatever has no descriptor.
func (c *Conn) Plain() syscall.RawConn {
	if c.put == nil {
		return nil
	}
	return waiting{c}
}

// direct lets c write by its descriptor, if nothing stands between.
func (c *Conn) direct() {
	if c.raw != nil && underneath(c.conn) == c.conn {
		c.put = c.tryWrite
	}
}

// writeNow writes what the kernel takes at once, which is nearly always all: without a wait there is none to bound. What
// went wrong goes wrong again in the write that follows.
func (c *Conn) writeNow(p []byte) int {
	if c.held {
		n, _ := socket.Send(c.fd, p)
		return n
	}
	if c.put == nil {
		return 0
	}
	c.out, c.taken = p, 0
	_ = c.raw.Write(c.put)
	c.out = nil
	return c.taken
}

func (c *Conn) tryWrite(fd uintptr) bool {
	c.taken, _ = socket.Send(fd, c.out)
	return true
}

// Hold says that the writer is inside a callback of Plain, which gave it fd and keeps others from closing it: until Let it
// writes to fd and need not ask for the descriptor again.
func (c *Conn) Hold(fd uintptr) { c.fd, c.held = fd, true }

// Let ends Hold.
func (c *Conn) Let() { c.held = false }

// waiting is the descriptor of a Conn with the Conn's waits.
type waiting struct{ c *Conn }

func (w waiting) Control(f func(fd uintptr)) error         { return w.c.raw.Control(f) }
func (w waiting) Write(f func(fd uintptr) (ok bool)) error { return w.c.raw.Write(f) }

// Read is Conn.Read's way to wait.
func (w waiting) Read(f func(fd uintptr) (ok bool)) error {
	c := w.c
	if c.eachRead > 0 {
		c.readBy.Store(c.by(c.eachRead))
	}
	for {
		err := c.raw.Read(f)
		if err == nil || !isTimeout(err) {
			return err
		}
		if err := c.lift(); err != nil {
			return err
		}
	}
}

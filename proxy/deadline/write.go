package deadline

import "golang.org/x/sys/unix"

// What writeBy says, beside a time, of a wait that the sweeper ends: the writer must know before it takes that back.
const (
	interrupting = -1
	interrupted  = -2
)

// look is what the sweeper saw of a wait to write.
type look struct {
	by    int64 // the wait's end, by which it is told from others
	at    int64
	queue int // bytes that the peer had not taken
}

// sweepWrite ends a wait that is due. The kernel lets a writer go on only when a good part of its buffer is free, which
// may be megabytes: a peer that reads steadily, but slowly, may take minutes for it. So the sweeper asks for the bytes in
// the buffer when half of the time is over, and when all is; while they become fewer by enough, the wait goes on, half by
// half.
func (c *Conn) sweepWrite(now int64) {
	by, half := c.writeBy.Load(), c.eachWrite.Load()/2
	if by <= 0 || by-half > now || by > now && c.look.by == by {
		return
	}
	queue, known := c.unsent()
	before := c.look
	seen := before.by == by
	c.look = look{by, now, queue}
	if by > now {
		return
	}
	took := int64(before.queue - queue)
	enough := took > 0 && float64(took) >= float64(c.leastRate.Load())*float64(now-before.at)/1e9
	if known && (!seen || enough) {
		if c.look.by = now + max(half, 1); c.writeBy.CompareAndSwap(by, c.look.by) {
			return
		}
	}
	if c.writeBy.CompareAndSwap(by, interrupting) {
		_ = c.conn.SetWriteDeadline(past)
		c.writeBy.Store(interrupted)
	}
}

// unsent is how many bytes written are still in the kernel, for want of a peer that takes them.
func (c *Conn) unsent() (bytes int, known bool) {
	if c.raw == nil {
		return 0, false
	}
	err := c.raw.Control(func(fd uintptr) {
		n, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		bytes, known = n, err == nil
	})
	return bytes, known && err == nil
}

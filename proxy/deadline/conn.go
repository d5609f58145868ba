package deadline

import (
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// guardEvery is how often a waiting client is asked whether it is still there, and how long the first question waits.
const guardEvery = time.Second

// recordBytes is the most that one TLS record carries (RFC 8446, section 5.1).
const recordBytes = 16 << 10

// Conn is a connection whose waits a Sweeper ends. Reading, writing and stamping are the business of at most one
// goroutine per direction; Break and Close may be called by any.
type Conn struct {
	conn    net.Conn
	raw     syscall.RawConn // nil where the descriptor is out of reach
	sweeper *Sweeper
	index   int // guarded by sweeper.mu

	eachRead  time.Duration // owned by the reader
	eachWrite atomic.Int64  // nanoseconds
	leastRate atomic.Int64  // bytes a second

	put   func(fd uintptr) bool // tryWrite, bound once; nil: net.Conn writes
	out   []byte                // tryWrite's, owned by the writer
	taken int                   // of out
	held  bool                  // fd is the writer's for now, see Hold
	fd    uintptr

	readBy  atomic.Int64 // on the sweeper's clock; 0: wait for ever
	writeBy atomic.Int64 // or what the sweeper did about it
	look    look         // at the wait until writeBy; owned by the sweeper
	broken  atomic.Bool
	halted  atomic.Bool // reading is interrupted
	closed  atomic.Bool

	recheck   atomic.Int64         // when a wait began without a look; 0: none has, or it was made up for
	guarded   atomic.Pointer[Conn] // broken when the peer of this connection resets it
	guardFrom atomic.Int64
	gone      atomic.Bool
}

// NetConn is the connection underneath.
func (c *Conn) NetConn() net.Conn { return c.conn }

// Raw is the descriptor below, TLS or not; nil where it is out of reach.
func (c *Conn) Raw() syscall.RawConn { return c.raw }

// RemoteAddr is the other end's address.
func (c *Conn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// ReadWithin bounds all reading from now on to d from now (to a Grain); 0: no bound.
func (c *Conn) ReadWithin(d time.Duration) {
	c.eachRead = 0
	if by := c.by(d); c.readBy.Load() != by { // within one grain it is often the same: a store costs more
		c.readBy.Store(by)
	}
}

// EachRead bounds every following Read to d of its own; 0: no bound.
func (c *Conn) EachRead(d time.Duration) {
	c.eachRead = d
	c.readBy.Store(c.by(d))
}

// StartRead bounds the Read that another goroutine waits in, if it waits without a bound: to d from now.
func (c *Conn) StartRead(d time.Duration) { c.readBy.CompareAndSwap(0, c.by(d)) }

// EachWrite bounds every following Write to d in which the peer takes nothing, or fewer than rate bytes a second in the
// second half of d and each half that follows; 0: no bound.
func (c *Conn) EachWrite(d time.Duration, rate int64) {
	c.eachWrite.Store(int64(d))
	c.leastRate.Store(rate)
}

// by is d from now, and a grain more: the sweeper's clock may be one behind, and no wait ends early.
func (c *Conn) by(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return c.sweeper.now.Load() + int64(c.sweeper.grain+d)
}

// Read reads like a net.Conn; an overdue or broken wait is os.ErrDeadlineExceeded.
func (c *Conn) Read(p []byte) (int, error) {
	if c.eachRead > 0 {
		c.readBy.Store(c.by(c.eachRead))
	}
	for {
		n, err := c.conn.Read(p)
		if err == nil || n > 0 || !isTimeout(err) {
			return n, err
		}
		if err := c.lift(); err != nil {
			return 0, err
		}
	}
}

// lift takes back an interruption that came as the wait ended well; an error when it is meant.
func (c *Conn) lift() error {
	if c.halted.Load() || c.overdue() {
		return os.ErrDeadlineExceeded
	}
	if err := c.conn.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	if c.halted.Load() || c.broken.Load() { // it came between, and does not come again
		return os.ErrDeadlineExceeded
	}
	return nil
}

// Write writes all of p like a net.Conn; no progress in time, too little of it, or Break is os.ErrDeadlineExceeded. Through
// TLS progress is a whole record: an interrupted one cannot be taken up again (crypto/tls, SetWriteDeadline).
func (c *Conn) Write(p []byte) (int, error) {
	written := c.writeNow(p)
	for written < len(p) {
		part := p[written:]
		if c.put == nil {
			part = part[:min(len(part), recordBytes)]
		}
		n, err := c.writeWaiting(part)
		written += n
		if err == nil {
			continue
		}
		if n == 0 || c.put == nil || !isTimeout(err) || c.broken.Load() {
			return written, err
		}
		if err := c.liftWrite(); err != nil {
			return written, err
		}
	}
	return written, nil
}

// writeWaiting writes for as long as the sweeper lets it. An interruption that came as the wait ended well is taken back.
func (c *Conn) writeWaiting(p []byte) (int, error) {
	c.writeBy.Store(c.by(time.Duration(c.eachWrite.Load())))
	n, err := c.conn.Write(p)
	for {
		switch by := c.writeBy.Load(); by {
		case interrupting:
			runtime.Gosched() // the sweeper is between two lines
		case interrupted:
			c.writeBy.Store(0)
			if err == nil {
				err = c.liftWrite()
			}
			return n, err
		default:
			if c.writeBy.CompareAndSwap(by, 0) {
				return n, err
			}
		}
	}
}

// liftWrite takes an interruption back; an error when the connection is broken.
func (c *Conn) liftWrite() error {
	if err := c.conn.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	if c.broken.Load() { // it came between, and does not come again
		return os.ErrDeadlineExceeded
	}
	return nil
}

// overdue reports whether reading has taken too long, or is over.
func (c *Conn) overdue() bool {
	if c.broken.Load() {
		return true
	}
	limit := c.readBy.Load()
	return limit != 0 && limit <= c.sweeper.now.Load()
}

// Break interrupts every wait of c, now and later: all that is left is to close it.
func (c *Conn) Break() {
	c.broken.Store(true)
	_ = c.conn.SetDeadline(past)
}

// Broken reports whether Break was called.
func (c *Conn) Broken() bool { return c.broken.Load() }

// Interrupt ends the Read that is going on in another goroutine, and those that follow until Resume.
func (c *Conn) Interrupt() {
	c.halted.Store(true)
	_ = c.conn.SetReadDeadline(past)
}

// Resume lets c be read again after Interrupt; the interrupted goroutine must have left.
func (c *Conn) Resume() {
	c.halted.Store(false)
	_ = c.conn.SetReadDeadline(time.Time{})
}

// Recheck says that the reader waits without having looked whether something is there already, but an end, say, that came
// with the bytes it read last. The Sweeper looks once, after a Grain or two, and if so ends the wait for another Read.
func (c *Conn) Recheck() {
	if now := c.sweeper.now.Load(); c.recheck.Load() != now {
		c.recheck.Store(now)
	}
}

// CloseWrite half-closes where the transport can, so that the peer reads an end while we still read.
func (c *Conn) CloseWrite() error {
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

// Close closes the connection and ends the watch. Further calls do nothing.
func (c *Conn) Close() error {
	if !c.closed.CompareAndSwap(false, true) {
		return nil
	}
	c.sweeper.forget(c)
	return c.conn.Close()
}

// Reset closes the connection so that the peer sees a reset, not an end: what it has of a message is visibly broken.
func (c *Conn) Reset() error {
	if tcp, ok := underneath(c.conn).(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
		if c.conn != net.Conn(tcp) { // no TLS closing alert: it would say that all is well
			_ = tcp.Close()
		}
	}
	return c.Close()
}

// Guard ties other to c until Release: other is broken as soon as c's peer is found to have reset c (asked every second,
// the first time after one), or by BreakBoth. A half-closed connection is not reset.
func (c *Conn) Guard(other *Conn) {
	c.guardFrom.Store(c.sweeper.now.Load() + int64(guardEvery))
	c.guarded.Store(other)
}

// Release ends Guard and reports whether the guarded connection was left alone.
func (c *Conn) Release() bool { return c.guarded.Swap(nil) != nil }

// BreakBoth breaks c and the connection it guards.
func (c *Conn) BreakBoth() {
	c.Break()
	if other := c.guarded.Swap(nil); other != nil {
		other.Break()
	}
}

// Gone reports whether Guard found that the peer is gone.
func (c *Conn) Gone() bool { return c.gone.Load() }

// sweep is called by the Sweeper with its lock held.
func (c *Conn) sweep(now int64) {
	if by := c.readBy.Load(); by != 0 && by <= now {
		_ = c.conn.SetReadDeadline(past)
	}
	c.sweepWrite(now)
	if from := c.recheck.Load(); from != 0 && from+int64(c.sweeper.grain)*3/2 <= now && c.recheck.CompareAndSwap(from, 0) &&
		c.polls(unix.POLLIN|unix.POLLRDHUP) {
		_ = c.conn.SetReadDeadline(past)
	}
	if c.guarded.Load() == nil || c.guardFrom.Load() > now || c.raw == nil {
		return
	}
	c.guardFrom.Store(now + int64(guardEvery))
	if !c.polls(unix.POLLERR | unix.POLLHUP) {
		return
	}
	c.gone.Store(true)
	if other := c.guarded.Swap(nil); other != nil {
		other.Break()
	}
}

// polls asks the kernel whether one of events holds. POLLERR and POLLHUP: the connection is reset, or closed in both
// directions.
func (c *Conn) polls(events int16) bool {
	var holds bool
	err := c.raw.Control(func(fd uintptr) {
		poll := [1]unix.PollFd{{Fd: int32(fd), Events: events}}
		n, err := unix.Poll(poll[:], 0)
		holds = err == nil && n == 1 && poll[0].Revents&events != 0
	})
	return err == nil && holds
}

// underneath is the transport below TLS and wrappers.
func underneath(conn net.Conn) net.Conn {
	for {
		inner, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return conn
		}
		conn = inner.NetConn()
	}
}

func rawConn(conn net.Conn) syscall.RawConn {
	sc, ok := underneath(conn).(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

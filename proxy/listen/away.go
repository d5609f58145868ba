package listen

import (
	"time"

	"serin/proxy/wire"
)

const (
	// awayFor is how long a connection that was turned away is kept half-closed: a connection closed with a request unread
	// is reset, and the reset may overtake the answer (RFC 9112, section 9.6).
	awayFor = time.Second
	// mostAway connections are kept so at a time, and no more than one awayPart of all places; others are only closed.
	mostAway = 64
	awayPart = 16
	// awayBytes of a request are read at the end.
	awayBytes = 64 << 10
	// awayWrite bounds the answer's write: a new connection takes it at once.
	awayWrite = 10 * time.Millisecond
)

// turnAway answers 503 to a connection above the per-IP cap and closes it a second later, without a goroutine meanwhile.
func (l *Listener) turnAway(c *Conn) {
	l.refused.Add(1)
	if !c.sayAway() {
		_ = c.Close()
		return
	}
	time.AfterFunc(awayFor, func() {
		c.swallow(time.Millisecond)
		l.away.Add(-1)
		_ = c.Close()
	})
}

// sayAway sends the answer and half-closes; false: there is no time for it, or no way. The caller frees l.away.
func (c *Conn) sayAway() bool {
	l := c.listener
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if c.spec.TLS != nil || !ok {
		return false
	}
	if l.away.Add(1) > int64(min(mostAway, 1+l.places.size()/awayPart)) {
		l.away.Add(-1)
		return false
	}
	date := time.Now().UTC().AppendFormat(nil, "Date: Mon, 02 Jan 2006 15:04:05 GMT\r\n")
	answer := wire.AppendError(nil, 503, "too_many_connections", "Your address has too many connections open.", false, true, false, date)
	_ = c.Conn.SetWriteDeadline(time.Now().Add(awayWrite))
	if _, err := c.Conn.Write(answer); err != nil || half.CloseWrite() != nil {
		l.away.Add(-1)
		return false
	}
	return true
}

// swallow reads what the peer has sent, until it ends its side or d is over.
func (c *Conn) swallow(d time.Duration) {
	_ = c.Conn.SetReadDeadline(time.Now().Add(d))
	var buf [4 << 10]byte
	for left := awayBytes; left > 0; {
		n, err := c.Conn.Read(buf[:])
		if err != nil {
			return
		}
		left -= n
	}
}

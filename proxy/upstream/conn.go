package upstream

import (
	"crypto/tls"
	"errors"
	"os"
	"syscall"
	"time"

	"serin/proxy/deadline"
	"serin/proxy/socket"
	"serin/proxy/wire"
)

// Conn is a connection to a server, lent to one exchange between Get and Done.
type Conn struct {
	*deadline.Conn
	In wire.Reader // of responses; empty between exchanges

	server    *Server
	reused    bool // it has carried a message before
	born      time.Duration
	idleSince time.Duration

	raw   syscall.RawConn
	look  func(fd uintptr) // made once: a closure per request would be garbage
	quiet bool             // what look saw
}

func newConn(s *Server, conn *deadline.Conn, now time.Duration) *Conn {
	c := &Conn{Conn: conn, server: s, born: now}
	c.In.Reset(conn, conn.Plain())
	c.raw = conn.Raw()
	c.look = func(fd uintptr) { c.quiet = socket.Quiet(fd) }
	return c
}

// Server is where the connection leads.
func (c *Conn) Server() *Server { return c.server }

// Reused reports whether the connection has carried a message before, so that its server may have closed it meanwhile.
func (c *Conn) Reused() bool { return c.reused }

// Asks reports whether In.Ask works on c: its descriptor is within reach, and it has carried a message before. What a new
// connection's server says unasked must be read before the request is sent, as the full door does.
func (c *Conn) Asks() bool { return c.reused && c.In.CanAsk() && !c.Broken() }

// Quiet reports whether nothing waits to be read, no end and no error either. A connection that cannot be asked is not.
func (c *Conn) Quiet() bool {
	if c.raw == nil || c.Broken() {
		return false
	}
	if err := c.raw.Control(c.look); err != nil || !c.quiet {
		return false
	}
	if secure, ok := c.NetConn().(*tls.Conn); ok {
		return decryptedNothing(secure)
	}
	return true
}

// decryptedNothing asks a TLS connection for bytes it holds decrypted, by a read whose time is over.
func decryptedNothing(conn *tls.Conn) bool {
	if conn.SetReadDeadline(time.Unix(1, 0)) != nil {
		return false
	}
	var b [1]byte
	n, err := conn.Read(b[:])
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && conn.SetReadDeadline(time.Time{}) == nil
}

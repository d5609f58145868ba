package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// errUntrusted is a PROXY header, or the lack of one, from somebody who is not a trusted proxy.
var errUntrusted = errors.New("peer is not a trusted proxy")

// errCrowd is the per-IP cap, on an address that a PROXY header names.
var errCrowd = errors.New("too many connections from one address")

// Conn is an accepted connection; the proxy's goroutine calls Open first. The listener's place is free again at Close.
type Conn struct {
	net.Conn                // TCP or unix, TLS after Open where configured
	Peer     netip.AddrPort // who connected, or whom the PROXY header names; zero on unix sockets
	Secure   bool           // TLS

	listener *Listener
	spec     *Spec      // in force when it was accepted
	ip       netip.Addr // counted by the per-IP cap; zero: not counted
	closed   atomic.Bool
}

// Open reads the PROXY header and shakes hands, whichever is configured, within ten seconds. The caller closes c on error.
func (c *Conn) Open(ctx context.Context) error {
	l := c.listener
	if !c.spec.ProxyProtocol && c.spec.TLS == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if c.spec.ProxyProtocol {
		if err := c.openProxied(ctx); err != nil {
			l.refused.Add(1)
			return fmt.Errorf("read PROXY header from %s: %w", c.RemoteAddr(), err)
		}
	}
	if c.spec.TLS == nil {
		return nil
	}
	secure := tls.Server(c.Conn, c.spec.TLS)
	if err := secure.HandshakeContext(ctx); err != nil {
		l.refused.Add(1)
		return fmt.Errorf("shake hands with %s: %w", c.RemoteAddr(), err)
	}
	c.Conn, c.Secure = secure, true
	return nil
}

func (c *Conn) openProxied(ctx context.Context) error {
	if c.Peer.IsValid() && !within(c.spec.Trusted, c.Peer.Addr()) {
		return errUntrusted
	}
	until, _ := ctx.Deadline()
	if err := c.Conn.SetReadDeadline(until); err != nil {
		return err
	}
	named, err := readProxyHeader(c.Conn)
	if err != nil {
		return err
	}
	if named.IsValid() {
		c.Peer = named
	}
	if !c.countIP() {
		if c.sayAway() {
			c.swallow(awayFor)
			c.listener.away.Add(-1)
		}
		return errCrowd
	}
	return c.Conn.SetReadDeadline(time.Time{})
}

// countIP takes a place under the per-IP cap.
func (c *Conn) countIP() bool {
	if !c.Peer.IsValid() {
		return true
	}
	if !c.listener.perIP.enter(c.Peer.Addr(), c.spec.PerIP) {
		return false
	}
	c.ip = c.Peer.Addr()
	return true
}

// NetConn is the connection that carries the bytes.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// Close closes the connection and frees its places, once.
func (c *Conn) Close() error {
	if !c.closed.CompareAndSwap(false, true) {
		return nil
	}
	err := c.Conn.Close()
	if c.ip.IsValid() {
		c.listener.perIP.leave(c.ip)
	}
	c.listener.places.leave()
	return err
}

func within(prefixes []netip.Prefix, addr netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

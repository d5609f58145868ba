package listen

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// Accept waits for a place and a connection. It returns net.ErrClosed after Close and no other error but one that will
// not go away.
func (l *Listener) Accept() (*Conn, error) {
	pause := acceptPauseMin
	for {
		select {
		case l.places <- struct{}{}:
		case <-l.done:
			return nil, net.ErrClosed
		}
		conn, err := l.inner.Accept()
		if err == nil {
			if c := l.admit(conn); c != nil {
				return c, nil
			}
			pause = acceptPauseMin
			continue
		}
		<-l.places
		if !passing(err) {
			l.closeReserve()
			return nil, err
		}
		l.shed(err)
		l.log.Warn("accept paused", "address", l.spec.Address, "err", err, "dur", pause)
		if !l.rest(pause) {
			return nil, net.ErrClosed
		}
		pause = min(2*pause, acceptPauseMax)
	}
}

// admit holds the per-IP cap; nil: the connection is closed.
func (l *Listener) admit(conn net.Conn) *Conn {
	c := &Conn{Conn: conn, listener: l, Peer: addrPort(conn.RemoteAddr())}
	if !l.spec.ProxyProtocol && !c.countIP() {
		l.refused.Add(1)
		_ = c.Close()
		return nil
	}
	return c
}

// passing reports whether an accept error goes away by itself (accept(2)).
func passing(err error) bool {
	for _, errno := range []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EINTR,
		syscall.EPROTO, syscall.EPERM, syscall.ENETDOWN, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ETIMEDOUT,
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// shed uses the reserve to take one connection off the queue and close it when descriptors are out.
func (l *Listener) shed(err error) {
	if l.reserve == nil || !(errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)) {
		return
	}
	_ = l.reserve.Close()
	if deadline, ok := l.inner.(interface{ SetDeadline(time.Time) error }); ok {
		_ = deadline.SetDeadline(time.Now().Add(time.Millisecond)) // the connection may have left meanwhile
		if conn, err := l.inner.Accept(); err == nil {
			_ = conn.Close()
			l.refused.Add(1)
		}
		_ = deadline.SetDeadline(time.Time{})
	}
	l.reserve, _ = os.Open(os.DevNull)
}

func (l *Listener) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.done:
		return false
	}
}

func (l *Listener) closeReserve() {
	if l.reserve != nil {
		_ = l.reserve.Close()
		l.reserve = nil
	}
}

// perIP counts open connections by address.
type perIP struct {
	limit int
	mu    sync.Mutex
	open  map[netip.Addr]int // guarded by mu
}

func (p *perIP) enter(addr netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[addr] >= p.limit {
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

func addrPort(addr net.Addr) netip.AddrPort {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		ap := tcp.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}

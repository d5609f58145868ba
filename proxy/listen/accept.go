package listen

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// Accept waits for a place and a connection. It returns net.ErrClosed after Close or Finish and no other error but one that
// will not go away.
func (l *Listener) Accept() (*Conn, error) {
	pause, empty := acceptPauseMin, 0
	for {
		if !l.place() {
			return nil, l.ended()
		}
		conn, err := l.next()
		if err == nil {
			if c := l.admit(conn); c != nil {
				return c, nil
			}
			pause = acceptPauseMin
			continue
		}
		l.places.leave()
		if last, left := l.finishing(); last {
			if empty++; empty > 1 && (left <= 0 || !l.late(err)) { // the first time may be Finish waking us
				return nil, l.ended()
			}
			continue
		}
		if !passing(err) {
			l.closeReserve()
			return nil, err
		}
		l.shed(err)
		l.log.Warn("accept paused", "address", l.Spec().Address, "err", err, "dur", pause)
		if !l.rest(pause) {
			return nil, l.ended()
		}
		pause = min(2*pause, acceptPauseMax)
	}
}

// place waits for a place; false: the listener is closed, or finishing for too long.
func (l *Listener) place() bool {
	for {
		select {
		case <-l.done:
			return false
		default:
		}
		if l.places.enter() {
			l.crowded.Store(false)
			return true
		}
		var over <-chan time.Time
		if last, left := l.finishing(); last {
			over = time.After(left)
		}
		select {
		case <-l.places.freed:
		case <-time.After(crowdPoll):
			l.crowded.Store(l.waited())
		case <-over:
			return false
		case <-l.done:
			return false
		}
	}
}

// next takes a connection from the queue; once the listener is finishing, only one that is there already.
func (l *Listener) next() (net.Conn, error) {
	if last, left := l.finishing(); last {
		l.setDeadline(time.Now().Add(min(left, quietFor)))
	}
	return l.inner.Accept()
}

// late reports whether the wait for a connection was over before it looked, as happens on a busy machine: one is there.
func (l *Listener) late(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) && l.waited() }

// ended closes the listener for good.
func (l *Listener) ended() error {
	_ = l.Close()
	l.closeReserve()
	return net.ErrClosed
}

// admit holds the per-IP cap; nil: the connection is turned away.
func (l *Listener) admit(conn net.Conn) *Conn {
	c := &Conn{Conn: conn, listener: l, spec: l.spec.Load(), Peer: addrPort(conn.RemoteAddr())}
	if !c.spec.ProxyProtocol && !c.countIP() {
		l.turnAway(c)
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
	l.setDeadline(time.Now().Add(time.Millisecond)) // the connection may have left meanwhile
	if conn, err := l.inner.Accept(); err == nil {
		_ = conn.Close()
		l.refused.Add(1)
	}
	l.setDeadline(time.Time{})
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

func addrPort(addr net.Addr) netip.AddrPort {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		ap := tcp.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}

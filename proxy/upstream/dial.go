package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// shortages are what socket(2) and connect(2) fail with where the fault is on this side.
var shortages = [...]syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL}

// dial makes the connection that take allowed; on failure the right is given back.
func (p *Pool) dial(s *Server) (*Conn, *Error) {
	conn, reason, err := p.connect(s, p.spec.Timeout.Connect)
	if err != nil {
		return nil, p.undialled(s, reason, err)
	}
	watched := p.sweeper.Watch(conn)
	if p.cut.Load() { // it came too late for Drain to break it, and nobody would end its waits
		_ = watched.Close()
		return nil, p.undialled(s, Closed, net.ErrClosed)
	}
	watched.EachWrite(p.spec.Timeout.Idle, 0)
	return newConn(s, watched, p.coarse()), nil
}

// undialled gives the right to dial back.
func (p *Pool) undialled(s *Server, reason Reason, err error) *Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.judge(s, reason, p.coarse())
	p.giveBack(s, false)
	p.wake()
	return &Error{Reason: reason, Upstream: p.spec.Name, Server: s.spec.Name, Err: err}
}

// connect dials the server's addresses in turn and does the handshake, all within limit.
func (p *Pool) connect(s *Server, limit time.Duration) (net.Conn, Reason, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var dialer net.Dialer
	var conn net.Conn
	var err error
	for _, addr := range s.addrs {
		if conn, err = dialer.DialContext(ctx, s.spec.Network, addr); err == nil {
			break
		}
	}
	if err != nil {
		return nil, connectReason(ctx, err), err
	}
	if !s.spec.TLS {
		return conn, None, nil
	}
	secure := tls.Client(conn, p.tlsConfig(s))
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		if ctx.Err() != nil {
			return nil, ConnectTime, err
		}
		return nil, TLS, err
	}
	return secure, None, nil
}

func connectReason(ctx context.Context, err error) Reason {
	for _, errno := range shortages {
		if errors.Is(err, errno) {
			return Shortage
		}
	}
	if ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return ConnectTime
	}
	return Connect
}

// tlsConfig asks for HTTP/1.1 and for the configured name, by default the server's host.
func (p *Pool) tlsConfig(s *Server) *tls.Config {
	c := p.spec.TLS.Clone()
	c.NextProtos = []string{"http/1.1"}
	if c.ServerName == "" {
		if host, _, err := net.SplitHostPort(s.spec.Address); err == nil {
			c.ServerName = host
		}
	}
	return c
}

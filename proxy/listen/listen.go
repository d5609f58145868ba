// Package listen accepts connections and does not stop: what can go wrong between the kernel and a request is handled
// here, before a byte of HTTP is read.
//
//	kernel -> Accept (survives EMFILE and friends, caps) -> Conn.Open in the connection's goroutine:
//	          PROXY header from a trusted balancer, TLS handshake -> what the proxy reads HTTP from
//
// A listener that returns an error is a proxy that ends, so Accept waits 5 ms to 1 s and tries again when descriptors or
// memory are short, and keeps one descriptor in reserve: with it a connection that cannot be served is taken from the
// queue and closed, so that its client learns of it.
package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	acceptPauseMin = 5 * time.Millisecond
	acceptPauseMax = time.Second
	// openTimeout bounds PROXY header and TLS handshake together.
	openTimeout = 10 * time.Second
	// socketMode lets owner and group connect to a unix socket.
	socketMode = 0o660
	// reserved descriptors are never used for clients: logs, state, admin, names.
	reserved = 64
)

// Spec says where to listen and whom to believe.
type Spec struct {
	Address       string         // "host:port", "unix:/path" or "fd:name" (systemd)
	TLS           *tls.Config    // nil: plain
	ProxyProtocol bool           // every connection starts with a PROXY header, version 1 or 2
	Trusted       []netip.Prefix // who may send one; nobody else is let in when ProxyProtocol is set
	Connections   int            // open at a time; 0: what the descriptor limit allows, two for each
	PerIP         int            // open at a time from one address; 0: no limit
}

// Options may be zero.
type Options struct {
	Log     *slog.Logger // nil: discard
	Sockets Sockets      // from Inherit, for "fd:name"
}

// Listener accepts connections. Accept is for one goroutine; all else is safe for concurrent use.
type Listener struct {
	spec    Spec
	log     *slog.Logger
	inner   net.Listener
	places  chan struct{} // one token per open connection
	done    chan struct{}
	once    sync.Once
	reserve *os.File // owned by Accept
	perIP   perIP

	refused atomic.Uint64 // closed without service: descriptors, per-IP cap, bad PROXY header or handshake
}

// Listen opens the address of spec. A connection count above what the descriptor limit allows is lowered to it.
func Listen(ctx context.Context, spec Spec, o Options) (*Listener, error) {
	l := &Listener{spec: spec, log: o.Log, done: make(chan struct{})}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	inner, err := open(ctx, spec.Address, o.Sockets)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", spec.Address, err)
	}
	l.inner = inner
	l.places = make(chan struct{}, places(spec.Connections))
	l.perIP.limit = spec.PerIP
	l.reserve, _ = os.Open(os.DevNull)
	return l, nil
}

func open(ctx context.Context, address string, sockets Sockets) (net.Listener, error) {
	if name, ok := strings.CutPrefix(address, "fd:"); ok {
		return sockets.take(name)
	}
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return openUnix(ctx, path)
	}
	config := net.ListenConfig{Control: reusePort}
	config.SetMultipathTCP(false) // costs every connection, serves none of ours
	return config.Listen(ctx, "tcp", address)
}

// reusePort lets the next binary listen before this one stops.
func reusePort(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	return errors.Join(err, failed)
}

// openUnix replaces a socket that nobody listens on any more, but never one that is in use or another file.
func openUnix(ctx context.Context, path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
		if err == nil {
			_ = conn.Close()
			return nil, unix.EADDRINUSE
		}
		if errors.Is(err, unix.ECONNREFUSED) {
			_ = os.Remove(path)
		}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, socketMode); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// places is how many clients may be connected: each may need a descriptor of its own and one upstream.
func places(wanted int) int {
	var limit unix.Rlimit
	most := 1 << 20
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err == nil {
		most = min(most, max(1, (int(min(limit.Cur, 1<<22))-reserved)/2))
	}
	if wanted <= 0 {
		return most
	}
	return min(wanted, most)
}

// Addr is the address listened on.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// Spec is what the listener was made from.
func (l *Listener) Spec() Spec { return l.spec }

// Refused counts connections closed without service.
func (l *Listener) Refused() uint64 { return l.refused.Load() }

// Open is the number of connections accepted and not yet closed.
func (l *Listener) Open() int { return len(l.places) }

// Close stops accepting; open connections live on.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.inner.Close()
}

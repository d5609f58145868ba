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
	// reserved descriptors are never used for clients: logs, state, listeners, names.
	reserved = 32
	// mostAdmin connections of the admin API have descriptors set aside, fewer where there are few: a browser that shows the
	// dashboard opens up to six.
	mostAdmin = 512
)

// Spec says where to listen and whom to believe.
type Spec struct {
	Address       string         // "host:port", "unix:/path" or "fd:name" (systemd)
	TLS           *tls.Config    // nil: plain
	ProxyProtocol bool           // every connection starts with a PROXY header, version 1 or 2
	Trusted       []netip.Prefix // who may send one; nobody else is let in when ProxyProtocol is set, but by a unix socket
	Connections   int            // open at a time; 0: what the descriptor limit allows
	Upstreams     int            // connections that all upstreams together may have open; 0: unknown, one for each client
	PerIP         int            // open at a time from one address; 0: no limit
}

// Options may be zero.
type Options struct {
	Log      *slog.Logger // nil: discard
	Sockets  Sockets      // from Inherit, for "fd:name"
	TakeOver bool         // an address that another process listens on is shared, a unix socket replaced: we are its successor
	Share    bool         // a TCP address may be shared with who listens there: ourselves, under another name
}

// Listener accepts connections. Accept is for one goroutine; all else is safe for concurrent use.
type Listener struct {
	spec    atomic.Pointer[Spec]
	log     *slog.Logger
	inner   net.Listener
	kept    bool // passed to us: its queue outlives us
	places  places
	perIP   perIP
	done    chan struct{}
	once    sync.Once
	crowded atomic.Bool
	away    atomic.Int64 // connections turned away that are not yet closed
	until   atomic.Int64 // when Finish gives up, in Unix nanoseconds; 0: not finishing
	reserve *os.File     // owned by Accept

	refused atomic.Uint64 // closed without service: descriptors, per-IP cap, bad PROXY header or handshake
}

// Listen opens the address of spec. A connection count above what the descriptor limit allows is lowered to it.
func Listen(ctx context.Context, spec Spec, o Options) (*Listener, error) {
	l := &Listener{log: o.Log, kept: strings.HasPrefix(spec.Address, "fd:"), done: make(chan struct{})}
	l.places.freed = make(chan struct{}, 1)
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	inner, err := open(ctx, spec.Address, o)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", spec.Address, err)
	}
	l.inner = inner
	l.spec.Store(&spec)
	l.places.resize(most(spec.Connections, spec.Upstreams))
	l.reserve, _ = os.Open(os.DevNull)
	return l, nil
}

func open(ctx context.Context, address string, o Options) (net.Listener, error) {
	if name, ok := strings.CutPrefix(address, "fd:"); ok {
		return o.Sockets.take(name)
	}
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return openUnix(ctx, path, o.TakeOver)
	}
	if !o.TakeOver && !o.Share {
		if err := ensureFree(ctx, address); err != nil {
			return nil, err
		}
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

// Addr is the address listened on.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// Passed reports whether the socket came from the service manager, which keeps it and its queue when we end.
func (l *Listener) Passed() bool { return l.kept }

// Spec is what connections are accepted under now.
func (l *Listener) Spec() Spec { return *l.spec.Load() }

// Set replaces all of the spec but its address, for connections accepted from now on. Those that are open count towards
// the new caps, but stay.
func (l *Listener) Set(spec Spec) {
	spec.Address = l.spec.Load().Address
	l.spec.Store(&spec)
	l.places.resize(most(spec.Connections, spec.Upstreams))
}

// Refused counts connections closed without service.
func (l *Listener) Refused() uint64 { return l.refused.Load() }

// Open is the number of connections accepted and not yet closed.
func (l *Listener) Open() int { return l.places.count() }

// Close stops accepting at once, see Finish; open connections live on.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.inner.Close()
}

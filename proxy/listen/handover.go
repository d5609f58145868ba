package listen

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// lastQueued is how long Finish lets connections out of the queue at most, and quietFor how long an empty queue
	// counts as empty.
	lastQueued = 250 * time.Millisecond
	quietFor   = 2 * time.Millisecond
)

// Yield gives new TCP connections to the listener that another process has opened at the same address since, or will;
// until there is one this one gets them. Call it some round-trip times before Finish: a connection whose handshake has
// begun belongs to the listener that heard of it first, and dies with it.
func (l *Listener) Yield() {
	if l.kept {
		return
	}
	conn, ok := l.inner.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	// A group of SO_REUSEPORT numbers its sockets in the order they came; one that leaves gives its number to the last.
	// So the older of two is 0 and the younger 1; without a 1 the kernel falls back to its hash (socket(7)).
	second := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 1}
	program := unix.SockFprog{Len: 1, Filter: &second}
	_ = raw.Control(func(fd uintptr) {
		err = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &program)
	})
	if err != nil { // unix sockets, old kernels: the queue is still emptied by Finish
		l.log.Debug("connections are not steered to a successor", "address", l.Spec().Address, "err", err)
	}
}

// Finish stops accepting once the queue is empty: the kernel resets what a closed listener leaves there. A socket that
// was passed to us keeps its queue for the next process. Accept returns the queue's connections, then net.ErrClosed.
func (l *Listener) Finish() {
	if l.kept {
		_ = l.Close()
		return
	}
	l.until.CompareAndSwap(0, time.Now().Add(lastQueued).UnixNano())
	l.setDeadline(time.Now())
	l.places.wake()
}

// finishing reports whether Finish was called, and how long the queue may still be emptied.
func (l *Listener) finishing() (bool, time.Duration) {
	until := l.until.Load()
	return until != 0, time.Until(time.Unix(0, until))
}

func (l *Listener) setDeadline(t time.Time) {
	if inner, ok := l.inner.(interface{ SetDeadline(time.Time) error }); ok {
		_ = inner.SetDeadline(t)
	}
}

package wire

import (
	"errors"
	"os"
	"syscall"

	"serin/proxy/socket"
)

// ErrNotQuiet says that something waited to be read on a connection that was to be asked: an end, or bytes that would be
// taken for the answer. Nothing was sent.
var ErrNotQuiet = errors.New("connection is not quiet")

// asking is the state of an Ask.
type asking struct {
	p    []byte
	sent func()
	n    int  // of p, taken by the kernel
	loud bool // the connection was not quiet
	put  bool // p has been offered to the kernel: from now on only read
}

// CanAsk reports whether Ask works: d has a descriptor.
func (d *Reader) CanAsk() bool { return d.raw != nil }

// Ask sends p and waits for the first bytes of the answer, in one turn with the descriptor: peek, send, park, read. Other
// than with Write and Fill there is no read that is sure to find nothing, and nothing can come between the peek and the
// send but what the kernel tells us of when we park. Nothing may be buffered. Sent, when not nil, is called once p is sent.
//
//	n == len(p): p is sent; the rest is as after Fill
//	n < len(p), err == nil: the kernel took no more for now; Write the rest, then Fill
//	n < len(p), err != nil: ErrNotQuiet, or sending failed
func (d *Reader) Ask(p []byte, sent func()) (n int, err error) {
	if d.w > d.r {
		panic("BUG: asked with an answer in the buffer")
	}
	if d.eof {
		return 0, ErrNotQuiet
	}
	a := &d.ask
	*a = asking{p: p, sent: sent}
	err = d.raw.Read(d.turn)
	a.p, a.sent = nil, nil
	switch {
	case a.loud:
		return 0, ErrNotQuiet
	case err != nil || !a.put:
		return a.n, err
	case a.n < len(p):
		if d.errno != 0 {
			return a.n, os.NewSyscallError("send", d.errno)
		}
		return a.n, nil
	}
	_, err = d.received()
	return a.n, err
}

// tryAsk is a turn of Ask. The poller forgot older news when the turn began, so whatever comes after the peek wakes us.
func (d *Reader) tryAsk(fd uintptr) bool {
	a := &d.ask
	if a.put {
		return d.tryRead(fd)
	}
	if a.loud = !socket.Quiet(fd); a.loud {
		return true
	}
	a.put = true
	a.n, d.errno = socket.Send(fd, a.p)
	if d.errno == syscall.EAGAIN {
		d.errno = 0
	}
	if a.n < len(a.p) {
		return true
	}
	if a.sent != nil {
		a.sent()
	}
	return false
}

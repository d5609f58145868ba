package wire

import (
	"io"
	"os"
	"sync"
	"syscall"

	"serin/proxy/socket"
)

// Sizes of the pooled buffers, in bytes.
const (
	SmallBuffer = 16 << 10
	LargeBuffer = 256 << 10
)

// Room kept free around the received bytes, so that a Pipe can frame a chunk where it lies.
const (
	headroom = 18 // 16 hex digits, CRLF
	tailroom = 7  // CRLF 0 CRLF CRLF
)

var (
	smallBuffers = sync.Pool{New: func() any { return new([SmallBuffer]byte) }}
	largeBuffers = sync.Pool{New: func() any { return new([LargeBuffer]byte) }}
)

// Reader is the read side of a connection: a buffer borrowed while there is something in it, none while idle.
// Parsers work in place on Bytes. Owned by one goroutine at a time.
type Reader struct {
	src   io.Reader
	raw   syscall.RawConn
	try   func(fd uintptr) bool // tryRead, bound once
	turn  func(fd uintptr) bool // tryAsk, bound once
	serve func(fd uintptr) bool // FillAndServe's, while it waits
	buf   []byte                // nil, or a whole pooled array
	r, w  int                   // Bytes is buf[r:w]; r >= headroom while buf is not nil
	large bool                  // borrow a LargeBuffer from now on
	eof   bool
	n     int           // what tryRead got
	errno syscall.Errno // and how it failed; 0: not
	ask   asking
}

// Reset points d at src with nothing buffered. raw, when not nil, is src's descriptor: reads then hold no buffer while
// they wait for the first byte. Wrapped and TLS connections pass nil. Reset(nil, nil) ends the use of d.
func (d *Reader) Reset(src io.Reader, raw syscall.RawConn) {
	d.drop()
	d.src, d.raw, d.eof = src, raw, false
	if raw != nil && d.try == nil {
		d.try, d.turn = d.tryRead, d.tryAsk
	}
}

// Bytes are the bytes received and not yet discarded; valid until Fill or Release.
func (d *Reader) Bytes() []byte { return d.buf[d.r:d.w] }

// Buffered is len(Bytes()).
func (d *Reader) Buffered() int { return d.w - d.r }

// Discard drops the first n of Bytes.
func (d *Reader) Discard(n int) {
	if n < 0 || n > d.w-d.r {
		panic("BUG: discard of more than is buffered")
	}
	d.r += n
}

// Fill does one read behind Bytes and returns the number of bytes it added, at least 1 without an error. Bytes are moved
// to the front when the buffer is full, and to a LargeBuffer when that does not help and max allows more than a
// SmallBuffer. Every slice of the buffer dies: parsed heads too. Errors: the connection's own, io.EOF (remembered), and
// io.ErrShortBuffer when there is no room for more.
func (d *Reader) Fill(max int) (n int, err error) {
	if d.eof {
		return 0, io.EOF
	}
	if d.r == d.w && d.raw != nil {
		return d.fillWhenReady()
	}
	if err := d.room(max); err != nil {
		return 0, err
	}
	for range 100 { // as bufio: a reader that gives neither bytes nor an error is broken
		n, err = d.src.Read(d.buf[d.w : len(d.buf)-tailroom])
		d.w += n
		d.eof = err == io.EOF
		if n > 0 {
			return n, nil // an error comes again with the next read
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}

// FillAndServe is Fill that has serve deal with what is read inside the wait for it. A wait that then goes on needs no read
// to find out that nothing has come meanwhile: the poller remembers. serve is called with something buffered, behind which
// nothing waited when it was read but perhaps an end. True: all of it has been dealt with, wait on. False: return to the
// caller with what is left. serve must neither read the connection nor close it; it may write to fd, which nobody can close meanwhile. Without a
// descriptor it is not called.
func (d *Reader) FillAndServe(max int, serve func(fd uintptr) bool) (n int, err error) {
	d.serve = serve
	n, err = d.Fill(max)
	d.serve = nil
	return n, err
}

// EOF says whether the peer has ended its side. A half-close is no abort: what is buffered still counts.
func (d *Reader) EOF() bool { return d.eof }

// Release gives the buffer back to its pool when nothing is buffered. Call it before a connection goes idle; slices
// from Bytes (Request and Response fields too) die with it.
func (d *Reader) Release() {
	if d.r == d.w {
		d.drop()
		d.large = false
	}
}

// room makes place for at least one byte.
func (d *Reader) room(max int) error {
	switch {
	case d.buf == nil:
		d.take()
	case d.r == d.w:
		d.r, d.w = headroom, headroom
	case d.w < len(d.buf)-tailroom:
	case d.r > headroom:
		d.w = headroom + copy(d.buf[headroom:], d.buf[d.r:d.w])
		d.r = headroom
	case len(d.buf) == SmallBuffer && max > SmallBuffer:
		d.grow()
	default:
		return io.ErrShortBuffer
	}
	return nil
}

// grow moves what is buffered to a LargeBuffer.
func (d *Reader) grow() {
	if d.large = true; len(d.buf) == LargeBuffer {
		return
	}
	large := largeBuffers.Get().(*[LargeBuffer]byte)[:]
	n := copy(large[headroom:], d.Bytes())
	d.drop()
	d.buf, d.r, d.w = large, headroom, headroom+n
}

// take borrows an empty buffer.
func (d *Reader) take() {
	if d.large {
		d.buf = largeBuffers.Get().(*[LargeBuffer]byte)[:]
	} else {
		d.buf = smallBuffers.Get().(*[SmallBuffer]byte)[:]
	}
	d.r, d.w = headroom, headroom
}

// drop gives the buffer back whatever is in it.
func (d *Reader) drop() {
	Poison(d.buf)
	switch len(d.buf) {
	case SmallBuffer:
		smallBuffers.Put((*[SmallBuffer]byte)(d.buf))
	case LargeBuffer:
		largeBuffers.Put((*[LargeBuffer]byte)(d.buf))
	}
	d.buf, d.r, d.w = nil, 0, 0
}

// fillWhenReady reads by the descriptor: the buffer is borrowed for the system call and given back when there is nothing
// to read yet, so that an idle connection holds none.
func (d *Reader) fillWhenReady() (int, error) {
	if err := d.raw.Read(d.try); err != nil {
		return 0, err
	}
	return d.received()
}

// received is the result of the last tryRead.
func (d *Reader) received() (int, error) {
	if d.errno != 0 {
		return 0, os.NewSyscallError("recv", d.errno)
	}
	if d.n == 0 {
		d.eof = true
		return 0, io.EOF
	}
	return d.n, nil
}

// tryRead is one non-blocking read; false parks the goroutine until the descriptor is readable.
func (d *Reader) tryRead(fd uintptr) bool {
	if d.buf == nil {
		d.take()
	}
	d.r, d.w = headroom, headroom
	d.n, d.errno = socket.Receive(fd, d.buf[headroom:len(d.buf)-tailroom])
	if d.errno == syscall.EAGAIN {
		d.drop()
		return false
	}
	d.w += d.n
	serve := d.serve
	if serve == nil || d.n == 0 || d.w == len(d.buf)-tailroom {
		return true
	}
	d.serve = nil // what serve does is no wait for it
	if !serve(fd) {
		return true
	}
	d.serve = serve
	d.Release()
	return false
}

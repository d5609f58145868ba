package wire

import (
	"io"
	"syscall"
)

// Sizes of the pooled buffers.
const (
	SmallBuffer = 16 << 10
	LargeBuffer = 256 << 10
)

// Reader is the read side of a connection: a buffer borrowed while there is something in it, none while idle.
// Parsers work in place on Bytes. Owned by one goroutine at a time.
type Reader struct {
	src  io.Reader
	raw  syscall.RawConn
	buf  []byte
	r, w int
	err  error
}

// Reset points d at src with nothing buffered. raw, when not nil, is src's descriptor: reads then hold no buffer while
// they wait. Wrapped and TLS connections pass nil. Allocates: once per connection.
func (d *Reader) Reset(src io.Reader, raw syscall.RawConn) { panic("BUG: filled in next") }

// Bytes are the bytes received and not yet discarded; valid until Fill, Grow or Release.
func (d *Reader) Bytes() []byte { return d.buf[d.r:d.w] }

// Buffered is len(Bytes()).
func (d *Reader) Buffered() int { return d.w - d.r }

// Discard drops the first n of Bytes.
func (d *Reader) Discard(n int) { panic("BUG: filled in next") }

// Fill does one read behind Bytes and returns the number of bytes it added; the buffer grows (doubling, up to max bytes;
// 0: SmallBuffer) when full. Errors: the connection's own, io.EOF (remembered), io.ErrShortBuffer when max is reached.
func (d *Reader) Fill(max int) (n int, err error) { panic("BUG: filled in next") }

// EOF says whether the peer has ended its side. A half-close is no abort: what is buffered still counts.
func (d *Reader) EOF() bool { return d.err == io.EOF }

// Release gives the buffer back to its pool when nothing is buffered. Call it before a connection goes idle; slices
// from Bytes (Request and Response fields too) die with it.
func (d *Reader) Release() { panic("BUG: filled in next") }

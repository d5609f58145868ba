package wire

import (
	"io"
	"strconv"
)

// Large is the number of payload bytes due from which Pipe borrows a LargeBuffer.
const Large = 64 << 10

// Pipe copies one body from Src to Dst, never holding bytes back: every read is written out before the next one. It
// frames chunks in Src's own buffer, around the payload.
type Pipe struct {
	Src  *Reader
	Dst  io.Writer
	Body *Body   // Reset by the caller with the source's framing; may already have taken bytes by Append
	Out  Framing // of the receiver: Length for Length, else Chunked or UntilClose

	Failed Side // which side the last error came from
	last   []byte
}

// Side says who broke.
type Side uint8

const (
	Neither Side = iota
	Source       // reading failed, ended early (io.ErrUnexpectedEOF) or was malformed (*Error)
	Sink         // writing failed
)

// Step does at most one read and one write (two for a last chunk with trailers). done: the body is complete and wholly
// written, last chunk included. On an error nothing more is written: the caller must close the receiver so that the
// truncation shows (RFC 9112 section 8).
func (c *Pipe) Step() (done bool, err error) {
	if c.Body.done {
		return true, c.finish()
	}
	if c.Src.Buffered() == 0 {
		if c.Body.left >= Large {
			c.Src.grow()
		}
		if _, err := c.Src.Fill(0); err != nil {
			if err == io.EOF {
				if err = c.Body.End(); err == nil {
					return true, c.finish()
				}
			}
			c.Failed = Source
			return false, err
		}
	}
	from, to, used, err := c.Body.decode(c.Src.Bytes())
	if err != nil {
		c.Failed = Source
		return false, err
	}
	if from < to {
		err = c.write(from, to, used)
	}
	c.Src.Discard(used) // also where it could not be written: the body has counted it
	if err != nil {
		return false, err
	}
	if c.Body.done {
		return true, c.finish()
	}
	return false, nil
}

// Run steps until the body is complete.
func (c *Pipe) Run() error {
	for {
		if done, err := c.Step(); done || err != nil {
			return err
		}
	}
}

// write sends the payload Bytes()[from:to] of which used bytes were consumed, framed where it lies: bytes before from
// are consumed or headroom, bytes between to and used are consumed, bytes behind the buffered ones are tailroom.
func (c *Pipe) write(from, to, used int) error {
	d := c.Src
	start, end := d.r+from, d.r+to
	if c.Out == Chunked {
		free := d.r + used
		if free == d.w {
			free += tailroom
		}
		if free-end < len("\r\n") {
			panic("BUG: a body of known length must not be chunked")
		}
		size := strconv.AppendInt(c.last[:0], int64(to-from), 16)
		size = append(size, "\r\n"...)
		start -= copy(d.buf[start-len(size):], size)
		c.last = size[:0]
		end += copy(d.buf[end:], "\r\n")
		if c.Body.done && len(c.Body.Trailer) == 0 && free-end >= len("0\r\n\r\n") {
			end += copy(d.buf[end:], "0\r\n\r\n")
			c.Body.closed = true
		}
	}
	if _, err := c.Dst.Write(d.buf[start:end]); err != nil {
		c.Failed = Sink
		return err
	}
	return nil
}

// finish writes the last chunk unless it went with the payload, and gives a large buffer back.
func (c *Pipe) finish() error {
	if len(c.Src.buf) == LargeBuffer {
		c.Src.Release()
	}
	if c.Out != Chunked || c.Body.closed {
		return nil
	}
	c.last = c.Body.appendLast(c.last[:0])
	if len(c.last) == 0 {
		return nil
	}
	if _, err := c.Dst.Write(c.last); err != nil {
		c.Failed = Sink
		return err
	}
	return nil
}

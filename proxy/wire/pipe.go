package wire

import "io"

// Pipe copies one body from Src to Dst, never holding bytes back: every read is written out before the next one.
type Pipe struct {
	Src  *Reader
	Dst  io.Writer
	Body *Body   // Reset by the caller with the source's framing; may already have taken bytes by Append
	Out  Framing // of the receiver: Length, Chunked or UntilClose

	Failed Side // which side the last error came from
}

// Side says who broke.
type Side uint8

const (
	Neither Side = iota
	Source       // reading failed, ended early (io.ErrUnexpectedEOF) or was malformed (*Error)
	Sink         // writing failed
)

// Step does at most one read and one write. done: the body is complete and wholly written, last chunk included. On an
// error nothing more is written: the caller must close the receiver so that the truncation shows (RFC 9112 section 8).
func (c *Pipe) Step() (done bool, err error) { panic("BUG: filled in next") }

// Run steps until the body is complete.
func (c *Pipe) Run() error {
	for {
		if done, err := c.Step(); done || err != nil {
			return err
		}
	}
}

// Large is the number of payload bytes due from which Pipe borrows a LargeBuffer from the pool (performance.md R5).
const Large = 64 << 10

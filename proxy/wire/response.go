package wire

// Response is one parsed response head; reuse rules as for Request. Parse may rewrite folded lines inside the buffer.
type Response struct {
	Status        int     // 100..599
	Line          []byte  // status code and reason phrase as received
	Fields        []Field // in order of arrival
	HTTP10        bool    // the upstream speaks HTTP/1.0
	Framing       Framing // how this message's body ends
	ContentLength int64   // with Length; also of HEAD and 304 answers that state one, else -1
	KeepAlive     bool    // the upstream connection may be reused once the message is complete
	Interim       bool    // 1xx but 101: another head follows
	Switch        bool    // 101 to a websocket that was asked for: a tunnel follows
	Plain         bool    // needs no second opinion: HTTP/1.1, no folded line, plain framing

	buf     []byte
	scanned int
}

// Reset forgets a head that was only partly received.
func (p *Response) Reset() {}

// Parse reads a response head at the start of buf; results as Request.Parse's. The error is an *Error with status 502:
// close the upstream connection. lim may be nil; its Head defaults to 64 KiB here.
func (p *Response) Parse(buf []byte, asked Asked, lim *Limits) (n int, err error) {
	panic("BUG: filled in next")
}

// SecondOpinion reads the head with fasthttp's parser; both must agree on status and framing, else *Error 502.
func (p *Response) SecondOpinion() error { panic("BUG: filled in next") }

// Value returns the value of the first field called name, as Request.Value.
func (p *Response) Value(name string) []byte { panic("BUG: filled in next") }

package wire

import "bytes"

// maxMethod is the longest method we read, in bytes; RFC 9112 section 3 asks for 501 above.
const maxMethod = 32

// maxEmptyLines before a request line are ignored (RFC 9112 2.2).
const maxEmptyLines = 4

// Request is one parsed request head. Reuse one per connection: Parse resets it. All slices alias the buffer given to
// Parse and are valid until the buffer changes. Not safe for concurrent use.
type Request struct {
	Method []byte  // a token, case kept
	Target []byte  // as received, never normalised
	Path   []byte  // raw path of Target ("/" for an absolute form without one, "*" for OPTIONS *)
	Query  []byte  // raw, without '?'
	Host   []byte  // the effective authority: absolute form's, else the Host field's; nil with HTTP/1.0 without Host
	Head   []byte  // raw field lines, each ended by CRLF: router.Request.Head
	Fields []Field // in order of arrival

	HTTP10        bool    // the client speaks HTTP/1.0
	Framing       Framing // NoBody, Length or Chunked
	ContentLength int64   // with Length, else 0
	KeepAlive     bool    // the client lets the connection live
	Expect100     bool    // waits for 100 (Continue) and has a body
	Upgrade       bool    // a well-formed request to switch to websocket; any other upgrade is cut
	Trailers      bool    // said TE: trailers
	Absolute      bool    // target was in absolute form
	MaxForwards   int     // of OPTIONS, -1 without; 0: answer it yourself
	IsHead        bool    // method is HEAD
	Idempotent    bool    // GET, HEAD, OPTIONS, PUT, DELETE (RFC 9110 9.2.2)
	Simple        bool    // Path holds no '%' nor byte a URI can't, no empty or dot segment: it is its own normal form
	Plain         bool    // needs no second opinion

	buf     []byte // what Parse was given, up to the empty line; Fields' offsets
	line    int    // where the request line starts in buf
	seen    set
	twice   set
	scanned int  // bytes of an incomplete head already looked at
	inLine  bool // it ends within the request line
}

// Reset forgets the head, complete or not. Keeps the memory of Fields, but nothing of the buffer.
func (r *Request) Reset() { *r = Request{Fields: r.Fields[:0]} }

// Parse reads a request head at the start of buf: n > 0 is its length, leading empty lines included; n == 0 with a nil
// error asks for more bytes (call again with the same bytes and more behind them: what was looked at is not read again).
// The error is an *Error, found as early as the bytes allow; after it the connection must be closed. lim may be nil.
func (r *Request) Parse(buf []byte, lim *Limits) (n int, err error) {
	head, target, fields := lim.or(DefaultHead)
	if r.scanned > 0 && !headEnds(buf, r.scanned, r.inLine) {
		if r.inLine && len(buf) > target+maxMethod+len(" HTTP/1.1\r\n")+2*maxEmptyLines {
			return 0, errTargetLong
		}
		return r.more(buf, head)
	}
	start, err := skipEmptyLines(buf)
	if err != nil {
		return 0, err
	}
	r.Host, r.Absolute, r.Framing, r.ContentLength = nil, false, NoBody, 0
	r.Expect100, r.Upgrade, r.Trailers, r.MaxForwards = false, false, false, -1
	r.IsHead, r.Idempotent, r.scanned = false, false, 0
	i, err := r.requestLine(buf, start, target)
	if err != nil {
		return 0, err
	}
	if r.inLine = i == 0; r.inLine {
		return r.more(buf, head)
	}
	first := i
	scan := fieldScan{max: fields, fields: r.Fields[:min(cap(r.Fields), fields)]}
	if lim != nil {
		scan.underscore = lim.Underscore
	}
	i, fault := scan.run(buf, i)
	r.Fields = scan.fields[:scan.n]
	if fault == fieldsMore {
		return r.more(buf, head)
	}
	if fault != fieldsDone {
		return 0, fault.err()
	}
	if i > head {
		return 0, errHeadLarge
	}
	r.buf, r.line, r.Head = buf[:i:i], start, buf[first:i-2:i-2]
	r.seen, r.twice = scan.seen, scan.twice
	if err := r.judge(scan.seen, scan.twice); err != nil {
		return 0, err
	}
	return i, nil
}

// more asks for more bytes, unless the limit is reached.
func (r *Request) more(buf []byte, head int) (int, error) {
	if len(buf) >= head {
		return 0, errHeadLarge
	}
	r.scanned = len(buf)
	return 0, nil
}

// or returns l's limits with defaults filled in.
func (l *Limits) or(defaultHead int) (head, target, fields int) {
	head, target, fields = defaultHead, DefaultTarget, DefaultFields
	if l == nil {
		return head, target, fields
	}
	if l.Head > 0 {
		head = l.Head
	}
	if l.Target > 0 {
		target = l.Target
	}
	if l.Fields > 0 {
		fields = l.Fields
	}
	return head, target, fields
}

// headEnds says whether a parse is worth another try: behind from, buf holds an empty line, a line end without CR, or,
// with firstLine, any line end.
func headEnds(buf []byte, from int, firstLine bool) bool {
	for i := from; i < len(buf); i++ {
		next := bytes.IndexByte(buf[i:], '\n')
		if next < 0 {
			return false
		}
		i += next
		if firstLine || i == 0 || buf[i-1] != '\r' || i >= 3 && buf[i-2] == '\n' {
			return true
		}
	}
	return false
}

// skipEmptyLines returns the index behind at most maxEmptyLines leading CRLFs.
func skipEmptyLines(buf []byte) (int, error) {
	i := 0
	for len(buf)-i >= 2 && buf[i] == '\r' && buf[i+1] == '\n' {
		i += 2
		if i > 2*maxEmptyLines {
			return 0, errEmptyLines
		}
	}
	if len(buf)-i == 1 && buf[i] == '\r' {
		i++ // half an empty line
	}
	return i, nil
}

// Value returns the value of the first field called name (ASCII case-insensitive), nil without one, empty and non-nil
// for an empty value.
func (r *Request) Value(name string) []byte { return value(r.buf, r.Fields, name) }

// WantsJSON says whether Accept names application/json, for error answers. It looks for the text, weights aside.
func (r *Request) WantsJSON() bool {
	return bytes.Contains(r.Value("Accept"), []byte("application/json"))
}

// Asked is what the response reader must know of the request.
type Asked struct {
	Head    bool // HEAD: no body whatever the fields say
	Upgrade bool // websocket was asked for and forwarded: 101 is allowed
}

// Asked summarises r for Response.Parse.
func (r *Request) Asked() Asked { return Asked{Head: r.IsHead, Upgrade: r.Upgrade} }

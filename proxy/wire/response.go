package wire

import "bytes"

// Response is one parsed response head; reuse rules as for Request. Parse may rewrite folded lines inside the buffer.
type Response struct {
	Status        int     // 100..599
	Line          []byte  // status code and reason phrase as received
	Fields        []Field // in order of arrival
	HTTP10        bool    // the upstream speaks HTTP/1.0
	Framing       Framing // how this message's body ends
	ContentLength int64   // with Length; also what HEAD and 304 answers state; else -1
	KeepAlive     bool    // the upstream connection may be reused once the message is complete
	Interim       bool    // 1xx but 101: another head follows
	Switch        bool    // 101 to a websocket that was asked for: a tunnel follows
	Plain         bool    // needs no second opinion: HTTP/1.1, no folded line, plain framing

	buf     []byte
	seen    set
	scanned int
}

// DefaultResponseFields is the default of Limits.Fields for responses: they carry cookies and policies by the dozen.
const DefaultResponseFields = 256

// Reset forgets the head, complete or not. Keeps the memory of Fields, but nothing of the buffer.
func (p *Response) Reset() { *p = Response{Fields: p.Fields[:0]} }

// Parse reads a response head at the start of buf; results as Request.Parse's. The error is an *Error with status 502:
// close the upstream connection. lim may be nil; its Head defaults to 64 KiB here, its Fields to 256.
func (p *Response) Parse(buf []byte, asked Asked, lim *Limits) (n int, err error) {
	head, _, fields := lim.or(DefaultResponseHead)
	if lim == nil || lim.Fields <= 0 {
		fields = DefaultResponseFields
	}
	if p.scanned > 0 && !headEnds(buf, p.scanned, false) {
		return p.more(buf, head)
	}
	p.scanned = 0
	i, err := p.statusLine(buf)
	if err != nil {
		return 0, err
	}
	if i == 0 {
		return p.more(buf, head)
	}
	scan := fieldScan{max: fields, fields: p.Fields[:min(cap(p.Fields), fields)], unfold: true}
	i, fault := scan.run(buf, i)
	p.Fields = scan.fields[:scan.n]
	switch fault {
	case fieldsMore:
		return p.more(buf, head)
	case fieldsDone:
	case faultMany:
		return 0, errResponseLarge
	default:
		return 0, errResponseFields
	}
	if i > head {
		return 0, errResponseLarge
	}
	p.buf, p.seen = buf[:i:i], scan.seen
	p.Plain = !p.HTTP10 && !scan.folded
	if err := p.judge(asked, scan.twice); err != nil {
		return 0, err
	}
	return i, nil
}

func (p *Response) more(buf []byte, head int) (int, error) {
	if len(buf) >= head {
		return 0, errResponseLarge
	}
	p.scanned = len(buf)
	return 0, nil
}

// statusLine reads "HTTP/1.x 200 reason" CRLF; the reason and the space before it may be missing.
func (p *Response) statusLine(b []byte) (int, error) {
	const form = "HTTP/1.1 200"
	if len(b) < len(form)+2 {
		if !bytes.HasPrefix(b, []byte("HTTP/1.")[:min(len(b), 7)]) {
			return 0, errResponseLine
		}
		return 0, nil
	}
	if string(b[:7]) != "HTTP/1." || b[7]&^1 != '0' || b[8] != ' ' {
		return 0, errResponseLine
	}
	status := 0
	for _, c := range b[9:12] {
		if c < '0' || c > '9' {
			return 0, errResponseLine
		}
		status = status*10 + int(c-'0')
	}
	if status < 100 || status > 599 || b[12] != ' ' && b[12] != '\r' {
		return 0, errResponseLine
	}
	end := textEnd(b, 12)
	if end+1 >= len(b) {
		if end < len(b) && b[end] != '\r' {
			return 0, errResponseLine
		}
		return 0, nil
	}
	if b[end] != '\r' || b[end+1] != '\n' {
		return 0, errResponseLine
	}
	p.Status, p.Line, p.HTTP10 = status, b[9:end:end], b[7] == '0'
	return end + 2, nil
}

// judge finds framing and connection handling (RFC 9112 6.3 and 9.3), refusing what has two readings.
func (p *Response) judge(asked Asked, twice set) error {
	p.Framing, p.ContentLength, p.Interim, p.Switch = UntilClose, -1, false, false
	if twice&(1<<kindContentLength|1<<kindTransferEncoding) != 0 {
		return errResponseLength
	}
	if p.seen&(1<<kindContentLength|1<<kindTransferEncoding) != 0 {
		if err := p.judgeFraming(); err != nil {
			return err
		}
	}
	options := connectionOptions{plain: true}
	if p.seen&(1<<kindConnection) != 0 {
		var ok bool
		if options, ok = readConnection(p.buf, p.Fields); !ok {
			return errResponseFields
		}
	}
	switch {
	case p.Status == 101:
		f := find(p.Fields, kindUpgrade)
		if !asked.Upgrade || !options.upgrade || f == nil || !equalFold(p.buf[f.Value:f.ValueEnd], "websocket") {
			return errSwitch
		}
		p.Framing, p.Switch = NoBody, true
	case p.Status < 200:
		p.Framing, p.Interim = NoBody, true
	case asked.Head || p.Status == 204 || p.Status == 304:
		p.Framing = NoBody
	}
	p.KeepAlive = p.Framing != UntilClose && !p.Switch && !options.close && (!p.HTTP10 || options.keepAlive)
	p.Plain = p.Plain && options.plain && p.Framing != UntilClose && p.Status >= 200
	return nil
}

// judgeFraming reads the one framing field of the head.
func (p *Response) judgeFraming() error {
	if p.seen&(1<<kindTransferEncoding) == 0 {
		f := find(p.Fields, kindContentLength)
		n, ok := parseDecimal(p.buf[f.Value:f.ValueEnd])
		if !ok {
			return errResponseLength
		}
		p.Framing, p.ContentLength = Length, n
		return nil
	}
	f := find(p.Fields, kindTransferEncoding)
	if p.seen&(1<<kindContentLength) != 0 || p.HTTP10 || !equalFold(p.buf[f.Value:f.ValueEnd], "chunked") {
		return errResponseLength
	}
	p.Framing = Chunked
	return nil
}

// Value returns the value of the first field called name, as Request.Value.
func (p *Response) Value(name string) []byte { return value(p.buf, p.Fields, name) }

package wire

// plainKinds may be present in a Plain head; Connection only with close and keep-alive.
const plainKinds set = 1<<kindOther | 1<<kindHost | 1<<kindContentLength | 1<<kindTransferEncoding | 1<<kindConnection |
	1<<kindKeepAlive | 1<<kindVia | 1<<kindCookie | 1<<kindAuthorization | forwarding | 1<<kindTraceparent |
	1<<kindTracestate | 1<<kindSerin | 1<<kindSetCookie | 1<<kindCacheControl | 1<<kindDate

// single are the kinds whose second line has no agreed meaning.
const single set = 1<<kindHost | 1<<kindContentLength | 1<<kindTransferEncoding | 1<<kindMaxForwards

// judge draws the conclusions from the fields: host, framing, connection, expectations.
func (r *Request) judge(seen, twice set) error {
	if twice&single != 0 {
		return duplicateError(twice)
	}
	if err := r.form(); err != nil {
		return err
	}
	if err := r.judgeHost(seen); err != nil {
		return err
	}
	r.KeepAlive = !r.HTTP10
	r.Plain = r.Plain && !r.HTTP10 && seen&^plainKinds == 0
	if seen&(1<<kindContentLength|1<<kindTransferEncoding) != 0 {
		if err := r.judgeFraming(seen); err != nil {
			return err
		}
	}
	var options connectionOptions
	if seen&(1<<kindConnection) != 0 {
		var ok bool
		if options, ok = readConnection(r.buf, r.Fields); !ok {
			return errConnection
		}
		r.KeepAlive = !options.close && (!r.HTTP10 || options.keepAlive)
		r.Plain = r.Plain && options.plain
	}
	if seen&^plainKinds != 0 {
		return r.judgeRare(seen, options)
	}
	return nil
}

func duplicateError(twice set) error {
	switch {
	case twice&(1<<kindHost) != 0:
		return errHost
	case twice&(1<<kindContentLength) != 0:
		return errLength
	case twice&(1<<kindTransferEncoding) != 0:
		return errCodingTwice
	}
	return errMaxForwards
}

// judgeHost asks for one valid Host; an absolute form's authority has replaced it already (RFC 9112 3.2.2).
func (r *Request) judgeHost(seen set) error {
	if seen&(1<<kindHost) == 0 {
		if r.HTTP10 {
			return nil
		}
		return errHost
	}
	f := find(r.Fields, kindHost)
	host := r.buf[f.Value:f.ValueEnd:f.ValueEnd]
	if !validHost(host) {
		return errHost
	}
	if !r.Absolute {
		r.Host = host
	}
	return nil
}

// judgeFraming finds the end of the body (RFC 9112 6.3), refusing whatever could be read in two ways.
func (r *Request) judgeFraming(seen set) error {
	if seen&(1<<kindTransferEncoding) == 0 {
		f := find(r.Fields, kindContentLength)
		n, ok := parseDecimal(r.buf[f.Value:f.ValueEnd])
		if !ok {
			return errLength
		}
		r.Framing, r.ContentLength = Length, n
		return nil
	}
	if seen&(1<<kindContentLength) != 0 {
		return errCodingLength
	}
	if r.HTTP10 {
		return errCodingOld
	}
	f := find(r.Fields, kindTransferEncoding)
	if !equalFold(r.buf[f.Value:f.ValueEnd], "chunked") {
		return errCodingUnknown
	}
	r.Framing = Chunked
	return nil
}

// judgeRare reads Expect, TE, Upgrade and Max-Forwards.
func (r *Request) judgeRare(seen set, options connectionOptions) error {
	for i := range r.Fields {
		f := &r.Fields[i]
		v := r.buf[f.Value:f.ValueEnd]
		switch f.kind {
		case kindExpect:
			if r.HTTP10 {
				continue // RFC 9110 10.1.1: ignored
			}
			if !equalFold(v, "100-continue") {
				return errExpectation
			}
			r.Expect100 = r.Framing != NoBody && !(r.Framing == Length && r.ContentLength == 0)
		case kindTE:
			r.Trailers = r.Trailers || !r.HTTP10 && listHas(v, "trailers")
		case kindMaxForwards:
			if string(r.Method) != "OPTIONS" {
				continue
			}
			n, ok := parseDecimal(v)
			if !ok {
				return errMaxForwards
			}
			r.MaxForwards = int(min(n, maxForwardsKept))
		}
	}
	if seen&(1<<kindUpgrade) != 0 {
		f := find(r.Fields, kindUpgrade)
		r.Upgrade = options.upgrade && !r.HTTP10 && r.Framing == NoBody && string(r.Method) == "GET" &&
			equalFold(r.buf[f.Value:f.ValueEnd], "websocket")
	}
	return nil
}

// maxForwardsKept caps Max-Forwards: larger values mean the same.
const maxForwardsKept = 1 << 20

// listHas says whether a comma-separated list holds option (lower case), ASCII case-insensitively.
func listHas(list []byte, option string) bool {
	for len(list) > 0 {
		var e []byte
		if e, list = nextElement(list); equalFold(e, option) {
			return true
		}
	}
	return false
}

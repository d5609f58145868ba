package wire

import "strconv"

// Reply is what the client-side writer adds to a response.
type Reply struct {
	HTTP10    bool   // the client speaks HTTP/1.0: never chunked, no interim answers (the caller leaves them out)
	KeepAlive bool   // false: Connection: close. True needs the client's and our own consent; UntilClose overrules it
	Drop      string // name of an upstream's field that clients do not get (business signals); "" none
	Lines     []byte // complete field lines appended verbatim (Serin-Arm with expose)
	Date      []byte // the current date's complete line, for an answer without one (RFC 9110 6.6.1)
	SetCookie []byte // the minted cookie's complete Set-Cookie line; left out when shared caches may keep the answer
}

// FramingTo says how the body goes to the client: p's own framing, but chunked for a body that the upstream ended by
// closing, and UntilClose instead of chunked for HTTP/1.0.
func (p *Response) FramingTo(http10 bool) Framing {
	switch p.Framing {
	case Chunked, UntilClose:
		if http10 {
			return UntilClose
		}
		return Chunked
	}
	return p.Framing
}

// AppendResponse appends the client's response head to dst, blank line included; also the form of interim answers and of
// 101. The version is our own, HTTP/1.1, to every client (RFC 9110 2.5). Body bytes follow framed as FramingTo says. The
// caller closes the client's connection after the message unless o.KeepAlive and the framing is not UntilClose.
func AppendResponse(dst []byte, p *Response, o *Reply) []byte {
	out := p.FramingTo(o.HTTP10)
	dst = append(dst, "HTTP/1.1 "...)
	dst = append(dst, p.Line...)
	if len(p.Line) == len("200") {
		dst = append(dst, ' ') // RFC 9112 section 4: the space stays when the reason is empty
	}
	dst = append(dst, "\r\n"...)
	dst = p.appendKept(dst, p.cuts(out, o.HTTP10), o.Drop)
	if out == Chunked && p.Framing != Chunked {
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	}
	if !p.Interim && !p.Switch {
		if p.seen&(1<<kindDate) == 0 {
			dst = append(dst, o.Date...)
		}
		dst = append(dst, o.Lines...)
		if len(o.SetCookie) > 0 && !p.SharedCacheable() {
			dst = append(dst, o.SetCookie...)
		}
	}
	switch {
	case p.Interim:
	case p.Switch:
		dst = append(dst, "Connection: Upgrade\r\nUpgrade: websocket\r\n"...)
	case !o.KeepAlive || out == UntilClose:
		dst = append(dst, "Connection: close\r\n"...)
	case o.HTTP10:
		dst = append(dst, "Connection: keep-alive\r\n"...)
	}
	return append(dst, "\r\n"...)
}

// cuts are the kinds of the upstream's fields that do not reach the client.
func (p *Response) cuts(out Framing, http10 bool) set {
	cut := hopByHop | 1<<kindSerin
	if out != Chunked {
		cut |= 1 << kindTransferEncoding
	}
	if p.Status < 200 || p.Status == 204 {
		cut |= 1 << kindContentLength // RFC 9110 8.6
	}
	if http10 {
		cut |= 1 << kindTrailer
	}
	return cut
}

// appendKept copies the field lines that stay, in runs as long as nothing between them is cut.
func (p *Response) appendKept(dst []byte, cut set, drop string) []byte {
	if len(p.Fields) == 0 {
		return dst
	}
	const framing set = 1<<kindContentLength | 1<<kindTransferEncoding
	from := p.Fields[0].Start
	if p.seen&(cut|framing) == 0 && p.seen&(1<<kindConnection) == 0 && drop == "" {
		return append(dst, p.buf[from:len(p.buf)-len("\r\n")]...)
	}
	for i := range p.Fields {
		f := &p.Fields[i]
		k := f.kind.set()
		switch {
		case k&cut != 0, drop != "" && f.kind == kindOther && equalNames(p.buf[f.Start:f.NameEnd], drop):
			dst = append(dst, p.buf[from:f.Start]...)
			from = f.End
		case k&framing != 0 && !canonicalFraming(p.buf, f, p.buf[f.Value:f.ValueEnd]):
			dst = append(dst, p.buf[from:f.NameEnd]...)
			dst = append(dst, ": "...)
			if f.kind == kindContentLength {
				dst = strconv.AppendInt(dst, p.ContentLength, 10)
			} else {
				dst = append(dst, "chunked"...)
			}
			dst = append(dst, "\r\n"...)
			from = f.End
		}
	}
	return append(dst, p.buf[from:len(p.buf)-len("\r\n")]...)
}

// SharedCacheable says whether a shared cache is told that it may keep the answer, so that a minted cookie must not ride
// on it: Cache-Control says public or s-maxage, or max-age above zero; or there is none and an Expires date. private,
// no-store and (without public) no-cache say no. Heuristic caching of answers that say nothing does not count: caches
// leave answers with Set-Cookie alone there.
func (p *Response) SharedCacheable() bool {
	var public, fresh, refused bool
	for i := range p.Fields {
		f := &p.Fields[i]
		if f.kind != kindCacheControl {
			continue
		}
		for list := p.buf[f.Value:f.ValueEnd]; len(list) > 0; {
			var d []byte
			d, list = nextElement(list)
			switch {
			case equalFold(d, "no-store"), hasPrefixFold(d, "private"):
				return false
			case equalFold(d, "public"):
				public = true
			case hasPrefixFold(d, "no-cache"):
				refused = true
			case hasPrefixFold(d, "s-maxage="):
				public = public || !allZero(d[len("s-maxage="):])
			case hasPrefixFold(d, "max-age="):
				fresh = fresh || !allZero(d[len("max-age="):])
			}
		}
	}
	if p.seen&(1<<kindCacheControl) == 0 {
		return len(p.Value("Expires")) > len("-1")
	}
	return public || fresh && !refused
}

package wire

// Reply is what the client-side writer adds to a response.
type Reply struct {
	HTTP10    bool   // the client speaks HTTP/1.0: never chunked
	KeepAlive bool   // false: Connection: close. True needs the client's and our own consent; UntilClose overrules it
	Head      bool   // the request was HEAD
	Lines     []byte // complete field lines appended verbatim (Serin-Arm with expose)
	SetCookie []byte // the minted cookie's complete Set-Cookie line; left out when shared caches may keep the answer
}

// FramingTo says how the body goes to the client: p's own framing, but chunked for a body that the upstream ended by
// closing, and UntilClose instead of chunked for HTTP/1.0.
func (p *Response) FramingTo(http10 bool) Framing { panic("BUG: filled in next") }

// AppendResponse appends the client's response head to dst, blank line included; also the form of interim answers and of
// 101. Body bytes follow framed as FramingTo says. The caller closes the client's connection after the message unless
// o.KeepAlive and the framing is not UntilClose.
func AppendResponse(dst []byte, p *Response, o *Reply) []byte { panic("BUG: filled in next") }

// SharedCacheable says whether a shared cache may keep the answer (Cache-Control: public, s-maxage, or max-age without
// private, no-store or no-cache; else an Expires field): a minted cookie must not ride on it.
func (p *Response) SharedCacheable() bool { panic("BUG: filled in next") }

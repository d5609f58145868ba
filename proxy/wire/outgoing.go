package wire

import (
	"bytes"
	"strconv"
)

// Outgoing is what the upstream writer adds to a request. Everything may alias long-lived memory; nothing is kept.
type Outgoing struct {
	Peer      []byte    // the connection's address in text without port, rendered once per connection; empty (unix socket): no X-Forwarded-For of ours
	Trusted   bool      // Peer is a trusted proxy: its forwarding fields are kept and extended, else replaced
	TLS       bool      // the client's connection is TLS: X-Forwarded-Proto https
	Host      string    // Host for an HTTP/1.0 request without one, e.g. the server's address
	Random    [3]uint64 // fresh per request; names requests and traces that have no valid name
	Lines     []byte    // complete field lines appended verbatim (Serin-Rollout, Serin-Arm, flags): build with AppendField
	Drop      []string  // names to cut from what the client sent (flag headers); '_' in the client's name counts as '-'
	Keep      string    // the force header: survives the cut of Serin-* names and Drop; "" none
	Anonymous bool      // Cookie and Authorization stay behind: a copy that carries nobody's credentials
	Via       string    // pseudonym for a Via line; "" none
	Span      *Span     // whose child the upstream's span is; nil: no spans are recorded, a valid trace context goes on as it is
}

// AppendField appends "name: value\r\n", or nothing when name is no token or value holds a control character: for lines
// rendered at configuration time.
func AppendField(dst []byte, name, value string) []byte {
	if !isToken([]byte(name)) || textEnd([]byte(value), 0) < len(value) {
		return dst
	}
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// AppendRequest appends the upstream's request head to dst, blank line included. Body bytes follow with r.Framing
// unchanged (Body.Append, Pipe). No allocation when dst has room for the head and about 400 bytes more.
func AppendRequest(dst []byte, r *Request, o *Outgoing) []byte {
	dst = append(dst, r.Method...)
	dst = append(dst, ' ')
	if r.Absolute {
		dst = append(dst, r.Path...)
		if r.Query != nil {
			dst = append(dst, '?')
			dst = append(dst, r.Query...)
		}
	} else {
		dst = append(dst, r.Target...)
	}
	dst = append(dst, " HTTP/1.1\r\n"...)
	if r.seen&(1<<kindHost) == 0 {
		dst = append(dst, "Host: "...)
		if r.Absolute {
			dst = append(dst, r.Host...)
		} else {
			dst = append(dst, o.Host...)
		}
		dst = append(dst, "\r\n"...)
	}
	trace := r.keepsTrace()
	dst = r.appendKept(dst, o, r.cuts(o, trace))
	dst = r.appendForwarding(dst, o)
	switch {
	case o.Span != nil:
		dst = o.Span.appendTo(dst)
	case !trace:
		dst = appendTraceparent(dst, &o.Random)
	}
	dst = append(dst, o.Lines...)
	switch {
	case r.Upgrade:
		dst = append(dst, "Connection: Upgrade\r\nUpgrade: websocket\r\n"...)
	case r.Trailers:
		dst = append(dst, "Connection: TE\r\nTE: trailers\r\n"...)
	}
	if o.Via != "" {
		dst = append(dst, "Via: 1."...)
		dst = append(dst, '1'-b2u(r.HTTP10), ' ')
		dst = append(dst, o.Via...)
		dst = append(dst, "\r\n"...)
	}
	return append(dst, "\r\n"...)
}

func b2u(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// cuts are the kinds of the client's fields that do not go upstream.
func (r *Request) cuts(o *Outgoing, trace bool) set {
	cut := hopByHop | 1<<kindSerin | 1<<kindExpect | 1<<kindForwardedFor
	if !o.Trusted {
		cut |= forwarding
	} else if !r.keepsID() {
		cut |= 1 << kindRequestID
	}
	if o.Anonymous {
		cut |= 1<<kindCookie | 1<<kindAuthorization
	}
	if !trace {
		cut |= 1<<kindTraceparent | 1<<kindTracestate
	}
	if o.Span != nil {
		cut |= 1 << kindTraceparent
	}
	return cut
}

// rewritten are the kinds that may need another value, in place.
const rewritten set = 1<<kindHost | 1<<kindContentLength | 1<<kindTransferEncoding | 1<<kindMaxForwards

// appendKept copies the field lines that stay, in runs as long as nothing between them is cut.
func (r *Request) appendKept(dst []byte, o *Outgoing, cut set) []byte {
	if len(r.Fields) == 0 {
		return dst
	}
	from := r.Fields[0].Start
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.kind == kindOther && len(o.Drop) == 0 {
			continue
		}
		k := f.kind.set()
		if k&cut != 0 && !o.keeps(r.buf, f) || len(o.Drop) > 0 && o.drops(r.buf, f) {
			dst = append(dst, r.buf[from:f.Start]...)
			from = f.End
		} else if k&rewritten != 0 && !r.canonical(f) {
			dst = append(dst, r.buf[from:f.Start]...)
			dst = r.appendRewritten(dst, f)
			from = f.End
		}
	}
	return append(dst, r.buf[from:len(r.buf)-len("\r\n")]...)
}

// keeps says whether f is the force header under a name that clients may not use otherwise.
func (o *Outgoing) keeps(b []byte, f *Field) bool {
	return f.kind == kindSerin && o.Keep != "" && equalNames(b[f.Start:f.NameEnd], o.Keep)
}

// drops says whether f has one of the names to cut.
func (o *Outgoing) drops(b []byte, f *Field) bool {
	name := b[f.Start:f.NameEnd]
	for _, d := range o.Drop {
		if f.kind == kindOther && equalTwins(name, d) {
			return o.Keep == "" || !equalNames(name, o.Keep)
		}
	}
	return false
}

// canonical says whether a framing, Host or Max-Forwards line goes upstream as it came.
func (r *Request) canonical(f *Field) bool {
	v := r.buf[f.Value:f.ValueEnd]
	switch f.kind {
	case kindHost:
		return !r.Absolute
	case kindMaxForwards:
		return string(r.Method) != "OPTIONS"
	}
	return canonicalFraming(r.buf, f, v)
}

// canonicalFraming says whether a framing line is spelled the one way that no parser reads differently.
func canonicalFraming(b []byte, f *Field, v []byte) bool {
	if f.Value != f.NameEnd+2 || b[f.NameEnd+1] != ' ' || f.End != f.ValueEnd+2 {
		return false
	}
	if f.kind == kindContentLength {
		return v[0] != '0' || len(v) == 1
	}
	return string(v) == "chunked"
}

// appendRewritten appends f's line with the value we stand for.
func (r *Request) appendRewritten(dst []byte, f *Field) []byte {
	dst = append(dst, r.buf[f.Start:f.NameEnd]...)
	dst = append(dst, ": "...)
	switch f.kind {
	case kindHost:
		dst = append(dst, r.Host...)
	case kindContentLength:
		dst = strconv.AppendInt(dst, r.ContentLength, 10)
	case kindTransferEncoding:
		dst = append(dst, "chunked"...)
	case kindMaxForwards:
		dst = strconv.AppendInt(dst, int64(max(r.MaxForwards-1, 0)), 10)
	default:
		panic("BUG: field kind is not rewritten")
	}
	return append(dst, "\r\n"...)
}

// appendForwarding appends the fields by which the upstream knows the client (duties 48 and 49 of bench/wire).
func (r *Request) appendForwarding(dst []byte, o *Outgoing) []byte {
	kept := set(0)
	if o.Trusted {
		kept = r.seen
	}
	dst = appendForwardedFor(dst, r, o)
	if kept&(1<<kindForwardedProto) == 0 {
		if o.TLS {
			dst = append(dst, "X-Forwarded-Proto: https\r\n"...)
		} else {
			dst = append(dst, "X-Forwarded-Proto: http\r\n"...)
		}
	}
	if kept&(1<<kindForwardedHost) == 0 && len(r.Host) > 0 {
		dst = append(dst, "X-Forwarded-Host: "...)
		dst = append(dst, r.Host...)
		dst = append(dst, "\r\n"...)
	}
	if !o.Trusted || !r.keepsID() {
		dst = append(dst, "X-Request-Id: "...)
		dst = appendHex(dst, o.Random[0])
		dst = appendHex(dst, o.Random[1]|1) // the trace id of appendTraceparent: logs and traces join
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// ViaSeen says whether r already passed a proxy that calls itself pseudonym: a loop (RFC 9110 7.6.3).
func (r *Request) ViaSeen(pseudonym string) bool {
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.kind != kindVia {
			continue
		}
		for list := r.buf[f.Value:f.ValueEnd]; len(list) > 0; {
			var entry []byte
			entry, list = nextElement(list)
			_, by, _ := bytes.Cut(entry, []byte(" "))
			by = trim(by)
			if end := bytes.IndexByte(by, ' '); end >= 0 {
				by = by[:end]
			}
			if string(by) == pseudonym {
				return true
			}
		}
	}
	return false
}

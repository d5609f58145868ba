// Package wire is HTTP/1.1 as bytes: one strict request gate, one upstream writer, one response reader, one body copier.
// It reads heads in place, in one pass over the connection's own buffer, and allocates nothing per message.
//
//	client bytes -> Reader -> Request.Parse -> (SecondOpinion unless Plain) -> AppendRequest -> upstream
//	client       <- AppendResponse <- Response.Parse <- Reader <- upstream bytes
//	bodies, both ways: Pipe.Step = one read, Body.Decode in place, at most one write
//
// The rule of the gate is RFC 9112's with every "MAY accept" refused: what two parsers could read differently is
// answered with 400 and the connection closed, because the party behind us may be the other parser. What is accepted is
// forwarded byte for byte (target, names, values, order, number of lines); only hop-by-hop lines are cut, forwarding
// fields replaced and exactly one framing field written.
//
// Heads that are not Plain are read a second time by fasthttp, an independent parser; both must agree on method, target,
// host and framing, or the request is refused.
//
// Nothing here waits, retries, logs or knows an arm: the connection loop in proxy does.
package wire

// Limits bound a head. The zero value of a field means its default.
type Limits struct {
	Head       int        // bytes of request line and fields, blank line included; default 32 KiB (responses: 64 KiB)
	Target     int        // bytes of the request target; default 16 KiB
	Fields     int        // field lines; default 100
	Underscore Underscore // what to do with names that hold '_'
}

// Defaults of Limits (duty 38 of bench/wire; RFC 6585 section 5 for 431).
const (
	DefaultHead         = 32 << 10
	DefaultTarget       = 16 << 10
	DefaultFields       = 100
	DefaultResponseHead = 64 << 10
)

// Underscore is the policy for field names with '_', which CGI-like upstreams confuse with '-'.
type Underscore uint8

const (
	UnderscorePass   Underscore = iota // forward; cut where the name with '-' is one that we write or frame by
	UnderscoreDrop                     // cut all of them
	UnderscoreReject                   // 400
)

// Framing says how the end of a body is found.
type Framing uint8

const (
	NoBody     Framing = iota
	Length             // Content-Length
	Chunked            // Transfer-Encoding: chunked
	UntilClose         // responses only: the body ends with the connection
)

// String names f for logs and test output.
func (f Framing) String() string {
	switch f {
	case NoBody:
		return "none"
	case Length:
		return "length"
	case Chunked:
		return "chunked"
	case UntilClose:
		return "until_close"
	}
	panic("BUG: unknown framing")
}

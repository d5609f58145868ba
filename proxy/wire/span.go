package wire

import (
	"encoding/binary"
	"encoding/hex"
)

// Span is one request's place in a trace (W3C Trace Context): the trace, who asked, and the spans that serin gives its own
// two sides of the request. Ids are never all zero.
type Span struct {
	Trace   [16]byte
	Parent  [8]byte // of the caller's span; zero without one
	Server  [8]byte // the client's request to us
	Client  [8]byte // ours to the upstream: its parent-id
	Remote  bool    // the trace came with the request
	Sampled bool
}

// Begin reads the request's trace context, or begins a trace where there is none that is valid, and names the two spans.
// It does not decide on Sampled for a trace of its own.
func (s *Span) Begin(r *Request, random *[4]uint64) {
	*s = Span{}
	binary.BigEndian.PutUint64(s.Server[:], random[2]|1)
	binary.BigEndian.PutUint64(s.Client[:], random[3]|1)
	if !r.keepsTrace() {
		binary.BigEndian.PutUint64(s.Trace[:8], random[0])
		binary.BigEndian.PutUint64(s.Trace[8:], random[1]|1)
		return
	}
	f := find(r.Fields, kindTraceparent)
	v := r.buf[f.Value:f.ValueEnd]
	var flags [1]byte
	// keepsTrace has seen that all of it is hex.
	hex.Decode(s.Trace[:], v[3:35])
	hex.Decode(s.Parent[:], v[36:52])
	hex.Decode(flags[:], v[53:55])
	s.Remote, s.Sampled = true, flags[0]&1 != 0
}

// appendTo appends the traceparent line that makes the upstream's span a child of Client's. Flags other than sampled are
// zero, as section 3.2.2.5 asks of who does not know them.
func (s *Span) appendTo(dst []byte) []byte {
	dst = append(dst, "traceparent: 00-"...)
	dst = appendHex(dst, binary.BigEndian.Uint64(s.Trace[:8]))
	dst = appendHex(dst, binary.BigEndian.Uint64(s.Trace[8:]))
	dst = append(dst, '-')
	dst = appendHex(dst, binary.BigEndian.Uint64(s.Client[:]))
	return append(dst, '-', '0', '0'+b2u(s.Sampled), '\r', '\n')
}

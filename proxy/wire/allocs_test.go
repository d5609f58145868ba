package wire

import (
	"io"
	"net/netip"
	"testing"
)

func TestHotPath_AllocatesNothing(t *testing.T) {
	head, answer := []byte(plainHead), []byte(plainAnswer)
	odd := []byte(post("Transfer-Encoding: chunked", "Connection: x", "X: 1", "X-Forwarded-For: 6.6.6.6, 2001:db8::1", "TE: trailers"))
	chunks := []byte("5\r\nhello\r\n0\r\n\r\n")
	in := make([]byte, len(chunks))
	dst := make([]byte, 0, 4096)
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	peer := netip.MustParseAddr("10.0.0.1")
	o := benchOutgoing()
	o.Trusted = true
	var r Request
	var p Response
	var b Body
	for _, tt := range []struct {
		what string
		run  func()
	}{
		{"Request.Parse", func() { r.Parse(head, nil) }},
		{"AppendRequest", func() { dst = AppendRequest(dst[:0], &r, o) }},
		{"Request.Parse of an odd head", func() { r.Parse(odd, nil) }},
		{"AppendRequest of an odd head", func() { dst = AppendRequest(dst[:0], &r, o) }},
		{"ClientAddr", func() { ClientAddr(&r, peer, trusted) }},
		{"Response.Parse", func() { p.Parse(answer, Asked{}, nil) }},
		{"AppendResponse", func() { dst = AppendResponse(dst[:0], &p, &Reply{KeepAlive: true}) }},
		{"Body.Append", func() {
			copy(in, chunks)
			b.Reset(Chunked, 0, 0)
			dst, _, _ = b.Append(dst[:0], in, Chunked)
		}},
		{"AppendError", func() { dst = AppendError(dst[:0], 503, "x", "y", true, false, false, nil) }},
	} {
		if n := testing.AllocsPerRun(200, tt.run); n != 0 {
			t.Errorf("%s: got %v allocations, want 0", tt.what, n)
		}
	}
}

// repeat reads the same bytes again and again, one message per read.
type repeat string

func (s repeat) Read(p []byte) (int, error) { return copy(p, s), nil }

func TestPipe_AllocatesNothing(t *testing.T) {
	var d Reader
	d.Reset(repeat("5\r\nhello\r\n0\r\n\r\n"), nil)
	c := &Pipe{Src: &d, Dst: io.Discard, Body: new(Body), Out: Chunked}
	if n := testing.AllocsPerRun(200, func() {
		c.Body.Reset(Chunked, 0, 0)
		if err := c.Run(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

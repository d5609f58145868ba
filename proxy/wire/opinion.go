package wire

import (
	"bufio"
	"bytes"
	"sync"

	"github.com/valyala/fasthttp"
)

// opinion is a pooled second parser. fasthttp copies what it reads, so nothing of ours is kept.
type opinion struct {
	in       bytes.Reader
	buf      *bufio.Reader
	request  fasthttp.RequestHeader
	response fasthttp.ResponseHeader
}

var opinions = sync.Pool{New: func() any {
	o := &opinion{buf: bufio.NewReaderSize(nil, DefaultHead)}
	o.request.DisableNormalizing()
	o.request.SetNoDefaultContentType(true)
	o.response.DisableNormalizing()
	o.response.SetNoDefaultContentType(true)
	return o
}}

// load points the opinion at exactly one head.
func (o *opinion) load(head []byte) {
	if len(head) > o.buf.Size() {
		o.buf = bufio.NewReaderSize(nil, len(head))
	}
	o.in.Reset(head)
	o.buf.Reset(&o.in)
}

func (o *opinion) release() {
	o.in.Reset(nil)
	opinions.Put(o)
}

// consumed says whether the parser took the head as one message, no byte less.
func (o *opinion) consumed() bool { return o.buf.Buffered() == 0 && o.in.Len() == 0 }

// SecondOpinion reads the head that Parse accepted with fasthttp's parser; both must agree on method, target, version,
// host and framing, else the error is an *Error 400. Call it when Plain is false (or always, with fast_lane = false).
func (r *Request) SecondOpinion() error {
	o := opinions.Get().(*opinion)
	defer o.release()
	o.load(r.buf[r.line:])
	h := &o.request
	if err := h.Read(o.buf); err != nil || !o.consumed() {
		return errSecondOpinion
	}
	var host []byte
	if f := find(r.Fields, kindHost); f != nil {
		host = r.buf[f.Value:f.ValueEnd]
	}
	if !bytes.Equal(h.Method(), r.Method) || !bytes.Equal(h.RequestURI(), r.Target) || !bytes.Equal(h.Host(), host) ||
		h.IsHTTP11() == r.HTTP10 || h.ContentLength() != foreignLength(r.Framing, r.ContentLength) {
		return errSecondOpinion
	}
	return nil
}

// foreignLength is how fasthttp writes a framing down.
func foreignLength(f Framing, n int64) int {
	switch f {
	case Length:
		return int(n)
	case Chunked:
		return -1
	case NoBody, UntilClose:
		return -2
	}
	panic("BUG: unknown framing")
}

// SecondOpinion reads the head with fasthttp's parser; both must agree on status, version and framing, else the error is
// an *Error 502. Call it when Plain is false.
func (p *Response) SecondOpinion() error {
	o := opinions.Get().(*opinion)
	defer o.release()
	o.load(p.buf)
	h := &o.response
	if err := h.Read(o.buf); err != nil || !o.consumed() {
		return errResponseSecond
	}
	stated := NoBody
	if p.seen&(1<<kindTransferEncoding) != 0 {
		stated = Chunked
	} else if p.ContentLength >= 0 {
		stated = Length
	}
	if h.StatusCode() != p.Status || h.IsHTTP11() == p.HTTP10 || h.ContentLength() != foreignLength(stated, p.ContentLength) {
		return errResponseSecond
	}
	return nil
}

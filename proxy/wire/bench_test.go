package wire

import (
	"bytes"
	"testing"
)

// plainHead is the request that speed is measured with: 430 bytes, 8 fields.
const plainHead = "GET /api/v1/checkout/basket/items?limit=20&offset=40 HTTP/1.1\r\n" +
	"Host: shop.example.com\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9\r\n" +
	"Accept-Language: en-GB,en;q=0.5\r\n" +
	"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
	"X-User-Id: 8f14e45fceea167a5a36dedd4bea2543\r\n" +
	"Cookie: session=0123456789abcdef; theme=dark; uid=4711\r\n" +
	"Connection: keep-alive\r\n\r\n"

const plainAnswer = "HTTP/1.1 200 OK\r\n" +
	"Server: nginx/1.22.1\r\n" +
	"Date: Sat, 21 Nov 2026 12:00:00 GMT\r\n" +
	"Content-Type: application/json; charset=utf-8\r\n" +
	"Content-Length: 100\r\n" +
	"Cache-Control: no-cache\r\n" +
	"ETag: \"5d8c72a5edda8d6a\"\r\n\r\n"

func BenchmarkRequest_Parse(b *testing.B) {
	head := []byte(plainHead)
	var r Request
	b.ReportAllocs()
	for b.Loop() {
		if n, err := r.Parse(head, nil); n != len(head) || err != nil || !r.Plain {
			b.Fatal(n, err, r.Plain)
		}
	}
}

func BenchmarkRequest_SecondOpinion(b *testing.B) {
	head := []byte(plainHead)
	var r Request
	r.Parse(head, nil)
	b.ReportAllocs()
	for b.Loop() {
		if err := r.SecondOpinion(); err != nil {
			b.Fatal(err)
		}
	}
}

func benchOutgoing() *Outgoing {
	return &Outgoing{
		Peer: []byte("192.0.2.7"), Random: [3]uint64{1, 2, 3},
		Lines: []byte("Serin-Rollout: checkout\r\nSerin-Arm: canary\r\n"),
	}
}

func BenchmarkAppendRequest(b *testing.B) {
	var r Request
	r.Parse([]byte(plainHead), nil)
	o, dst := benchOutgoing(), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendRequest(dst[:0], &r, o)
	}
}

func BenchmarkResponse_Parse(b *testing.B) {
	head := []byte(plainAnswer)
	var p Response
	b.ReportAllocs()
	for b.Loop() {
		if n, err := p.Parse(head, Asked{}, nil); n != len(head) || err != nil {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkAppendResponse(b *testing.B) {
	var p Response
	p.Parse([]byte(plainAnswer), Asked{}, nil)
	dst := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendResponse(dst[:0], &p, &Reply{KeepAlive: true})
	}
}

func BenchmarkBody_Decode(b *testing.B) {
	chunk := append([]byte("4000\r\n"), bytes.Repeat([]byte{'x'}, 0x4000)...)
	chunk = append(chunk, "\r\n0\r\n\r\n"...)
	in := make([]byte, len(chunk))
	var body Body
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for b.Loop() {
		copy(in, chunk)
		body.Reset(Chunked, 0, 0)
		if _, used, err := body.Decode(in); used != len(in) || err != nil {
			b.Fatal(used, err)
		}
	}
}

package wire

import (
	"io"
	"strings"
	"testing"
)

// decoded runs a body through Decode in pieces of step bytes.
func decoded(b *Body, in string, step int) (data string, used int, err error) {
	for !b.Done() && used < len(in) {
		piece := []byte(in[used:min(used+step, len(in))])
		part, n, err := b.Decode(piece)
		data += string(part)
		used += n
		if err != nil {
			return data, used, err
		}
	}
	return data, used, nil
}

func TestBody_Chunked_Grammar(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want, err string }{
		{"empty", "0\r\n\r\n", "", ""},
		{"one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello", ""},
		{"hex in any case", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", ""},
		{"leading zeros", "0005\r\nhello\r\n000\r\n\r\n", "hello", ""},
		{"extensions are dropped", "5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n", "hello", ""},
		{"white space before an extension", "5 \t;a\r\nhello\r\n0\r\n\r\n", "hello", ""},
		{"white space without an extension", "5 \r\nhello\r\n0\r\n\r\n", "", "400 bad_chunk"},
		{"white space first", " 5\r\nhello\r\n0\r\n\r\n", "", "400 bad_chunk"},
		{"bare LF behind the size (CVE-2025-22871)", "5\nhello\r\n0\r\n\r\n", "", "400 bad_chunk"},
		{"bare LF in an extension", "5;a\nhello\r\n0\r\n\r\n", "", "400 bad_chunk"},
		{"bare LF behind the data", "5\r\nhello\n0\r\n\r\n", "hello", "400 bad_chunk"},
		{"bare LF at the end", "0\r\n\n", "", "400 bad_trailer"},
		{"bare CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n", "", "400 bad_chunk"},
		{"bare CR behind the data", "5\r\nhello\r0\r\n\r\n", "hello", "400 bad_chunk"},
		{"CR and more at the end", "0\r\n\rX", "", "400 bad_chunk"},
		{"more data than the size", "4\r\nhello\r\n0\r\n\r\n", "hell", "400 bad_chunk"},
		{"no size", "\r\nhello\r\n0\r\n\r\n", "", "400 bad_chunk"},
		{"negative size", "-5\r\nhello\r\n0\r\n\r\n", "", "400 bad_chunk"},
		{"0x size", "0x5\r\nhello\r\n0\r\n\r\n", "", "400 bad_chunk"},
		{"17 digits", "00000000000000005\r\nhello", "", "400 bad_chunk"},
		{"size above int64", "8000000000000000\r\n", "", "400 bad_chunk"},
		{"trailers are dropped", "0\r\nA: b\r\n\r\n", "", ""},
		{"trailer without colon", "0\r\nA\r\n\r\n", "", "400 bad_trailer"},
		{"trailer folded", "0\r\nA: b\r\n c\r\n\r\n", "", "400 bad_trailer"},
		{"trailer with NUL", "0\r\nA: \x00\r\n\r\n", "", "400 bad_trailer"},
		{"trailer with space in its name", "0\r\nA b: c\r\n\r\n", "", "400 bad_trailer"},
		{"trailer with bare LF", "0\r\nA: b\n\r\n", "", "400 bad_trailer"},
		{"37 trailer section too large", "0\r\nA: " + strings.Repeat("a", maxTrailerBytes), "", "431 trailer_too_large"},
		{"37 too many trailers", "0\r\n" + strings.Repeat("A: b\r\n", maxTrailerFields+1) + "\r\n", "", "431 trailer_too_large"},
		{"36 a giant extension (CVE-2023-39326)", "5;" + strings.Repeat("a", overheadFree+1), "", "400 chunk_overhead"},
		{"36 extensions on every chunk", strings.Repeat("1;"+strings.Repeat("a", 100)+"\r\nx\r\n", 1000), "", "400 chunk_overhead"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, step := range []int{1, 3, 7, len(tt.in) + 9} {
				var b Body
				b.Reset(Chunked, 0, 0)
				data, used, err := decoded(&b, tt.in+"GET / HT", step)
				if reasonOf(err) != tt.err {
					t.Fatalf("step %d: got %q, want %q", step, reasonOf(err), tt.err)
				}
				if err == nil && (data != tt.want || used != len(tt.in) || !b.Done() || b.Data != int64(len(data))) {
					t.Errorf("step %d: got %q, %d of %d used, done %v", step, data, used, len(tt.in), b.Done())
				}
			}
		})
	}
}

func TestBody_TinyChunks_NeedNoBudget(t *testing.T) {
	t.Parallel()
	var b Body
	b.Reset(Chunked, 0, 0)
	in := strings.Repeat("1\r\nx\r\n", 100_000) + "0\r\n\r\n"
	if data, _, err := decoded(&b, in, 4096); err != nil || len(data) != 100_000 {
		t.Errorf("got %d bytes, %v", len(data), err)
	}
}

func TestBody_Length_CountsExactly(t *testing.T) {
	t.Parallel()
	for _, step := range []int{1, 2, 100} {
		var b Body
		b.Reset(Length, 5, 0)
		data, used, err := decoded(&b, "helloGET", step)
		if data != "hello" || used != 5 || err != nil || !b.Done() || b.End() != nil {
			t.Errorf("step %d: got %q, %d, %v, done %v", step, data, used, err, b.Done())
		}
	}
	var b Body
	b.Reset(Length, 5, 0)
	if _, _, err := b.Decode([]byte("hell")); err != nil || b.Done() || b.left != 1 || b.End() != io.ErrUnexpectedEOF {
		t.Errorf("one byte short: done %v, remaining %d, %v", b.Done(), b.left, err)
	}
	b.Reset(Length, 0, 0)
	if !b.Done() {
		t.Error("a body of no bytes is not done at once")
	}
	b.Reset(NoBody, 0, 0)
	if data, used, err := b.Decode([]byte("x")); len(data) != 0 || used != 0 || err != nil || !b.Done() {
		t.Errorf("no body: got %q, %d, %v", data, used, err)
	}
}

func TestBody_Truncation_IsAnError(t *testing.T) {
	t.Parallel()
	in := "5;x\r\nhello\r\n0\r\nA: b\r\n\r\n"
	for cut := range in {
		var b Body
		b.Reset(Chunked, 0, 0)
		if _, _, err := decoded(&b, in[:cut], 4); err != nil || b.End() != io.ErrUnexpectedEOF {
			t.Errorf("cut behind %q: got %v, %v", in[:cut], err, b.End())
		}
	}
	var b Body
	b.Reset(UntilClose, 0, 0)
	if data, used, err := b.Decode([]byte("abc")); string(data) != "abc" || used != 3 || err != nil || b.Done() {
		t.Errorf("until close: got %q, %d, %v", data, used, err)
	}
	if err := b.End(); err != nil || !b.Done() {
		t.Errorf("until close, at the end: got %v, done %v", err, b.Done())
	}
}

func TestBody_Limit_Is413(t *testing.T) {
	t.Parallel()
	f := func(framing Framing, in string, want string) {
		t.Helper()
		var b Body
		b.Reset(framing, 6, 5)
		if _, _, err := decoded(&b, in, 2); reasonOf(err) != want {
			t.Errorf("%v %q: got %q, want %q", framing, in, reasonOf(err), want)
		}
	}
	f(Chunked, "5\r\nhello\r\n0\r\n\r\n", "")
	f(Chunked, "3\r\nhel\r\n3\r\nlo!\r\n0\r\n\r\n", "413 body_too_large")
	f(Length, "hello!", "413 body_too_large")
	f(UntilClose, "hello!", "413 body_too_large")
}

func TestBody_Trailers_AreFiltered(t *testing.T) {
	t.Parallel()
	section := "Checksum: 1\r\ngrpc-status: 0\r\nContent-Digest: x\r\nETag: e\r\n"
	forbidden := "Content-Length: 1\r\ntransfer-encoding: chunked\r\nHost: a\r\nAuthorization: b\r\nCookie: c\r\nset-cookie: d\r\n" +
		"Trailer: e\r\nTE: f\r\nConnection: g\r\nContent-Type: h\r\nContent-Encoding: i\r\nX-Forwarded-For: j\r\nSerin-Arm: k\r\n" +
		"Cache-Control: l\r\nIf-Match: m\r\nProxy-Authorization: n\r\nExpect: o\r\nMax-Forwards: p\r\nDate: q\r\nContent_Length: 1\r\n" +
		"traceparent: r\r\nRange: s\r\nLocation: t\r\nwww-authenticate: u\r\nUpgrade: v\r\n"
	var b Body
	b.Reset(Chunked, 0, 0)
	b.KeepTrailer = true
	out, used, err := b.Append(nil, []byte("0\r\n"+forbidden+section+forbidden+"\r\nGET"), Chunked)
	if err != nil || string(out) != "0\r\n"+section+"\r\n" || used != len("0\r\n"+forbidden+section+forbidden+"\r\n") {
		t.Errorf("got %q, %d, %v", out, used, err)
	}
	b.Reset(Chunked, 0, 0)
	if out, _, err := b.Append(nil, []byte("0\r\n"+section+"\r\n"), Chunked); err != nil || string(out) != "0\r\n\r\n" {
		t.Errorf("nobody wants trailers: got %q, %v", out, err)
	}
}

func TestBody_Append_FramesAnew(t *testing.T) {
	t.Parallel()
	f := func(in Framing, n int64, body string, out Framing, want string) {
		t.Helper()
		var b Body
		b.Reset(in, n, 0)
		got, used, err := b.Append([]byte("head|"), []byte(body), out)
		if string(got) != "head|"+want || used != len(body) || err != nil {
			t.Errorf("%v %q to %v: got %q, %d, %v", in, body, out, got, used, err)
		}
		if again, _, _ := b.Append(nil, nil, out); len(again) != 0 {
			t.Errorf("%v %q to %v: a second time got %q", in, body, out, again)
		}
	}
	f(Length, 5, "hello", Length, "hello")
	f(Length, 9, "hello", Length, "hello")
	f(Length, 0, "", Length, "")
	f(NoBody, 0, "", NoBody, "")
	f(Chunked, 0, "5;ext\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", Chunked, "6\r\nhello!\r\n0\r\n\r\n")
	f(Chunked, 0, "5\r\nhel", Chunked, "3\r\nhel\r\n")
	f(Chunked, 0, "5\r\nhello\r\n0\r\n\r\n", UntilClose, "hello")
	f(UntilClose, 0, "hello", Chunked, "5\r\nhello\r\n")
	f(UntilClose, 0, "hello", UntilClose, "hello")
}

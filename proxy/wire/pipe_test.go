package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http/httputil"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

// through pipes in from framing to out and returns what the receiver got and what stayed with the reader.
func through(t *testing.T, src io.Reader, b *Body, out Framing) (got, left string, c *Pipe, err error) {
	t.Helper()
	var d Reader
	d.Reset(src, nil)
	var sink bytes.Buffer
	c = &Pipe{Src: &d, Dst: &sink, Body: b, Out: out}
	err = c.Run()
	return sink.String(), string(d.Bytes()), c, err
}

func TestPipe_AnyFraming_AnyRead(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("0123456789abcdef", 20_000)
	f := func(in Framing, n int64, body, want, left string, out Framing) {
		t.Helper()
		for name, src := range map[string]io.Reader{
			"whole": strings.NewReader(body), "byte by byte": iotest.OneByteReader(strings.NewReader(body)),
			"halves": iotest.HalfReader(strings.NewReader(body)), "with EOF": iotest.DataErrReader(strings.NewReader(body)),
		} {
			var b Body
			b.Reset(in, n, 0)
			got, rest, c, err := through(t, src, &b, out)
			if err != nil || c.Failed != Neither {
				t.Fatalf("%v to %v, %s: %v", in, out, name, err)
			}
			if out == Chunked {
				decoded, err := io.ReadAll(httputil.NewChunkedReader(strings.NewReader(got)))
				if err != nil || !strings.HasSuffix(got, "0\r\n\r\n") {
					t.Fatalf("%v to %v, %s: %v in %.80q", in, out, name, err, got)
				}
				got = string(decoded)
			}
			if got != want || !strings.HasPrefix(left, rest) {
				t.Errorf("%v to %v, %s: got %d bytes, %d left, want %d", in, out, name, len(got), len(rest), len(want))
			}
		}
	}
	f(Length, 5, "hello", "hello", "", Length)
	f(Length, 5, "helloGET / HTTP", "hello", "GET / HTTP", Length)
	f(Length, int64(len(big)), big+"next", big, "next", Length)
	f(Chunked, 0, "5;e\r\nhello\r\n1\r\n!\r\n0\r\n\r\nnext", "hello!", "next", Chunked)
	f(Chunked, 0, "4e200\r\n"+big+"\r\n0\r\n\r\nnext", big, "next", Chunked)
	f(Chunked, 0, strings.Repeat("3\r\nabc\r\n", 9000)+"0\r\nA: b\r\n\r\n", strings.Repeat("abc", 9000), "", Chunked)
	f(Chunked, 0, "5\r\nhello\r\n0\r\n\r\n", "hello", "", UntilClose)
	f(Chunked, 0, "0\r\n\r\n", "", "", Chunked)
	f(UntilClose, 0, big, big, "", Chunked)
	f(UntilClose, 0, "", "", "", Chunked)
	f(UntilClose, 0, big, big, "", UntilClose)
	f(NoBody, 0, "next", "", "next", NoBody)
}

func TestPipe_Trailers_FollowTheLastChunk(t *testing.T) {
	t.Parallel()
	for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, func(r io.Reader) io.Reader { return r }} {
		var b Body
		b.Reset(Chunked, 0, 0)
		b.KeepTrailer = true
		got, left, _, err := through(t, wrap(strings.NewReader("1\r\nx\r\n0\r\nSum: 1\r\nHost: a\r\n\r\n")), &b, Chunked)
		if want := "1\r\nx\r\n0\r\nSum: 1\r\n\r\n"; got != want || left != "" || err != nil {
			t.Errorf("got %q, %q left, %v, want %q", got, left, err, want)
		}
	}
}

func TestPipe_BytesTakenByAppend_AreNotRepeated(t *testing.T) {
	t.Parallel()
	for cut := range len("5\r\nhello\r\n0\r\n\r\n") + 1 {
		in := "5\r\nhello\r\n0\r\n\r\n"
		var b Body
		b.Reset(Chunked, 0, 0)
		first, _, err := b.Append(nil, []byte(in[:cut]), Chunked)
		if err != nil {
			t.Fatal(err)
		}
		rest, _, _, err := through(t, strings.NewReader(in[cut:]), &b, Chunked)
		data, readErr := io.ReadAll(httputil.NewChunkedReader(strings.NewReader(string(first) + rest)))
		if err != nil || readErr != nil || string(data) != "hello" || strings.Count(string(first)+rest, "0\r\n\r\n") != 1 {
			t.Errorf("cut at %d: got %q and %q, %v, %v", cut, first, rest, err, readErr)
		}
	}
}

func TestPipe_Truncation_LeavesTheReceiverWithoutAnEnd(t *testing.T) {
	t.Parallel()
	f := func(in Framing, n int64, body string, want error) {
		t.Helper()
		for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.DataErrReader} {
			var b Body
			b.Reset(in, n, 0)
			got, _, c, err := through(t, wrap(strings.NewReader(body)), &b, Chunked)
			if in == Length {
				got, _, c, err = through(t, wrap(strings.NewReader(body)), &b, Length)
			}
			if !errors.Is(err, want) || c.Failed != Source || strings.Contains(got, "0\r\n") {
				t.Errorf("%v %q: got %q, %v, side %d", in, body, got, err, c.Failed)
			}
		}
	}
	f(Chunked, 0, "5\r\nhello\r\n", io.ErrUnexpectedEOF)
	f(Chunked, 0, "5\r\nhello\r\n0\r\n", io.ErrUnexpectedEOF)
	f(Chunked, 0, "5\r\nhello\r\n0\r\nA: b\r\n", io.ErrUnexpectedEOF)
	f(Chunked, 0, "5\r\nhello\r\nzz\r\n", errChunk)
	f(Chunked, 0, "", io.ErrUnexpectedEOF)
}

func TestPipe_ShortLength_IsUnexpectedEOF(t *testing.T) {
	t.Parallel()
	var b Body
	b.Reset(Length, 6, 0)
	got, _, c, err := through(t, strings.NewReader("hello"), &b, Length)
	if got != "hello" || err != io.ErrUnexpectedEOF || c.Failed != Source {
		t.Errorf("got %q, %v, side %d", got, err, c.Failed)
	}
}

func TestPipe_ResetBySource_IsNoEnd(t *testing.T) {
	t.Parallel()
	var b Body
	b.Reset(UntilClose, 0, 0)
	src := io.MultiReader(strings.NewReader("hello"), iotest.ErrReader(syscall.ECONNRESET))
	got, _, c, err := through(t, src, &b, Chunked)
	if got != "5\r\nhello\r\n" || !errors.Is(err, syscall.ECONNRESET) || c.Failed != Source {
		t.Errorf("got %q, %v, side %d", got, err, c.Failed)
	}
}

// brokenSink fails after some writes.
type brokenSink struct{ writes int }

func (s *brokenSink) Write(p []byte) (int, error) {
	if s.writes--; s.writes < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

func TestPipe_BrokenSink_IsTheSinksFault(t *testing.T) {
	t.Parallel()
	for writes := range 2 {
		var d Reader
		d.Reset(iotest.OneByteReader(strings.NewReader("1\r\nx\r\n0\r\n\r\n")), nil)
		c := &Pipe{Src: &d, Dst: &brokenSink{writes}, Body: new(Body), Out: Chunked}
		c.Body.Reset(Chunked, 0, 0)
		if err := c.Run(); err != io.ErrClosedPipe || c.Failed != Sink {
			t.Errorf("%d writes: got %v, side %d", writes, err, c.Failed)
		}
	}
}

// A body that is done must not lie in the buffer any more: what is there is read as the next request.
func TestPipe_BrokenSink_LeavesNothingOfTheBodyBehind(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		framing Framing
		length  int64
		body    string
	}{
		"length": {Length, 5, "hello"},
		"chunks": {Chunked, 0, "5\r\nhello\r\n0\r\n\r\n"},
	} {
		var d Reader
		d.Reset(strings.NewReader(tt.body+"GET /next"), nil)
		var b Body
		b.Reset(tt.framing, tt.length, 0)
		c := &Pipe{Src: &d, Dst: &brokenSink{}, Body: &b, Out: tt.framing}
		if err := c.Run(); err == nil || c.Failed != Sink {
			t.Fatalf("%s: got %v from %v, want the sink's error", name, err, c.Failed)
		}
		if left := string(d.Bytes()); !b.Done() || left != "GET /next" {
			t.Errorf("%s: done %v with %q left, want the next request", name, b.Done(), left)
		}
	}
}

func TestReader_GrowsToTheLimit(t *testing.T) {
	t.Parallel()
	var d Reader
	d.Reset(strings.NewReader(strings.Repeat("x", 2*LargeBuffer)), nil)
	for {
		if _, err := d.Fill(SmallBuffer); err != nil {
			if err != io.ErrShortBuffer || d.Buffered() < SmallBuffer-64 || d.Buffered() > SmallBuffer {
				t.Errorf("small: got %v with %d bytes", err, d.Buffered())
			}
			break
		}
	}
	before := d.Buffered()
	for {
		if _, err := d.Fill(DefaultHead); err != nil {
			if err != io.ErrShortBuffer || d.Buffered() < DefaultHead || d.Buffered() > LargeBuffer {
				t.Errorf("large: got %v with %d bytes after %d", err, d.Buffered(), before)
			}
			break
		}
	}
	d.Discard(10)
	if n, err := d.Fill(0); n != 10 || err != nil {
		t.Errorf("after a discard: got %d, %v, want the room of 10 bytes", n, err)
	}
	d.Discard(d.Buffered())
	d.Release()
	if d.buf != nil {
		t.Error("an empty reader holds a buffer after Release")
	}
}

func TestReader_EOF_IsRememberedAndTimeoutsAreNot(t *testing.T) {
	t.Parallel()
	var d Reader
	d.Reset(io.MultiReader(strings.NewReader("x"), iotest.TimeoutReader(strings.NewReader("y"))), nil)
	if n, err := d.Fill(0); n != 1 || err != nil || d.EOF() {
		t.Fatalf("got %d, %v, EOF %v", n, err, d.EOF())
	}
	timeouts := 0
	for !d.EOF() {
		switch _, err := d.Fill(0); err {
		case iotest.ErrTimeout:
			timeouts++
		case nil, io.EOF:
		default:
			t.Fatal(err)
		}
	}
	if timeouts != 1 {
		t.Errorf("got %d timeouts, want 1", timeouts)
	}
	if string(d.Bytes()) != "xy" {
		t.Errorf("got %q", d.Bytes())
	}
	if _, err := d.Fill(0); err != io.EOF {
		t.Errorf("got %v, want io.EOF again", err)
	}
	d.Reset(iotest.ErrReader(os.ErrDeadlineExceeded), nil)
	if _, err := d.Fill(0); err != os.ErrDeadlineExceeded || d.EOF() {
		t.Errorf("got %v, EOF %v", err, d.EOF())
	}
}

// connection is a TCP pair: a Reader by descriptor on one end, the other end.
func connection(t *testing.T) (*Reader, *net.TCPConn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close(); conn.Close() })
	near := conn.(*net.TCPConn)
	raw, err := near.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	d := new(Reader)
	d.Reset(near, raw)
	return d, near, far
}

func TestReader_ByDescriptor_HoldsNoBufferWhileIdle(t *testing.T) {
	t.Parallel()
	d, near, far := connection(t)
	near.SetReadDeadline(time.Now().Add(-time.Second))
	if _, err := d.Fill(0); !errors.Is(err, os.ErrDeadlineExceeded) || d.buf != nil {
		t.Errorf("deadline past: got %v, buffer of %d", err, len(d.buf))
	}
	near.SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, err := d.Fill(0); !errors.Is(err, os.ErrDeadlineExceeded) || d.buf != nil {
		t.Errorf("deadline passes while waiting: got %v, buffer of %d", err, len(d.buf))
	}
	near.SetReadDeadline(time.Time{})
	if _, err := far.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if n, err := d.Fill(0); n != 5 || err != nil || string(d.Bytes()) != "hello" {
		t.Errorf("got %d, %v, %q", n, err, d.Bytes())
	}
	d.Discard(2)
	if _, err := far.Write([]byte("!")); err != nil {
		t.Fatal(err)
	}
	if n, err := d.Fill(0); n != 1 || err != nil || string(d.Bytes()) != "llo!" {
		t.Errorf("got %d, %v, %q", n, err, d.Bytes())
	}
	d.Discard(4)
	far.(*net.TCPConn).CloseWrite()
	if _, err := d.Fill(0); err != io.EOF || !d.EOF() {
		t.Errorf("half-close: got %v, EOF %v", err, d.EOF())
	}
}

func TestReader_ByDescriptor_SeesTheReset(t *testing.T) {
	t.Parallel()
	d, _, far := connection(t)
	far.(*net.TCPConn).SetLinger(0)
	far.Close()
	if _, err := d.Fill(0); !errors.Is(err, syscall.ECONNRESET) || d.EOF() {
		t.Errorf("got %v, EOF %v", err, d.EOF())
	}
}

func TestPipe_ByDescriptor_CopiesALargeBody(t *testing.T) {
	t.Parallel()
	d, _, far := connection(t)
	body := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	go func() {
		far.Write(body)
		far.Write([]byte("next"))
	}()
	var sink bytes.Buffer
	c := &Pipe{Src: d, Dst: &sink, Body: new(Body), Out: Length}
	c.Body.Reset(Length, int64(len(body)), 0)
	if err := c.Run(); err != nil || !bytes.Equal(sink.Bytes(), body) {
		t.Errorf("got %d bytes, %v, want %d", sink.Len(), err, len(body))
	}
	for d.Buffered() < 4 {
		if _, err := d.Fill(0); err != nil {
			t.Fatal(err)
		}
	}
	if string(d.Bytes()) != "next" {
		t.Errorf("left %q", d.Bytes())
	}
}

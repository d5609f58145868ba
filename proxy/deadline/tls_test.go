package deadline

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"testing"
	"time"
)

// securePair is a watched TLS connection and its other end, with little room in the kernel.
func securePair(t *testing.T) (s *Sweeper, c *Conn, far net.Conn) {
	t.Helper()
	s, plain, far := pair(t)
	if err := errors.Join(plain.conn.(*net.TCPConn).SetWriteBuffer(32<<10), far.(*net.TCPConn).SetReadBuffer(32<<10)); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	near, peer := tls.Server(plain.conn, server.TLS), tls.Client(far, &tls.Config{InsecureSkipVerify: true})
	done := make(chan error, 1)
	go func() { done <- near.HandshakeContext(context.Background()) }()
	if err := errors.Join(peer.HandshakeContext(context.Background()), <-done); err != nil {
		t.Fatal(err)
	}
	c = s.Watch(near)
	t.Cleanup(func() { _ = far.Close(); _ = c.Close() })
	return s, c, peer
}

// sweepUntil moves the clock on, two seconds at a time, until the writer has ended.
func sweepUntil(t *testing.T, s *Sweeper, done chan error) error {
	t.Helper()
	patience := time.After(20 * time.Second)
	for {
		s.sweep(int64(s.Now() + 2*time.Second))
		select {
		case err := <-done:
			return err
		case <-patience:
			t.Fatal("the writer never ends")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestConn_TLSReaderThatStopsInTheMiddle_EndsTheWrite(t *testing.T) {
	t.Parallel()
	s, c, far := securePair(t)
	c.EachWrite(time.Second, 0)
	done := make(chan error, 1)
	go func() {
		_, err := c.Write(make([]byte, 64<<20))
		done <- err
	}()
	if _, err := io.ReadFull(far, make([]byte, 300<<10)); err != nil {
		t.Fatal(err)
	}
	wantTimeout(t, sweepUntil(t, s, done))
}

func TestConn_TLSReaderThatIsSlow_IsNotCutWhileItReads(t *testing.T) {
	t.Parallel()
	s, c, far := securePair(t)
	c.EachWrite(3*time.Second, 0)
	const size = 4 << 20
	done := make(chan error, 1)
	go func() {
		_, err := c.Write(make([]byte, size))
		done <- err
	}()
	buffer := make([]byte, 512<<10)
	for read, now := 0, int64(0); read < size; now += int64(2 * time.Second) {
		n, err := io.ReadFull(far, buffer)
		if err != nil {
			t.Fatalf("after %d bytes: %v", read, err)
		}
		read += n
		s.sweep(now)
	}
	if err := <-done; err != nil {
		t.Errorf("got %v, want all written", err)
	}
}

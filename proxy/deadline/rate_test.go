package deadline

import (
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// full starts a write that the kernel cannot take, and waits until it waits.
func full(t *testing.T, c *Conn, far net.Conn) chan error {
	t.Helper()
	near, peer := underneath(c.conn).(*net.TCPConn), underneath(far).(*net.TCPConn)
	if err := errors.Join(near.SetWriteBuffer(2<<20), peer.SetReadBuffer(256<<10)); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := c.Write(make([]byte, 32<<20))
		done <- err
	}()
	for c.writeBy.Load() == 0 || c.polls(unix.POLLOUT) {
		runtime.Gosched()
	}
	return done
}

// take reads bytes, as often as it takes until the writer's kernel is rid of some.
func take(t *testing.T, c *Conn, far net.Conn, bytes int) {
	t.Helper()
	before, _ := c.unsent()
	for now := before; now >= before; now, _ = c.unsent() {
		if _, err := io.ReadFull(far, make([]byte, bytes)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConn_PeerThatReadsLessThanTheKernelHolds_IsCutByItsRateOnly(t *testing.T) {
	t.Parallel()
	const halves, bytes = 8, 64 << 10
	f := func(name string, open func(*testing.T) (*Sweeper, *Conn, net.Conn), rate int64, lives bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c, far := open(t)
			c.EachWrite(2*time.Second, rate)
			done := full(t, c, far)
			_ = far.SetReadDeadline(time.Now().Add(20 * time.Second))
			for range halves {
				s.sweep(int64(s.Now() + 1100*time.Millisecond))
				if len(done) > 0 || c.writeBy.Load() < 0 {
					break
				}
				take(t, c, far, bytes)
			}
			if got := len(done) == 0 && c.writeBy.Load() > 0; got != lives {
				t.Errorf("lives: got %v, want %v", got, lives)
			}
			wantTimeout(t, sweepUntil(t, s, done)) // it reads no more
		})
	}
	f("plain, no rate", pair, 0, true)
	f("plain, faster than it must", pair, 10_000, true)
	f("plain, slower than it must", pair, 10_000_000, false)
	f("TLS, no rate", securePair, 0, true)
	f("TLS, faster than it must", securePair, 10_000, true)
	f("TLS, slower than it must", securePair, 10_000_000, false)
}

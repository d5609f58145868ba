package deadline

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is a watched connection and its other end. The sweeper's clock is the test's: sweep moves it.
func pair(t *testing.T) (s *Sweeper, c *Conn, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s = NewSweeper(0)
	c = s.Watch(near)
	t.Cleanup(func() { _ = c.Close(); _ = far.Close() })
	return s, c, far
}

type result struct {
	n   int
	err error
}

// reading starts a Read in a goroutine.
func reading(c *Conn) chan result {
	done := make(chan result, 1)
	go func() {
		var b [8]byte
		n, err := c.Read(b[:])
		done <- result{n, err}
	}()
	return done
}

func wantTimeout(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want a timeout", err)
	}
}

func TestSweeper_OverdueRead_Ends(t *testing.T) {
	t.Parallel()
	s, c, _ := pair(t)
	c.ReadWithin(time.Second)
	done := reading(c)
	s.sweep(int64(2 * time.Second))
	wantTimeout(t, (<-done).err)
}

func TestSweeper_ReadThatIsNotOverdue_GoesOn(t *testing.T) {
	t.Parallel()
	s, c, far := pair(t)
	c.ReadWithin(3 * time.Second)
	done := reading(c)
	s.sweep(int64(2 * time.Second))
	_, _ = far.Write([]byte("hi"))
	if r := <-done; r.err != nil || r.n != 2 {
		t.Errorf("got %d bytes and %v, want 2", r.n, r.err)
	}
}

func TestConn_WaitBegunLateInAGrain_DoesNotEndEarly(t *testing.T) {
	t.Parallel()
	s, c, far := pair(t)
	s.sweep(int64(100 * time.Millisecond))
	c.ReadWithin(time.Second) // at 199 ms, say: the clock moves with the next sweep
	done := reading(c)
	s.sweep(int64(1190 * time.Millisecond))
	_, _ = far.Write([]byte("hi"))
	if r := <-done; r.err != nil || r.n != 2 {
		t.Errorf("got %d bytes and %v, want 2", r.n, r.err)
	}
}

func TestConn_InterruptionThatCameLate_IsLifted(t *testing.T) {
	t.Parallel()
	s, c, far := pair(t)
	c.ReadWithin(time.Second)
	s.sweep(int64(2 * time.Second)) // nobody was reading
	c.ReadWithin(time.Second)
	_, _ = far.Write([]byte("hi"))
	if r := <-reading(c); r.err != nil || r.n != 2 {
		t.Errorf("got %d bytes and %v, want 2", r.n, r.err)
	}
}

func TestConn_EachRead_CountsFromTheLastRead(t *testing.T) {
	t.Parallel()
	s, c, far := pair(t)
	c.EachRead(2 * time.Second)
	for i := range 5 {
		_, _ = far.Write([]byte("x"))
		if r := <-reading(c); r.err != nil {
			t.Fatalf("read %d: %v", i, r.err)
		}
		s.sweep(int64(i+1) * int64(time.Second))
	}
	done := reading(c)
	for c.readBy.Load() <= int64(6500*time.Millisecond) { // until the read has stamped itself
		runtime.Gosched()
	}
	s.sweep(int64(8 * time.Second))
	wantTimeout(t, (<-done).err)
}

func TestConn_StartRead_BoundsAReadWithoutBound(t *testing.T) {
	t.Parallel()
	s, c, _ := pair(t)
	c.ReadWithin(0)
	done := reading(c)
	c.StartRead(time.Second)
	s.sweep(int64(2 * time.Second))
	wantTimeout(t, (<-done).err)
}

func TestConn_WriteWithoutProgress_Ends(t *testing.T) {
	t.Parallel()
	s, c, _ := pair(t)
	c.EachWrite(time.Second, 0)
	done := make(chan error, 1)
	go func() {
		_, err := c.Write(make([]byte, 64<<20))
		done <- err
	}()
	for now := 2; ; now += 2 {
		s.sweep(int64(now) * int64(time.Second))
		select {
		case err := <-done:
			wantTimeout(t, err)
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestConn_SlowReader_IsNotCutWhileItReads(t *testing.T) {
	t.Parallel()
	s, c, far := pair(t)
	c.EachWrite(time.Second, 0)
	// With little room in the kernel, whoever has read a mebibyte knows that the writer has gone on meanwhile.
	if err := errors.Join(c.conn.(*net.TCPConn).SetWriteBuffer(32<<10), far.(*net.TCPConn).SetReadBuffer(32<<10)); err != nil {
		t.Fatal(err)
	}
	const size = 8 << 20
	done := make(chan error, 1)
	go func() {
		_, err := c.Write(make([]byte, size))
		done <- err
	}()
	buffer := make([]byte, 512<<10)
	_ = far.SetReadDeadline(time.Now().Add(20 * time.Second)) // a writer that was cut sends no more
	for read, now := 0, int64(0); read < size; now += int64(2 * time.Second) {
		for before := now - int64(2*time.Second); len(done) == 0 && c.writeBy.Load() <= before; {
			runtime.Gosched() // until it waits anew, since the sweep before
		}
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

func TestConn_Interrupt_EndsReadsUntilResume(t *testing.T) {
	t.Parallel()
	_, c, far := pair(t)
	c.EachRead(time.Hour)
	done := reading(c)
	c.Interrupt()
	wantTimeout(t, (<-done).err)
	wantTimeout(t, (<-reading(c)).err)
	c.Resume()
	_, _ = far.Write([]byte("hi"))
	if r := <-reading(c); r.n != 2 {
		t.Errorf("got %d bytes and %v after Resume, want 2", r.n, r.err)
	}
}

func TestConn_Plain_ReadsByDescriptorObeyTheWaits(t *testing.T) {
	t.Parallel()
	s, c, _ := pair(t)
	raw := c.Plain()
	c.ReadWithin(time.Second)
	done := make(chan error, 1)
	go func() { done <- raw.Read(func(uintptr) bool { return false }) }()
	s.sweep(int64(2 * time.Second))
	wantTimeout(t, <-done)
}

func TestGuard_PeerResets_BreaksTheOtherConnection(t *testing.T) {
	t.Parallel()
	s, client, far := pair(t)
	_, up, _ := pair(t)
	client.Guard(up)
	_ = far.(*net.TCPConn).SetLinger(0)
	_ = far.Close()
	done := reading(up)
	awaitReset(t, client)
	for now := time.Second; !client.Gone(); now += time.Second {
		s.sweep(int64(now) + 1)
	}
	wantTimeout(t, (<-done).err)
	if client.Release() {
		t.Error("Release says the connection was left alone")
	}
}

// awaitReset returns once the kernel has the peer's reset.
func awaitReset(t *testing.T, c *Conn) {
	t.Helper()
	raw, err := c.conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		look := []unix.PollFd{{Fd: int32(fd)}}
		for n, err := unix.Poll(look, -1); n <= 0; n, err = unix.Poll(look, -1) {
			if err != unix.EINTR {
				t.Fatal(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestGuard_PeerHalfCloses_LeavesTheOtherAlone(t *testing.T) {
	t.Parallel()
	s, client, far := pair(t)
	_, up, _ := pair(t)
	client.Guard(up)
	_ = far.(*net.TCPConn).CloseWrite()
	var b [1]byte
	if _, err := client.Read(b[:]); !errors.Is(err, io.EOF) {
		t.Fatalf("got %v, want EOF", err)
	}
	for now := range 10 {
		s.sweep(int64(now) * int64(time.Second))
	}
	if client.Gone() || up.Broken() || !client.Release() {
		t.Error("a half-close was taken for a reset")
	}
}

func TestBreakBoth_BreaksTheGuardedToo(t *testing.T) {
	t.Parallel()
	_, client, _ := pair(t)
	_, up, _ := pair(t)
	client.Guard(up)
	client.BreakBoth()
	wantTimeout(t, (<-reading(up)).err)
	wantTimeout(t, (<-reading(client)).err)
	if client.Release() {
		t.Error("Release says the connection was left alone")
	}
}

func TestReset_PeerSeesAReset(t *testing.T) {
	t.Parallel()
	_, c, far := pair(t)
	_ = c.Reset()
	var b [1]byte
	_, err := far.Read(b[:])
	if err == nil || errors.Is(err, io.EOF) {
		t.Errorf("got %v, want a reset", err)
	}
}

func TestSweeper_ClosedConnections_AreForgotten(t *testing.T) {
	t.Parallel()
	s := NewSweeper(0)
	var conns []*Conn
	for range 20 {
		near, far := net.Pipe()
		defer far.Close()
		conns = append(conns, s.Watch(near))
	}
	for i := range conns {
		_ = conns[(i*7)%20].Close()
		_ = conns[(i*7)%20].Close()
		if n := len(s.conns); n != 19-i {
			t.Fatalf("after %d closes %d are watched, want %d", i+1, n, 19-i)
		}
	}
}

func TestSweeper_Run_MovesTheClockAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSweeper(time.Millisecond)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		time.Sleep(5 * time.Millisecond)
		synctest.Wait()
		if now := s.Now(); now != 5*time.Millisecond {
			t.Errorf("the clock says %v, want 5ms", now)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's end", err)
		}
	})
}

func BenchmarkConn_ReadWithin(b *testing.B) {
	s := NewSweeper(0)
	near, far := net.Pipe()
	defer far.Close()
	c := s.Watch(near)
	defer c.Close()
	for b.Loop() {
		c.ReadWithin(time.Second)
	}
}

func TestRecheck_BytesThatCameBeforeTheWait_EndIt(t *testing.T) {
	t.Parallel()
	s, c, far := pair(t)
	s.sweep(int64(time.Second))
	if _, err := far.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	for !c.polls(unix.POLLIN) {
		runtime.Gosched()
	}
	looked := make(chan int, 8)
	done := make(chan error, 1)
	go func() {
		n := 0
		done <- c.Plain().Read(func(uintptr) bool {
			n++
			looked <- n
			return n == 3 // once as the wait begins, once more for news of before it, then for the sweeper's
		})
	}()
	for n := <-looked; n < 3; n = <-looked {
		c.Recheck()
		s.sweep(int64(s.Now() + Grain))
		s.sweep(int64(s.Now() + Grain))
	}
	if err := <-done; err != nil {
		t.Errorf("got %v, want the wait to go on", err)
	}
}

func TestRecheck_NothingThere_InterruptsNobody(t *testing.T) {
	t.Parallel()
	s, c, far := pair(t)
	s.sweep(int64(time.Second))
	c.Recheck()
	done := reading(c)
	for range 5 {
		s.sweep(int64(s.Now() + Grain))
	}
	if c.recheck.Load() != 0 {
		t.Error("it is looked for again and again")
	}
	_, _ = far.Write([]byte("x"))
	if r := <-done; r.n != 1 || r.err != nil {
		t.Errorf("got %d and %v, want a byte", r.n, r.err)
	}
}

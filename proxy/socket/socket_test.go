package socket

import (
	"bytes"
	"net"
	"path/filepath"
	"syscall"
	"testing"
)

// ends is a connection's two ends; the first is driven by the package, the second by net.
func ends(t *testing.T, network string) (near syscall.RawConn, far net.Conn) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial(network, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	far, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	near, err = conn.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	return near, far
}

// await runs call until the kernel has something to say to it.
func await(t *testing.T, near syscall.RawConn, call func(fd uintptr) syscall.Errno) {
	t.Helper()
	err := near.Read(func(fd uintptr) bool { return call(fd) != syscall.EAGAIN })
	if err != nil {
		t.Fatal(err)
	}
}

func TestReceive_GetsWhatCameAndTheEnd(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		near, far := ends(t, network)
		if _, err := far.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 16)
		var n int
		var errno syscall.Errno
		receive := func(fd uintptr) syscall.Errno { n, errno = Receive(fd, buffer); return errno }
		await(t, near, receive)
		if string(buffer[:n]) != "hello" || errno != 0 {
			t.Errorf("%s: got %q and %v, want hello", network, buffer[:n], errno)
		}
		_ = far.Close()
		await(t, near, receive)
		if n != 0 || errno != 0 {
			t.Errorf("%s: got %d and %v at the end, want 0 and none", network, n, errno)
		}
	}
}

func TestSend_TakesWhatFitsAndSaysWhyNot(t *testing.T) {
	t.Parallel()
	for network, size := range map[string]int{"tcp": most, "unix": most + 1} {
		near, far := ends(t, network)
		message := bytes.Repeat([]byte("x"), size)
		var sent int
		var last syscall.Errno
		send := func(fd uintptr) {
			for last == 0 {
				var n int
				n, last = Send(fd, message)
				sent += n
			}
		}
		if err := near.Control(send); err != nil || last != syscall.EAGAIN || sent == 0 {
			t.Errorf("%s: got %v and %v after %d bytes, want EAGAIN once the buffers are full", network, err, last, sent)
		}
		_ = far.Close()
		gone := func(fd uintptr) syscall.Errno {
			n, errno := Send(fd, message)
			if n > 0 {
				return syscall.EAGAIN
			}
			return errno
		}
		last = syscall.EAGAIN
		if err := near.Write(func(fd uintptr) bool { last = gone(fd); return last != syscall.EAGAIN }); err != nil {
			t.Fatal(err)
		}
		if last != syscall.EPIPE && last != syscall.ECONNRESET {
			t.Errorf("%s: got %v from a closed peer, want EPIPE or ECONNRESET", network, last)
		}
	}
}

func TestQuiet_NothingWaits_AndNoLonger(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		for name, disturb := range map[string]func(net.Conn){
			"byte": func(c net.Conn) { _, _ = c.Write([]byte("x")) },
			"end":  func(c net.Conn) { _ = c.Close() },
			"half": func(c net.Conn) { _ = c.(interface{ CloseWrite() error }).CloseWrite() },
		} {
			near, far := ends(t, network)
			quiet := false
			if err := near.Control(func(fd uintptr) { quiet = Quiet(fd) }); err != nil || !quiet {
				t.Errorf("%s %s: got quiet %v and %v, want true", network, name, quiet, err)
			}
			disturb(far)
			if err := near.Read(func(fd uintptr) bool { quiet = Quiet(fd); return !quiet }); err != nil || quiet {
				t.Errorf("%s %s: got quiet %v and %v after it, want false", network, name, quiet, err)
			}
		}
	}
}

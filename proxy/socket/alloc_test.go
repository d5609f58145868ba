//go:build !race

package socket

import (
	"syscall"
	"testing"
)

func TestCalls_AllocateNothing(t *testing.T) {
	near, far := ends(t, "tcp")
	buffer, message := make([]byte, 64), []byte("hello")
	received := 0
	receive := func(fd uintptr) bool {
		n, errno := Receive(fd, buffer)
		received += n
		return errno != syscall.EAGAIN
	}
	turn := func(fd uintptr) {
		if _, errno := Send(fd, message); errno != 0 {
			t.Errorf("send: %v", errno)
		}
		Quiet(fd)
	}
	once := func() {
		_, _ = far.Write(message)
		_ = near.Read(receive)
		_ = near.Control(turn)
		_, _ = far.Read(buffer)
	}
	if n := testing.AllocsPerRun(200, once); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

// Package socket makes the three system calls of the fast lane on a stream socket that the runtime's poller owns:
// receive, send, and the question whether anything waits to be received.
//
// A call by way of package syscall tells the scheduler before and after, so that another thread may take the processor
// over while the call blocks. These never block, so there is nothing to tell. The price: nobody can take the processor
// over while the kernel copies, so messages of more than most bytes go by way of package syscall after all.
//
// Call them inside the callbacks of a syscall.RawConn only, which keep the descriptor from being closed meanwhile.
// A result of EAGAIN means: return false and be called again.
package socket

import (
	"errors"
	"syscall"
)

// most is what the kernel copies in about 10 us.
const most = 64 << 10

// Quiet reports whether nothing waits to be received, no end and no error either.
func Quiet(fd uintptr) bool {
	var b [1]byte
	for {
		_, err := peek(fd, b[:])
		if err != syscall.EINTR {
			return err == syscall.EAGAIN
		}
	}
}

// again makes a call of package syscall until it is not interrupted.
func again(call func(fd int, p []byte) (int, error), fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		n, err := call(int(fd), p)
		if err == nil {
			return n, 0
		}
		errno, ok := errors.AsType[syscall.Errno](err)
		if !ok {
			panic("BUG: package syscall failed without a number: " + err.Error())
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}

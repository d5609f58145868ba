// Package socket makes the three system calls of the fast lane on a stream socket that the runtime's poller owns:
// receive, send, and the question whether anything waits to be received.
//
// A call by way of package syscall tells the scheduler before and after, so that another thread may take the processor
// over while the call blocks. These never block, so there is nothing to tell. The price: nobody can take the processor
// over while the kernel copies, so messages longer than Most belong to net.Conn.
//
// Call them inside the callbacks of a syscall.RawConn only, which keep the descriptor from being closed meanwhile.
// A result of EAGAIN means: return false and be called again.
package socket

import "syscall"

// Most is the longest message to send or to ask for, in bytes: about 10 us of copying.
const Most = 64 << 10

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

//go:build race

package socket

import (
	"errors"
	"syscall"
)

// The race detector learns from package syscall's calls what happened before what, so it gets those.

// Receive reads once into p, which must not be empty. 0 bytes without an error are the end.
func Receive(fd uintptr, p []byte) (int, syscall.Errno) {
	return again(func() (int, error) { return syscall.Read(int(fd), p) })
}

// Send writes once from p and returns how much the kernel took.
func Send(fd uintptr, p []byte) (int, syscall.Errno) {
	return again(func() (int, error) { return syscall.Write(int(fd), p) })
}

func peek(fd uintptr, p []byte) (int, syscall.Errno) {
	return again(func() (int, error) {
		n, _, err := syscall.Recvfrom(int(fd), p, syscall.MSG_DONTWAIT|syscall.MSG_PEEK)
		return n, err
	})
}

func again(call func() (int, error)) (int, syscall.Errno) {
	for {
		n, err := call()
		if err == nil {
			return n, 0
		}
		var number syscall.Errno
		if !errors.As(err, &number) {
			panic("BUG: package syscall failed without a number: " + err.Error())
		}
		if number != syscall.EINTR {
			return 0, number
		}
	}
}

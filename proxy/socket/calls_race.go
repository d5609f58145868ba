//go:build race

package socket

import "syscall"

// The race detector learns from package syscall's calls what happened before what, so it gets those.

// Receive reads once into p, which must not be empty. 0 bytes without an error are the end.
func Receive(fd uintptr, p []byte) (int, syscall.Errno) {
	return again(syscall.Read, fd, p)
}

// Send writes once from p and returns how much the kernel took.
func Send(fd uintptr, p []byte) (int, syscall.Errno) {
	return again(syscall.Write, fd, p)
}

func peek(fd uintptr, p []byte) (int, syscall.Errno) {
	look := func(fd int, p []byte) (int, error) {
		n, _, err := syscall.Recvfrom(fd, p, syscall.MSG_DONTWAIT|syscall.MSG_PEEK)
		return n, err
	}
	return again(look, fd, p)
}

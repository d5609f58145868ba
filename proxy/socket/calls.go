//go:build !race

package socket

import (
	"syscall"
	"unsafe"
)

// Receive reads once into p, which must not be empty. 0 bytes without an error are the end.
func Receive(fd uintptr, p []byte) (int, syscall.Errno) {
	if len(p) > most {
		return again(syscall.Read, fd, p)
	}
	for {
		n, _, err := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
			syscall.MSG_DONTWAIT, 0, 0)
		switch err {
		case 0:
			return int(n), 0
		case syscall.EINTR:
			continue
		}
		return 0, err
	}
}

// Send writes once from p and returns how much the kernel took.
func Send(fd uintptr, p []byte) (int, syscall.Errno) {
	if len(p) > most {
		return again(syscall.Write, fd, p)
	}
	for {
		n, _, err := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
			syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		switch err {
		case 0:
			return int(n), 0
		case syscall.EINTR:
			continue
		}
		return 0, err
	}
}

func peek(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, err := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		syscall.MSG_DONTWAIT|syscall.MSG_PEEK, 0, 0)
	return int(n), err
}

package admin

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// peer tells who is at the other end of a unix socket, as the kernel saw it connect (unix(7), SO_PEERCRED).
func peer(c *net.UnixConn) (uid int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	var cred *unix.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) { cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil {
		return -1, err
	}
	if failed != nil {
		return -1, failed
	}
	return int(cred.Uid), nil
}

// welcome reports whether a local user may speak to an admin socket: root and whoever runs us, whatever the socket's mode
// has become.
func welcome(uid int) bool { return uid == 0 || uid == os.Geteuid() }

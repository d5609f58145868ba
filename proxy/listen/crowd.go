package listen

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// crowdPoll is how often the queue is looked at while all places are taken.
const crowdPoll = 100 * time.Millisecond

// Crowded reports whether somebody waited in the queue while all places were taken, a tenth of a second ago at most.
func (l *Listener) Crowded() bool { return l.crowded.Load() }

// Crowded is the listener's.
func (c *Conn) Crowded() bool { return c.listener.crowded.Load() }

// waited asks the kernel whether a connection is in the queue.
func (l *Listener) waited() bool {
	conn, ok := l.inner.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	var some bool
	err = raw.Control(func(fd uintptr) {
		poll := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(poll[:], 0)
		some = err == nil && n == 1 && poll[0].Revents&unix.POLLIN != 0
	})
	return err == nil && some
}

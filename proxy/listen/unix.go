package listen

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// openUnix replaces a socket that nobody listens on any more, but never another file, and one that is in use only to take
// over from the process that uses it. There is no moment without a socket at path.
func openUnix(ctx context.Context, path string, takeOver bool) (net.Listener, error) {
	if err := replaceable(ctx, path, takeOver); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".serin-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	born := filepath.Join(dir, "s")
	inner, err := net.ListenUnix("unix", &net.UnixAddr{Name: born, Net: "unix"})
	if err != nil {
		return nil, err
	}
	inner.SetUnlinkOnClose(false)
	l := &unixListener{UnixListener: inner, path: path}
	err = os.Chmod(born, socketMode)
	if err == nil {
		l.file, err = os.Lstat(born)
	}
	if err == nil {
		err = os.Rename(born, path)
	}
	if err != nil {
		return nil, errors.Join(err, inner.Close())
	}
	return l, nil
}

// replaceable says why path must be left alone.
func replaceable(ctx context.Context, path string, takeOver bool) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return nil // nothing is there, or binding will tell what is wrong
	case info.Mode()&os.ModeSocket == 0:
		return unix.EADDRINUSE
	case takeOver:
		return nil
	}
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
	if err == nil {
		_ = conn.Close()
		return unix.EADDRINUSE
	}
	if !errors.Is(err, unix.ECONNREFUSED) {
		return err
	}
	return nil
}

// unixListener removes its socket when it closes, but not one that another process has put in its place.
type unixListener struct {
	*net.UnixListener
	path string
	file os.FileInfo
	once sync.Once
}

func (l *unixListener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

func (l *unixListener) Close() error {
	l.once.Do(func() {
		if now, err := os.Lstat(l.path); err == nil && os.SameFile(now, l.file) {
			_ = os.Remove(l.path)
		}
	})
	return l.UnixListener.Close()
}

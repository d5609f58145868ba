package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// servedName is the file in the state directory that every process locks, together with others, for as long as it serves.
// The directory's own lock is left as soon as a drain begins, so it does not tell a successor that its predecessor still
// accepts connections.
const servedName = "served"

// markServed says that this process serves until the Closer is closed, and whether another one of this directory does: a
// predecessor, whose addresses are shared and not taken for a stranger's.
func markServed(dir string) (mark io.Closer, predecessor bool, err error) {
	f, err := os.OpenFile(filepath.Join(dir, servedName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, fmt.Errorf("open %s: %w", servedName, err)
	}
	lock := func(how int) error { return syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB) }
	if err = lock(syscall.LOCK_EX); errors.Is(err, syscall.EWOULDBLOCK) {
		predecessor = true
	} else if err != nil {
		return nil, false, errors.Join(fmt.Errorf("lock %s: %w", servedName, err), f.Close())
	}
	if err = lock(syscall.LOCK_SH); err != nil {
		return nil, false, errors.Join(fmt.Errorf("lock %s: %w", servedName, err), f.Close())
	}
	return f, predecessor, nil
}

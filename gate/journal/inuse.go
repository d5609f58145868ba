package journal

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// InUse reports whether a process has dir open. For one that has closed it and wants to know of its successor.
func InUse(dir string) bool {
	f, err := os.Open(filepath.Join(dir, lockName))
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

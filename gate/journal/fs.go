package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// FS is what the journal asks of a file system. Tests bring one that fails, is slow, or dies between two calls.
type FS interface {
	// Lock makes dir (mode 0700) and takes the lock file in it until the Closer is closed. The error wraps ErrLocked when
	// somebody else has it.
	Lock(dir, name string) (io.Closer, error)
	Open(path string) (File, error)   // for reading; fs.ErrNotExist where there is none
	Append(path string) (File, error) // for writing at the end; created when missing
	Create(path string) (File, error) // for writing; emptied when there
	Rename(from, to string) error
	SyncDir(dir string) error // makes renames and new names durable
}

// File is an open file.
type File interface {
	io.Writer
	io.ReaderAt
	io.Closer
	Size() (int64, error)
	Truncate(size int64) error
	Sync() error
	Reserve(n int64) // allocates n bytes behind the end where the system can; best effort
}

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// OS is the operating system's file system.
type OS struct{}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f osFile) Reserve(n int64) {
	if size, err := f.Size(); err == nil {
		reserve(f.File, size, n)
	}
}

// Open opens a file for reading.
func (OS) Open(path string) (File, error) { return wrap(os.Open(path)) }

// Append opens a file, mode 0600, for writing at its end.
func (OS) Append(path string) (File, error) {
	return wrap(os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600))
}

// Create empties or makes a file, mode 0600.
func (OS) Create(path string) (File, error) {
	return wrap(os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600))
}

func wrap(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Rename replaces to by from.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// SyncDir makes names in dir durable.
func (OS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Lock takes an advisory lock (flock), which the system releases when the process ends, however it ends.
func (OS) Lock(dir, name string) (io.Closer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder := make([]byte, 20)
		n, _ := f.ReadAt(holder, 0)
		err = fmt.Errorf("%w (process %s)", ErrLocked, strings.TrimSpace(string(holder[:n])))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	// The number is for people only; a disk too full to take it must not keep the proxy from starting.
	if f.Truncate(0) == nil {
		_, _ = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return f, nil
}

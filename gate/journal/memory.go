package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"
)

// Memory is a file system that forgets everything with the process, for the tests of whoever keeps a journal. It is safe for
// concurrent use. The zero value is empty.
type Memory struct {
	mu     sync.Mutex
	files  map[string]*content
	locked map[string]bool
}

// content is a file's bytes, whatever its name. Guarded by Memory.mu.
type content struct{ bytes []byte }

type memoryFile struct {
	of *Memory
	*content
}

// ReadFile is a copy of a file's bytes.
func (m *Memory) ReadFile(path string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.files[path]
	if !ok {
		return nil, fmt.Errorf("read %s: %w", path, fs.ErrNotExist)
	}
	return append([]byte(nil), c.bytes...), nil
}

// WriteFile replaces a file's bytes; it makes the file when missing.
func (m *Memory) WriteFile(path string, b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at(path).bytes = append([]byte(nil), b...)
}

// Remove removes a file, if it is there.
func (m *Memory) Remove(path string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.files, path)
}

// at is the named file, made when missing; with mu held.
func (m *Memory) at(path string) *content {
	if m.files == nil {
		m.files = map[string]*content{}
	}
	c, ok := m.files[path]
	if !ok {
		c = &content{}
		m.files[path] = c
	}
	return c
}

// Lock implements FS.
func (m *Memory) Lock(dir, name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	path := filepath.Join(dir, name)
	if m.locked[path] {
		return nil, ErrLocked
	}
	if m.locked == nil {
		m.locked = map[string]bool{}
	}
	m.locked[path] = true
	return &memoryLock{of: m, path: path}, nil
}

type memoryLock struct {
	of   *Memory
	path string
}

// Close releases the lock.
func (l *memoryLock) Close() error {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	delete(l.of.locked, l.path)
	return nil
}

// Open implements FS.
func (m *Memory) Open(path string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.files[path]
	if !ok {
		return nil, fmt.Errorf("open %s: %w", path, fs.ErrNotExist)
	}
	return memoryFile{m, c}, nil
}

// Append implements FS.
func (m *Memory) Append(path string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return memoryFile{m, m.at(path)}, nil
}

// Create implements FS.
func (m *Memory) Create(path string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.at(path)
	c.bytes = nil
	return memoryFile{m, c}, nil
}

// Rename implements FS.
func (m *Memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.files[from]
	if !ok {
		return fmt.Errorf("rename %s: %w", from, fs.ErrNotExist)
	}
	m.files[to] = c
	delete(m.files, from)
	return nil
}

// SyncDir implements FS.
func (m *Memory) SyncDir(string) error { return nil }

func (f memoryFile) Write(b []byte) (int, error) {
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	f.bytes = append(f.bytes, b...)
	return len(b), nil
}

func (f memoryFile) ReadAt(b []byte, off int64) (int, error) {
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	if off < 0 {
		return 0, errors.New("read before the beginning")
	}
	if off >= int64(len(f.bytes)) {
		return 0, io.EOF
	}
	n := copy(b, f.bytes[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f memoryFile) Size() (int64, error) {
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	return int64(len(f.bytes)), nil
}

func (f memoryFile) Truncate(size int64) error {
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	if size < 0 || size > int64(len(f.bytes)) {
		return fmt.Errorf("truncate %d bytes to %d", len(f.bytes), size)
	}
	f.bytes = f.bytes[:size:size]
	return nil
}

func (memoryFile) Sync() error   { return nil }
func (memoryFile) Close() error  { return nil }
func (memoryFile) Reserve(int64) {}

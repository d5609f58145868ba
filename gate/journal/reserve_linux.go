package journal

import (
	"os"
	"syscall"
)

// keepSize is FALLOC_FL_KEEP_SIZE of fallocate(2): allocate blocks, leave the file's length alone.
const keepSize = 1

func reserve(f *os.File, from, n int64) {
	// Not every file system can; the journal then fails on a full disk as any other file would.
	_ = syscall.Fallocate(int(f.Fd()), keepSize, from, n)
}

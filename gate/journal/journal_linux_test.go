package journal

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestAppend_LeavesRoomBehindTheLastLine(t *testing.T) {
	dir := t.TempDir()
	j, _ := mustOpen(t, dir, nil)
	must(t, j.Append(decided("checkout", 1, 0, 100)))
	info, err := os.Stat(filepath.Join(dir, linesName))
	must(t, err)
	allocated := info.Sys().(*syscall.Stat_t).Blocks * 512
	if info.Size() > 4096 || allocated < reserveBytes {
		t.Errorf("%d bytes long with %d allocated, want at least %d allocated", info.Size(), allocated, reserveBytes)
	}
	must(t, j.Close())
}

package journal

import (
	"path/filepath"
	"testing"
)

func TestInUse_TellsOfASuccessorAndDisturbsNobody(t *testing.T) {
	dir := t.TempDir()
	if InUse(filepath.Join(dir, "none")) {
		t.Error("a directory that is not there is in use")
	}
	j, _ := mustOpen(t, dir, nil)
	if !InUse(dir) {
		t.Error("an open directory is not in use")
	}
	must(t, j.Close())
	if InUse(dir) {
		t.Error("a closed directory is in use")
	}
	again, _ := mustOpen(t, dir, nil)
	must(t, again.Close())
}

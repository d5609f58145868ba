package process

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestProcess_Stopped_TakesWhatItStartedAlong(t *testing.T) {
	t.Parallel()
	alive, held, err := os.Pipe() // ends when the last that holds it has ended
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	shell := exec.Command("sh", "-c", "sleep 600 & echo up >&3; wait")
	shell.ExtraFiles = []*os.File{held}
	p, err := Start("shell", shell, filepath.Join(t.TempDir(), "log"))
	held.Close()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(alive, make([]byte, len("up\n"))); err != nil {
		t.Fatal(err)
	}
	p.Stop()
	if over, err := p.Ended(); !over || err == nil {
		t.Errorf("ended %v, %v: want an end by a signal", over, err)
	}
	if _, err := io.ReadAll(alive); err != nil {
		t.Error(err)
	}
}

func TestProcess_EndsBeforeItListens_SaysWhatItSaid(t *testing.T) {
	t.Parallel()
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start("shell", exec.Command("sh", "-c", "echo no such file >&2; exit 3"), filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	err = p.Listening(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil || !strings.Contains(err.Error(), "shell ended at its start:\nno such file") {
		t.Errorf("got %v", err)
	}
}

func TestFreePort_NeverGivesOneOutTwice(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for range 200 {
		port, err := FreePort()
		if err != nil || seen[port] {
			t.Fatalf("port %d again, %v", port, err)
		}
		seen[port] = true
	}
}

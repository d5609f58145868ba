package notify

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestCommand_GetsTheNoticeAndNoSecretOfOurs(t *testing.T) {
	t.Setenv("SERIN_TOKEN", "topsecret")
	dir := t.TempDir()
	script := filepath.Join(dir, "tell.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\ncat > "+dir+"/in\nenv > "+dir+"/env\necho \"$@\" > "+dir+"/args\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := runCommand(t.Context(), []string{script, "a b", "c"}, samples()["hold"]); err != nil {
		t.Fatal(err)
	}
	var n Notice
	in, _ := os.ReadFile(dir + "/in")
	if err := json.Unmarshal(in, &n); err != nil || n.ID != "checkout-1-4" {
		t.Errorf("stdin: %v, %s", err, in)
	}
	env, _ := os.ReadFile(dir + "/env")
	if strings.Contains(string(env), "topsecret") || !strings.Contains(string(env), "SERIN_EVENT=hold\n") || !strings.Contains(string(env), "PATH=") {
		t.Errorf("environment:\n%s", env)
	}
	if args, _ := os.ReadFile(dir + "/args"); string(args) != "a b c\n" {
		t.Errorf("arguments %q", args)
	}
}

func TestCommand_Failure_SaysWhatTheProgramSaid(t *testing.T) {
	err := runCommand(t.Context(), []string{"/bin/sh", "-c", "echo no such channel >&2; exit 3"}, samples()["hold"])
	if err == nil || !strings.Contains(err.Error(), "exit status 3: no such channel") {
		t.Errorf("got %v", err)
	}
	if err := runCommand(t.Context(), []string{"/nowhere/at-all"}, samples()["hold"]); err == nil {
		t.Error("a program that is not there ran")
	}
}

func TestCommand_TakesTooLong_IsKilledWithItsChildren(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "held") // whoever lives on holds its writing end
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- runCommand(ctx, []string{"/bin/sh", "-c", "exec 3> " + fifo + "; echo started >&3; sleep 1000 & wait"}, samples()["hold"])
	}()
	held, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if _, err := io.ReadFull(held, make([]byte, len("started\n"))); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("no error")
	}
	if rest, err := io.ReadAll(held); err != nil || len(rest) > 0 { // ends when the last of them is gone
		t.Errorf("read %q, %v", rest, err)
	}
}

func TestCommand_LeavesAChildBehind_IsTold(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "go")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	hold, err := os.OpenFile(fifo, os.O_RDWR, 0) // the child waits on it, with the program's output in its hands
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	if err := runCommand(t.Context(), []string{"/bin/sh", "-c", "cat " + fifo + " & exit 0"}, samples()["hold"]); err != nil {
		t.Errorf("told, and would be told again: %v", err)
	}
	if _, err := hold.WriteString("\n"); err != nil {
		t.Error(err)
	}
}

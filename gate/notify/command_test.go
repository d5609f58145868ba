package notify

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
	dir := t.TempDir()
	fifo := filepath.Join(dir, "started")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- runCommand(ctx, []string{"/bin/sh", "-c", "sleep 1000 & echo $! > " + fifo + ".tmp; mv " + fifo + ".tmp " + fifo + "; wait"}, samples()["hold"])
	}()
	var child string
	for child == "" { // until the program has started its own
		if b, err := os.ReadFile(fifo); err == nil {
			child = strings.TrimSpace(string(b))
		}
	}
	cancel()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("no error")
		}
	case <-time.After(30 * time.Second):
		t.Fatal("not ended")
	}
	// The child may be a zombie until its new parent has seen it; it runs no more.
	if stat, err := os.ReadFile("/proc/" + child + "/stat"); err == nil && !strings.Contains(string(stat), ") Z ") && !strings.Contains(string(stat), ") X ") {
		t.Errorf("the child still runs: %s", stat)
	}
}

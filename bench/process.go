package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"serin/bench/process"
)

const anyCPU = -1

// command prepares a program on one CPU, or on all.
func command(ctx context.Context, cpu int, program string, args ...string) *exec.Cmd {
	if cpu == anyCPU {
		return exec.CommandContext(ctx, program, args...)
	}
	return exec.CommandContext(ctx, "taskset", append([]string{"-c", strconv.Itoa(cpu), program}, args...)...)
}

// start runs the program in dir with its output in dir/name.log. The caller stops it.
func start(dir, name string, cpu int, program string, args ...string) (*process.Process, error) {
	cmd := command(context.Background(), cpu, program, args...)
	cmd.Dir = dir
	return process.Start(name, cmd, filepath.Join(dir, name+".log"))
}

// raiseDescriptors lifts the soft limit to the hard one, for the children too: 1,000 connections on both sides are
// more than the usual 1,024.
func raiseDescriptors() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}

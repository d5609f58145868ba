package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	startTimeout = 30 * time.Second
	startTries   = 5
	stopTimeout  = 10 * time.Second
)

// process is a proxy that runs until it is stopped.
type process struct {
	address string
	cmd     *exec.Cmd
	log     string
	done    chan struct{} // closed once it is gone
	err     error         // how it ended; valid once done
}

// start configures and runs p, and waits until it listens. A port may be taken between our look and the proxy's: then
// another is tried.
func (p proxy) start(ctx context.Context, s setup) (*process, error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	var failed error
	for range startTries {
		run, err := p.startOnce(ctx, s)
		if err == nil {
			return run, nil
		}
		failed = err
	}
	return nil, failed
}

func (p proxy) startOnce(ctx context.Context, s setup) (*process, error) {
	var err error
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	s.fullDoor = p.fullDoor
	args, err := p.write(s)
	if err != nil {
		return nil, err
	}
	run := &process{address: fmt.Sprintf("127.0.0.1:%d", s.port), log: filepath.Join(s.dir, "log"), done: make(chan struct{})}
	log, err := os.Create(run.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	run.cmd = exec.Command(p.program, args...)
	run.cmd.Dir, run.cmd.Stdout, run.cmd.Stderr = s.dir, log, log
	if err := run.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	go func() {
		run.err = run.cmd.Wait()
		close(run.done)
	}()
	if err := run.waitFor(ctx); err != nil {
		return nil, errors.Join(err, run.stop())
	}
	return run, nil
}

// waitFor returns once the process listens.
func (r *process) waitFor(ctx context.Context) error {
	for until := time.Now().Add(startTimeout); ; {
		conn, err := net.DialTimeout("tcp", r.address, time.Second)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(until) {
			return fmt.Errorf("nobody listens on %s: %w\n%s", r.address, err, r.tail())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.done:
			return fmt.Errorf("the proxy ended at its start:\n%s", r.tail())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop asks the process to end, and ends it when it does not. The error says that it had already, or what it said about
// itself that nobody wants to read.
func (r *process) stop() error {
	select {
	case <-r.done:
		return fmt.Errorf("the proxy ended by itself: %v\n%s", r.err, r.tail())
	default:
	}
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.done:
	case <-time.After(stopTimeout):
		_ = r.cmd.Process.Kill()
		<-r.done
	}
	text, err := os.ReadFile(r.log)
	if err != nil {
		return err
	}
	for _, bad := range []string{"panic", "DATA RACE", "goroutine "} {
		if strings.Contains(string(text), bad) {
			return fmt.Errorf("the log says %q:\n%s", bad, r.tail())
		}
	}
	return nil
}

// tail is the end of the log.
func (r *process) tail() string {
	text, err := os.ReadFile(r.log)
	if err != nil {
		return err.Error()
	}
	const most = 4000
	return string(text[max(0, len(text)-most):])
}

// ports counts those given out, from a random one on.
var ports atomic.Int32

// freePort returns a TCP port of 127.0.0.1 that nobody listens on and that it has not returned before, below those that
// connections take by themselves. What is given out once is not free again: two proxies that share their ports would answer
// for one another.
func freePort() (int, error) {
	var failed error
	ports.CompareAndSwap(0, 1+rand.Int32N(10_000))
	for range 100 {
		port := 20_000 + int(ports.Add(1))%10_000
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, l.Close()
		}
		failed = err
	}
	return 0, failed
}

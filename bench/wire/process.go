package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"serin/bench/process"
)

// startTries is how often another port is tried: one may be taken between our look and the proxy's.
const startTries = 5

// running is a proxy that listens.
type running struct {
	*process.Process
	address string
}

// start configures and runs p, and waits until it listens.
func (p proxy) start(ctx context.Context, s setup) (*running, error) {
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

func (p proxy) startOnce(ctx context.Context, s setup) (*running, error) {
	var err error
	if s.port, err = process.FreePort(); err != nil {
		return nil, err
	}
	s.fullDoor = p.fullDoor
	args, err := p.write(s)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(p.program, args...)
	cmd.Dir = s.dir
	child, err := process.Start(p.name, cmd, filepath.Join(s.dir, "log"))
	if err != nil {
		return nil, err
	}
	run := &running{child, fmt.Sprintf("127.0.0.1:%d", s.port)}
	if err := run.Listening(ctx, "tcp", run.address); err != nil {
		return nil, errors.Join(err, run.stop())
	}
	return run, nil
}

// stop ends the proxy. The error says that it had ended already, or what it said about itself that nobody wants to read.
func (r *running) stop() error {
	if over, err := r.Ended(); over {
		return fmt.Errorf("the proxy ended by itself: %v\n%s", err, r.Tail())
	}
	r.Stop()
	text, err := r.Output()
	if err != nil {
		return err
	}
	for _, bad := range []string{"panic", "DATA RACE", "goroutine "} {
		if strings.Contains(text, bad) {
			return fmt.Errorf("the log says %q:\n%s", bad, r.Tail())
		}
	}
	return nil
}

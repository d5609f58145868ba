// Package process runs the programs that are measured: started with their output in a file, awaited until they listen, and
// stopped with all that they started.
//
//	Start -> Listening -> Stop        a program that ends before is told from one that was stopped: Ended
//
// Ports come from here too, for a program is given its address before it listens: no port is given out twice.
package process

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
	// mostTail is how much of a log an error message shows, in bytes.
	mostTail = 4000
)

// Process is a program that runs until it is stopped. Its methods may be called by any number of goroutines.
type Process struct {
	name string
	log  string // path
	cmd  *exec.Cmd
	done chan struct{} // closed once it is gone
	err  error         // how it ended; valid once done
}

// Start runs cmd, in a group of its own, with its output in the file log. The caller stops it. name is for errors.
func Start(name string, cmd *exec.Cmd, log string) (*Process, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{name: name, log: log, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// PID is the number of the process, and of its group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Listening returns once the address accepts connections. The error says that it did not within 30 s, that the process is
// gone, or that ctx is over.
func (p *Process) Listening(ctx context.Context, network, address string) error {
	for until := time.Now().Add(startTimeout); ; {
		conn, err := net.DialTimeout(network, address, time.Second)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(until) {
			return fmt.Errorf("%s does not listen on %s: %w\n%s", p.name, address, err, p.Tail())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.done:
			return fmt.Errorf("%s ended at its start:\n%s", p.name, p.Tail())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Ended reports whether the process has ended, and how.
func (p *Process) Ended() (over bool, err error) {
	select {
	case <-p.done:
		return true, p.err
	default:
		return false, nil
	}
}

// Stop asks the process to end and waits for it, 10 s at most; then it ends what is left of its group.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
	}
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	<-p.done
}

// Output is all that the process has said.
func (p *Process) Output() (string, error) {
	text, err := os.ReadFile(p.log)
	return string(text), err
}

// Tail is the end of its output, for an error message.
func (p *Process) Tail() string {
	text, err := p.Output()
	if err != nil {
		return err.Error()
	}
	return text[max(0, len(text)-mostTail):]
}

// ports counts those given out, from a random one on.
var ports atomic.Int32

// FreePort returns a TCP port of 127.0.0.1 that nobody listens on and that it has not returned before, from 20000 to 29999:
// below those that connections take by themselves. What is given out once is not free again: two programs that share their
// ports would answer for one another.
func FreePort() (int, error) {
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

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// countSyscalls attaches strace to each proxy in turn during one more load. The load is far slower that way, so
// nothing else is taken from it.
func (b *bench) countSyscalls(ctx context.Context, dir string, s scenario, ready []running) error {
	if _, err := exec.LookPath("strace"); err != nil {
		return errors.New("no strace: apt-get install strace")
	}
	for _, r := range ready {
		calls, err := b.strace(ctx, dir, s, r)
		if err != nil {
			return fmt.Errorf("strace of %s: %w", r.proxy.name, err)
		}
		fmt.Printf("  %-16s %.2f system calls a request\n", r.proxy.name, calls)
		b.results.setSyscalls(s.name, r.proxy.name, calls)
	}
	return nil
}

// strace returns the system calls of one request.
func (b *bench) strace(ctx context.Context, dir string, s scenario, r running) (float64, error) {
	out := filepath.Join(dir, r.proxy.name+".strace")
	args := []string{"-c", "-f", "-o", out}
	for _, pid := range family(r.PID()) {
		args = append(args, "-p", strconv.Itoa(pid))
	}
	tracer, err := start(dir, "strace", anyCPU, "strace", args...)
	if err != nil {
		return 0, err
	}
	time.Sleep(500 * time.Millisecond) // until it is attached to every thread
	seen, err := drive(ctx, dir, b.clientCPU(), s, r.address, 2*time.Second)
	tracer.Stop()
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return 0, err
	}
	calls, err := parseStrace(string(text))
	return float64(calls) / float64(seen.Requests), err
}

// parseStrace reads the calls from the total line of `strace -c`: "100.00 0.03 1 20316 4 total", where the errors'
// column may be empty.
func parseStrace(text string) (calls int64, err error) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) >= 5 && fields[len(fields)-1] == "total" {
			return strconv.ParseInt(fields[3], 10, 64)
		}
	}
	return 0, fmt.Errorf("no total in %q", text)
}

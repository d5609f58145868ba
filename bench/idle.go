package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// idleFor is how long connections have been idle when memory and CPU are read: what is freed late has been.
const idleFor = 4 * time.Second

// idling is what idle connections cost one proxy.
type idling struct {
	Scenario string  `json:"scenario"`
	Proxy    string  `json:"proxy"`
	Conns    int     `json:"conns"`
	Before   int64   `json:"before"` // bytes resident
	After    int64   `json:"after"`
	CPU      float64 `json:"cpu"` // of one CPU, 0..1, while nothing happens
}

// each is the memory of one connection, in bytes.
func (i idling) each() float64 { return float64(i.After-i.Before) / float64(i.Conns) }

// idleConns is how many connections the descriptor limit leaves room for: HAProxy counts two for each, used or not.
func idleConns(wanted int) (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	return min(wanted, int(min(limit.Cur, 1<<30))/2-200), nil
}

// idle measures the proxies in turn: connections that have carried a request each and then wait.
func (b *bench) idle(ctx context.Context, s scenario, ready []running) error {
	n, err := idleConns(s.idle)
	if err != nil || n < 1 {
		return errors.Join(err, fmt.Errorf("the descriptor limit leaves room for %d connections", n))
	}
	for _, r := range ready {
		pid := r.PID()
		i := idling{Scenario: s.name, Proxy: r.proxy.name, Conns: n, Before: residentOf(pid)}
		if i.After, i.CPU, err = rest(ctx, r, s.path, n); err != nil {
			return fmt.Errorf("%s: %w", r.proxy.name, err)
		}
		fmt.Printf("  %-14s %d idle connections, %.1f KiB each, %.2f %% of a CPU\n", i.Proxy, n, i.each()/1024, 100*i.CPU)
		b.results.Idle = append(b.results.Idle, i)
	}
	return nil
}

// rest opens n connections, asks once on each, and lets them wait.
func rest(ctx context.Context, r running, path string, n int) (resident int64, cpu float64, err error) {
	conns := make([]net.Conn, n)
	defer func() {
		for _, c := range conns {
			if c != nil {
				_ = c.Close()
			}
		}
	}()
	if err := ask(ctx, conns, r.address, path); err != nil {
		return 0, 0, err
	}
	select {
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	case <-time.After(idleFor):
	}
	before, err := cpuOf(r.PID())
	if err != nil {
		return 0, 0, err
	}
	begun := time.Now()
	select {
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	case <-time.After(time.Second):
	}
	after, err := cpuOf(r.PID())
	return residentOf(r.PID()), float64(after-before) / float64(time.Since(begun)), err
}

// ask fills conns with connections that have had one answer.
func ask(ctx context.Context, conns []net.Conn, address, path string) error {
	workers := 4 * runtime.NumCPU()
	failed := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(conns) && ctx.Err() == nil && failed[w] == nil; i += workers {
				conns[i], failed[w] = askOnce(ctx, address, path, i)
			}
		})
	}
	wg.Wait()
	return errors.Join(append(failed, ctx.Err())...)
}

func askOnce(ctx context.Context, address, path string, user int) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(settleTimeout))
	if _, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: bench\r\nX-User-ID: user-%d\r\n\r\n", path, user%users); err != nil {
		return conn, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return conn, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("connection %d: status %d", user, answer.StatusCode)
	}
	return conn, err
}

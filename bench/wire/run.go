package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
)

// judge plays the cases against p and returns what went wrong, by index; the error is of the proxy as a
// whole. A lane is a process of the proxy with an upstream of its own, on which cases play one after the other; there are
// so many for each profile that is needed.
func judge(ctx context.Context, p proxy, cases []Case, lanes int, dir string) ([]error, error) {
	results := make([]error, len(cases))
	queues := map[profile]chan int{}
	for i, c := range cases {
		if queues[c.With] == nil {
			queues[c.With] = make(chan int, len(cases))
		}
		queues[c.With] <- i
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for with, queue := range queues {
		close(queue)
		for n := range min(lanes, len(queue)) {
			wg.Go(func() {
				err := work(ctx, p, with, filepath.Join(dir, fmt.Sprintf("%s-%d", with, n)), queue, cases, results)
				mu.Lock()
				defer mu.Unlock()
				failed = errors.Join(failed, err)
			})
		}
	}
	wg.Wait()
	return results, failed
}

// work opens a lane and plays what is in the queue there.
func work(ctx context.Context, p proxy, with profile, dir string, queue <-chan int, cases []Case, results []error) error {
	up, err := newUpstream()
	if err != nil {
		return err
	}
	accepting := make(chan struct{})
	go func() { defer close(accepting); up.Run() }()
	defer func() { up.close(); <-accepting }()
	run, err := p.start(ctx, setup{dir: dir, upstream: up.address(), with: with})
	if err != nil {
		for range queue {
		}
		return err
	}
	s := stage{proxy: run.address, upstream: up}
	for i := range queue {
		if ctx.Err() != nil {
			continue
		}
		results[i] = s.play(cases[i])
	}
	return errors.Join(ctx.Err(), run.stop())
}

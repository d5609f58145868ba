package main

import (
	"context"
	"os"
	"sync"
	"time"

	"serin/config/watch"
)

// besides watches the files that a configuration names and is made of, such as an audience's keys: a change of one is a change of
// the configuration. Which ones changes with every reload.
type besides struct {
	changes chan struct{} // one notice for any number of changes; never closed
	wanted  chan wanted   // room for one, the newest
}

// wanted are the files of a configuration that was read after since.
type wanted struct {
	paths []string
	since time.Time
}

func newBesides() *besides {
	return &besides{changes: make(chan struct{}, 1), wanted: make(chan wanted, 1)}
}

// Follow makes paths the files that are watched. A file that changed since is one that changed.
func (b *besides) Follow(paths []string, since time.Time) {
	select {
	case <-b.wanted:
	default:
	}
	b.wanted <- wanted{paths, since}
}

// Run watches until ctx ends. It leaves no goroutine behind.
func (b *besides) Run(ctx context.Context) error {
	var watchers sync.WaitGroup
	defer watchers.Wait()
	running := map[string]context.CancelFunc{}
	for {
		var now wanted
		select {
		case <-ctx.Done():
			return nil
		case now = <-b.wanted:
		}
		ends := map[string]context.CancelFunc{}
		for _, path := range now.paths {
			if end := running[path]; end != nil {
				ends[path] = end
				delete(running, path)
				continue
			}
			own, end := context.WithCancel(ctx)
			ends[path] = end
			w := watch.New(path, watch.Options{MaxBytes: maxBeside})
			if info, err := os.Stat(path); err != nil || info.ModTime().After(now.since) {
				b.notify()
			}
			watchers.Go(func() { _ = w.Run(own) })
			watchers.Go(func() { b.forward(own, w.Changes()) })
		}
		for _, end := range running {
			end()
		}
		running = ends
	}
}

// maxBeside is how much of a file counts: a byte more than the largest there may be.
const maxBeside = 16<<20 + 1

func (b *besides) forward(ctx context.Context, changes <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-changes:
			b.notify()
		}
	}
}

func (b *besides) notify() {
	select {
	case b.changes <- struct{}{}:
	default: // a notice is waiting already
	}
}

package main

import (
	"os"
	"sync"
)

// paper is stdout that remembers the first write that failed, so that a verb whose data did not arrive whole does not end with
// exit code 0. A reader that has gone away is no matter of ours: the system ends us with SIGPIPE. Safe for concurrent use.
type paper struct {
	*os.File
	mu    sync.Mutex
	first error // guarded by mu
}

// Write implements io.Writer.
func (p *paper) Write(data []byte) (int, error) {
	n, err := p.File.Write(data)
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.first == nil {
			p.first = err
		}
	}
	return n, err
}

// failed is the first write that failed, or nil.
func (p *paper) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.first
}

package main

import (
	"context"
	"sync"
	"time"
)

const (
	// drainWithin is how long requests and tunnels under way may take after SIGTERM.
	drainWithin = 30 * time.Second
	// lastCalls is how long connections are still accepted after SIGTERM, so that whoever knocked while the news of our
	// unreadiness spread is served.
	lastCalls = 500 * time.Millisecond
)

// drain lets requests under way finish. We are unready at once, decide nothing any more and leave the state directory;
// who knocks is let in until the last call is over or a successor has taken over.
func (d *serinDaemon) drain(deciding, answering, accepting part) {
	began := time.Now()
	d.draining.Store(true)
	d.tell("STOPPING=1")
	d.log.Info("draining", "connections", d.proxy.Connections())
	d.fronts.yield()
	deciding.end()
	ctx, cancel := context.WithTimeout(context.Background(), drainWithin)
	var over sync.WaitGroup
	over.Go(func() { d.handOver(ctx, deciding.done, answering.end, accepting.end) })
	_ = d.proxy.Drain(ctx) // answers say Connection: close from now on
	<-accepting.done
	if err := d.proxy.Drain(ctx); err != nil {
		d.log.Warn("requests cut off at the end of the drain", "err", err)
	}
	cancel()
	over.Wait()
	d.log.Info("drained", "dur", time.Since(began).Round(time.Millisecond).String())
}

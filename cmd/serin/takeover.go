package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"syscall"
	"time"

	"serin/gate/journal"
	"serin/proxy/admin"
)

// How a new binary takes over from a running one, without a refused connection and without two that decide:
//
//	new: waits for the state directory          old: serves
//	                                            old: SIGTERM: stops deciding, leaves the directory, yields new connections
//	new: takes directory and admin address,     old: serves with the weights as they are, sees that the directory is
//	     listens beside the old, serves              taken, leaves the admin address, finishes its queue and requests
const (
	// handOverWithin is how long the old one goes on accepting when it has seen a successor: the new one may have to look
	// names up before it listens.
	handOverWithin = 3 * time.Second
	// requestsWithin is what is left of a drain for those who were let in last.
	requestsWithin = 2 * time.Second
	// handOverPoll is how often either looks.
	handOverPoll = 25 * time.Millisecond
	// adminWithin is how long a start waits for the admin address, which a draining serin leaves when it sees us.
	adminWithin = 2 * time.Second
)

// openState takes the state directory. While another process has it, that one is waited for, at most so long; takeOver
// tells that it was.
func openState(ctx context.Context, dir string, within time.Duration, log *slog.Logger) (j *journal.Journal, r *journal.Restored, takeOver bool, err error) {
	err = retry(ctx, within, func() (again bool, err error) {
		j, r, err = journal.Open(dir, journal.Options{})
		again = errors.Is(err, journal.ErrLocked)
		if again && within > 0 && !takeOver {
			takeOver = true
			log.Warn("waiting for the state directory: tell the serin that has it to stop, and this one takes over", "err", err, "dur", within.String())
		}
		return again, err
	})
	return j, r, takeOver, err
}

// openAdmin listens for the admin API, also where a serin that drains has not left the address yet.
func openAdmin(ctx context.Context, address string) (ln net.Listener, err error) {
	err = retry(ctx, adminWithin, func() (again bool, err error) {
		ln, err = admin.Listen(address)
		return errors.Is(err, syscall.EADDRINUSE), err
	})
	return ln, err
}

// retry calls try until it succeeds, wants no other attempt, or time is up; the last error stays.
func retry(ctx context.Context, within time.Duration, try func() (again bool, err error)) error {
	until := time.Now().Add(within)
	poll := time.NewTicker(handOverPoll)
	defer poll.Stop()
	for {
		again, err := try()
		if err == nil || !again || !time.Now().Before(until) {
			return err
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// handOver ends accepting after the last calls; where the service manager keeps the sockets, not before those who are
// connected have left: the next serin starts when this one has ended, and until then nobody else would answer. Once the loop has decided for the last time it leaves the state directory,
// and when a successor has taken that, the admin address. It returns when ctx ends.
func (d *serinDaemon) handOver(ctx context.Context, decided <-chan struct{}, leaveAdmin, refuse func()) {
	last := time.NewTimer(handOverWithin) // a disk may be slow to take the last word
	defer last.Stop()
	poll := time.NewTicker(handOverPoll)
	defer poll.Stop()
	defer refuse()
	settled := d.settled()
	latest := time.Now().Add(drainWithin - requestsWithin)
	left, seen := false, false
	for {
		select {
		case <-decided:
			decided, left = nil, true
			d.closeJournal()
			last.Reset(lastCalls)
		case <-poll.C:
			if left && !seen && journal.InUse(d.started.StateDir) {
				seen = true
				d.log.Info("a successor has the state directory")
				leaveAdmin()
				last.Reset(handOverWithin)
			}
		case <-last.C:
			select {
			case <-settled:
				refuse()
			default:
				last.Reset(handOverPoll)
				if time.Now().After(latest) {
					refuse()
				}
			}
		case <-ctx.Done():
			return
		}
	}
}

// settled is closed when accepting need not go on for the sake of those who are connected.
func (d *serinDaemon) settled() <-chan struct{} {
	if d.fronts.passed() {
		return d.proxy.Settled()
	}
	now := make(chan struct{})
	close(now)
	return now
}

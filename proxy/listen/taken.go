package listen

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

const (
	// leaveWithin is how long an address may stay taken: a serin that ends goes on accepting for some seconds after it has
	// left its state directory, where a quick successor finds nobody to wait for.
	leaveWithin = 5 * time.Second
	leavePoll   = 50 * time.Millisecond
)

// ensureFree returns when nobody listens on a TCP address any more, else the error of trying. Without it a second serin
// that is nobody's successor, with another state directory and the same address, would be given half of the connections:
// the kernel shares a port among all of a user's listeners that allow it, and all of ours do.
func ensureFree(ctx context.Context, address string) error {
	var plain net.ListenConfig // shares with nobody
	until := time.Now().Add(leaveWithin)
	for {
		ln, err := plain.Listen(ctx, "tcp", address)
		if err == nil {
			return ln.Close()
		}
		if !errors.Is(err, syscall.EADDRINUSE) || !time.Now().Before(until) {
			return err
		}
		select {
		case <-time.After(leavePoll):
		case <-ctx.Done():
			return err
		}
	}
}

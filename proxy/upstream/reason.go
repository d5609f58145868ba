package upstream

import (
	"errors"
	"fmt"
)

// Reason says why an upstream did not do its part; the labels of serin_upstream_errors_total. The zero value is no failure.
type Reason uint8

const (
	None         Reason = iota
	NoServer            // the pool has none: a name that never resolved
	Connect             // refused, unreachable
	ConnectTime         // no connection in time
	TLS                 // handshake or certificate
	QueueFull           // limits.connections and limits.queue are used up: our own limit, not the server's fault
	QueueTime           // waited in the queue for longer than timeout.connect
	Closed              // the pool is being retired
	Shortage            // no descriptor, memory or port to dial with: our own lack, not the server's fault
	ResponseTime        // no response head in time
	Reset               // the connection ended before a response head
	Malformed           // what came was no response
	Truncated           // the body was cut
	Stalled             // no byte of the body in time
	ServerError         // 5xx: the server's own answer
	reasons
)

var reasonNames = [reasons]string{
	"", "no_server", "connect", "connect_timeout", "tls", "queue_full", "queue_timeout", "closed", "shortage", "timeout", "reset",
	"malformed", "truncated", "stalled", "server_error",
}

// String is the metric label.
func (r Reason) String() string {
	if r >= reasons {
		return "other"
	}
	return reasonNames[r]
}

// ours reports whether a failure says nothing about the server.
func (r Reason) ours() bool {
	return r == None || r == NoServer || r == QueueFull || r == QueueTime || r == Closed || r == Shortage
}

// Error is why Get has no connection.
type Error struct {
	Reason   Reason
	Upstream string
	Server   string // the last one tried; "" when none was
	Err      error
}

func (e *Error) Error() string {
	if e.Server == "" {
		return fmt.Sprintf("upstream %s: %s", e.Upstream, e.Reason)
	}
	return fmt.Sprintf("upstream %s: server %s: %s: %v", e.Upstream, e.Server, e.Reason, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// ReasonOf is the reason of an error that Get returned.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return Connect
}

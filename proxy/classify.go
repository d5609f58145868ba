package proxy

import (
	"serin/gate/window"
	"serin/proxy/upstream"
)

// origin is whose doing the end of a request was. The zero value is nobody's: the upstream's answer was passed on whole.
type origin uint8

const (
	answered     origin = iota
	byClient            // malformed, too large, too slow
	clientLeft          // reset, or closed when we wrote
	byUs                // no route, limits, draining, a bug
	byUpstream          // see reason
	upstreamLate        // byUpstream, after its head had been passed on: the client sees the answer break off
)

// ending says how a request ended. The first cause counts: what breaks in its wake does not.
type ending struct {
	origin origin
	reason upstream.Reason // of byUpstream and upstreamLate
	status int             // what the client was told, or would have been; 0 when answered says nothing else
}

// classify is the only definition of failed: the outcome that a request is recorded with, once. A failure counts against
// the arm if and only if its upstream caused it.
func (e ending) classify() window.Outcome {
	switch e.origin {
	case answered:
		return classOf(e.status)
	case byClient, byUs:
		return window.Neutral
	case clientLeft:
		if o := classOf(e.status); o.Bad() {
			return o // it had failed before its client left
		}
		return window.Abort
	case upstreamLate:
		if o := classOf(e.status); o.Bad() {
			return o
		}
		return window.Truncated
	case byUpstream:
		return outcomeOf(e.reason)
	}
	return window.Neutral
}

// classOf is the outcome of an answer that came whole.
func classOf(status int) window.Outcome {
	switch {
	case status < 100 || status > 599:
		return window.Neutral
	case status < 200:
		return window.Informational
	case status < 300:
		return window.Success
	case status < 400:
		return window.Redirect
	case status == 429:
		return window.Throttled
	case status < 500:
		return window.ClientError
	}
	return window.ServerError
}

// outcomeOf is the outcome of an upstream failure before its head.
func outcomeOf(r upstream.Reason) window.Outcome {
	switch r {
	case upstream.NoServer, upstream.Connect, upstream.ConnectTime, upstream.TLS:
		return window.Unreachable
	case upstream.ResponseTime:
		return window.Timeout
	case upstream.Reset, upstream.Malformed:
		return window.Reset
	case upstream.Truncated, upstream.Stalled:
		return window.Truncated
	case upstream.ServerError:
		return window.ServerError
	}
	return window.Neutral // our own limits: QueueFull, QueueTime, Closed, Shortage
}

// failure is what the client is told of an upstream failure before its head: status and one sentence.
func failure(r upstream.Reason) (status int, text string) {
	switch r {
	case upstream.ResponseTime:
		return 504, "The upstream did not answer in time."
	case upstream.Reset:
		return 502, "The upstream ended the connection before it answered."
	case upstream.Malformed, upstream.Truncated, upstream.Stalled:
		return 502, "The upstream's answer makes no sense."
	case upstream.TLS:
		return 502, "The upstream's certificate or handshake was refused."
	case upstream.QueueFull, upstream.QueueTime:
		return 503, "Too many requests wait for the upstream."
	}
	return 503, "The upstream cannot be reached."
}

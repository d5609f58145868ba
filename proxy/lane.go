package proxy

import (
	"serin/proxy/upstream"
	"serin/proxy/wire"
)

// The fast lane is a shorter way to the same end. Both doors lead into one room: the gate, the router, the choice of the
// arm, the pool, the two writers of heads, the classifier and the meters are the same code, run in the same order, and
// the lane decides nothing. It replaces two steps of forward, nothing before and nothing after:
//
//	full door   Get: peek   send: Write            await: Read (finds nothing), park, Read, Parse ...
//	lane        Get         ask: peek, send, park, Read                            await: Parse ...
//
// The four system calls of ask are made in one turn with the descriptor (wire.Reader.Ask), by package socket. That saves
// the read that is sure to find nothing, the scheduler's share of three calls, and the gap between peek and send.
//
// A request may take it when nothing about it asks for more than one write and one wait: its head is plain (one parser
// suffices), its body, if any, came whole with the head, and no TLS is on either side. The connection must have carried a
// message before, so that what a new connection's server says unasked is read before the request is sent. Whatever does
// not go as expected goes on at the full door, from where it stands: a message the kernel took in part is written on by
// send, an answer that came in part is read on by await, a connection that was not quiet is replaced by forward.
//
// With fast_lane = false no request takes it. TestExchange holds every conversation with and without, and FuzzLane
// compares both for any request bytes: same decision, same bytes upstream, same answer, same outcome.

// inLane reports whether the request may be asked; Conn.Asks says it of the connection.
func (x *exchange) inLane() bool {
	c := x.client
	return x.request.Plain && x.requestBody.Done() && !c.options.Strict && !c.accepted.Secure
}

// ask sends the request and waits for its answer's first bytes. Rest is what the kernel did not take; without rest the
// answer has begun. False: see x.end, or x.up is nil: the connection was not quiet, has gone back, and nothing was sent.
func (x *exchange) ask() (rest []byte, ok bool) {
	up := x.up
	up.ReadWithin(x.pool.Timeouts().Response)
	var sent func()
	if x.sampled {
		sent = x.stamp
	}
	n, err := up.In.Ask(x.out.b, sent)
	x.client.byLane++
	x.sent, rest = n > 0, x.out.b[n:]
	switch {
	case err == nil:
		return rest, true
	case err == wire.ErrNotQuiet:
		x.client.conn.Release()
		x.pool.Stale(up)
		x.up = nil
	case len(rest) > 0:
		x.fail(ending{origin: byUpstream, reason: upstream.Reset, status: 502})
	default:
		x.fail(x.headless(err))
	}
	return rest, false
}

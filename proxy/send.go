package proxy

import (
	"errors"
	"io"
	"os"
	"time"

	"serin/proxy/upstream"
	"serin/proxy/wire"
	"serin/router"
)

const (
	// maxInterim is how many 1xx answers may come before the final one.
	maxInterim = 10
	// maxUnsent is how often a request that reached nobody is given to another connection.
	maxUnsent = 3
)

// forward gets the response's head: on a connection of the arm's pool, on a second one where RFC 9110, section 9.2.2,
// and the budget allow. False: the request has failed, see x.end.
func (x *exchange) forward() bool {
	var avoid *upstream.Server
	var failed ending // that is tried again
	for unsent := 0; ; {
		if !x.lend(avoid) {
			if failed != (ending{}) && x.retries > 0 && x.end.reason == upstream.Closed { // nobody is left to try: it is as it was
				x.end = failed
			}
			return false
		}
		if x.send() && x.await() {
			return true
		}
		if x.up == nil { // given back unused
			continue
		}
		server := x.up.Server()
		x.stopUpload()
		x.blame()
		x.drop(x.end.reason)
		switch {
		case x.end.origin != byUpstream:
			return false
		case !x.sent && unsent < maxUnsent:
			unsent++
		case x.mayRetry() && x.pool.Retry(server):
			x.retries++
		default:
			return false
		}
		avoid = server
		failed, x.end = x.end, ending{}
	}
}

// mayRetry: no byte of an answer, a method that may be repeated, and no body, whose beginning is gone. One of no bytes, as
// many clients send with PUT and DELETE, is none.
func (x *exchange) mayRetry() bool {
	r := &x.request
	bodiless := r.Framing == wire.NoBody || r.Framing == wire.Length && r.ContentLength == 0
	return x.end.reason == upstream.Reset && x.retries < x.pool.Retries() && r.Idempotent && bodiless && !x.heard
}

// lend takes a connection from the pool. A pool that a reload is retiring sends us to the snapshot in force, and the request
// is counted there.
func (x *exchange) lend(avoid *upstream.Server) bool {
	up, err := x.get(avoid)
	if err != nil && upstream.ReasonOf(err) == upstream.Closed && x.reroute() {
		up, err = x.get(x.pool.Twin(avoid))
	}
	if err != nil {
		reason := upstream.ReasonOf(err)
		status, _ := failure(reason)
		x.fail(ending{origin: byUpstream, reason: reason, status: status})
		return false
	}
	x.up, x.sent = up, false
	x.server = up.Server().Name()
	c := x.client
	c.conn.Guard(up.Conn)
	if c.conn.Broken() { // Drain came between
		x.drop(upstream.None)
		x.fail(ending{origin: byUs, status: 503})
		return false
	}
	return true
}

func (x *exchange) get(avoid *upstream.Server) (up *upstream.Conn, err error) {
	var began time.Duration
	if x.sampled {
		began = x.client.proxy.now()
	}
	if x.inLane() {
		up, err = x.pool.GetToAsk(x.key, avoid)
	} else {
		up, err = x.pool.Get(x.key, avoid)
	}
	if x.sampled && (err != nil || !up.Reused()) {
		x.dialled += x.client.proxy.now() - began
	}
	return up, err
}

// reroute moves a request to the snapshot in force; one that has been sent already, or that a shield gives a second chance, to
// the same arm only.
func (x *exchange) reroute() bool {
	latest := x.client.proxy.snap.Load()
	if latest == x.snap {
		return false
	}
	route := latest.Table.Match(&x.routed)
	if (x.sent || x.recorded) && !x.sameArm(latest, route) {
		return false
	}
	x.snap = latest
	x.client.state.Store(lastState + latest.generation)
	if route == nil {
		return false
	}
	x.route, x.split, x.meter, x.drilled = route, nil, nil, nil
	x.choice, x.answer.Lines, x.answer.SetCookie, x.answer.Drop = router.Choice{}, nil, nil, ""
	if x.copy != nil { // nobody knows any more which arm will have answered
		x.copy.mirror.skip(x.copy)
		x.copy = nil
	}
	x.choose()
	x.faults = 0 // it is under way: a drill is too late for it
	x.readdress()
	return true
}

// readdress writes the request's head anew, for another pool; what came of the body stays.
func (x *exchange) readdress() {
	x.address()
	body := append([]byte(nil), x.out.b[x.headEnd:]...)
	x.out.b = wire.AppendRequest(x.out.b[:0], &x.request, &x.outgoing)
	x.headEnd = len(x.out.b)
	x.out.b = append(x.out.b, body...)
}

// sameArm reports whether a route of the snapshot latest sends the request where it has been. One that minted its key has
// none to tell by.
func (x *exchange) sameArm(latest *Snapshot, route *router.Route) bool {
	if route == nil || route.Split == nil {
		return route != nil && x.split == nil
	}
	s, choice := route.Choose(&x.routed)
	if s == nil || x.split == nil {
		return s == nil && x.split == nil
	}
	return choice.Mint == "" && choice.Arm == x.choice.Arm && latest.Splits[s.ID].Name == x.split.Name
}

// drop gives the connection back to be closed, counting a failure.
func (x *exchange) drop(reason upstream.Reason) {
	if x.up == nil {
		return
	}
	x.client.conn.Release()
	x.up.In.Discard(x.up.In.Buffered())
	x.up.In.Release()
	x.pool.Done(x.up, false, reason)
	x.up = nil
}

// send writes the head and what came of the body, and starts the upload of the rest. False: see x.end, or x.up is nil and
// nothing happened.
func (x *exchange) send() bool {
	c, rest := x.client, x.out.b
	if x.inLane() && x.up.Asks() {
		var ok bool
		if rest, ok = x.ask(); !ok || len(rest) == 0 {
			return ok
		}
	}
	n, err := x.up.Write(rest)
	x.sent = x.sent || n > 0
	if err != nil && n < len(rest) && (!x.sent || x.requestBody.Framing == wire.NoBody) {
		x.fail(ending{origin: byUpstream, reason: upstream.Reset, status: 502})
		return false
	}
	if x.sampled {
		x.sentAt = c.proxy.now()
	}
	if x.requestBody.Done() || err != nil { // its answer may say why
		x.upload.err = err
		x.up.ReadWithin(x.pool.Timeouts().Response)
		return true
	}
	if x.request.Expect100 && !x.continued && x.requestBody.Data == 0 {
		x.continued = true
		if _, err := c.conn.Write([]byte("HTTP/1.1 100 Continue\r\n\r\n")); err != nil {
			x.fail(ending{origin: clientLeft, status: 499})
			return false
		}
	}
	x.startUpload()
	return true
}

// await reads heads until a final one; interim ones are passed on. False: see x.end.
func (x *exchange) await() bool {
	up, c := x.up, x.client
	asked := x.request.Asked()
	for interim := 0; ; {
		x.response.Reset()
		n, ok := x.readHead(asked)
		if !ok {
			return false
		}
		if !x.response.Interim {
			x.headAt = c.proxy.now()
			x.headBytes = n
			x.end.status = x.response.Status
			return true
		}
		x.heard = true
		if interim++; interim > maxInterim {
			x.fail(ending{origin: byUpstream, reason: upstream.Malformed, status: 502})
			return false
		}
		if x.response.Status != 100 && !x.request.HTTP10 { // we answered Expect ourselves
			head := wire.AppendResponse(nil, &x.response, &x.answer)
			if _, err := c.conn.Write(head); err != nil {
				x.fail(ending{origin: clientLeft, status: 499})
				return false
			}
		}
		up.In.Discard(n)
	}
}

// readHead reads one response head and leaves it in the buffer.
func (x *exchange) readHead(asked wire.Asked) (n int, ok bool) {
	up := x.up
	for {
		if up.In.Buffered() > 0 {
			n, err := x.response.Parse(up.In.Bytes(), asked, nil)
			if err == nil && n > 0 && !x.response.Plain {
				err = x.response.SecondOpinion()
			}
			if err != nil {
				x.fail(ending{origin: byUpstream, reason: upstream.Malformed, status: 502})
				return 0, false
			}
			if n > 0 {
				return n, true
			}
		}
		if _, err := up.In.Fill(2 * wire.DefaultResponseHead); err != nil {
			x.fail(x.headless(err))
			return 0, false
		}
	}
}

// headless says what a failed read for a response head means.
func (x *exchange) headless(err error) ending {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && !x.up.Broken():
		return ending{origin: byUpstream, reason: upstream.ResponseTime, status: 504}
	case errors.Is(err, io.ErrShortBuffer), x.up.In.Buffered() > 0:
		return ending{origin: byUpstream, reason: upstream.Malformed, status: 502}
	}
	return ending{origin: byUpstream, reason: upstream.Reset, status: 502}
}

// blame corrects x.end after the connection broke: who broke it? The upload has stopped.
func (x *exchange) blame() {
	c := x.client
	status := x.end.status
	switch {
	case c.conn.Gone():
		if x.headAt == 0 {
			status = 499
		}
		x.end = ending{origin: clientLeft, status: status}
	case c.conn.Broken(), x.pool.Cut(): // Drain, out of patience
		if x.headAt == 0 {
			status = 503
		}
		x.end = ending{origin: byUs, status: status}
	case x.upload.pipe.Failed == wire.Source && x.upload.err != nil:
		x.end = x.clientFault(x.upload.err)
		if x.headAt != 0 {
			x.end.status = status
		}
	}
}

// clientFault says what a body that could not be read means.
func (x *exchange) clientFault(err error) ending {
	if refusal, ok := errors.AsType[*wire.Error](err); ok {
		x.refusal = refusal
		return ending{origin: byClient, status: refusal.Status}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ending{origin: byClient, status: 408}
	}
	return ending{origin: clientLeft, status: 499}
}

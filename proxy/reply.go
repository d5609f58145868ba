package proxy

import (
	"errors"
	"os"
	"time"

	"serin/proxy/upstream"
	"serin/proxy/wire"
)

// forever stands for no limit where a wait must not look unbounded.
const forever = 365 * 24 * time.Hour

// reply passes the answer on: one write where it is small, else as it comes.
func (x *exchange) reply() {
	if x.response.Switch {
		x.tunnel()
		return
	}
	if x.faults&faultCut != 0 {
		x.cutReply()
		return
	}
	c, up := x.client, x.up
	sent := x.joinUpload()
	x.answer.KeepAlive = sent && x.mayKeep()
	framing := x.response.FramingTo(x.request.HTTP10)
	stream := isEventStream(&x.response)
	if x.split != nil && x.split.Extras != nil && x.split.Extras.Signals != nil {
		x.signal(x.split.Extras.Signals)
	}
	x.out.b = wire.AppendResponse(x.out.b[:0], &x.response, &x.answer)
	up.In.Discard(x.headBytes)
	x.replyBody.Reset(x.response.Framing, max(x.response.ContentLength, 0), 0)
	if x.replyBody.KeepTrailer = x.request.Trailers; x.request.Trailers && x.answer.Drop != "" {
		x.replyBody.Drop = []string{x.answer.Drop}
	}
	to, used, err := x.replyBody.Append(x.out.b, up.In.Bytes(), framing)
	if err != nil {
		x.end = ending{}
		x.giveUp(ending{origin: byUpstream, reason: upstream.Malformed, status: 502})
		x.refuseFailed()
		return
	}
	x.out.b = to
	up.In.Discard(used)
	if x.copy != nil {
		x.copy.tee(to)
	}
	if stream {
		x.record()
	}
	whole := x.replyBody.Done()
	if whole {
		x.complete()
	}
	x.replied = true
	if _, err := c.conn.Write(x.out.b); err != nil {
		x.giveUp(ending{origin: clientLeft})
		return
	}
	if x.sentAt != 0 && x.retries == 0 { // what is still to come of the body is the upstream's time
		c.proxy.overhead.record(x.sentAt - x.start - x.dialled + c.proxy.now() - x.headAt)
	}
	if !whole && !x.copyReply(framing) {
		return
	}
	x.keep = x.answer.KeepAlive && framing != wire.UntilClose
	c.linger = c.linger || !sent || x.request.KeepAlive && !x.keep // the client may have sent more
}

// copyReply passes the rest of a body on as it comes. False: it broke off, and so does the client's connection.
func (x *exchange) copyReply(framing wire.Framing) bool {
	c, up := x.client, x.up
	wait := x.pool.Timeouts().Idle
	if wait <= 0 {
		wait = forever
	}
	up.EachRead(wait)
	x.pipe.Src, x.pipe.Dst, x.pipe.Body, x.pipe.Out, x.pipe.Failed = &up.In, c.conn, &x.replyBody, framing, wire.Neither
	if x.copy != nil {
		x.pipe.Dst = (*teeWriter)(x)
	}
	err := x.pipe.Run()
	x.pipe.Src, x.pipe.Dst = nil, nil
	switch {
	case err == nil:
		x.complete()
		return true
	case x.pipe.Failed == wire.Sink:
		x.giveUp(ending{origin: clientLeft})
	case errors.Is(err, os.ErrDeadlineExceeded):
		x.giveUp(ending{origin: upstreamLate, reason: upstream.Stalled})
	default:
		x.giveUp(ending{origin: upstreamLate, reason: upstream.Truncated})
	}
	c.reset() // what the client has must not look whole
	return false
}

// complete gives the connection of a whole answer back and records the request: before its last byte is written, so that
// who has seen the answer finds it counted.
func (x *exchange) complete() {
	sent := x.joinUpload()
	x.stopUpload()
	up := x.up
	left := x.client.conn.Release()
	reuse := sent && left && x.response.KeepAlive && up.In.Buffered() == 0 && !up.In.EOF()
	if !reuse {
		up.In.Discard(up.In.Buffered())
	}
	up.In.Release()
	reason := upstream.None
	if x.end.status >= 500 {
		reason = upstream.ServerError
	}
	x.pool.Done(up, reuse, reason)
	x.up = nil
	x.record()
}

// giveUp ends the exchange with the upstream for a cause.
func (x *exchange) giveUp(e ending) {
	x.fail(e)
	if x.up == nil {
		return
	}
	x.stopUpload()
	x.blame()
	reason := upstream.None
	if x.end.origin == byUpstream || x.end.origin == upstreamLate {
		reason = x.end.reason
	}
	x.drop(reason)
	x.record()
}

// mayKeep reports whether the client's connection may carry another request after this one.
func (x *exchange) mayKeep() bool {
	c := x.client
	return x.request.KeepAlive && c.served+1 < c.options.Requests && !c.ending()
}

// refuse answers in the upstream's place; the connection lives when no body is left unread. Always false.
func (x *exchange) refuse(o origin, status int, reason, text string) bool {
	c := x.client
	x.fail(ending{origin: o, status: status})
	unread := x.request.Framing != wire.NoBody && (x.requestBody.Framing == wire.NoBody || !x.requestBody.Done())
	x.keep = x.mayKeep() && !unread
	c.linger = !x.keep
	json := !x.upload.started && x.request.WantsJSON() // the head is gone once more was read
	x.out.b = wire.AppendError(x.out.b[:0], status, reason, text, json, !x.keep, x.request.IsHead, x.answer.Date)
	x.record()
	x.replied = true
	if _, err := c.conn.Write(x.out.b); err != nil {
		x.keep = false
	}
	return false
}

// refuseBy answers a request that package wire refused. Always false.
func (x *exchange) refuseBy(err error) bool {
	refusal, ok := errors.AsType[*wire.Error](err)
	if !ok {
		panic("BUG: wire refused with something else than its error: " + err.Error())
	}
	x.request.KeepAlive = false
	return x.refuse(byClient, refusal.Status, refusal.Reason, refusal.Text)
}

// answerOptions is the end of an OPTIONS request that may go no further (RFC 9110, section 7.6.2). Always false.
func (x *exchange) answerOptions() bool {
	const head = "HTTP/1.1 200 OK\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\nContent-Length: 0\r\n"
	x.end = ending{origin: byUs, status: 200}
	x.keep = x.mayKeep() && x.request.Framing == wire.NoBody
	x.client.linger = !x.keep
	x.out.b = append(append(x.out.b[:0], head...), x.answer.Date...)
	if !x.keep {
		x.out.b = append(x.out.b, "Connection: close\r\n"...)
	}
	x.out.b = append(x.out.b, "\r\n"...)
	if _, err := x.client.conn.Write(x.out.b); err != nil {
		x.keep = false
	}
	return false
}

// refuseFailed tells the client of a request that forward could not bring to an answer.
func (x *exchange) refuseFailed() {
	switch x.end.origin {
	case byUpstream:
		if x.faults&faultAbort != 0 {
			x.refuseFault()
			return
		}
		status, text := failure(x.end.reason)
		x.refuse(byUpstream, status, x.end.reason.String(), text)
	case byClient:
		x.request.KeepAlive = false // where its body ends is not known
		if x.refusal != nil {
			x.refuse(byClient, x.refusal.Status, x.refusal.Reason, x.refusal.Text)
			return
		}
		x.refuse(byClient, x.end.status, "body_timeout", "The request's body did not come in time.")
	case byUs:
		x.refuse(byUs, 503, "draining", "This proxy or its upstream is being shut down.")
	case clientLeft, answered, upstreamLate: // nobody is there to be told
	}
}

// refuseUnparsed answers what is no request.
func (c *client) refuseUnparsed(status int, reason, text string) {
	c.proxy.refused.Add(1)
	c.linger = true
	_, _ = c.conn.Write(wire.AppendError(nil, status, reason, text, false, true, false, c.proxy.date()))
}

// isEventStream reports whether the answer is a stream that may never end: it is judged by its head.
func isEventStream(p *wire.Response) bool {
	const name = "text/event-stream"
	value := p.Value("Content-Type")
	return len(value) >= len(name) && string(value[:len(name)]) == name
}

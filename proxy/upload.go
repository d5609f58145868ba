package proxy

import (
	"time"

	"serin/proxy/wire"
)

// finishing is how long an answer's head waits for an upload that has only its last write to return from.
const finishing = 50 * time.Millisecond

// Write is the upload's way to the upstream: it marks the last write, so that an answer that overtakes its return is not
// taken for an early one.
func (u *uploadWriter) Write(p []byte) (int, error) {
	x := (*exchange)(u)
	if x.requestBody.Done() {
		x.upload.last.Store(true)
	}
	if x.upload.pace.window == 0 {
		return x.up.Write(p)
	}
	clock := x.client.proxy.sweeper
	began := clock.Now()
	n, err := x.up.Write(p)
	x.upload.pace.writing += clock.Now() - began
	return n, err
}

// uploadWriter is an exchange as the sink of its upload.
type uploadWriter exchange

// startUpload sends the rest of the body in a goroutine of its own, which stopUpload or joinUpload waits for.
func (x *exchange) startUpload() {
	p := &x.upload.pipe
	x.upload.started, x.upload.running = true, true
	p.Src, p.Dst, p.Body, p.Out = &x.client.in, (*uploadWriter)(x), &x.requestBody, x.request.Framing
	x.upload.answered.Store(false)
	o := x.client.options
	x.client.conn.EachRead(o.BodyIdle)
	x.upload.pace = newPace(o.BodyRate, o.BodyIdle, x.client.proxy.sweeper.Now(), x.requestBody.Data)
	x.up.ReadWithin(0) // before the upload can end and start the wait
	go x.runUpload()
}

// runUpload owns the client's reading side, the request's body and the upstream's writing side while it runs.
func (x *exchange) runUpload() {
	u := &x.upload
	defer func() {
		if bug := recover(); bug != nil {
			x.client.proxy.bug(bug)
			u.err, u.pipe.Failed = &wire.Error{Status: 500, Reason: "bug", Text: "Serin failed."}, wire.Source
			x.up.Break()
		}
		x.uploaded <- struct{}{}
	}()
	u.err = x.pump()
	switch {
	case u.err == nil:
		u.finished = true
		x.up.StartRead(x.pool.Timeouts().Response)
	case u.stopped.Load():
		u.pipe.Failed = wire.Neither // we broke it
	case u.pipe.Failed == wire.Source:
		x.up.Break() // wakes the exchange
	}
	// A failed write stops the upload only: the upstream may have answered before it closed.
	if u.err != nil && u.pipe.Failed == wire.Sink {
		x.up.StartRead(x.pool.Timeouts().Response)
	}
}

// pump copies the body to its end, or until the client is too slow. Once its answer has begun, the upload is one side of a
// conversation, and may be as slow as it likes.
func (x *exchange) pump() error {
	u := &x.upload
	if u.pace.window == 0 {
		return u.pipe.Run()
	}
	for {
		if done, err := u.pipe.Step(); done || err != nil {
			return err
		}
		if !u.answered.Load() && u.pace.slow(x.client.proxy.sweeper.Now(), x.requestBody.Data) {
			u.pipe.Failed = wire.Source
			return errBodySlow
		}
	}
}

// joinUpload waits for an upload that is about to end, and reports whether the request has been sent whole. The answer has
// begun.
func (x *exchange) joinUpload() bool {
	u := &x.upload
	if u.running {
		u.answered.Store(true)
	}
	if u.running && u.last.Load() {
		timer := time.NewTimer(finishing)
		defer timer.Stop()
		select {
		case <-x.uploaded:
			u.running = false
		case <-timer.C:
		}
	}
	return !u.running && (u.finished || x.requestBody.Done() && u.err == nil)
}

// tryJoin notices an upload that has ended meanwhile.
func (x *exchange) tryJoin() {
	if !x.upload.running {
		return
	}
	select {
	case <-x.uploaded:
		x.upload.running = false
	default:
	}
}

// stopUpload ends the upload, if it runs, and waits for it. The upstream connection is of no use afterwards.
func (x *exchange) stopUpload() {
	if !x.upload.running {
		return
	}
	x.tryJoin()
	if !x.upload.running {
		return
	}
	x.upload.stopped.Store(true)
	x.client.conn.Interrupt()
	x.up.Break()
	<-x.uploaded
	x.upload.running = false
	x.client.conn.Resume()
}

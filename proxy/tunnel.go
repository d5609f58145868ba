package proxy

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"serin/proxy/deadline"
	"serin/proxy/upstream"
	"serin/proxy/wire"
)

// tunnel joins both connections after 101 until both sides have ended, one has failed, or no byte has come from either
// for TunnelIdle. What arrived with the heads goes first. The request is judged by its handshake.
func (x *exchange) tunnel() {
	c, up := x.client, x.up
	x.out.b = wire.AppendResponse(x.out.b[:0], &x.response, &x.answer)
	up.In.Discard(x.headBytes)
	x.record()
	x.replied = true
	_, err := c.conn.Write(x.out.b)
	if err == nil {
		t := &tunnel{idle: c.options.TunnelIdle, now: c.proxy.sweeper.Now}
		t.last.Store(int64(t.now()))
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() {
				if bug := recover(); bug != nil {
					c.proxy.bug(bug)
					c.conn.Break()
					up.Break()
				}
			}()
			t.pump(&c.in, c.conn, up.Conn)
		}()
		t.pump(&up.In, up.Conn, c.conn)
		<-done
		x.requestBody.Data, x.replyBody.Data = t.sent.Load(), t.received.Load()
	}
	x.drop(upstream.None)
}

// tunnel is what both directions share.
type tunnel struct {
	idle           time.Duration
	now            func() time.Duration
	last           atomic.Int64 // when a byte last moved, either way
	sent, received atomic.Int64
}

// pump copies one direction. An end is passed on as a half-close; a failure breaks both connections.
func (t *tunnel) pump(in *wire.Reader, from, to *deadline.Conn) {
	from.EachRead(t.idle)
	for {
		if in.Buffered() > 0 {
			if _, err := to.Write(in.Bytes()); err != nil {
				break
			}
			t.last.Store(int64(t.now()))
			in.Discard(in.Buffered())
		}
		_, err := in.Fill(0)
		if err == nil {
			continue
		}
		if errors.Is(err, io.EOF) {
			_ = to.CloseWrite()
			return
		}
		quiet := t.now() - time.Duration(t.last.Load())
		if !errors.Is(err, os.ErrDeadlineExceeded) || from.Broken() || quiet >= t.idle {
			break
		}
	}
	from.Break()
	to.Break()
}

package proxy

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"serin/proxy/deadline"
	"serin/proxy/listen"
)

// A client that has just connected may be slow to say why, on a busy machine or where a packet was lost.
func TestDrain_NewConnectionsHaveLongerForTheirFirstRequestThanIdleOnes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*client)
		want   time.Duration
	}{
		{"new, draining", func(c *client) { c.proxy.draining.Store(true) }, firstGrace},
		{"new, its listener left", func(c *client) { c.serving.retired.Store(true) }, firstGrace},
		{"served before, draining", func(c *client) { c.proxy.draining.Store(true); c.served = 1 }, drainGrace},
		{"served before, its listener left", func(c *client) { c.serving.retired.Store(true); c.served = 1 }, drainGrace},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				near, far := net.Pipe()
				defer far.Close()
				defer near.Close()
				p := New(Options{})
				go func() { _ = p.sweeper.Run(ctx) }()
				c := &client{proxy: p, serving: NewServing(ServeOptions{}), accepted: &listen.Conn{}, conn: p.sweeper.Watch(near)}
				c.options = c.serving.options.Load()
				tt.change(c)
				began := time.Now()
				c.awaitFirst(false)
				_, err := c.conn.Read(make([]byte, 1))
				if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || took < tt.want || took > tt.want+2*deadline.Grain {
					t.Errorf("waited %v (%v), want %v", took, err, tt.want)
				}
			})
		})
	}
}

func TestDrain_OfAConnectionThatWasAskedToLeaveBefore_StillWaitsForARequestOnItsWay(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	client := r.dial()
	client.send(get)
	server := accept(t, up)
	exchange := func() string {
		server.head()
		server.send(nothing)
		return client.head()
	}
	exchange()
	eventually(t, func() bool { r.proxy.askToLeave(nil, 1); return r.leaving() == 1 }, func() string { return "nobody is idle" })
	client.send(get)
	wantNoField(t, exchange(), "Connection") // there is room again
	r.proxy.draining.Store(true)
	eventually(t, r.hurry, func() string { return "nobody is idle" })
	client.send(get)
	wantField(t, exchange(), "Connection: close")
	client.expectEnd()
}

// hurry is what Drain does with idle clients; false: the rig's only one was busy.
func (r *rig) hurry() (idle bool) {
	r.proxy.each(func(c *client) { idle = c.hurry() })
	return idle
}

// leaving is how many clients were asked to leave.
func (r *rig) leaving() (n int) {
	r.proxy.each(func(c *client) {
		if c.asked {
			n++
		}
	})
	return n
}

package proxy

import (
	"net/netip"
	"sync/atomic"
	"time"

	"serin/proxy/wire"
	"serin/router"
)

// ServeOptions are one listener's waits and limits; zero values are the defaults given.
type ServeOptions struct {
	Head       time.Duration // from a request's first byte (a connection's first: from its acceptance) to its head's end; 10s
	BodyIdle   time.Duration // between two reads of a request body; 30s
	KeepAlive  time.Duration // between two requests; 75s
	WriteIdle  time.Duration // without progress of a write; 30s
	TunnelIdle time.Duration // without a byte in either direction after 101; 1h

	Limits    wire.Limits
	Body      int64          // bytes of a request body; 0: no limit
	BodyRate  int64          // payload bytes a second that an upload must make on average over BodyIdle; 0: no bound
	WriteRate int64          // bytes a second that a client must take while it is waited for, see deadline.Conn; 0: no bound
	Requests  int            // of a connection; 0: no limit but maxRequests
	Trusted   []netip.Prefix // whose X-Forwarded-* lines are believed; the zero one is of unix sockets
	Strict    bool           // every head gets the second opinion (fast_lane = false)

	Via        string        // what we call ourselves in Via, which ends loops too; "" none
	Hosts      *router.Table // a request must match one of its routes by its host; nil: any
	Local      string        // path below which Snapshot.Local takes every request, "/ofrep"; "" none
	PlainPaths bool          // paths that can be read in two ways are refused

	choosy bool // one of the last three is set
}

func (o *ServeOptions) fill() {
	defaults := []struct {
		field *time.Duration
		value time.Duration
	}{
		{&o.Head, 10 * time.Second},
		{&o.BodyIdle, 30 * time.Second},
		{&o.KeepAlive, 75 * time.Second},
		{&o.WriteIdle, 30 * time.Second},
		{&o.TunnelIdle, time.Hour},
	}
	for _, d := range defaults {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	if o.Requests <= 0 || o.Requests > maxRequests {
		o.Requests = maxRequests
	}
	o.choosy = o.Via != "" || o.Hosts != nil || o.PlainPaths
}

// Serving is what the connections of one listener are served with, for Serve. Its methods are safe for concurrent use.
type Serving struct {
	options atomic.Pointer[ServeOptions]
	retired atomic.Bool // every answer is the last of its connection
}

// NewServing serves with o.
func NewServing(o ServeOptions) *Serving {
	s := new(Serving)
	s.Set(o)
	return s
}

// Set replaces the options for connections accepted from now on; those that are open keep theirs.
func (s *Serving) Set(o ServeOptions) {
	o.fill()
	s.options.Store(&o)
}

// Retire makes every answer the last of its connection and closes idle connections, as Drain does, for s alone. It waits
// for nobody.
func (p *Proxy) Retire(s *Serving) {
	s.retired.Store(true)
	p.each(func(c *client) {
		if c.serving == s {
			c.hurry()
		}
	})
}

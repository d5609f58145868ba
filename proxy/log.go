package proxy

import (
	random "math/rand/v2"
	"net/netip"
	"time"

	"serin/gate/window"
	"serin/proxy/wire"
	"serin/router"
)

// AccessLog is told of every request that was parsed, when it is over. Log is called by many goroutines and must not
// wait; the entry and its slices are the proxy's and valid during the call only.
type AccessLog interface{ Log(e *Entry) }

// Entry is one request's line in the access log.
type Entry struct {
	Start                    time.Time
	Peer, Client             netip.Addr // who connected; who is believed to have asked
	Method, Target, Host     []byte     // as received: control bytes other than in names are possible in Target above 0x7f
	UserAgent, Referer       []byte
	Status                   int // as told to the client; 499: it left first
	Outcome                  window.Outcome
	Route, Rollout           string
	Arm                      string // of the rollout; "" on a plain route
	Why                      router.Why
	Upstream, Server         string
	Head                     time.Duration // from the request's head to the response's head; 0 without one
	Total                    time.Duration
	RequestBytes, ReplyBytes int64 // payload
	Retries                  int
	Secure                   bool
	Key                      uint64        // hash of the user's key with the rollout's salt; 0: no key
	Span                     wire.Span     // zero without a Sampler
	Sent                     time.Duration // from the request's head to the request sent, where that was measured; else 0
}

// Sampler decides which requests' spans are recorded. Sample is called by many goroutines; s has its ids, and for a trace
// that came with the request what the caller decided. The answer goes upstream as the sampled flag.
type Sampler interface{ Sample(s *wire.Span) bool }

// beginSpan names the request's spans.
func (x *exchange) beginSpan() {
	x.outgoing.Span = nil
	if sampler := x.client.proxy.spans; sampler != nil {
		x.span.Begin(&x.request, &[4]uint64{random.Uint64(), random.Uint64(), random.Uint64(), random.Uint64()})
		x.span.Sampled = sampler.Sample(&x.span)
		x.outgoing.Span = &x.span
	}
}

// logged holds what the log needs of a head whose buffer is gone by the time the request is over.
type logged struct {
	text                               []byte
	method, target, host, agent, refer int // ends in text
}

func (x *exchange) keepForLog() {
	if x.client.proxy.access == nil {
		return
	}
	r, l := &x.request, &x.logged
	l.text = append(l.text[:0], r.Method...)
	l.method = len(l.text)
	l.text = append(l.text, r.Target...)
	l.target = len(l.text)
	l.text = append(l.text, r.Host...)
	l.host = len(l.text)
	l.text = append(l.text, r.Value("User-Agent")...)
	l.agent = len(l.text)
	l.text = append(l.text, r.Value("Referer")...)
	l.refer = len(l.text)
}

func (x *exchange) log() {
	c := x.client
	if c.proxy.access == nil {
		return
	}
	l, total := &x.logged, c.proxy.now()-x.start
	e := Entry{
		Start: time.Now().Add(-total), Peer: c.peer, Client: x.routed.Client,
		Method: l.text[:l.method], Target: l.text[l.method:l.target], Host: l.text[l.target:l.host],
		UserAgent: l.text[l.host:l.agent], Referer: l.text[l.agent:l.refer],
		Status: x.end.status, Outcome: x.end.classify(), Why: x.choice.Why, Server: x.server,
		Total: total, RequestBytes: x.requestBody.Data, ReplyBytes: x.replyBody.Data, Retries: x.retries,
		Secure: c.accepted.Secure, Key: x.choice.Hash, Span: x.span,
	}
	if x.sentAt != 0 {
		e.Sent = x.sentAt - x.start
	}
	if x.headAt != 0 {
		e.Head = x.headAt - x.start
	}
	if x.route != nil {
		e.Route = x.route.Name
	}
	if x.split != nil {
		e.Rollout, e.Arm = x.split.Name, x.split.armName(x.choice.Arm)
	}
	if x.pool != nil {
		e.Upstream = x.pool.Name()
	}
	c.proxy.access.Log(&e)
}

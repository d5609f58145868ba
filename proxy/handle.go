package proxy

import (
	"sync"
	"sync/atomic"
	"time"

	"serin/gate/window"
	"serin/proxy/upstream"
	"serin/proxy/wire"
	"serin/router"
)

// outSize holds a head of the usual size and the body bytes that came with it.
const outSize = wire.SmallBuffer + 2<<10

// outKept is the largest buffer that goes back to the pool.
const outKept = 128 << 10

// outBuffer is where messages are put together, so that each leaves by one write.
type outBuffer struct{ b []byte }

var outBuffers = sync.Pool{New: func() any { return &outBuffer{make([]byte, 0, outSize)} }}

// exchange is one request and its answer. It is used again and again, by one client after the other.
type exchange struct {
	client *client
	snap   *Snapshot
	out    *outBuffer

	headBytes int // of the head at the front of the buffer being read
	headEnd   int // of the upstream's head in out
	request   wire.Request
	routed    router.Request
	path      []byte // of routed, where normalising needs room
	route     *router.Route
	choice    router.Choice
	split     *Split // nil on a plain route
	pool      *upstream.Pool
	meter     *window.Meter
	key       uint64
	outgoing  wire.Outgoing
	cookie    []byte // the minted one's line
	answer    wire.Reply
	logged    logged
	span      wire.Span

	up          *upstream.Conn
	server      string
	sent        bool // some of the request may have reached the upstream
	heard       bool // an interim answer has come
	retries     int
	requestBody wire.Body
	upload      upload
	uploaded    chan struct{} // a token when the upload has ended; capacity 1
	continued   bool          // 100 has been sent

	response  wire.Response
	replyBody wire.Body
	pipe      wire.Pipe
	replied   bool // some of the final answer has been written

	active   bool // between admit and finish
	keep     bool // the client's connection lives on
	recorded bool
	end      ending
	refusal  *wire.Error   // what byClient was
	start    time.Duration // head parsed
	sentAt   time.Duration
	headAt   time.Duration // response head received; 0: none
	sampled  bool
	dialled  time.Duration // of a sampled request: spent on new connections
	stamp    func()        // sets sentAt; made once

	copy    *mirrored     // nil: not mirrored
	drilled *window.Meter // counts for a drill's judge too; nil: no drill
	faults  uint8
}

// run takes the request from its parsed head to its record. False: the connection ends.
func (x *exchange) run() (keep bool) {
	x.admit()
	if x.second() && x.match() && x.choose() && x.prepare() {
		if x.answered() {
			x.reply()
		} else {
			x.refuseFailed()
		}
	}
	x.finish()
	return x.keep
}

// admit takes the time and forgets the request before.
func (x *exchange) admit() {
	x.start = x.client.proxy.now()
	x.active, x.keep, x.recorded, x.replied, x.sent, x.heard, x.continued = true, false, false, false, false, false, false
	x.headAt, x.sentAt, x.dialled, x.retries, x.server = 0, 0, 0, 0, ""
	x.route, x.split, x.pool, x.meter, x.up = nil, nil, nil, nil, nil
	x.drilled, x.copy, x.faults = nil, nil, 0
	x.choice, x.key, x.end, x.refusal, x.cookie = router.Choice{}, 0, ending{}, nil, x.cookie[:0]
	x.out = outBuffers.Get().(*outBuffer)
	x.client.sequence++
	x.sampled = x.client.sequence%sampleEvery == 0
	x.upload.reset()
	x.answer = wire.Reply{HTTP10: x.request.HTTP10, Date: x.client.proxy.date()}
	x.requestBody.Reset(wire.NoBody, 0, 0)
	x.replyBody.Reset(wire.NoBody, 0, 0)
	x.client.in.Discard(x.headBytes)
	x.keepForLog()
	x.beginSpan()
}

// second has heads that are not plain read by another parser, and refuses what the listener does not take.
func (x *exchange) second() bool {
	r := &x.request
	if x.client.proxy.short.Load() != plenty {
		return x.shed()
	}
	if !r.Plain || x.client.options.Strict {
		if err := r.SecondOpinion(); err != nil {
			return x.refuseBy(err)
		}
	}
	if limit := x.client.options.Body; limit > 0 && r.ContentLength > limit {
		return x.refuse(byClient, 413, "body_too_large", "The body is too large.")
	}
	return !x.client.options.choosy || x.welcome()
}

// match finds the route.
func (x *exchange) match() bool {
	r, c := &x.request, x.client
	if r.MaxForwards == 0 && string(r.Method) == "OPTIONS" {
		return x.answerOptions()
	}
	if x.snap == nil {
		return x.refuse(byUs, 503, "starting", "No configuration is in force yet.")
	}
	path := r.Path
	if !r.Simple {
		if need := 3 * len(path); cap(x.path) < need {
			x.path = make([]byte, 0, need)
		}
		path = router.NormalizePath(x.path, path)
	}
	x.routed = router.Request{Method: r.Method, Host: r.Host, Path: path, Query: r.Query, Head: r.Head}
	x.routed.Client = wire.ClientAddr(r, c.peer, c.options.Trusted)
	if c.options.Local != "" && x.local() {
		return true
	}
	x.route = x.snap.Table.Match(&x.routed)
	if x.route == nil {
		return x.refuse(byUs, 404, "no_route", "No route takes this request.")
	}
	return true
}

// choose decides the arm, once, and with it the pool and the meter.
func (x *exchange) choose() bool {
	if x.route.Split == nil {
		x.plainly(x.route.Upstream)
		return true
	}
	s, choice := x.route.Choose(&x.routed)
	x.choice = choice
	if choice.Mint != "" {
		s = x.mint()
	}
	if s == nil { // he is in nobody's audience
		x.plainly(x.route.Rest)
		return true
	}
	id := s.Upstream(x.choice.Arm)
	x.split = x.snap.Splits[s.ID]
	x.meter = x.split.meter(x.choice)
	if x.split.Extras != nil {
		id = x.besides(id)
	}
	x.turnTo(x.snap.Pools[id])
	return true
}

// plainly sends the request to an upstream as a route without a split does.
func (x *exchange) plainly(id int) {
	if id < len(x.snap.Plain) {
		x.meter = x.snap.Plain[id]
	}
	x.turnTo(x.snap.Pools[id])
}

// turnTo makes pool the request's, with the key by which it finds a user's server.
func (x *exchange) turnTo(pool *upstream.Pool) {
	x.pool = pool
	if !pool.Keyed() {
		return
	}
	if x.key = x.choice.Hash; x.key == 0 {
		x.key = addressKey(x.routed.Client)
	}
}

// prepare puts the upstream's request together: head, and what came of the body with it.
func (x *exchange) prepare() bool {
	r, c := &x.request, x.client
	x.address()
	x.out.b = wire.AppendRequest(x.out.b[:0], r, &x.outgoing)
	x.headEnd = len(x.out.b)
	if x.split != nil && x.split.Extras != nil && x.split.Extras.Mirror != nil {
		x.split.Extras.Mirror.sample(x)
	}
	x.requestBody.Reset(r.Framing, r.ContentLength, c.options.Body)
	x.requestBody.KeepTrailer, x.requestBody.Drop = r.Trailers, x.outgoing.Drop
	if r.Framing == wire.NoBody {
		return true
	}
	to, used, err := x.requestBody.Append(x.out.b, c.in.Bytes(), r.Framing)
	if err != nil {
		return x.refuseBy(err)
	}
	x.out.b = to
	c.in.Discard(used)
	return true
}

// fail notes the first cause of a failure.
func (x *exchange) fail(e ending) {
	if x.end.origin == answered {
		if e.status == 0 {
			e.status = x.end.status
		}
		x.end = e
	}
}

// record counts the request, once. The latency is from its head to the response's head; without one, how long it took
// until it was given up.
func (x *exchange) record() {
	if x.recorded {
		return
	}
	x.recorded = true
	if x.meter == nil {
		if x.route == nil {
			x.client.proxy.refused.Add(1)
		}
		return
	}
	outcome := x.end.classify()
	latency := x.headAt - x.start
	if x.headAt == 0 || outcome == window.Abort {
		latency = x.client.proxy.now() - x.start
	}
	bucket := window.NoBucket
	if x.split != nil && (x.choice.Why == router.ByWeight || x.choice.Why == router.ByAudience) {
		bucket = uint16(x.choice.Bucket)
	}
	x.meter.Record(x.client.hint, bucket, outcome, latency)
	if x.split != nil && x.split.Rings != nil && x.own() {
		if m := x.split.Rings.past(x.choice); m != nil {
			m.Record(x.client.hint, bucket, outcome, latency)
		}
	}
	if x.drilled != nil {
		x.drilled.Record(x.client.hint, bucket, outcome, latency)
	}
}

// own reports whether the request is counted where its choice says: neither has a drill taken it, nor does stable stand in
// for the canary.
func (x *exchange) own() bool { return x.meter == x.split.meter(x.choice) }

// finish records what has not been, and gives back what was borrowed.
func (x *exchange) finish() {
	x.record()
	x.log()
	if x.copy != nil {
		x.handOver()
	}
	wire.Poison(x.out.b)
	if cap(x.out.b) <= outKept {
		x.out.b = x.out.b[:0]
		outBuffers.Put(x.out)
	}
	x.out, x.snap = nil, nil
	x.active = false
}

// lost is finish after a panic.
func (x *exchange) lost() {
	if !x.active {
		return
	}
	x.end = ending{origin: byUs, status: 500}
	x.stopUpload()
	x.drop(upstream.None)
	x.record()
	if x.copy != nil {
		x.handOver()
	}
	x.active = false
}

// upload is the state of a request body that is sent while the answer is awaited.
type upload struct {
	pipe     wire.Pipe
	started  bool // owned by the exchange, as is running
	running  bool
	finished bool        // the body has been sent whole; valid when not running
	err      error       // valid when not running
	last     atomic.Bool // the last bytes are being written
	stopped  atomic.Bool // the exchange has no use for it any more
	answered atomic.Bool // the answer has begun
	pace     pace        // owned by the upload
}

func (u *upload) reset() {
	u.started, u.running, u.finished, u.err = false, false, false, nil
	u.pipe.Failed = wire.Neither
	u.last.Store(false)
	u.stopped.Store(false)
}

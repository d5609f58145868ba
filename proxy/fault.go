package proxy

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"serin/gate/window"
	"serin/proxy/upstream"
	"serin/proxy/wire"
	"serin/router"
)

// Extras is what a rollout does besides routing. A Split without any has nil.
type Extras struct {
	Upstreams [2]int   // the arms' upstream IDs in the snapshot
	Shield    *Shield  // nil: off
	Mirror    *Mirror  // nil: off
	Drill     *Drill   // nil: none runs
	Signals   *Signals // nil: no field carries business signals
}

// Faults that a drill injects into one request.
const (
	faultAbort uint8 = 1 << iota
	faultDelay
	faultCut
)

// DrillSpec is what a drill injects, and whom. Shares are 0..1 of the requests it takes on the canary.
type DrillSpec struct {
	ID         string
	Abort      float64
	Status     int // of an abort, 500..599
	Delay      float64
	DelayFor   time.Duration
	Cut        float64
	Header     string // only requests with this field; "": every request of the rollout that its key decides
	Is         string // the field's value; "": any
	Until      time.Time
	MostFaults int64
}

// Drill injects faults into requests of one rollout's canary, until a time and at most so often, whatever becomes of who
// started it. Its methods are safe for concurrent use.
//
// Marked requests are parted evenly between the arms, by bucket, whatever the weight: they are a drill's own, never
// evidence. Without a mark the arms stay what they are, and only what was tampered with is kept out of the evidence: a
// coin decided, so what is left is an honest sample. What the drill's judge sees is everything it took, in Meters.
type Drill struct {
	DrillSpec
	Meters [2]*window.Meter // by router.Arm

	left                     atomic.Int64
	aborted, delayed, cutOff atomic.Uint64
}

// NewDrill makes a drill that begins when a Split has it.
func NewDrill(s DrillSpec) *Drill {
	d := &Drill{DrillSpec: s}
	kinds := []window.Kind{window.ClientKind, window.TimeoutKind, window.AbortKind}
	for arm := range d.Meters {
		d.Meters[arm] = window.NewMeter(window.Options{Users: true, Kinds: kinds})
	}
	d.left.Store(s.MostFaults)
	return d
}

// DrillTotals is what a drill has injected; Left is how often it still may.
type DrillTotals struct {
	Aborted, Delayed, Cut uint64
	Left                  int64
}

// Totals reads the counters.
func (d *Drill) Totals() DrillTotals {
	return DrillTotals{Aborted: d.aborted.Load(), Delayed: d.delayed.Load(), Cut: d.cutOff.Load(), Left: max(d.left.Load(), 0)}
}

// takes decides whether the request is the drill's, and what is done to it.
func (d *Drill) takes(x *exchange) {
	if !time.Now().Before(d.Until) {
		return
	}
	byKey := x.choice.Why == router.ByWeight || x.choice.Why == router.ByAudience
	marked := d.Header != "" && d.marks(x)
	if d.Header != "" && !marked || !byKey && !(marked && x.choice.Why == router.ByForce) {
		return
	}
	if marked && byKey {
		x.choice.Arm = router.Arm(x.choice.Bucket & 1)
	}
	x.drilled = d.Meters[x.choice.Arm&1]
	if x.choice.Arm == router.Canary {
		x.faults = d.roll()
	}
	if marked || x.faults != 0 {
		x.meter = x.split.Forced[x.choice.Arm&1]
	}
}

func (d *Drill) marks(x *exchange) bool {
	value, ok := router.Field(x.routed.Head, d.Header)
	return ok && (d.Is == "" || string(value) == d.Is)
}

// roll throws the dice for one request: an abort or a cut, and a delay independently of both.
func (d *Drill) roll() uint8 {
	var f uint8
	switch dice := rand.Float64(); {
	case dice < d.Abort:
		f = faultAbort
	case dice < d.Abort+d.Cut:
		f = faultCut
	}
	if rand.Float64() < d.Delay {
		f |= faultDelay
	}
	if f != 0 && d.left.Add(-1) < 0 {
		return 0
	}
	return f
}

// besides looks at what the rollout does besides routing, and returns the request's upstream.
func (x *exchange) besides(id int) int {
	e := x.split.Extras
	if e.Drill == nil {
		return id
	}
	arm := x.choice.Arm
	e.Drill.takes(x)
	if x.choice.Arm != arm {
		return e.Upstreams[x.choice.Arm&1]
	}
	return id
}

// answered is forward with what the rollout does besides: a fault before, a second chance after.
func (x *exchange) answered() bool {
	if x.split == nil || x.split.Extras == nil {
		return x.forward()
	}
	var ok bool
	if x.faults == 0 {
		ok = x.forward()
	} else {
		ok = x.faulty()
	}
	if x.split == nil || x.split.Extras == nil || x.split.Extras.Shield == nil { // a reload may have moved it on
		return ok
	}
	return x.shield(ok)
}

// faulty is forward under a drill: late, or not at all.
func (x *exchange) faulty() bool {
	d := x.split.Extras.Drill
	if x.faults&faultDelay != 0 {
		d.delayed.Add(1)
		x.holdUp(d)
	}
	if x.faults&faultAbort == 0 {
		return x.forward()
	}
	d.aborted.Add(1)
	x.fail(ending{origin: byUpstream, reason: upstream.ServerError, status: d.Status})
	return false
}

// holdUp waits for the drill's delay, but not beyond the drill's end nor while the proxy drains.
func (x *exchange) holdUp(d *Drill) {
	const step = 100 * time.Millisecond
	left := min(d.DelayFor, time.Until(d.Until))
	for ; left > 0 && !x.client.proxy.draining.Load(); left -= step {
		time.Sleep(min(left, step))
	}
}

// refuseFault tells the client what the drill made of its request.
func (x *exchange) refuseFault() {
	x.refuse(byUpstream, x.end.status, "drill", "The upstream failed.")
}

// cutReply passes on an answer's head and the beginning of its body, and then resets the client's connection, as an upstream
// does that dies in mid-answer.
func (x *exchange) cutReply() {
	c, up := x.client, x.up
	if d := x.split.Extras.Drill; d != nil {
		d.cutOff.Add(1)
	}
	framing := x.response.FramingTo(x.request.HTTP10)
	x.out.b = wire.AppendResponse(x.out.b[:0], &x.response, &x.answer)
	head := len(x.out.b)
	up.In.Discard(x.headBytes)
	x.replyBody.Reset(x.response.Framing, max(x.response.ContentLength, 0), 0)
	if to, used, err := x.replyBody.Append(x.out.b, up.In.Bytes(), framing); err == nil {
		x.out.b = to[:head+(len(to)-head)/2]
		up.In.Discard(used)
	}
	x.stopUpload()
	x.fail(ending{origin: upstreamLate, reason: upstream.Truncated})
	x.drop(upstream.None)
	x.record()
	x.replied = true
	if framing != wire.NoBody && (framing != wire.Length || x.response.ContentLength > 0) {
		_, _ = c.conn.Write(x.out.b)
	}
	c.reset()
}

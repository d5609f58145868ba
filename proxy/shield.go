package proxy

import (
	"sync/atomic"

	"serin/gate/window"
	"serin/proxy/upstream"
	"serin/proxy/wire"
	"serin/router"
)

// Shield gives a canary's failures a second chance on stable (rollout.NAME.shield). It counts what came of it; it belongs
// to a rollout and outlives its stages.
type Shield struct {
	saved, lost, refused atomic.Uint64
}

// ShieldTotals is what a shield did since the process began.
type ShieldTotals struct {
	Saved   uint64 // the canary failed, stable answered
	Lost    uint64 // stable failed too: the user was told of that
	Refused uint64 // stable's retry budget was spent: the user got the canary's failure
}

// Totals reads the counters.
func (s *Shield) Totals() ShieldTotals {
	return ShieldTotals{Saved: s.saved.Load(), Lost: s.lost.Load(), Refused: s.refused.Load()}
}

// shield sends a request whose canary answer failed before its first byte reached the client to stable, once. The canary
// is charged before, so the gate counts the failure exactly once, and stable's answer is nobody's evidence: it would be the
// second thought of a user of the canary. Forced requests are left alone: who asks for the canary wants to see it.
func (x *exchange) shield(answered bool) bool {
	s := x.split.Extras.Shield
	if !x.failedWhole(answered) {
		return answered
	}
	stable := x.snap.Pools[x.split.Extras.Upstreams[router.Stable]]
	if stable == x.pool {
		return answered
	}
	if !stable.Spare() {
		s.refused.Add(1)
		return answered
	}
	x.record()
	if answered {
		x.discardAnswer()
	}
	x.toStable(stable)
	if !x.forward() {
		s.lost.Add(1)
		return false
	}
	if x.response.Status >= 500 {
		s.lost.Add(1)
	} else {
		s.saved.Add(1)
	}
	return true
}

// failedWhole reports whether the canary has failed a request that can be asked again as it was: idempotent, its body, if
// any, still at hand, and nothing of an answer passed on.
func (x *exchange) failedWhole(answered bool) bool {
	if x.choice.Arm != router.Canary || x.choice.Why == router.ByForce || !x.request.Idempotent || x.heard || x.request.Upgrade {
		return false
	}
	if x.upload.started || !x.requestBody.Done() {
		return false
	}
	if answered {
		return x.response.Status >= 500
	}
	return x.end.origin == byUpstream && outcomeOf(x.end.reason).Bad() && outcomeOf(x.end.reason) != window.Truncated
}

// discardAnswer is rid of an answer that nobody gets. Its connection lives only where the answer has come whole: waiting
// for the rest would cost the user time, and a connection with a rest in it is poison for the next request.
func (x *exchange) discardAnswer() {
	in := &x.up.In
	in.Discard(x.headBytes)
	x.replyBody.Reset(x.response.Framing, max(x.response.ContentLength, 0), 0)
	_, used, err := x.replyBody.Decode(in.Bytes())
	if err == nil && x.replyBody.Done() {
		in.Discard(used)
		x.complete()
		return
	}
	x.drop(upstream.ServerError)
}

// toStable makes the request stable's, as if it had been sent nowhere.
func (x *exchange) toStable(pool *upstream.Pool) {
	x.choice.Arm, x.faults = router.Stable, 0
	x.turnTo(pool)
	x.end, x.headAt, x.sentAt, x.sent = ending{}, 0, 0, false
	x.retries = max(x.retries+1, pool.Retries()) // stable is asked once
	x.replyBody.Reset(wire.NoBody, 0, 0)
	x.readdress()
}

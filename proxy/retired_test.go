package proxy

import (
	"testing"

	"serin/gate/window"
	"serin/proxy/upstream"
	"serin/router"
)

// publishFresh has the stable arm's pool retired for another one with the same server, as a reload does, and returns it.
func (r *rig) publishFresh(t *testing.T, fresh *upstream.Pool, weight router.Weight) *Split {
	t.Helper()
	next := r.snapshot
	next.Pools = []*upstream.Pool{fresh, r.snapshot.Pools[1]}
	next.Splits = []*Split{testSplit(rigOptions{})}
	next.Table = r.weighed(weight)
	r.proxy.Publish(&next)
	r.snapshot.Pools[0].Close()
	t.Cleanup(fresh.Close)
	return next.Splits[0]
}

func TestRetry_PoolRetiredMeanwhile_TheNewOneAnswers(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	client := r.dial()
	client.send(get)
	first := accept(t, up)
	first.head()
	now := r.publishFresh(t, testPool(t, "v1", up, nil), 0)
	first.reset()
	second := accept(t, up)
	second.head()
	second.send(nothing)
	wantStatus(t, client.head(), 204)
	wantOutcome(t, now.Evidence[router.Stable], window.Success, 1)
	if before := outcomes(r.snapshot.Splits[0].Evidence[router.Stable]); len(before) > 0 {
		t.Errorf("counted twice, before too: %v", before)
	}
}

// A server that ends closes its connections one after the other: those that the new pool has to it too.
func TestRetry_PoolRetiredMeanwhile_TheServerThatFailedIsAvoided(t *testing.T) {
	t.Parallel()
	failing, well := listenLocal(t), listenLocal(t)
	r := newRig(t, rigOptions{stable: failing})
	client := r.dial()
	client.send(get)
	first := accept(t, failing)
	first.head()
	r.publishFresh(t, testPool(t, "v1", well, func(s *upstream.Spec) {
		s.Balance = "round_robin" // whose first turn is the second's
		s.Servers = append(s.Servers, upstream.ServerSpec{Network: "tcp", Address: failing.Addr().String()})
	}), 0)
	first.reset()
	second := accept(t, well)
	second.head()
	second.send(nothing)
	wantStatus(t, client.head(), 204)
}

func TestRetry_PoolRetiredMeanwhile_GetsANewConnection(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	client, other := r.dial(), r.dial()
	client.send(get)
	first := accept(t, up)
	first.head()
	r.publishFresh(t, testPool(t, "v1", up, nil), 0)
	other.send(get)
	idle := accept(t, up)
	idle.head()
	idle.send(nothing)
	wantStatus(t, other.head(), 204)
	first.reset()
	second := accept(t, up)
	second.head()
	second.send(nothing)
	wantStatus(t, client.head(), 204)
}

// A user whose arm changed meanwhile is not sent to the other one: what failed has failed, and its arm answers for it.
func TestRetry_PoolRetiredAndTheWeightChanged_FailsAsItDid(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	client := r.dial()
	client.send(get)
	first := accept(t, up)
	first.head()
	r.publishFresh(t, testPool(t, "v1", up, nil), router.Full)
	first.reset()
	wantStatus(t, client.head(), 502)
	wantOutcome(t, r.snapshot.Splits[0].Evidence[router.Stable], window.Reset, 1)
}

func TestRetry_PoolRetiredAndNoOther_FailsAsItDid(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	client := r.dial()
	client.send(get)
	first := accept(t, up)
	first.head()
	r.snapshot.Pools[0].Close()
	first.reset()
	wantStatus(t, client.head(), 502)
	wantOutcome(t, r.snapshot.Splits[0].Evidence[router.Stable], window.Reset, 1)
}

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

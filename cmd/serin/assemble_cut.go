package main

import (
	"context"
	"slices"

	"serin/config"
	"serin/gate/control"
	"serin/proxy/upstream"
	"serin/router"
)

var _ control.Cutter = (*dataplane)(nil)

// Cut gives the rollout's canary a fresh pool and breaks what is under way on the old one. A pool that something else uses
// is left alone.
func (d *dataplane) Cut(rollout string) {
	old := d.inForce.Load()
	i, ok := old.index(rollout)
	if !ok || i >= len(old.plan.Rollouts) {
		return
	}
	id := old.splits[i].Upstreams[router.Canary]
	if old.shared(i, id) {
		d.log.Info("canary's requests left alone: its pool serves others too", "rollout", rollout)
		return
	}
	next, snap := *old, *old.snap
	snap.Pools = append([]*upstream.Pool(nil), snap.Pools...)
	snap.Pools[id] = d.pools.renew(old.sources[id])
	next.snap = &snap
	d.publish(&next)
	d.pools.cut(old.snap.Pools[id])
}

// shared reports whether anything but split number i sends to an upstream.
func (g *installed) shared(i, id int) bool {
	for j, s := range g.splits {
		arms := slices.ContainsFunc(s.Shares, func(a router.Share) bool { return a.Upstream == id })
		both := len(s.Shares) == 0 && slices.Contains(s.Upstreams[:], id)
		if j != i && (arms || both) || j == i && s.Upstreams[router.Stable] == id {
			return true
		}
	}
	name := g.sources[id].Name
	for _, r := range g.plan.Routes {
		if to := plainTo(r); to >= 0 && g.sources[to].Name == name {
			return true
		}
	}
	return false
}

// renew starts another pool of a source beside the one that runs.
func (k *poolKeeper) renew(source config.Upstream) *upstream.Pool {
	pool := upstream.New(specOf(source), upstream.Options{Log: k.log})
	ctx, end := context.WithCancel(context.Background())
	k.running = append(k.running, runningPool{source, pool, end})
	k.sums.enter(pool)
	k.wg.Go(func() { _ = pool.Run(ctx) })
	k.prepare([]*upstream.Pool{pool})
	return pool
}

// cut ends a running pool and whatever is under way on it.
func (k *poolKeeper) cut(pool *upstream.Pool) {
	i := slices.IndexFunc(k.running, func(r runningPool) bool { return r.pool == pool })
	if i < 0 {
		return
	}
	end := k.running[i].end
	k.running = slices.Delete(k.running, i, i+1)
	k.wg.Go(func() {
		defer end()
		defer k.sums.leave(pool)
		over, cancel := context.WithCancel(context.Background())
		cancel()
		_ = pool.Drain(over)
	})
}

package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"serin/config"
	"serin/proxy/upstream"
)

// drainPools is how long a pool that left the configuration may finish its requests.
const drainPools = 2 * time.Minute

// lookUpWithin bounds how long an installation waits for names; they are looked up for ever after.
const lookUpWithin = 2 * time.Second

// poolKeeper owns the running pools. Its methods are the control loop's, and close whoever ended the loop.
type poolKeeper struct {
	log     *slog.Logger
	wg      sync.WaitGroup // pools running or draining
	running []runningPool
	sums    poolSums
}

type runningPool struct {
	source config.Upstream
	pool   *upstream.Pool
	end    context.CancelFunc
}

// close ends every pool, at once, and waits for it. Whoever still uses a connection loses it.
func (k *poolKeeper) close() {
	for _, r := range k.running {
		r.pool.Close()
		r.end()
	}
	k.running = nil
	k.wg.Wait()
}

// take returns a running pool for each source, new ones where none is the same.
func (k *poolKeeper) take(sources []config.Upstream) []*upstream.Pool {
	pools := make([]*upstream.Pool, len(sources))
	var fresh []*upstream.Pool
	for i, source := range sources {
		if j := k.find(source); j >= 0 {
			pools[i] = k.running[j].pool
			continue
		}
		pool := upstream.New(specOf(source), upstream.Options{Log: k.log})
		ctx, end := context.WithCancel(context.Background())
		k.running = append(k.running, runningPool{source, pool, end})
		k.sums.enter(pool)
		pools[i] = pool
		fresh = append(fresh, pool)
		k.wg.Go(func() { _ = pool.Run(ctx) })
	}
	k.prepare(fresh)
	return pools
}

// prepare looks the new pools' names up, all at once.
func (k *poolKeeper) prepare(pools []*upstream.Pool) {
	ctx, cancel := context.WithTimeout(context.Background(), lookUpWithin)
	defer cancel()
	var wg sync.WaitGroup
	for _, pool := range pools {
		wg.Go(func() {
			if err := pool.Prepare(ctx); err != nil {
				k.log.Warn("names unknown", "upstream", pool.Name(), "err", err)
			}
		})
	}
	wg.Wait()
}

// retire drains the pools that no source names any more, in the background.
func (k *poolKeeper) retire(sources []config.Upstream) {
	kept := k.running[:0]
	for _, r := range k.running {
		wanted := false
		for _, source := range sources {
			wanted = wanted || sameUpstream(r.source, source)
		}
		if wanted {
			kept = append(kept, r)
			continue
		}
		k.wg.Go(func() {
			defer r.end()
			defer k.sums.leave(r.pool)
			ctx, cancel := context.WithTimeout(context.Background(), drainPools)
			defer cancel()
			if err := r.pool.Drain(ctx); err != nil {
				k.log.Warn("requests of a removed upstream cut off", "upstream", r.pool.Name(), "err", err)
			}
		})
	}
	clear(k.running[len(kept):])
	k.running = kept
}

func (k *poolKeeper) find(source config.Upstream) int {
	for i, r := range k.running {
		if sameUpstream(r.source, source) {
			return i
		}
	}
	return -1
}

// sameUpstream compares what a pool is made of. A new revision is another pool even where nothing else changed: its
// servers restarted.
func sameUpstream(a, b config.Upstream) bool {
	if !sameTLS(a.TLS, b.TLS) {
		return false
	}
	a.TLS, b.TLS = nil, nil
	a.Capacity, b.Capacity = 0, 0 // the gate's
	return reflect.DeepEqual(a, b)
}

func sameTLS(a, b *tls.Config) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.ServerName == b.ServerName && a.InsecureSkipVerify == b.InsecureSkipVerify && a.RootCAs.Equal(b.RootCAs)
}

// specOf is an upstream as its room wants it.
func specOf(u config.Upstream) upstream.Spec {
	spec := upstream.Spec{
		Name: u.Name, Balance: u.Balance, TLS: u.TLS,
		Eject:   upstream.Eject(u.Eject),
		Timeout: upstream.Timeout(u.Timeout),
		Retry:   upstream.Retry(u.Retry),
		Limits:  upstream.Limits(u.Limits),
	}
	for _, s := range u.Servers {
		spec.Servers = append(spec.Servers, upstream.ServerSpec(s))
	}
	if u.Health != nil {
		h := upstream.Health(*u.Health)
		spec.Health = &h
	}
	return spec
}

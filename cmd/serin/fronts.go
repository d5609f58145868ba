package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"serin/config"
	"serin/proxy"
	"serin/proxy/listen"
	"serin/proxy/wire"
	"serin/router"
)

// fronts are the data listeners. A plan is put in force in two steps, so that a reload is refused whole or done whole:
//
//	prepare: new addresses are opened; on an error they are closed again and nothing has changed
//	apply:   addresses that stay get their new terms, new ones are served, those that left finish
//
// prepare and apply are for one goroutine at a time, the rest is safe for concurrent use.
type fronts struct {
	proxy   *proxy.Proxy
	log     *slog.Logger
	options listen.Options
	wake    chan struct{} // capacity 1: Run, look at fresh
	ended   chan struct{} // closed when Run has returned

	mu    sync.Mutex
	open  []*front // guarded by mu
	fresh []*front // guarded by mu; of those, the ones not yet served
	left  uint64   // guarded by mu; connections refused by listeners that are gone
}

// front is one address.
type front struct {
	address  string // as configured
	listener *listen.Listener
	serving  *proxy.Serving
	done     chan struct{} // closed when it is served no more
}

// newFronts opens nothing yet.
func newFronts(p *proxy.Proxy, log *slog.Logger, sockets listen.Sockets, takeOver bool) *fronts {
	return &fronts{
		proxy: p, log: log, wake: make(chan struct{}, 1), ended: make(chan struct{}),
		options: listen.Options{Log: log, Sockets: sockets, TakeOver: takeOver},
	}
}

// frontChange leads from the fronts that are open to those of a plan.
type frontChange struct {
	terms []config.Listen
	next  []*front // in the order of terms
	fresh []*front
	gone  []*front
}

// prepare opens what a plan listens on and nobody does yet.
func (f *fronts) prepare(ctx context.Context, terms []config.Listen) (*frontChange, error) {
	c := &frontChange{terms: terms, gone: f.all()}
	options := f.options
	options.Share = len(c.gone) > 0 // ":8080" may become "127.0.0.1:8080" while it is served
	for _, l := range terms {
		kept := c.keep(l.Address)
		if kept == nil {
			ln, err := listen.Listen(ctx, specOfListen(l), options)
			if err != nil {
				c.undo()
				return nil, err
			}
			kept = &front{address: l.Address, listener: ln, serving: proxy.NewServing(serveOptions(l)), done: make(chan struct{})}
			c.fresh = append(c.fresh, kept)
		}
		c.next = append(c.next, kept)
	}
	return c, nil
}

// keep finds the open front of an address, once.
func (c *frontChange) keep(address string) *front {
	for i, f := range c.gone {
		if f.address == address {
			c.gone = slices.Delete(c.gone, i, i+1)
			return f
		}
	}
	return nil
}

// undo closes what prepare opened.
func (c *frontChange) undo() {
	for _, f := range c.fresh {
		_ = f.listener.Close()
	}
}

// apply puts a prepared change in force. Connections that are open keep the terms they were accepted under; those of an
// address that left end with the request under way. Run must run, or have run, when an address left.
func (f *fronts) apply(c *frontChange) {
	for i, kept := range c.next {
		kept.serving.Set(serveOptions(c.terms[i]))
		kept.listener.Set(specOfListen(c.terms[i]))
	}
	f.mu.Lock()
	f.open = c.next
	f.fresh = append(f.fresh, c.fresh...)
	for _, gone := range c.gone {
		f.left += gone.listener.Refused()
	}
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
	for _, left := range c.gone {
		f.log.Info("no longer listening", "address", left.listener.Addr().String())
		left.listener.Finish()
		f.proxy.Retire(left.serving)
		select {
		case <-left.done: // from here on it refuses
		case <-f.ended:
		}
	}
}

// Run serves what apply put in force until ctx ends and the queues are empty, or a listener fails.
func (f *fronts) Run(ctx context.Context) error {
	defer close(f.ended)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	var serving sync.WaitGroup
	defer serving.Wait()
	for {
		select {
		case <-f.wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		for _, fresh := range f.take() {
			f.log.Info("listening", "address", fresh.listener.Addr().String())
			serving.Go(func() {
				defer close(fresh.done)
				if err := f.proxy.Serve(ctx, fresh.listener, fresh.serving); err != nil {
					end(fmt.Errorf("serve %s: %w", fresh.address, err))
				}
			})
		}
	}
}

func (f *fronts) take() []*front {
	f.mu.Lock()
	defer f.mu.Unlock()
	fresh := f.fresh
	f.fresh = nil
	return fresh
}

func (f *fronts) all() []*front {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.open)
}

// refused counts the connections that listeners ended before a request. It never goes down.
func (f *fronts) refused() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.left
	for _, o := range f.open {
		n += o.listener.Refused()
	}
	return n
}

// yield leaves new connections to a successor at the same addresses, as soon as there is one.
func (f *fronts) yield() {
	for _, o := range f.all() {
		o.listener.Yield()
	}
}

// passed reports whether every address is a socket of the service manager: what we do not accept waits for the next serin.
func (f *fronts) passed() bool {
	return !slices.ContainsFunc(f.all(), func(o *front) bool { return !o.listener.Passed() })
}

// close closes every listener at once.
func (f *fronts) close() {
	for _, o := range f.all() {
		_ = o.listener.Close()
	}
}

func specOfListen(l config.Listen) listen.Spec {
	return listen.Spec{
		Address: l.Address, TLS: l.TLS, ProxyProtocol: l.ProxyProtocol, Trusted: l.TrustedProxies,
		Connections: l.Limits.Connections, Upstreams: l.Upstreams, PerIP: l.Limits.PerIP,
	}
}

func serveOptions(l config.Listen) proxy.ServeOptions {
	return proxy.ServeOptions{
		Head: l.Timeout.Head, BodyIdle: l.Timeout.BodyIdle, KeepAlive: l.Timeout.KeepAlive, WriteIdle: l.Timeout.WriteIdle,
		TunnelIdle: l.Timeout.TunnelIdle,
		Limits: wire.Limits{
			Head: l.Limits.Head, Target: l.Limits.Target, Fields: l.Limits.Fields, Underscore: underscores[l.Underscores],
		},
		Body: l.Limits.Body, BodyRate: l.Limits.BodyRate, WriteRate: l.Limits.WriteRate, Requests: l.Limits.Requests,
		Trusted: l.TrustedProxies, Strict: !l.FastLane,
		Via: l.Via, Hosts: hostsOf(l.Hosts), PlainPaths: l.PlainPaths,
		Local: l.OFREP,
	}
}

// underscores are the policies by config's words; none is the first.
var underscores = map[string]wire.Underscore{
	"pass": wire.UnderscorePass, "drop": wire.UnderscoreDrop, "reject": wire.UnderscoreReject,
}

// hostsOf is a table that matches these hosts; nil without any.
func hostsOf(hosts []string) *router.Table {
	if len(hosts) == 0 {
		return nil
	}
	table, err := router.NewTable([]*router.Route{{Match: router.Match{Hosts: hosts}}})
	if err != nil {
		panic("BUG: config let a host pass that the router refuses: " + err.Error())
	}
	return table
}

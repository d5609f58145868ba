package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"serin/config"
	"serin/gate/control"
	"serin/gate/journal"
	"serin/proxy"
	"serin/proxy/admin"
	"serin/proxy/listen"
	"serin/proxy/wire"
)

const (
	// drainWithin is how long requests and tunnels under way may take after SIGTERM.
	drainWithin = 30 * time.Second
	// lastCalls is how long connections are still accepted after SIGTERM, so that whoever knocked while the news of our
	// unreadiness spread is served.
	lastCalls = 500 * time.Millisecond
)

// daemonOptions may be zero.
type daemonOptions struct {
	Log     *slog.Logger
	Version string
	Source  source                   // read again by Reload
	Notify  func(state string) error // of the service manager; nil: none
}

// serinDaemon is one running serin: the rooms, joined. Made by newDaemon, it has its sockets and its state directory and
// serves while Run runs.
type serinDaemon struct {
	log    *slog.Logger
	source source
	notify func(string) error
	follow []func(context.Context) error // run beside the rest until the end

	proxy     *proxy.Proxy
	dataplane *dataplane
	journal   *journal.Journal
	loop      *control.Loop
	admin     *admin.Server
	adminLn   net.Listener
	fronts    []front

	ready    chan struct{}
	draining atomic.Bool

	reloadMu sync.Mutex // one reload at a time
	inForce  *config.Plan
	reloads  admin.Reloads
}

// front is one data listener with its waits and limits.
type front struct {
	listener *listen.Listener
	serving  *proxy.Serving
}

// newDaemon opens sockets and state. On an error everything is closed again.
func newDaemon(plan *config.Plan, opts daemonOptions) (_ *serinDaemon, err error) {
	d := &serinDaemon{log: opts.Log, source: opts.Source, notify: opts.Notify, ready: make(chan struct{}), inForce: plan}
	defer func() {
		if err != nil {
			d.closeAll()
		}
	}()
	j, restored, err := journal.Open(plan.StateDir, journal.Options{})
	if err != nil {
		return nil, errStarted("open the state directory "+plan.StateDir, "state.dir names another one", err)
	}
	d.journal = j
	access, err := newAccessLog(plan.Log.Access)
	if err != nil {
		return nil, errStarted("start the access log", "log.access.path names another file", err)
	}
	o := proxy.Options{Log: d.log}
	if access != nil {
		o.Access = access
		d.follow = append(d.follow, func(ctx context.Context) error { return access.Run(ctx, d.log) })
	}
	d.proxy = proxy.New(o)
	d.dataplane = newDataplane(d.proxy, d.log)
	d.loop = control.New(control.Options{Plan: plan, Dataplane: d.dataplane, Journal: j, Restored: restored, Log: d.log})
	d.reloads = admin.Reloads{LastGood: true, LastGoodSuccess: time.Now()}
	if err := d.openFronts(plan); err != nil {
		return nil, err
	}
	if d.adminLn, err = admin.Listen(plan.Admin.Address); err != nil {
		return nil, errStarted("listen on "+plan.Admin.Address, "admin.address names another one", err)
	}
	rooms := &rooms{daemon: d}
	d.admin = admin.New(admin.Options{
		Address: plan.Admin.Address, PublicURL: plan.Admin.PublicURL, Version: opts.Version, Log: d.log,
		Loop: d.loop, Stream: d.loop,
		Traffic: rooms, Router: rooms, Configuration: rooms, Ready: d.isReady,
	})
	return d, nil
}

// openFronts listens on every data address.
func (d *serinDaemon) openFronts(plan *config.Plan) error {
	sockets, err := listen.Inherit()
	if err != nil {
		return errStarted("take over the sockets of the service manager", "", err)
	}
	for _, l := range plan.Listen {
		spec := listen.Spec{
			Address: l.Address, TLS: l.TLS, ProxyProtocol: l.ProxyProtocol, Trusted: l.TrustedProxies,
			Connections: l.Limits.Connections, PerIP: l.Limits.PerIP,
		}
		ln, err := listen.Listen(context.Background(), spec, listen.Options{Log: d.log, Sockets: sockets})
		if err != nil {
			return errStarted("open the data listener", "listen.address names another one", err)
		}
		d.fronts = append(d.fronts, front{ln, proxy.NewServing(proxy.ServeOptions{
			Head: l.Timeout.Head, BodyIdle: l.Timeout.BodyIdle, KeepAlive: l.Timeout.KeepAlive, WriteIdle: l.Timeout.WriteIdle,
			TunnelIdle: l.Timeout.TunnelIdle, Limits: wire.Limits{Head: l.Limits.Head, Target: l.Limits.Target, Fields: l.Limits.Fields},
			Body: l.Limits.Body, Trusted: l.TrustedProxies, Strict: !l.FastLane,
		})})
	}
	return nil
}

// Ready is closed once requests are served.
func (d *serinDaemon) Ready() <-chan struct{} { return d.ready }

func (d *serinDaemon) isReady() (bool, string) {
	switch {
	case d.draining.Load():
		return false, "draining"
	case d.proxy.Snapshot() == nil:
		return false, "starting"
	}
	return true, ""
}

// Run serves until ctx ends, then drains. The first room that fails ends the others.
func (d *serinDaemon) Run(ctx context.Context) error {
	defer d.closeAll()
	if err := d.loop.Start(); err != nil {
		return errStarted("start", "", err)
	}
	defer d.dataplane.pools.close()
	var serving, rooms group
	life, end := context.WithCancelCause(context.WithoutCancel(ctx)) // outlives ctx: requests are still under way
	defer end(nil)
	rooms.start(life, end, "proxy", d.proxy.Run)
	rooms.start(life, end, "control", d.loop.Run)
	rooms.start(life, end, "admin", func(ctx context.Context) error { return d.admin.Serve(ctx, d.adminLn) })
	for _, run := range d.follow {
		rooms.start(life, end, "reload", run)
	}
	accepting, refuse := context.WithCancel(life)
	defer refuse()
	for _, f := range d.fronts {
		serving.start(accepting, end, "listener", func(ctx context.Context) error { return d.proxy.Serve(ctx, f.listener, f.serving) })
		d.log.Info("listening", "address", f.listener.Addr().String())
	}
	close(d.ready)
	d.tell("READY=1")
	select {
	case <-ctx.Done():
		d.drain(refuse, &serving)
	case <-life.Done():
	}
	refuse()
	serving.Wait()
	cause := context.Cause(life)
	end(nil)
	rooms.Wait()
	return cause
}

// drain lets requests under way finish.
func (d *serinDaemon) drain(refuse context.CancelFunc, serving *group) {
	began := time.Now()
	d.draining.Store(true)
	d.tell("STOPPING=1")
	d.log.Info("draining", "connections", d.proxy.Connections())
	last := time.AfterFunc(lastCalls, refuse)
	defer last.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), drainWithin)
	defer cancel()
	_ = d.proxy.Drain(ctx) // answers say Connection: close from now on; who knocks is let in until the last call is over
	serving.Wait()
	if err := d.proxy.Drain(ctx); err != nil {
		d.log.Warn("requests cut off at the end of the drain", "err", err)
	}
	d.log.Info("drained", "dur", time.Since(began).Round(time.Millisecond).String())
}

func (d *serinDaemon) tell(state string) {
	if d.notify == nil {
		return
	}
	if err := d.notify(state); err != nil {
		d.log.Warn("service manager not told", "state", state, "err", err)
	}
}

// closeAll closes what newDaemon opened; closing twice does no harm.
func (d *serinDaemon) closeAll() {
	for _, f := range d.fronts {
		f.listener.Close()
	}
	if d.adminLn != nil {
		d.adminLn.Close()
	}
	if d.journal != nil {
		if err := d.journal.Close(); err != nil {
			d.log.Warn("journal closed with an error", "err", err)
		}
	}
}

// Reload puts the file in force, or refuses it whole. Reloads are done one after the other.
func (d *serinDaemon) Reload(ctx context.Context) (admin.Reload, error) {
	d.reloadMu.Lock()
	defer d.reloadMu.Unlock()
	plan, problems := d.source.load()
	if plan == nil {
		d.reloads.Bad++
		d.reloads.LastGood = false
		return admin.Reload{}, &admin.InvalidError{Problems: problems}
	}
	warnings := append(plan.Warnings, needsRestart(d.inForce, plan)...)
	if err := d.loop.Reload(ctx, plan); err != nil {
		d.reloads.Bad++
		d.reloads.LastGood = false
		return admin.Reload{}, fmt.Errorf("put the configuration in force: %w", err)
	}
	d.inForce = plan
	d.reloads.Good++
	d.reloads.LastGood, d.reloads.LastGoodSuccess = true, time.Now()
	d.log.Info("configuration in force", "file", plan.File, "hash", plan.Hash)
	for _, w := range warnings {
		d.log.Warn("configuration", "file", w.File, "line", w.Line, "key", w.Key, "problem", w.Text, "hint", w.Hint)
	}
	return admin.Reload{Status: "in_force", File: plan.File, Warnings: warnings}, nil
}

// group runs rooms and waits for them.
type group struct{ sync.WaitGroup }

// start runs a room until ctx ends; a room that fails before ends everything with its error.
func (g *group) start(ctx context.Context, end context.CancelCauseFunc, name string, run func(context.Context) error) {
	g.Go(func() {
		if err := run(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
			end(fmt.Errorf("%s: %w", name, err))
		}
	})
}

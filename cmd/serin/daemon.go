package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"serin/config"
	"serin/gate/control"
	"serin/gate/journal"
	"serin/gate/notify"
	"serin/gate/probe"
	"serin/proxy"
	"serin/proxy/admin"
	"serin/proxy/listen"
)

// daemonOptions may be zero.
type daemonOptions struct {
	Log     *slog.Logger
	Version string
	Source  source                   // read again by Reload
	Notify  func(state string) error // of the service manager; nil: none
	Level   *slog.LevelVar           // of Log, set by Reload; nil: it stays as it is
	Sockets listen.Sockets           // passed by the service manager
	Wait    time.Duration            // for a serin that has the state directory
}

// serinDaemon is one running serin: the rooms, joined. Made by newDaemon, it has its sockets and its state directory and
// serves while Run runs.
type serinDaemon struct {
	log       *slog.Logger
	source    source
	telemetry *telemetry
	prober    *probe.Prober
	notify    func(string) error
	follow    []func(context.Context) error // run beside the rest until the end
	beside    *besides                      // files that the configuration is made of

	level     *slog.LevelVar
	started   *config.Plan // what needs a restart to change is as in here
	proxy     *proxy.Proxy
	dataplane *dataplane
	journal   *journal.Journal
	closed    sync.Once // journal
	served    io.Closer // says to a successor that we still serve
	loop      *control.Loop
	admin     *admin.Server
	notices   *notify.Queue
	links     *admin.Links // nil: no browser reaches the admin listener
	adminLn   net.Listener
	fronts    *fronts

	ready    chan struct{}
	draining atomic.Bool

	reloadMu sync.Mutex // one reload at a time
	given    int64      // GOMEMLIMIT; none: math.MaxInt64
	limited  int64      // guarded by reloadMu; what limitMemory told, 0: nothing

	mu      sync.Mutex
	inForce *config.Plan  // guarded by mu
	reloads admin.Reloads // guarded by mu
}

// newDaemon opens state and admin socket; ctx ends the wait for them. On an error everything is closed again.
func newDaemon(ctx context.Context, plan *config.Plan, opts daemonOptions) (_ *serinDaemon, err error) {
	d := &serinDaemon{
		log: opts.Log, level: opts.Level, source: opts.Source, notify: opts.Notify, started: plan,
		ready: make(chan struct{}), inForce: plan, beside: newBesides(), given: debug.SetMemoryLimit(-1),
	}
	defer func() {
		if err != nil {
			d.closeAll()
		}
	}()
	j, restored, takeOver, err := openState(ctx, plan.StateDir, opts.Wait, d.log)
	if err != nil {
		return nil, errStarted("open the state directory "+plan.StateDir, "state.dir names another one", err)
	}
	d.journal = j
	var predecessor bool
	if d.served, predecessor, err = markServed(plan.StateDir); err != nil {
		return nil, errStarted("open the state directory "+plan.StateDir, "state.dir names another one", err)
	}
	if d.telemetry, err = newTelemetry(plan.Log.Access, opts.Source.getenv, d.log); err != nil {
		return nil, err
	}
	o := proxy.Options{Log: d.log}
	d.follow = append(d.follow, d.telemetry.attach(&o, d.log)...)
	d.proxy = proxy.New(o)
	d.limitMemory(plan.Memory)
	d.dataplane = newDataplane(d.proxy, d.log)
	d.dataplane.kept = openKept(filepath.Join(plan.StateDir, "completed.json"), d.log)
	d.follow = append(d.follow, d.dataplane.kept.Run)
	d.prober = d.newProber(plan)
	d.follow = append(d.follow, d.prober.Run)
	d.loop = control.New(control.Options{
		Plan: plan, Dataplane: d.dataplane, Journal: j, Restored: restored, Log: d.log, Announce: d.announce, Outside: d.prober.Read,
	})
	d.reloads = admin.Reloads{LastGood: true, LastGoodSuccess: time.Now()}
	d.fronts = newFronts(d.proxy, d.log, opts.Sockets, takeOver || predecessor)
	if d.adminLn, err = adminListener(ctx, plan.Admin); err != nil {
		return nil, errStarted("listen on "+plan.Admin.Address, "admin.address names another one", err)
	}
	d.openPeople(plan, restored)
	rooms := &rooms{daemon: d}
	d.dataplane.local = &localFlags{log: d.log, flags: rooms}
	d.admin = admin.New(admin.Options{
		Address: plan.Admin.Address, PublicURL: plan.Admin.PublicURL, Version: opts.Version, Log: d.log,
		Loop: d.loop, Freezer: d.loop, Drills: d.loop, Besides: d.dataplane.extra, Signals: d.dataplane.extra.signals,
		Traffic: rooms, Router: rooms, Flags: rooms, Trials: d.loop, Configuration: rooms, Ready: d.isReady, Connections: listen.AdminShare(),
		Notices: d.notices, Links: d.links, Tokens: d.tokens,
	})
	return d, nil
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

// Run listens and serves until ctx ends, then drains. The first room that fails ends the others.
func (d *serinDaemon) Run(ctx context.Context) error {
	defer d.closeAll()
	if err := d.loop.Start(); err != nil {
		return errStarted("start", "", err)
	}
	defer d.dataplane.local.close()
	defer d.dataplane.pools.close()
	defer d.dataplane.extra.close()
	opened, err := d.fronts.prepare(ctx, d.started.Listen)
	if err != nil {
		return errStarted("open the data listener", "listen.address names another one", err)
	}
	d.fronts.apply(opened)
	if left := d.fronts.options.Sockets.Left(); len(left) > 0 {
		d.log.Warn("sockets passed that nobody serves: no listen.address names them", "sockets", left)
	}
	var rooms group
	life, end := context.WithCancelCause(context.WithoutCancel(ctx)) // outlives ctx: requests are still under way
	defer end(nil)
	rooms.start(life, end, "proxy", d.proxy.Run)
	deciding := rooms.startPart(life, end, "control", d.decide)
	answering := rooms.startPart(life, end, "admin", func(ctx context.Context) error { return d.admin.Serve(ctx, d.adminLn) })
	for _, run := range d.follow {
		rooms.start(life, end, "reload", run)
	}
	accepting := rooms.startPart(life, end, "listener", d.fronts.Run)
	close(d.ready)
	d.tell("READY=1")
	select {
	case <-ctx.Done():
		d.drain(deciding, answering, accepting)
	case <-life.Done():
	}
	cause := context.Cause(life)
	end(nil)
	rooms.Wait()
	return cause
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
	if d.fronts != nil {
		d.fronts.close()
	}
	if d.adminLn != nil {
		d.adminLn.Close()
	}
	d.closeJournal()
	if d.served != nil {
		d.served.Close()
	}
}

// closeJournal leaves the state directory to whoever wants it next.
func (d *serinDaemon) closeJournal() {
	if d.journal == nil {
		return
	}
	d.closed.Do(func() {
		if err := d.journal.Close(); err != nil {
			d.log.Warn("journal closed with an error", "err", err)
		}
	})
}

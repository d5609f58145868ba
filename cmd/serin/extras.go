package main

import (
	"context"
	"hash/maphash"
	"log/slog"
	"reflect"
	"runtime/debug"
	"sync"
	"time"

	"serin/config"
	"serin/gate/control"
	"serin/gate/window"
	"serin/proxy"
	"serin/proxy/shadow"
	"serin/proxy/upstream"
	"serin/router"
)

// extrasKeeper owns what rollouts do besides routing: mirrors with their pools, shields, drills. Its take and end are the
// control loop's alone; totals and mirror may be read by anybody.
type extrasKeeper struct {
	log  *slog.Logger
	seed maphash.Seed // of the tags that stand for values in differences
	wg   sync.WaitGroup

	signals *signalKeeper

	mu      sync.Mutex
	shields map[string]*proxy.Shield      // guarded by mu; by rollout, for the life of the process
	mirrors map[string]*runningMirror     // guarded by mu; by rollout: the one that runs
	shown   map[string]*proxy.Mirror      // guarded by mu; by rollout: the last one, for reading
	past    map[string][]*proxy.Mirror    // guarded by mu; retired, until they are folded
	folded  map[string]proxy.MirrorTotals // guarded by mu
	number  uint64                        // guarded by mu; of the last mirror
	drills  map[string]*proxy.Drill       // guarded by mu; by ID
}

// runningMirror is a mirror with what it was made of.
type runningMirror struct {
	mirror *proxy.Mirror
	of     mirrorOf
	end    func()
}

// mirrorOf is what makes one mirror another.
type mirrorOf struct {
	step           uint64
	revision       string
	share          router.Weight
	how            config.Mirror
	stable, canary config.Upstream
}

func newExtrasKeeper(log *slog.Logger) *extrasKeeper {
	return &extrasKeeper{
		log: log, seed: maphash.MakeSeed(), signals: newSignalKeeper(), shields: map[string]*proxy.Shield{}, mirrors: map[string]*runningMirror{},
		shown: map[string]*proxy.Mirror{}, past: map[string][]*proxy.Mirror{}, folded: map[string]proxy.MirrorTotals{},
		drills: map[string]*proxy.Drill{},
	}
}

// take makes what the setting asks for, or keeps what there is of it; nil where it asks for nothing.
func (k *extrasKeeper) take(ro *config.Rollout, s control.Setting, split *router.Split, sources []config.Upstream) *proxy.Extras {
	ups := split.Upstreams
	k.mu.Lock()
	defer k.mu.Unlock()
	e := &proxy.Extras{Upstreams: ups, Signals: k.signals.begin(ro, s, split)}
	if ro.Shield {
		if e.Shield = k.shields[ro.Name]; e.Shield == nil {
			e.Shield = new(proxy.Shield)
			k.shields[ro.Name] = e.Shield
		}
	}
	e.Mirror = k.mirror(ro, s, sources[ups[router.Stable]], sources[ups[router.Canary]])
	e.Drill = k.drill(ro.Name, s)
	if e.Shield == nil && e.Mirror == nil && e.Drill == nil && e.Signals == nil {
		return nil
	}
	return e
}

// mirror is the setting's mirror; whatever else ran for the rollout ends.
func (k *extrasKeeper) mirror(ro *config.Rollout, s control.Setting, stable, canary config.Upstream) *proxy.Mirror {
	of := mirrorOf{s.Step, s.Revision, s.Mirror, ro.Mirror, stable, canary}
	running := k.mirrors[ro.Name]
	if running != nil && s.Mirror > 0 && running.of.same(of) {
		return running.mirror
	}
	if running != nil {
		delete(k.mirrors, ro.Name)
		k.past[ro.Name] = append(k.past[ro.Name], running.mirror)
		running.end()
	}
	if s.Mirror == 0 {
		return nil
	}
	m := k.run(ro, s, of)
	k.mirrors[ro.Name], k.shown[ro.Name] = m, m.mirror
	return m.mirror
}

func (o mirrorOf) same(p mirrorOf) bool {
	return o.step == p.step && o.revision == p.revision && o.share == p.share && reflect.DeepEqual(o.how, p.how) &&
		sameUpstream(o.stable, p.stable) && sameUpstream(o.canary, p.canary)
}

// run starts a mirror on pools of its own: a shadow shares no connection, queue or ejection with users.
func (k *extrasKeeper) run(ro *config.Rollout, s control.Setting, of mirrorOf) *runningMirror {
	how := of.how
	pools := [2]*upstream.Pool{}
	for i, u := range []config.Upstream{of.stable, of.canary} {
		spec := specOf(u)
		spec.Health, spec.Eject.Consecutive, spec.Retry.Max = nil, 0, 0
		spec.Limits = upstream.Limits{Connections: how.Concurrency}
		pools[i] = upstream.New(spec, upstream.Options{Log: k.log})
	}
	k.number++
	m := proxy.NewMirror(proxy.MirrorOptions{
		Number: k.number,
		Share:  s.Mirror, Stable: pools[0], Canary: pools[1], Noise: how.Noise, Body: how.Body, Credentials: how.Credentials,
		Concurrency: how.Concurrency, Queue: how.Queue, Timeout: how.Timeout, Mask: s.Mask, Bug: k.bug(ro.Name),
		Rules: &shadow.Rules{Headers: how.Headers, Ignore: how.Ignore, Numbers: how.Numbers, Times: how.Times, Values: how.Values, Seed: k.seed},
	})
	ctx, cancel := context.WithCancel(context.Background())
	pool, stop := context.WithCancel(context.Background())
	for _, p := range pools {
		k.wg.Go(func() { _ = p.Run(pool) })
	}
	k.wg.Go(func() {
		defer stop()
		_ = m.Run(ctx)
		k.fold(ro.Name, m)
	})
	return &runningMirror{mirror: m, of: of, end: func() {
		cancel()
		for _, p := range pools { // what is under way is of no use to anybody
			k.wg.Go(func() { _ = p.Drain(ctx) })
		}
	}}
}

// bug logs the first panic of a rollout's mirror, with its stack.
func (k *extrasKeeper) bug(rollout string) func(any) {
	var once sync.Once
	return func(what any) {
		once.Do(func() {
			k.log.Error("panic in a mirror, further ones are not logged", "rollout", rollout, "err", what, "stack", string(debug.Stack()))
		})
	}
}

// fold adds a mirror that has ended to what its rollout's mirrors did before.
func (k *extrasKeeper) fold(rollout string, m *proxy.Mirror) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, p := range k.past[rollout] {
		if p == m {
			k.past[rollout] = append(k.past[rollout][:i:i], k.past[rollout][i+1:]...)
		}
	}
	t := k.folded[rollout]
	t.Add(m.Totals())
	k.folded[rollout] = t
}

// drill is the setting's drill; the same ID is the same drill, with its counts.
func (k *extrasKeeper) drill(rollout string, s control.Setting) *proxy.Drill {
	if s.Drill == nil {
		delete(k.drills, rollout)
		return nil
	}
	d := k.drills[rollout]
	if d != nil && d.ID == s.Drill.ID {
		return d
	}
	g := s.Drill
	d = proxy.NewDrill(proxy.DrillSpec{
		ID: g.ID, Abort: g.Faults.Abort, Status: g.Faults.Status, Delay: g.Faults.Delay, DelayFor: g.Faults.DelayFor, Cut: g.Faults.Cut,
		Header: g.Header, Is: g.Is, Until: time.Now().Add(g.Left), MostFaults: g.Most,
	})
	k.drills[rollout] = d
	return d
}

// forget ends what belongs to rollouts that the plan has no more.
func (k *extrasKeeper) forget(plan *config.Plan) {
	k.signals.forget(plan)
	k.mu.Lock()
	defer k.mu.Unlock()
	named := map[string]bool{}
	for i := range plan.Rollouts {
		named[plan.Rollouts[i].Name] = true
	}
	for name, m := range k.mirrors {
		if !named[name] {
			delete(k.mirrors, name)
			k.past[name] = append(k.past[name], m.mirror)
			m.end()
		}
	}
	for name := range k.drills {
		if !named[name] {
			delete(k.drills, name)
		}
	}
}

// close ends everything and waits for it.
func (k *extrasKeeper) close() {
	k.forget(&config.Plan{})
	k.wg.Wait()
}

// read fills in what the loop is to know of a split's mirror and drill.
func readExtras(e *proxy.Extras, r *control.Reading) {
	r.Mirrored = readMirror(e, r.Mirrored)
	if r.Mirrored != nil {
		r.Mirror = e.Mirror.Number()
	}
	if e == nil || e.Drill == nil {
		r.Drill = nil
		return
	}
	if r.Drill == nil || r.Drill.ID != e.Drill.ID {
		r.Drill = &control.DrillReading{ID: e.Drill.ID}
	}
	t := e.Drill.Totals()
	r.Drill.Aborted, r.Drill.Delayed, r.Drill.Cut, r.Drill.Left = t.Aborted, t.Delayed, t.Cut, t.Left
	for arm, m := range e.Drill.Meters {
		m.Read(&r.Drill.Arms[arm], true)
	}
}

func readMirror(e *proxy.Extras, into *[2]window.Snapshot) *[2]window.Snapshot {
	if e == nil || e.Mirror == nil {
		return nil
	}
	if into == nil {
		into = new([2]window.Snapshot)
	}
	for arm, m := range e.Mirror.Meters {
		m.Read(&into[arm], true)
	}
	return into
}

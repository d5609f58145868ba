package main

import (
	"maps"
	"slices"
	"strings"

	"serin/config"
	"serin/gate"
	"serin/gate/control"
	"serin/gate/window"
	"serin/proxy"
	"serin/proxy/wire"
	"serin/router"
)

// addExperiment gives an experiment its split, as its setting says.
func (g *installed) addExperiment(e *config.Experiment, s control.Setting) {
	g.ids[e.Name], g.settings[e.Name] = len(g.splits), s
	split := sharesAt(e, s)
	split.ID = len(g.splits)
	g.splits = append(g.splits, split)
}

// sharesAt is an experiment's split: while it does not run every arm but the control is stopped.
func sharesAt(e *config.Experiment, s control.Setting) *router.Split {
	split := *e.Split
	split.Shares = slices.Clone(split.Shares)
	for i := range split.Shares {
		split.Shares[i].Stopped = !s.Running || slices.Contains(s.Stopped, split.Shares[i].Name)
	}
	return &split
}

// setExperiment is Set for an experiment; next is old with the setting in it.
func (d *dataplane) setExperiment(old, next *installed, i int, s control.Setting) {
	e := &old.plan.Experiments[i-len(old.plan.Rollouts)]
	split := sharesAt(e, s)
	split.ID = i
	next.splits = slices.Clone(old.splits)
	next.splits[i] = split
	snap := *old.snap
	snap.Table = snap.Table.WithSplit(split)
	snap.Splits = slices.Clone(snap.Splits)
	snap.Splits[i] = experimentOf(old.plan, e, s, old)
	next.snap = &snap
	d.publish(next)
}

// readExperiment fills r from the meters of an experiment's arms.
func (g *installed) readExperiment(i int, r *control.Reading) {
	split := g.snap.Splits[i]
	r.Quiet = len(r.Arms) == len(split.Arms)
	if !r.Quiet {
		r.Arms = make([]window.Snapshot, len(split.Arms))
	}
	for j := range split.Arms {
		r.Quiet = r.Quiet && split.Arms[j].Evidence.Total() == r.Arms[j].Total()
	}
	r.CanaryHealthy = true
	for j := range split.Arms {
		if !r.Quiet {
			split.Arms[j].Evidence.Read(&r.Arms[j], r.WantUsers)
		}
		pool := g.snap.Pools[g.splits[i].Upstream(router.Arm(j))]
		r.CanaryHealthy = r.CanaryHealthy && pool.Healthy()
	}
	r.StableHealthy = g.snap.Pools[g.splits[i].Upstream(router.Stable)].Healthy()
	r.Keyless = split.Keyless.Total()
}

// experimentOf is an experiment's fields and meters: the old meters while the step is the same, else new ones at zero.
func experimentOf(plan *config.Plan, e *config.Experiment, s control.Setting, old *installed) *proxy.Split {
	split := &proxy.Split{Name: e.Name, Expose: e.Expose, Drop: dropped(plan, e.Split), Outside: outsideLines(plan, e.Split), Hide: hidden(plan, e.Split)}
	var was *proxy.Split
	if old != nil {
		if i, ok := old.index(e.Name); ok && old.settings[e.Name].Step == s.Step && old.settings[e.Name].Revision == s.Revision {
			was = old.snap.Splits[i]
		}
	}
	split.Keyless, split.Other = window.NewMeter(window.Options{}), window.NewMeter(window.Options{})
	if was != nil {
		split.Keyless, split.Other = was.Keyless, was.Other
	}
	for i := range e.Split.Shares {
		arm := proxy.Arm{Name: e.Split.Shares[i].Name}
		for _, name := range slices.Sorted(maps.Keys(e.Lines[i])) {
			arm.Fields = wire.AppendField(arm.Fields, name, e.Lines[i][name])
		}
		arm.Fields = append(arm.Fields, flagLines(plan, e.Split, i)...)
		if was != nil && i < len(was.Arms) && was.Arms[i].Name == arm.Name {
			arm.Evidence = was.Arms[i].Evidence
		} else {
			arm.Evidence = window.NewMeter(window.Options{Users: true, Kinds: kindsFor(e.Policy.Criteria)})
		}
		split.Arms = append(split.Arms, arm)
	}
	return split
}

// kindsFor are the per-bucket counters that criteria look at, besides errors.
func kindsFor(criteria []gate.Criterion) []window.Kind {
	var kinds []window.Kind
	for _, c := range criteria {
		switch metric := c.Metric(); {
		case metric == "client_error_rate":
			kinds = append(kinds, window.ClientKind)
		case metric == "timeout_rate":
			kinds = append(kinds, window.TimeoutKind)
		case metric == "abort_rate", strings.HasPrefix(metric, "latency_"): // who lost patience was slow: of how many users
			kinds = append(kinds, window.AbortKind)
		}
	}
	return kinds
}

// groupOf is the exclusive group that parts a rollout's users from others'. A rollout that is at 100 % without another of its
// group on its route is in no group any more: it goes to everybody it is for.
func groupOf(plan *config.Plan, ro *config.Rollout, s control.Setting) *router.Group {
	if s.Weight != router.Full {
		return ro.Split.Group
	}
	for _, other := range neighbours(plan, ro.Split) {
		if other.Group == ro.Split.Group {
			return ro.Split.Group
		}
	}
	return nil
}

package proxy

import (
	"sort"

	"serin/gate/window"
	"serin/router"
)

// Totals is one reading of what the proxy counts, cumulative since New: nothing in it ever goes down but the gauges.
type Totals struct {
	Splits          []SplitTotals    // by name, also of rollouts that are no longer configured
	Experiments     []ArmTotals      // by name and arm, also of experiments that are no longer configured
	Plain           []UpstreamTotals // plain routes, by the name of their upstream
	InFlight        int              // requests under way, tunnels included
	Connections     int              // clients connected
	Panics, Refused uint64           // lost to a bug; answered without a route (malformed, unknown)
	Memory          MemoryTotals
	Overhead        []OverheadBin
	OverheadSeconds float64
}

// SplitTotals is one rollout's traffic by router.Arm, evidence, forced and keyless, of all stages.
type SplitTotals struct {
	Rollout string
	Arms    [2]window.Snapshot
}

// ArmTotals is the traffic of one arm of an experiment; the control's has those without a key or an arm of their own in it.
type ArmTotals struct {
	Experiment, Arm string
	window.Snapshot
}

// UpstreamTotals is what plain routes sent to one upstream.
type UpstreamTotals struct {
	Upstream string
	window.Snapshot
}

// ledger keeps what meters that are no longer in force counted. Guarded by Proxy.publishMu.
type ledger struct {
	closed  map[label]*window.Snapshot
	retired []retired
}

// retired is a meter that requests under way may still write to.
type retired struct {
	label
	meter      *window.Meter
	generation uint64 // the first without it
}

// retire takes over the meters of old that are not in new.
func (l *ledger) retire(old, next *Snapshot) {
	kept := make(map[*window.Meter]bool)
	next.meters(func(_ label, m *window.Meter) { kept[m] = true })
	old.meters(func(name label, m *window.Meter) {
		if m != nil && !kept[m] {
			kept[m] = true
			l.retired = append(l.retired, retired{name, m, next.generation})
		}
	})
}

// fold closes the retired meters that no request under way can write to: those retired by oldest or before.
func (l *ledger) fold(oldest uint64) {
	if l.closed == nil {
		l.closed = make(map[label]*window.Snapshot)
	}
	open := l.retired[:0]
	for _, r := range l.retired {
		if r.generation > oldest {
			open = append(open, r)
			continue
		}
		if l.closed[r.label] == nil {
			l.closed[r.label] = new(window.Snapshot)
		}
		var s window.Snapshot
		r.meter.Read(&s, false)
		l.closed[r.label].Add(&s)
	}
	clear(l.retired[len(open):])
	l.retired = open
}

// Totals reads all counters. It takes no lock that a request takes.
func (p *Proxy) Totals() Totals {
	p.publishMu.Lock()
	defer p.publishMu.Unlock()
	t := Totals{Panics: p.panics.Load(), Refused: p.refused.Load()}
	t.Overhead, t.OverheadSeconds = p.overhead.read()
	t.Memory = MemoryTotals{Used: p.used.Load(), Limit: p.most.Load(), Level: int(p.short.Load())}
	snap := p.snap.Load()
	if snap == nil {
		return t
	}
	oldest := snap.generation
	p.each(func(c *client) {
		t.Connections++
		if g := c.generation(); g != 0 {
			t.InFlight++
			oldest = min(oldest, g)
		}
	})
	p.totals.fold(oldest)
	t.fill(p.totals.sum(snap))
	return t
}

// sum adds closed, retired and current meters by label.
func (l *ledger) sum(snap *Snapshot) map[label]*window.Snapshot {
	sums := make(map[label]*window.Snapshot)
	add := func(name label, s *window.Snapshot) {
		if sums[name] == nil {
			sums[name] = new(window.Snapshot)
		}
		sums[name].Add(s)
	}
	for name, s := range l.closed {
		add(name, s)
	}
	read := func(name label, m *window.Meter) {
		if m != nil {
			var s window.Snapshot
			m.Read(&s, false)
			add(name, &s)
		}
	}
	for _, r := range l.retired {
		read(r.label, r.meter)
	}
	snap.meters(read)
	return sums
}

func (t *Totals) fill(sums map[label]*window.Snapshot) {
	splits := make(map[string]*SplitTotals)
	for name, s := range sums {
		if name.upstream != "" {
			t.Plain = append(t.Plain, UpstreamTotals{name.upstream, *s})
			continue
		}
		if name.named != "" {
			t.Experiments = append(t.Experiments, ArmTotals{name.rollout, name.named, *s})
			continue
		}
		if splits[name.rollout] == nil {
			splits[name.rollout] = &SplitTotals{Rollout: name.rollout}
		}
		splits[name.rollout].Arms[name.arm&router.Canary] = *s
	}
	for _, s := range splits {
		t.Splits = append(t.Splits, *s)
	}
	sort.Slice(t.Splits, func(i, j int) bool { return t.Splits[i].Rollout < t.Splits[j].Rollout })
	sort.Slice(t.Experiments, func(i, j int) bool {
		a, b := &t.Experiments[i], &t.Experiments[j]
		return a.Experiment < b.Experiment || a.Experiment == b.Experiment && a.Arm < b.Arm
	})
	sort.Slice(t.Plain, func(i, j int) bool { return t.Plain[i].Upstream < t.Plain[j].Upstream })
}

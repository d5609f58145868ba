package main

import (
	"maps"
	"slices"

	"serin/proxy"
	"serin/proxy/admin"
)

var _ admin.Besides = (*extrasKeeper)(nil)

// Mirror is what a rollout's mirror has found.
func (k *extrasKeeper) Mirror(rollout string) admin.Mirror {
	k.mu.Lock()
	m, running, counts := k.shown[rollout], k.mirrors[rollout], k.mirrored(rollout)
	k.mu.Unlock()
	out := admin.Mirror{Requests: results(counts), Control: admin.MirrorControl{Compared: counts.Control, Unlike: counts.Unlike}}
	if running != nil {
		out.Running, out.Share = true, running.of.share.Fraction()
	}
	if m == nil {
		return out
	}
	found, noisy, learned := m.Findings()
	out.Noise, out.Learned = noisy, learned
	for _, f := range found {
		d := admin.Difference{Field: f.Field, Kind: string(f.Kind), Count: f.Count}
		for _, r := range f.Requests {
			d.Examples = append(d.Examples, admin.DifferentRequest{At: r.At, Method: r.Method, Target: r.Target, Stable: r.Stable, Canary: r.Canary})
		}
		out.Differences = append(out.Differences, d)
	}
	return out
}

// mirrored sums all mirrors of a rollout; called with mu held.
func (k *extrasKeeper) mirrored(rollout string) proxy.MirrorTotals {
	t := k.folded[rollout]
	for _, m := range k.past[rollout] {
		t.Add(m.Totals())
	}
	if m := k.mirrors[rollout]; m != nil {
		t.Add(m.mirror.Totals())
	}
	return t
}

func results(t proxy.MirrorTotals) map[string]uint64 {
	return map[string]uint64{
		"sampled": t.Sampled, "match": t.Matched, "mismatch": t.Mismatched, "failed": t.Failed, "learning": t.Learning,
		"too_large": t.TooLarge, "skipped": t.Skipped, "dropped": t.Dropped,
	}
}

// Besides are the counters of every rollout with a mirror or a shield.
func (k *extrasKeeper) Besides() []admin.BesideTotals {
	k.mu.Lock()
	defer k.mu.Unlock()
	names := map[string]bool{}
	for name := range k.shields {
		names[name] = true
	}
	for name := range k.shown {
		names[name] = true
	}
	var out []admin.BesideTotals
	for _, name := range slices.Sorted(maps.Keys(names)) {
		out = append(out, k.beside(name))
	}
	return out
}

// Beside are the counters of one rollout.
func (k *extrasKeeper) Beside(rollout string) (admin.BesideTotals, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.beside(rollout), k.shown[rollout] != nil || k.shields[rollout] != nil
}

// beside is Beside with mu held.
func (k *extrasKeeper) beside(rollout string) admin.BesideTotals {
	b := admin.BesideTotals{Rollout: rollout}
	if k.shown[rollout] != nil {
		t := k.mirrored(rollout)
		b.Mirrored, b.Control = results(t), [2]uint64{t.Control - t.Unlike, t.Unlike}
	}
	if s := k.shields[rollout]; s != nil {
		n := s.Totals()
		b.Shielded = map[string]uint64{"saved": n.Saved, "lost": n.Lost, "over_budget": n.Refused}
	}
	return b
}

package main

import (
	"slices"

	"serin/config"
	"serin/gate/control"
	"serin/gate/window"
	"serin/proxy"
	"serin/router"
)

// ringsOf are the meters of a rollout's rings; nil where its ladder has none. What members did on the version in service
// outlives stages and reloads, as long as the rings are the same.
func ringsOf(ro *config.Rollout, s control.Setting, old *installed) *proxy.Rings {
	if len(ro.Rings) == 0 {
		return nil
	}
	r := &proxy.Rings{Members: window.NewMeter(window.Options{Users: true})}
	if s.Ring != "" {
		r.Evidence = uint8(1 + ringAt(ro, s.Ring))
	}
	if s.Weight == router.Full && len(s.Audiences) == 0 { // completed
		r.Settled = router.Canary
	}
	if was, rollout := old.rings(ro.Name); was != nil && slices.Equal(rollout.Rings, ro.Rings) {
		r.Past = was.Past
		if old.settings[ro.Name].Step == s.Step && old.settings[ro.Name].Revision == s.Revision {
			r.Members = was.Members
		}
		return r
	}
	for range len(ro.Rings) + 1 {
		r.Past = append(r.Past, window.NewMeter(window.Options{Users: true, Kinds: kindsOf(ro)}))
	}
	return r
}

// openRings are the rings whose members are on the canary, as routing knows them.
func openRings(ro *config.Rollout, s control.Setting) (open uint16) {
	for _, name := range s.Audiences {
		if i := ringAt(ro, name); i >= 0 {
			open |= 1 << i
		}
	}
	return open
}

// ringAt is the place of a ring on the rollout's ladder; -1 where it has none of the name.
func ringAt(ro *config.Rollout, name string) int {
	return slices.IndexFunc(ro.Rings, func(r config.Ring) bool { return r.Name == name })
}

// rings are a rollout's meters of the generation, and the rollout they were made for.
func (g *installed) rings(rollout string) (*proxy.Rings, *config.Rollout) {
	if g != nil {
		if i, ok := g.index(rollout); ok {
			return g.snap.Splits[i].Rings, &g.plan.Rollouts[i]
		}
	}
	return nil, nil
}

// readRings reads what the members of rings did; meters without news since the last reading are left as they are.
func readRings(rings *proxy.Rings, r *control.Reading) {
	if rings == nil {
		r.Members, r.Past = nil, nil
		return
	}
	if len(r.Past) != len(rings.Past) || r.Members == nil {
		r.Members, r.Past = new(window.Snapshot), make([]*window.Snapshot, len(rings.Past))
		for i := range r.Past {
			r.Past[i] = new(window.Snapshot)
		}
	}
	if rings.Members.Total() != r.Members.Total() {
		rings.Members.Read(r.Members, true)
	}
	for i, m := range rings.Past {
		if m.Total() != r.Past[i].Total() {
			m.Read(r.Past[i], true)
		}
	}
}

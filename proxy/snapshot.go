package proxy

import (
	"serin/gate/window"
	"serin/proxy/upstream"
	"serin/proxy/wire"
	"serin/router"
)

// Snapshot is everything a request needs to know, loaded once per request and immutable once published: routing, pools
// and meters. A change of routing is a new Snapshot that shares what did not change.
type Snapshot struct {
	Table  *router.Table
	Pools  []*upstream.Pool // by upstream ID
	Splits []*Split         // by split ID
	Plain  []*window.Meter  // by upstream ID: requests of plain routes, without buckets; nil entries are not counted
	Drop   []string         // fields that clients may not send anywhere: flags
	Local  *router.Route    // plain, to what serin itself answers below ServeOptions.Local; nil: nothing

	generation uint64 // set by Publish
}

// Split is what the data plane keeps beside a router.Split. It may be shared by snapshots; a new stage is a new Split
// with new meters.
type Split struct {
	Name     string
	Expose   bool             // Serin-Arm on responses to clients
	Force    string           // the header that names an arm is let through to the upstream; "" off
	Evidence [2]*window.Meter // by arm, of the stage now
	Forced   [2]*window.Meter // force header: counted, never evidence
	Keyless  *window.Meter    // no key: stable, never evidence
	Other    *window.Meter    // stable because another member of the exclusive group has the user, or his arm was stopped: never evidence
	Fields   [2][]byte        // further field lines to the upstream, by arm (wire.AppendField): flags
	Outside  []byte           // the field lines of requests that no split of the route is for: flags that are off
	Drop     []string         // fields that clients may not send: flags, an experiment's own, of every split of the route
	Hide     string           // field of answers that clients do not see: signals, of this split or of another of its route; "": none
	Rings    *Rings           // nil: the ladder has none
	Extras   *Extras          // mirror, shield, drill; nil: none
	Arms     []Arm            // of an experiment, in place of Evidence and Fields; nil: a rollout

	upstreamLines [2][]byte // Serin-Rollout, Serin-Arm and Fields, by arm; made by the first Publish
	clientLines   [2][]byte // Serin-Arm where exposed
	mirrorLines   [2][]byte // upstreamLines and Serin-Mirror, where there is a mirror
}

// meter is where a choice is counted. Nil meters count nothing.
func (s *Split) meter(c router.Choice) *window.Meter {
	switch c.Why {
	case router.ByForce:
		return s.Forced[c.Arm&1]
	case router.ByOther, router.ByStopped, router.ByOutside:
		return s.Other
	case router.ByNoKey:
		return s.Keyless
	case router.ByAudience:
		return s.Rings.canary(c, s.Evidence[router.Canary])
	case router.ByWeight:
		if s.Arms != nil {
			return s.arm(c.Arm).Evidence
		}
		return s.Evidence[c.Arm&1]
	}
	return nil
}

// prepare renders the lines that every request of the split carries.
func (s *Split) prepare() {
	if s.upstreamLines[0] != nil {
		return
	}
	if s.Extras != nil && s.Extras.Signals != nil {
		s.Hide = s.Extras.Signals.Header
	}
	for _, arm := range []router.Arm{router.Stable, router.Canary} {
		lines := wire.AppendField([]byte{}, "Serin-Rollout", s.Name)
		lines = wire.AppendField(lines, "Serin-Arm", arm.String())
		s.upstreamLines[arm] = append(lines, s.Fields[arm]...)
		if s.Extras != nil && s.Extras.Mirror != nil {
			s.mirrorLines[arm] = append(append([]byte{}, s.upstreamLines[arm]...), mirrorLine...)
		}
		if s.Expose {
			s.clientLines[arm] = wire.AppendField(nil, "Serin-Arm", arm.String())
		}
	}
	for i := range s.Arms {
		s.Arms[i].prepare(s)
	}
}

// label names a row of the totals: a rollout's arm, or, for plain routes, an upstream.
type label struct {
	rollout, upstream string
	arm               router.Arm
	named             string // an experiment's arm
}

// meters calls f for every meter of the snapshot.
func (s *Snapshot) meters(f func(label, *window.Meter)) {
	for _, split := range s.Splits {
		if split.Arms != nil {
			split.armMeters(f)
			continue
		}
		for _, arm := range []router.Arm{router.Stable, router.Canary} {
			l := label{rollout: split.Name, arm: arm}
			f(l, split.Evidence[arm])
			f(l, split.Forced[arm])
		}
		if split.Rings != nil {
			f(label{rollout: split.Name, arm: router.Canary}, split.Rings.Members)
		}
		f(label{rollout: split.Name}, split.Keyless)
		f(label{rollout: split.Name}, split.Other)
	}
	for id, m := range s.Plain {
		if m != nil {
			f(label{upstream: s.Pools[id].Name()}, m)
		}
	}
}

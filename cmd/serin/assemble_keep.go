package main

import (
	"serin/config"
	"serin/router"
)

// keep finds the pool that completed with the revision, for a file that names another canary beside the stable which that one
// has replaced, and returns its ID: the file's own upstream of that revision, which a restart finds too, else, after the plan's own, the
// rollout's canary until now, whatever the file calls the new one, or what has been kept since, by the process before too. Where
// none is left stable answers: nothing better is known.
func (g *installed) keep(old *installed, kept *keptSources, ro *config.Rollout, revision string) int {
	for i := range g.plan.Upstreams {
		if g.plan.Upstreams[i].Revision == revision {
			return i
		}
	}
	if old != nil {
		if i, ok := old.index(ro.Name); ok {
			for _, arm := range []router.Arm{router.Canary, router.Stable} {
				if u := old.sources[old.splits[i].Upstreams[arm]]; u.Revision == revision {
					g.sources = append(g.sources, u)
					return len(g.sources) - 1
				}
			}
		}
	}
	if u, ok := kept.of(g.plan, ro.Name, revision); ok {
		g.sources = append(g.sources, u)
		return len(g.sources) - 1
	}
	return ro.Split.Upstreams[router.Stable]
}

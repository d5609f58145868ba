package config

import (
	"fmt"
	"slices"
)

// advise warns of what a file says and surely does not mean, where one table alone does not tell.
func (b *builder) advise() {
	for _, name := range inOrder(b, "upstream", b.config.Upstream) {
		b.unverified(name, b.config.Upstream[name])
	}
	for _, name := range inOrder(b, "rollout", b.config.Rollout) {
		at, t := join("rollout", name), b.config.Rollout[name]
		b.sameServers(at, name, t)
		b.alone(at, t.Exclusive)
		for i := range t.Stage {
			b.unowned(b.elementOf(join(at, "stage"), i), t.Stage[i].Owner)
		}
	}
	for _, name := range inOrder(b, "experiment", b.config.Experiment) {
		b.alone(join("experiment", name), b.config.Experiment[name].Exclusive)
	}
}

// unverified warns of TLS that anybody in between can end.
func (b *builder) unverified(name string, t *UpstreamTable) {
	secure := slices.ContainsFunc(t.Servers, func(e Endpoint) bool { return e.TLS })
	if t.TLS != nil && bool(t.TLS.SkipVerify) && secure {
		b.warn(join(join(join("upstream", name), "tls"), "skip_verify"), "believes any certificate: who is in between can read and change the traffic (give ca)")
	}
}

// sameServers warns of a canary that is stable under another name. With a flag the arms may well be the same processes.
func (b *builder) sameServers(at, name string, t *RolloutTable) {
	stable, canary := b.config.Upstream[string(t.Stable)], b.config.Upstream[string(t.Canary)]
	if stable == nil || canary == nil || stable == canary || len(canary.Servers) == 0 {
		return
	}
	for _, f := range b.config.Flag {
		if string(f.Rollout) == name {
			return
		}
	}
	if !slices.ContainsFunc(canary.Servers, func(e Endpoint) bool { return !slices.Contains(stable.Servers, e) }) {
		b.warn(join(at, "canary"), fmt.Sprintf("has no server that stable (%s) has not: both arms are the same processes", show(string(t.Stable))))
	}
}

// alone warns of a group that parts nobody from anybody.
func (b *builder) alone(at string, group Text) {
	if g := b.groups[string(group)]; g != nil && len(g.members) == 1 {
		b.warn(join(at, "exclusive"), fmt.Sprintf("nobody else is in group %s, so it does nothing", show(string(group))))
	}
}

// unowned warns of a stage that nobody but an admin may let begin, although there are tokens.
func (b *builder) unowned(at string, owner Text) {
	if owner == "" || len(b.config.Token) == 0 {
		return
	}
	for _, t := range b.config.Token {
		if slices.Contains(t.Owns, owner) {
			return
		}
	}
	b.warn(join(at, "owner"), fmt.Sprintf("no token owns %s: only an admin, with a reason, lets this stage begin", show(string(owner))))
}

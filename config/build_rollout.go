package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"serin/gate"
	"serin/router"
)

// rollout builds one rollout: its split for the router and its policy for the gate.
func (b *builder) rollout(name string, t *RolloutTable) {
	at := join("rollout", name)
	r := Rollout{Name: name, Expose: bool(t.Expose)}
	var knowStable, knowCanary bool
	r.Stable, knowStable = b.reference(join(at, "stable"), t.Stable)
	r.Canary, knowCanary = b.reference(join(at, "canary"), t.Canary)
	if knowStable && knowCanary && r.Stable == r.Canary && !b.flagged(name) {
		b.report(join(at, "canary"), "is the stable upstream too: without a flag both arms would be the same version",
			"want another upstream, or a [flag.NAME] with rollout = "+quote(name))
	}
	r.Split = &router.Split{
		ID: len(b.plan.Rollouts), Rollout: name, Upstreams: [2]int{r.Stable, r.Canary},
		Salt: b.salt(at, name, t), Keys: b.keys(at, t), Tokens: b.tokens,
	}
	r.Split.Group, r.Split.Member = b.member(t.Exclusive, name)
	if t.Force != nil {
		r.Split.Force = string(t.Force.Header)
		b.force(join(at, "force"), r.Split.Force)
	}
	if t.Signals != nil {
		r.Signals = string(t.Signals.Header)
		b.force(join(at, "signals"), r.Signals)
	}
	r.Policy = b.policy(at, name, t)
	r.Policy.Notify = b.notified(at, t.Notify)
	r.Policy.Audience, r.Policy.People = string(t.Audience), b.forWhom(at, t.Audience, r.Split)
	if knowStable && knowCanary {
		stable, canary := &b.plan.Upstreams[r.Stable], &b.plan.Upstreams[r.Canary]
		r.Policy.Revision, r.Policy.StableRevision = canary.Revision, stable.Revision
		r.Policy.Capacity, r.Policy.StableCapacity = canary.Capacity, stable.Capacity
		// Whoever keeps two names and moves the servers from one to the other has made the completed version stable too.
		r.Policy.StableAlias = derivedRevision(canary.Name, stable.Servers)
	}
	b.rings(at, &r)
	b.mirror(at, t, &r)
	r.Probes = b.probes(at, name, t)
	b.reaches(at, &r)
	b.attach(at, t.Route, r.Split)
	b.plan.Rollouts = append(b.plan.Rollouts, r)
}

// salt resolves what makes the rollout's buckets its own.
func (b *builder) salt(at, name string, t *RolloutTable) uint64 {
	path := join(at, "salt")
	if t.Salt == nil {
		t.Salt = &Salt{Text: name}
	}
	if t.Salt.Secret.Source == "" || b.bad[path] {
		return router.Salt(t.Salt.Text)
	}
	text, err := b.opts.resolve(b.dir, t.Salt.Secret)
	if err != nil {
		b.report(path, err.Error(), "")
	}
	return router.Salt(text)
}

// keys checks where the user's key is looked for.
func (b *builder) keys(at string, t *RolloutTable) []router.KeySource {
	path := join(at, "key")
	var sources []router.KeySource
	mints := 0
	for i, key := range t.Key {
		place := element(path, i)
		if b.bad[place] {
			continue
		}
		if slices.Contains(sources, key.KeySource) {
			b.report(place, fmt.Sprintf("%s is listed twice", show(key.String())), "")
		}
		if key.Kind == router.KeyClaim && !b.vouched(place, t.Key) {
			continue
		}
		if key.Kind == router.KeyMint {
			mints++
		}
		if key.Kind == router.KeyMint && strings.HasPrefix(key.Name, "__") && !b.secure() {
			b.warn(place, "browsers keep a cookie of this name only from a TLS connection, and a listener has none")
		}
		if mints > 1 && key.Kind == router.KeyMint {
			b.report(place, "a second minted cookie: only the first would ever be made", "")
		}
		if key.Kind == router.KeyIP && !b.trusts() {
			b.warn(path, "ip without trusted_proxies: behind a balancer every request has the balancer's address, and one bucket gets all of them")
		}
		if key.Kind == router.KeyIP && i+1 < len(t.Key) {
			b.warn(place, "is always there: what comes after it is never asked")
		}
		sources = append(sources, key.KeySource)
	}
	if len(t.Key) == 0 && !b.bad[path] {
		b.report(path, `no key source: want at least one, such as ["header:X-User-Id"]`, "")
	}
	return sources
}

// vouched reports whether a claim may be a key. Without anybody who verifies tokens it never is one: passed over with a warning
// where another source may give the key, refused where none can.
func (b *builder) vouched(at string, keys []Key) bool {
	other := slices.ContainsFunc(keys, func(k Key) bool { return k.Kind != router.KeyClaim })
	if b.tokens == nil && !b.bad["jwt"] && other {
		b.warn(at, "nobody verifies tokens, and an unverified claim is anybody's: passed over until there is a [jwt] with a key")
		return false
	}
	b.claims(at)
	return true
}

// trusts reports whether every listener believes somebody about the client's address.
func (b *builder) trusts() bool {
	for _, l := range b.plan.Listen {
		if len(l.TrustedProxies) == 0 {
			return false
		}
	}
	return true
}

// secure reports whether every listener serves TLS.
func (b *builder) secure() bool {
	return !slices.ContainsFunc(b.plan.Listen, func(l Listen) bool { return l.TLS == nil })
}

// policy builds what the gate is to do.
func (b *builder) policy(at, name string, t *RolloutTable) *gate.Policy {
	p := &gate.Policy{
		Rollout: name, Route: string(t.Route),
		ManualStart: t.Start == "manual",
		MaxStage:    time.Duration(t.MaxStage), Warmup: time.Duration(t.Warmup),
		Sparse:      string(t.Sparse),
		HoldTimeout: time.Duration(t.HoldTimeout), OnHoldTimeout: string(t.OnHoldTimeout), OnFail: string(t.OnFail),
		Holdback: router.Weight(t.Holdback), KeepOld: time.Duration(t.KeepOld),
		AlphaFail: float64(t.Errors.FalseRollback), AlphaPass: float64(t.Errors.FalsePass),
		DryRun: bool(t.DryRun), RevertOver: time.Duration(t.Revert.Over), RevertDrain: time.Duration(t.Revert.Drain),
	}
	if t.Window != nil {
		p.Window = t.Window.parsed
	}
	if t.Judge == "plain" {
		p.Plain = &gate.Plain{Window: time.Duration(t.Plain.Window), MinRequests: int(t.Plain.MinRequests), Failures: int(t.Plain.Failures)}
	} else if usual := (PlainTable{Window: Duration(5 * time.Minute), MinRequests: 100, Failures: 3}); b.given[join(at, "plain")] && t.Plain != usual {
		// With its defaults it is no mistake: serin config effective writes them out.
		b.warn(join(at, "plain"), `does nothing without judge = "plain"`)
	}
	if t.WidenMax != nil {
		p.WidenMax = router.Weight(*t.WidenMax)
		if t.Sparse != "widen" {
			b.warn(join(at, "widen_max"), `does nothing without sparse = "widen"`)
		}
	}
	p.Stages = b.stages(at, t)
	p.Criteria = b.criteria(at, t, p)
	b.hints(at, t, p)
	return p
}

package config

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"serin/router"
)

// reference resolves an upstream's name; false when there is none, which is reported.
func (b *builder) reference(at string, name Text) (int, bool) {
	if name == "" || b.bad[at] {
		if !b.bad[at] {
			b.report(at, "want the name of an upstream", "")
		}
		return 0, false
	}
	b.used[string(name)] = true
	id, ok := b.upstreams[string(name)]
	if !ok {
		b.dangling(at, "upstream", string(name), maps.Keys(b.config.Upstream))
	}
	return id, ok
}

// dangling reports a name that nothing has.
func (b *builder) dangling(at, kind, name string, names iter.Seq[string]) {
	b.report(at, fmt.Sprintf("no %s %s", kind, show(name)), b.near(name, names))
}

// routes builds the plain side of every route; rollouts add their splits.
func (b *builder) routes() {
	for _, rollout := range inOrder(b, "rollout", b.config.Rollout) {
		if route := string(b.config.Rollout[rollout].Route); route != "" {
			if _, taken := b.split[route]; !taken {
				b.split[route] = "rollout " + rollout
			}
		}
	}
	for _, name := range inOrder(b, "experiment", b.config.Experiment) {
		if route := string(b.config.Experiment[name].Route); route != "" && b.split[route] == "" {
			b.split[route] = "experiment " + name
		}
	}
	taken := map[string]string{}
	for _, name := range inOrder(b, "route", b.config.Route) {
		t, at := b.config.Route[name], join("route", name)
		r := &router.Route{Name: name, Match: matchOf(t)}
		_, split := b.split[name]
		if t.Upstream != "" || b.bad[join(at, "upstream")] {
			r.Upstream, _ = b.reference(join(at, "upstream"), t.Upstream)
		} else if !split {
			b.report(at, "upstream is missing, and no rollout names this route", "")
		}
		for _, key := range matchKeys(r.Match) {
			if other, twin := taken[key]; twin && other != name && !b.anyBad(at) {
				b.report(at, fmt.Sprintf("takes the same requests as route %s", show(other)), "")
			}
			taken[key] = name
		}
		b.plan.Routes = append(b.plan.Routes, r)
	}
	if _, err := router.NewTable(b.plan.Routes); err != nil && !b.anyBad("route") {
		b.report("route", err.Error(), "")
	}
}

// matchOf is a route's table as the router knows it.
func matchOf(t *RouteTable) router.Match {
	m := router.Match{Path: string(t.Path)}
	if m.Path == "/*" { // everything, the star of OPTIONS * too
		m.Path = ""
	}
	for _, host := range t.Host {
		m.Hosts = append(m.Hosts, strings.ToLower(string(host)))
	}
	for _, method := range t.Methods {
		m.Methods = append(m.Methods, string(method))
	}
	for _, f := range t.Headers {
		m.Headers = append(m.Headers, router.FieldMatch{Name: string(f.Header), Is: string(f.Is)})
	}
	return m
}

// matchKeys are texts that are equal where two routes of one host ask for exactly the same.
func matchKeys(m router.Match) []string {
	fields := make([]string, len(m.Headers))
	for i, f := range m.Headers {
		fields[i] = strings.ToLower(f.Name) + ":" + f.Is
	}
	methods := slices.Clone(m.Methods)
	slices.Sort(fields)
	slices.Sort(methods)
	rest := fmt.Sprintf("%q %q %q", m.Path, slices.Compact(methods), slices.Compact(fields))
	hosts := m.Hosts
	if len(hosts) == 0 {
		hosts = []string{""}
	}
	keys := make([]string, len(hosts))
	for i, host := range hosts {
		keys[i] = strings.TrimSuffix(host, ".") + " " + rest
	}
	return keys
}

// attach puts a split on the route that its table names, beside others whose users are not its own; without any route in the
// file, on one that takes every request.
func (b *builder) attach(at string, named Text, split *router.Split) {
	path := join(at, "route")
	if named == "" {
		switch {
		case b.bad[path]:
		case len(b.config.Route) > 0:
			b.report(at, "route is missing: in a file with routes every rollout names one", "")
		case len(b.config.Rollout)+len(b.config.Experiment) > 1:
			b.report(at, "route is missing: only a rollout that is alone in its file takes every request", "")
		default:
			b.plan.Routes = append(b.plan.Routes, &router.Route{Upstream: split.Upstream(router.Stable), Split: split})
		}
		return
	}
	if _, ok := b.config.Route[string(named)]; !ok {
		b.dangling(path, "route", string(named), maps.Keys(b.config.Route))
		return
	}
	for _, r := range b.plan.Routes {
		switch {
		case r.Name != string(named):
		case r.Split == nil:
			r.Upstream, r.Split = split.Upstream(router.Stable), split
		case !b.parted(at, r, split):
		default:
			r.More = append(r.More, split)
		}
	}
}

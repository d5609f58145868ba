package router

import (
	"fmt"
	"slices"
)

// Match is what a request must be to take a route. Empty fields match everything.
type Match struct {
	// Hosts are exact ("shop.example.com", "[::1]") or begin with "*.": any number of labels below, but not the
	// name itself. No port: every port of a host is one host. Letter case and a trailing dot do not count.
	Hosts []string
	// Path is exact ("/up") or, with a star at the end, a prefix: "/checkout/*" takes "/checkout/" and all below
	// it, not "/checkout"; "/checkout*" takes that too. Compared with the request's normal form, case and all.
	Path string
	// Methods are compared exactly; GET does not include HEAD.
	Methods []string
	// Headers must all be there; of several lines with one name the first counts.
	Headers []FieldMatch
}

// FieldMatch asks for a header field: present when Is is empty, else equal to Is.
type FieldMatch struct{ Name, Is string }

// Route is one configured way in.
type Route struct {
	Name     string
	Match    Match
	Upstream int      // upstream ID of a plain route; with a Split, its stable upstream
	Split    *Split   // nil: plain
	More     []*Split // further splits whose users are others than Split's; nil: none
	Rest     int      // upstream ID of users who are in none of the splits' audiences
}

// Table is an immutable set of routes behind the proxy's one atomic pointer. The zero Table matches nothing.
//
// Of all routes that match, one wins: the most specific host first (exact, then the longest wildcard, then none),
// then the exact path, then the longest prefix, then a route that asks for methods, then the one that asks for more
// headers, then the earlier in the file. Finding it costs a hash of the host and a walk along the path, however many
// routes there are; only routes with the same host and the same path are tried one after another.
type Table struct {
	routes []*Route
	hosts  hostIndex // of indices into routes, shared by all tables derived from one another
}

// NewTable indexes the routes, in the file's order. Routes are not copied and must not change afterwards. It refuses
// patterns that could never match and two routes that ask for exactly the same.
func NewTable(routes []*Route) (*Table, error) {
	t := &Table{routes: slices.Clone(routes)}
	build := map[string]patterns{}
	for i, route := range routes {
		rule, err := newRule(i, &route.Match)
		if err != nil {
			return nil, fmt.Errorf("route %q: %w", route.Name, err)
		}
		hosts, err := hostPatterns(route.Match.Hosts)
		if err != nil {
			return nil, fmt.Errorf("route %q: %w", route.Name, err)
		}
		for _, host := range hosts {
			if build[host] == nil {
				build[host] = patterns{}
			}
			if twin, ok := build[host].add(route.Match.Path, rule); !ok {
				return nil, fmt.Errorf("route %q takes the same requests as route %q", route.Name, routes[twin].Name)
			}
		}
	}
	t.hosts = newHostIndex(build)
	return t, nil
}

// Match returns the request's route, or nil. It allocates nothing.
func (t *Table) Match(r *Request) *Route {
	if i := t.hosts.match(r); i >= 0 {
		return t.routes[i]
	}
	return nil
}

// WithSplit returns a table in which every route that carries the split with s.ID carries s. It copies one pointer
// for each route and shares the rest; t stays as it is.
func (t *Table) WithSplit(s *Split) *Table {
	derived := &Table{routes: slices.Clone(t.routes), hosts: t.hosts}
	for i, route := range derived.routes {
		if route.Split == nil {
			continue
		}
		if route.Split.ID == s.ID {
			changed := *route
			changed.Split, changed.Upstream = s, s.Upstream(Stable)
			derived.routes[i] = &changed
		} else if j := slices.IndexFunc(route.More, func(m *Split) bool { return m.ID == s.ID }); j >= 0 {
			changed := *route
			changed.More = slices.Clone(route.More)
			changed.More[j] = s
			derived.routes[i] = &changed
		}
	}
	return derived
}

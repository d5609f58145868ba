package main

import (
	"cmp"
	"slices"
	"sync"

	"serin/proxy/upstream"
)

// counted is a pool, as far as its counts go: *upstream.Pool.
type counted interface{ Status() upstream.Status }

// poolSums adds up what the pools of an upstream have counted, replaced ones included: a reload that makes another pool of a
// name lets none of its counters go down, and two pools of one name are one line of /metrics. An upstream that has no pool any
// more is forgotten, and so is a server. Safe for concurrent use.
type poolSums struct {
	mu   sync.Mutex
	live []counted // in force, prepared or draining
	past map[string]upstream.Status
}

// enter begins to count a pool.
func (s *poolSums) enter(p counted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live = append(s.live, p)
}

// leave keeps the last counts of a pool that has ended.
func (s *poolSums) leave(p counted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.live, p)
	if i < 0 {
		return
	}
	s.live = slices.Delete(s.live, i, i+1)
	last, now := p.Status(), s.sums()
	past := make(map[string]upstream.Status, len(now))
	for name, sum := range now {
		old := s.past[name]
		if name == last.Name {
			old = plus(old, last)
		}
		old.Servers = slices.DeleteFunc(slices.Clone(old.Servers), func(o upstream.ServerStatus) bool {
			return !slices.ContainsFunc(sum.Servers, func(n upstream.ServerStatus) bool { return n.Name == o.Name })
		})
		for j := range old.Servers { // of what is gone only the counts stay
			o := &old.Servers[j]
			*o = upstream.ServerStatus{Name: o.Name, Retries: o.Retries, Ejections: o.Ejections}
		}
		past[name] = old
	}
	s.past = past
}

// sums are the live pools by upstream, with mu held.
func (s *poolSums) sums() map[string]upstream.Status {
	out := map[string]upstream.Status{}
	for _, p := range s.live {
		status := p.Status()
		out[status.Name] = plus(out[status.Name], status)
	}
	return out
}

// all is every upstream with what it has counted since it was first configured, by name.
func (s *poolSums) all() []upstream.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []upstream.Status
	for name, sum := range s.sums() {
		out = append(out, plus(sum, s.past[name]))
	}
	slices.SortFunc(out, func(a, b upstream.Status) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// plus is a with the counts of b: errors by reason, and by server retries, ejections, connections and the better state.
func plus(a, b upstream.Status) upstream.Status {
	out := upstream.Status{Name: cmp.Or(a.Name, b.Name), Errors: map[string]uint64{}, Servers: slices.Clone(a.Servers)}
	for _, errors := range []map[string]uint64{a.Errors, b.Errors} {
		for reason, n := range errors {
			out.Errors[reason] += n
		}
	}
	for _, srv := range b.Servers {
		i := slices.IndexFunc(out.Servers, func(o upstream.ServerStatus) bool { return o.Name == srv.Name })
		if i < 0 {
			out.Servers = append(out.Servers, srv)
			continue
		}
		o := &out.Servers[i]
		o.Retries, o.Ejections, o.Connections = o.Retries+srv.Retries, o.Ejections+srv.Ejections, o.Connections+srv.Connections
		if srv.State == "up" || o.State == "" {
			o.State = srv.State
		}
	}
	return out
}

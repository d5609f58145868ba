package main

import (
	"testing"

	"serin/proxy/upstream"
)

// pooled is a pool with counts of its own.
type pooled struct{ now upstream.Status }

func (p *pooled) Status() upstream.Status { return p.now }

// poolOf is a pool with one server that has retried as often as the upstream has failed.
func poolOf(name, server, state string, n uint64) *pooled {
	return &pooled{upstream.Status{
		Name: name, Errors: map[string]uint64{"reset": n},
		Servers: []upstream.ServerStatus{{Name: server, State: state, Connections: 1, Retries: n}},
	}}
}

func TestPoolSums_PoolIsReplaced_CountersGoOn(t *testing.T) {
	t.Parallel()
	var s poolSums
	f := func(when string, errors, retries uint64, connections int, state string) {
		t.Helper()
		all := s.all()
		if len(all) != 1 || all[0].Name != "v2" || len(all[0].Servers) != 1 {
			t.Fatalf("%s: got %+v, want one upstream with one server", when, all)
		}
		srv := all[0].Servers[0]
		if all[0].Errors["reset"] != errors || srv.Retries != retries || srv.Connections != connections || srv.State != state {
			t.Errorf("%s: got %+v, want %d errors, %d retries, %d connections, %s", when, all[0], errors, retries, connections, state)
		}
	}
	old := poolOf("v2", "a:1", "up", 5)
	s.enter(old)
	f("one pool", 5, 5, 1, "up")
	next := poolOf("v2", "a:1", "up", 2)
	s.enter(next)
	old.now.Servers[0].State = "draining"
	f("the other drains", 7, 7, 2, "up")
	old.now.Errors["reset"], old.now.Servers[0].Retries = 6, 6 // a late one
	s.leave(old)
	s.leave(old)
	f("the other has gone", 8, 8, 1, "up")
	s.enter(poolOf("v2", "a:1", "up", 1))
	s.leave(next)
	f("and the next one", 9, 9, 1, "up")
}

func TestPoolSums_ServerOrUpstreamIsGone_IsForgotten(t *testing.T) {
	t.Parallel()
	var s poolSums
	old, other := poolOf("v2", "a:1", "up", 5), poolOf("v3", "b:1", "up", 5)
	s.enter(old)
	s.enter(other)
	s.enter(poolOf("v2", "c:1", "up", 0))
	s.leave(old)
	s.leave(other)
	all := s.all()
	if len(all) != 1 || len(all[0].Servers) != 1 || all[0].Servers[0].Name != "c:1" || all[0].Errors["reset"] != 5 {
		t.Errorf("got %+v, want v2 with its errors and its one server", all)
	}
	if len(s.past) != 1 {
		t.Errorf("%d upstreams are remembered, want 1", len(s.past))
	}
}

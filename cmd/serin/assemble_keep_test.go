package main

import (
	"testing"

	"serin/config"
	"serin/gate/control"
	"serin/router"
)

// A file whose canary is another version, while stable is still the one that the last canary has replaced, throws nobody back.
func TestInstall_StableOutdated_WhatCompletedGoesOnServing(t *testing.T) {
	plan := func(text string) *config.Plan {
		t.Helper()
		p, problems := config.Parse("serin.toml", []byte(`
[upstream.v1]
servers = ["127.0.0.1:1"]
`+text), config.Options{})
		if p == nil {
			t.Fatal(problems)
		}
		return p
	}
	const v2, v3 = "[upstream.v2]\nservers = [\"127.0.0.1:2\"]\nrevision = \"r2\"\n", "[upstream.v3]\nservers = [\"127.0.0.1:3\"]\n"
	const shop = "[rollout.shop]\nstable = \"v1\"\ncanary = "
	completed := plan(v2 + shop + `"v2"`)
	before := &installed{plan: completed, ids: map[string]int{"shop": 0}, sources: completed.Upstreams, splits: []*router.Split{completed.Rollouts[0].Split}}
	f := func(name string, old *installed, next *config.Plan, want string) *installed {
		t.Helper()
		g := &installed{plan: next, ids: map[string]int{"shop": 0}, settings: map[string]control.Setting{}}
		g.sources = append(g.sources, next.Upstreams...)
		split := *next.Rollouts[0].Split
		split.Upstreams[router.Stable] = g.keep(old, &next.Rollouts[0], "r2")
		g.splits = []*router.Split{&split}
		if u := g.sources[split.Upstreams[router.Stable]]; u.Servers[0].Address != want {
			t.Errorf("%s: %s of %s answers, want %s", name, u.Name, u.Revision, want)
		}
		return g
	}
	same := plan("[upstream.v2]\nservers = [\"127.0.0.1:3\"]\nrevision = \"r3\"\n" + shop + `"v2"`)
	f("another revision of the same name", before, same, "127.0.0.1:2")
	kept := f("another name, the old one left out", before, plan(v3+shop+`"v3"`), "127.0.0.1:2")
	f("a second reload", kept, plan(v3+"capacity = \"9rps\"\n"+shop+`"v3"`), "127.0.0.1:2")
	f("another name, the old one still there", before, plan(v2+v3+shop+`"v3"`), "127.0.0.1:2")
	f("after a restart, the old one still there", nil, plan(v2+v3+shop+`"v3"`), "127.0.0.1:2")
	f("after a restart, the old one left out", nil, plan(v3+shop+`"v3"`), "127.0.0.1:1")
}

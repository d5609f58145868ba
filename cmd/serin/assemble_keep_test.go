package main

import (
	"crypto/tls"
	"log/slog"
	"os"
	"path/filepath"
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
	f := func(name string, old *installed, past *keptSources, next *config.Plan, want string) *installed {
		t.Helper()
		g := &installed{plan: next, ids: map[string]int{"shop": 0}, settings: map[string]control.Setting{}}
		g.sources = append(g.sources, next.Upstreams...)
		split := *next.Rollouts[0].Split
		split.Upstreams[router.Stable] = g.keep(old, past, &next.Rollouts[0], "r2")
		g.splits = []*router.Split{&split}
		if u := g.sources[split.Upstreams[router.Stable]]; u.Servers[0].Address != want {
			t.Errorf("%s: %s of %s answers, want %s", name, u.Name, u.Revision, want)
		}
		return g
	}
	same := plan("[upstream.v2]\nservers = [\"127.0.0.1:3\"]\nrevision = \"r3\"\n" + shop + `"v2"`)
	f("another revision of the same name", before, nil, same, "127.0.0.1:2")
	kept := f("another name, the old one left out", before, nil, plan(v3+shop+`"v3"`), "127.0.0.1:2")
	f("a second reload", kept, nil, plan(v3+"capacity = \"9rps\"\n"+shop+`"v3"`), "127.0.0.1:2")
	f("another name, the old one still there", before, nil, plan(v2+v3+shop+`"v3"`), "127.0.0.1:2")
	f("after a restart, the old one still there", nil, nil, plan(v2+v3+shop+`"v3"`), "127.0.0.1:2")
	f("after a restart, the old one left out", nil, nil, plan(v3+shop+`"v3"`), "127.0.0.1:1")

	dir := t.TempDir()
	past := openKept(filepath.Join(dir, "completed.json"), slog.New(slog.DiscardHandler))
	before.settings = map[string]control.Setting{"shop": {Weight: router.Full}}
	past.note(before)
	past.write()
	past = openKept(past.path, past.log)
	kept = f("after a restart that remembers, the old one left out", nil, past, plan(v3+shop+`"v3"`), "127.0.0.1:2")
	kept.settings = map[string]control.Setting{"shop": {Keep: "r2"}}
	past.note(kept)
	past.write()
	f("after another", nil, openKept(past.path, past.log), plan(v3+shop+`"v3"`), "127.0.0.1:2")
	before.settings = map[string]control.Setting{"shop": {Weight: 5000}}
	past.note(before)
	f("half of the users are no completion", nil, past, plan(v3+shop+`"v3"`), "127.0.0.1:1")
	if err := os.WriteFile(past.path, []byte(`{"shop":`), 0o600); err != nil {
		t.Fatal(err)
	}
	f("a broken file is none", nil, openKept(past.path, past.log), plan(v3+shop+`"v3"`), "127.0.0.1:1")
}

func TestKeptSources_PoolWithTLS_TakesItFromTheUpstreamOfItsName(t *testing.T) {
	u := config.Upstream{Name: "v2", Revision: "r2", Servers: []config.Server{{Address: "127.0.0.1:2", TLS: true}}}
	k := &keptSources{all: map[string]config.Upstream{"shop": u}}
	f := func(name string, tls *tls.Config, want bool) {
		t.Helper()
		got, ok := k.of(&config.Plan{Upstreams: []config.Upstream{{Name: name, TLS: tls}}}, "shop", "r2")
		if ok != want || ok && got.TLS != tls {
			t.Errorf("beside %s: got %v, %v", name, ok, got.TLS)
		}
	}
	f("v2", &tls.Config{}, true)
	f("v2", nil, false)
	f("v3", &tls.Config{}, false)
}

package main

import (
	"slices"
	"strings"
	"testing"

	"serin/config"
	"serin/gate/control"
	"serin/router"
)

// partedPlan is a route with a rollout for staff and, of everybody else, a group of a rollout and an experiment; the group has
// another rollout on a route of its own.
func partedPlan(t *testing.T) *config.Plan {
	t.Helper()
	p, problems := config.Parse("serin.toml", []byte(`
[upstream.v0]
servers = ["127.0.0.1:9000"]
[upstream.v1]
servers = ["127.0.0.1:9001"]
[upstream.v2]
servers = ["127.0.0.1:9002"]
[audience.staff]
any = { header = "X-Employee", is = "1" }
[audience.customers]
any = { cookie = "session" }
not = { audience = "staff" }
[route.shop]
path = "/shop/*"
upstream = "v0"
[route.search]
path = "/search/*"
[rollout.internal]
route = "shop"
audience = "staff"
exclusive = "risky"
stable = "v1"
canary = "v2"
[rollout.checkout]
route = "shop"
audience = "customers"
exclusive = "other"
stable = "v1"
canary = "v2"
[experiment.button]
route = "shop"
audience = "customers"
exclusive = "other"
arms = { plain = { upstream = "v1", weight = "50%" }, green = { upstream = "v1", weight = "50%", headers = { X-Button = "green" } } }
[rollout.search]
route = "search"
exclusive = "risky"
stable = "v1"
canary = "v2"
[flag.tools]
rollout = "internal"
header = "X-Tools"
[flag.colour]
experiment = "button"
values = { plain = "grey", green = "green" }
header = "X-Colour"
[flag.search]
rollout = "search"
header = "X-Search"
`), config.Options{})
	if p == nil {
		t.Fatal(problems)
	}
	return p
}

func TestFlagLines_OfARoutesOtherSplits_AreOff(t *testing.T) {
	p := partedPlan(t)
	f := func(split *router.Split, arm int, want string) {
		t.Helper()
		if got := strings.ReplaceAll(string(flagLines(p, split, arm)), "\r\n", ";"); got != want {
			t.Errorf("%s, arm %d: got %q, want %q", split.Rollout, arm, got, want)
		}
	}
	internal, checkout, search, button := p.Rollouts[0].Split, p.Rollouts[1].Split, p.Rollouts[2].Split, p.Experiments[0].Split
	f(internal, 0, "X-Tools: false;X-Colour: grey;")
	f(internal, 1, "X-Tools: true;X-Colour: grey;")
	f(checkout, 1, "X-Tools: false;X-Colour: grey;")
	f(button, 1, "X-Tools: false;X-Colour: green;")
	f(search, 1, "X-Search: true;")
	if got := dropped(p, internal); !slices.Equal(got, []string{"X-Tools", "X-Colour", "X-Search", "X-Button"}) {
		t.Errorf("cut on the shop's route: %q", got)
	}
	if got := dropped(p, search); !slices.Equal(got, []string{"X-Tools", "X-Colour", "X-Search"}) {
		t.Errorf("cut on the search's route: %q", got)
	}
}

func TestPlainTo_WhoIsInNoAudience_GoesToTheRoutesUpstream(t *testing.T) {
	p := partedPlan(t)
	if got := plainTo(p.Routes[0]); got < 0 || p.Upstreams[got].Name != "v0" {
		t.Errorf("shop: got %d, want v0", got)
	}
	if got := plainTo(p.Routes[1]); got != -1 {
		t.Errorf("search: got %d, want none: its rollout is for everybody", got)
	}
	g := &installed{plan: p, sources: p.Upstreams, splits: []*router.Split{{Upstreams: [2]int{1, 0}}}}
	if !g.shared(0, 0) || g.shared(0, 2) {
		t.Errorf("v0, which those in no audience use, is shared: %v; v2: %v", g.shared(0, 0), g.shared(0, 2))
	}
}

// At 100 % a rollout leaves its group, unless another of the group stands on its route.
func TestGroupOf_AtFullWeight_GoesToEverybodyItIsFor(t *testing.T) {
	p := partedPlan(t)
	full, half := control.Setting{Weight: router.Full}, control.Setting{Weight: 5000}
	for i, want := range []bool{true, false, true} { // the others of their groups are on another route, on the same, on another
		ro := &p.Rollouts[i]
		if got := groupOf(p, ro, full) == nil; got != want {
			t.Errorf("%s at 100 %%: leaves its group: %v, want %v", ro.Name, got, want)
		}
		if groupOf(p, ro, half) != ro.Split.Group || ro.Split.Group == nil {
			t.Errorf("%s at 50 %%: not in its group", ro.Name)
		}
	}
}

func TestHidden_SignalsOfOneSplit_NoUserOfTheRouteSees(t *testing.T) {
	p := partedPlan(t)
	p.Rollouts[1].Signals = "X-Signal"
	for _, split := range []*router.Split{p.Rollouts[0].Split, p.Rollouts[1].Split, p.Experiments[0].Split} {
		if got := hidden(p, split); got != "X-Signal" {
			t.Errorf("%s: got %q, want X-Signal", split.Rollout, got)
		}
	}
	if got := hidden(p, p.Rollouts[2].Split); got != "" {
		t.Errorf("another route: got %q, want none", got)
	}
}

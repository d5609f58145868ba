package config

import (
	"slices"
	"strings"
	"testing"

	"serin/router"
)

func TestParse_SplitsPartedByAudiences_StandOnOneRoute(t *testing.T) {
	t.Parallel()
	p := parsed(t, "shared_routes_ok.toml")
	routes := map[string]*router.Route{}
	for _, r := range p.Routes {
		routes[r.Name] = r
	}
	f := func(route, rest string, splits ...string) {
		t.Helper()
		r := routes[route]
		var got []string
		for _, s := range splitsOf(r) {
			got = append(got, s.Rollout+" "+s.Audience.Name)
		}
		if name := p.Upstreams[r.Rest].Name; !slices.Equal(got, splits) || name != rest {
			t.Errorf("%s: got %q, the rest to %s, want %q, the rest to %s", route, got, name, splits, rest)
		}
	}
	f("complement", "v2", "internal staff", "shop customers") // nobody is the rest
	f("cookies", "v1", "europe eu", "america us")
	f("networks", "v1", "hall-a hall-a", "hall-b hall-b")
	f("shares", "v1", "early few", "late most")
	f("alone", "v1", "north nordic")
	f("both", "v1", "both-a staff", "both-b customers", "both-c customers")
	for i := range p.Rollouts {
		if r := &p.Rollouts[i]; r.Policy.Audience != r.Split.Audience.Name || r.Policy.People == "" {
			t.Errorf("%s: got policy for %q, %q", r.Name, r.Policy.Audience, r.Policy.People)
		}
	}
}

// keyed is two rollouts for the users of two files, and what the files hold.
func keyed(one, other string, change func(string) string) string {
	text := `
[upstream.v1]
servers = ["127.0.0.1:9001"]
[upstream.v2]
servers = ["127.0.0.1:9002"]
[audience.one]
any = { key_file = "one.txt" }
[audience.other]
any = { key_file = "other.txt" }
[route.shop]
[rollout.first]
route = "shop"
audience = "one"
stable = "v1"
canary = "v2"
[rollout.second]
route = "shop"
audience = "other"
stable = "v1"
canary = "v2"
`
	if change != nil {
		text = change(text)
	}
	plan, problems := Parse("serin.toml", []byte(text), sealed(map[string]string{"one.txt": one, "other.txt": other}, nil))
	if plan != nil {
		plan.Warnings = nil
	}
	return said(plan, problems)
}

func TestParse_KeyFiles_PartTheUsersWhileTheyShareNoKey(t *testing.T) {
	t.Parallel()
	if got := keyed("alice\nbob\n", "carol\n# alice\n", nil); got != "ok\n" {
		t.Errorf("no key in common: got %s", got)
	}
	want := `serin.toml:18: rollout.second.audience: rollout "first" is for "one", and a user with a key of its key_file may be in both`
	if got := keyed("alice\nbob\n", "bob\n", nil); !strings.HasPrefix(got, want) {
		t.Errorf("a key in common: got %s, want %s", got, want)
	}
	but := func(text string) string {
		return strings.ReplaceAll(text, `"other.txt" }`, "\"other.txt\" }\nnot = { audience = \"one\" }")
	}
	if got := keyed("alice\nbob\n", "bob\ncarol\n", but); got != "ok\n" {
		t.Errorf("but the others' keys: got %s", got)
	}
}

func TestParse_PeopleOfARollout_AreWhatTheAudienceMeansNotWhoIsInAFile(t *testing.T) {
	t.Parallel()
	people := func(vips, change, into string) string {
		text := strings.ReplaceAll(strings.Replace(ringFile, "[rollout.checkout]", "[rollout.checkout]\naudience = \"beta\"", 1), change, into)
		r := mustParse(t, text, ringOptions(vips)).Rollouts[0]
		return r.Policy.People + " " + r.Rings[1].Digest
	}
	before := strings.Fields(people("alice", "-", "-"))
	file := strings.Fields(people("bob", "-", "-"))
	within := strings.Fields(people("alice", `is = "1" }, { cidr`, `is = "2" }, { cidr`))
	if before[0] != file[0] || before[1] == file[1] {
		t.Errorf("another key in a file: got %q, was %q: want the same people and another ring", file, before)
	}
	if before[0] == within[0] || before[1] == within[1] {
		t.Errorf("another condition within: got %q, was %q: want other people", within, before)
	}
}

func TestParse_ExperimentsAudience_IsPartOfWhatIsCompared(t *testing.T) {
	t.Parallel()
	revision := func(audience string) string {
		return mustParse(t, `
[upstream.v1]
servers = ["127.0.0.1:9001"]
[audience.eu]
any = { cookie = "region", is = "eu" }
[audience.us]
any = { cookie = "region", is = "us" }
[experiment.button]
`+audience+`
arms = { a = { upstream = "v1", weight = "50%" }, b = { upstream = "v1", weight = "50%" } }
`, sealed(nil, nil)).Experiments[0].Policy.Revision
	}
	all, eu, us := revision(""), revision(`audience = "eu"`), revision(`audience = "us"`)
	if all == eu || eu == us || all == us {
		t.Errorf("got revisions %s, %s, %s, want three", all, eu, us)
	}
}

func TestParse_SignalsOfAnAudience_WantARequestToTellWhoIsInIt(t *testing.T) {
	t.Parallel()
	warned := func(audience, header string) bool {
		p := mustParse(t, `
[upstream.v1]
servers = ["127.0.0.1:9001"]
[upstream.v2]
servers = ["127.0.0.1:9002"]
[audience.some]
`+audience+`
[rollout.shop]
audience = "some"
stable = "v1"
canary = "v2"
`+header+`
[[rollout.shop.gate]]
metric = "signal.order"
worse = "lower"
hold = "stable - 1pt"
`, sealed(nil, nil))
		return slices.ContainsFunc(p.Warnings, func(w Problem) bool { return strings.Contains(w.Text, "signals that are posted") })
	}
	if !warned(`any = { header = "X-Employee" }`, "") || warned(`share = "50%"`, "") || warned(`any = { header = "X-Employee" }`, `signals = { header = "X-Signal" }`) {
		t.Errorf("got %v, %v, %v, want a warning of the first alone", warned(`any = { header = "X-Employee" }`, ""), warned(`share = "50%"`, ""),
			warned(`any = { header = "X-Employee" }`, `signals = { header = "X-Signal" }`))
	}
}

func TestSharing_EveryRoute_SaysWhoGetsWhat(t *testing.T) {
	t.Parallel()
	golden(t, "testdata/sharing.golden", SharingText(parsed(t, "shared_routes_ok.toml").Sharing())+"\n"+SharingText(parsed(t, "experiment.toml").Sharing()))
	if all := parsed(t, "smallest.toml").Sharing(); all != nil {
		t.Errorf("a file where everybody gets the same: got %+v", all)
	}
}

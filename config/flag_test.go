package config

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"serin/router"
)

func TestParse_Experiment_LaysOutItsArmsTheControlFirst(t *testing.T) {
	t.Parallel()
	p := parsed(t, "experiment.toml")
	e := p.Experiments[0]
	want := []router.Share{{Name: "plain", Until: 3334}, {Name: "blue", Until: 6667}, {Name: "green", Until: router.Full}}
	if !reflect.DeepEqual(e.Split.Shares, want) {
		t.Errorf("got arms %+v, want %+v", e.Split.Shares, want)
	}
	if e.Split.ID != 1 || e.Policy.For != 7*24*time.Hour || len(e.Policy.Criteria) != 1 || e.Lines[2]["X-Button"] != "green" || e.Policy.Arms[1].Share != 3333 {
		t.Errorf("got %+v %+v %v", e.Split, e.Policy, e.Lines)
	}
	route := p.Routes[0]
	if route.Split != p.Rollouts[0].Split || len(route.More) != 1 || route.More[0] != e.Split {
		t.Errorf("got route %+v", route)
	}
	if a, b := route.Split, route.More[0]; a.Group == nil || a.Group != b.Group || a.Member == b.Member {
		t.Errorf("got groups %v %d, %v %d", a.Group, a.Member, b.Group, b.Member)
	}
}

func TestParse_ExperimentsOrder_DoesNotMatterOnceTheControlIsNamed(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/experiment.toml")
	if err != nil {
		t.Fatal(err)
	}
	plan, problems := Parse("serin.toml", data, sealed(nil, nil))
	if plan == nil {
		t.Fatal(problems)
	}
	again, problems := Parse("serin.toml", []byte(Effective(plan)), sealed(nil, nil))
	if again == nil {
		t.Fatalf("%v in\n%s", problems, Effective(plan))
	}
	if a, b := plan.Experiments[0], again.Experiments[0]; !reflect.DeepEqual(a.Split.Shares, b.Split.Shares) || a.Policy.Revision != b.Policy.Revision {
		t.Errorf("got %+v, want %+v", b.Split, a.Split)
	}
	byName := func(a, b FeatureFlag) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(plan.Flags, byName)
	slices.SortFunc(again.Flags, byName)
	if !reflect.DeepEqual(plan.Flags, again.Flags) {
		t.Errorf("got flags\n%+v, want\n%+v", again.Flags, plan.Flags)
	}
}

func TestParse_Flags_HaveAValueForEveryArm(t *testing.T) {
	t.Parallel()
	flags := map[string]FeatureFlag{}
	for _, f := range parsed(t, "experiment.toml").Flags {
		flags[f.Name] = f
	}
	f := func(name string, want FeatureFlag) {
		t.Helper()
		want.Name = name
		if !reflect.DeepEqual(flags[name], want) {
			t.Errorf("got %+v, want %+v", flags[name], want)
		}
	}
	checkout := FeatureFlag{StaleAfter: 30 * 24 * time.Hour}
	checkout.Owner, checkout.Header, checkout.Values, checkout.Variants = "checkout", "X-Flag-New-Checkout", []any{false, true}, []string{"off", "on"}
	f("new-checkout", checkout)
	colour := FeatureFlag{StaleAfter: 30 * 24 * time.Hour, Experiment: true}
	colour.Split, colour.Owner, colour.Values, colour.Variants = 1, "button", []any{"grey", "blue", "green"}, []string{"plain", "blue", "green"}
	f("colour", colour)
	limits := FeatureFlag{StaleAfter: 14 * 24 * time.Hour}
	limits.Owner, limits.Variants = "checkout", []string{"off", "on"}
	limits.Values = []any{
		map[string]any{"items": int64(10), "names": []any{}, "ratio": 1.0, "since": "2026-01-01T00:00:00Z"},
		map[string]any{"items": int64(20), "names": []any{"a", "b c"}, "ratio": .5, "since": "2026-11-21T00:00:00Z"},
	}
	f("limits", limits)
}

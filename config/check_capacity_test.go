package config

import (
	"strings"
	"testing"
)

func TestTimetable_Capacity_NamesTheStagesThatAskForMore(t *testing.T) {
	t.Parallel()
	p := planned(t, fourRungs, errorsOnly)
	p.Rollouts[0].Policy.Capacity, p.Rollouts[0].Policy.StableCapacity = 200, 900
	text := func(rps float64) string {
		return strings.Join(strings.Fields(TimetableText(p.Timetable(rps, .01))), " ")
	}
	for rps, wants := range map[float64][]string{
		1000: {"error: stage 3: 25 % of 1000 requests/s is more than the 200 that the canary's pool carries. It would hold at 20 %",
			"warning: stage 1: stable's pool carries 900 requests/s, and a rollback would bring it 1000. A rollback is never refused."},
		300: {"error: stage 4: 100 % of 300 requests/s is more than the 200"},
		0:   {"The canary's pool carries 200 requests/s: that is 1 % of up to 20,000, 5 % of up to 4,000, 25 % of up to 800, 100 % of up to 200."},
	} {
		for _, want := range wants {
			if got := text(rps); !strings.Contains(got, want) {
				t.Errorf("at %v: got\n%s\nwant %q", rps, got, want)
			}
		}
	}
	if got := text(200); strings.Contains(got, "carries") {
		t.Errorf("at what it carries: got %s", got)
	}
}

func TestParse_Release_ReachesThePolicy(t *testing.T) {
	t.Parallel()
	p, problems := Parse("serin.toml", []byte(`
[upstream.v1]
servers = ["127.0.0.1:9001"]
capacity = "500rps"
[upstream.v2]
servers = ["127.0.0.1:9002"]
capacity = "0.5rps"
[rollout.checkout]
stable = "v1"
canary = "v2"
window = ["Mon-Thu 09:00-16:00 Europe/Berlin", "Sat 10:00-12:00 UTC"]
revert = { over = "30s", drain = "10s" }
`), sealed(nil, nil))
	if p == nil {
		t.Fatal(problems)
	}
	policy := p.Rollouts[0].Policy
	if policy.Capacity != .5 || policy.StableCapacity != 500 || policy.RevertOver.Seconds() != 30 || policy.RevertDrain.Seconds() != 10 ||
		len(policy.Window) != 2 || policy.Window[1].String() != "Sat 10:00-12:00 UTC" {
		t.Errorf("got %+v", policy)
	}
}

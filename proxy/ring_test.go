package proxy

import (
	"fmt"
	"testing"

	"serin/gate/window"
	"serin/router"
)

// TestRings_EveryRequest_IsCountedWhereItBelongs: a rollout with three rings at three stages; whom the gate sees, who is only
// exposed, and what is kept of whom for later.
func TestRings_EveryRequest_IsCountedWhereItBelongs(t *testing.T) {
	t.Parallel()
	r := twoArms(t, rigOptions{})
	var rings []*router.Audience
	for _, name := range []string{"House", "Beta", "Friends"} {
		a := &router.Audience{Name: name, Any: []router.Predicate{{Kind: router.IsHeader, Name: "X-" + name}}}
		if err := a.Check(); err != nil {
			t.Fatal(err)
		}
		rings = append(rings, a)
	}
	meter := func() *window.Meter { return window.NewMeter(window.Options{Users: true}) }
	client := r.dial()
	stage := func(weight router.Weight, open uint16, evidence uint8, settled router.Arm) *Split {
		split := *r.split
		split.Weight, split.Rings, split.Open = weight, rings, open
		s := testSplit(rigOptions{})
		s.Rings = &Rings{Evidence: evidence, Members: meter(), Settled: settled, Past: []*window.Meter{meter(), meter(), meter(), meter()}}
		snap := r.snapshot
		snap.Table, snap.Splits = snap.Table.WithSplit(&split), []*Split{s}
		r.proxy.Publish(&snap)
		for i, who := range []string{"", "X-House: 1\r\n", "X-Beta: 1\r\n", "X-Friends: 1\r\n"} {
			member := i > 0 && open>>(i-1)&1 == 1
			want := []string{"v1", "v2"}[map[bool]int{true: 1}[member || weight == router.Full]]
			if _, body := client.ask(fmt.Sprintf("GET / HTTP/1.1\r\nHost: shop\r\nX-User-Id: u\r\n%s\r\n", who)); body != want {
				t.Errorf("weight %s, open %b, %q: got %s, want %s", weight, open, who, body, want)
			}
		}
		return s
	}
	f := func(s *Split, stable, canary, members uint64, past ...uint64) {
		t.Helper()
		got := []uint64{s.Evidence[0].Total(), s.Evidence[1].Total(), s.Rings.Members.Total()}
		want := []uint64{stable, canary, members}
		for i, m := range s.Rings.Past {
			got, want = append(got, m.Total()), append(want, past[i])
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("stable, canary, members, past of each: got %v, want %v", got, want)
		}
	}
	f(stage(0, 0, 0, router.Stable), 4, 0, 0, 1, 1, 1, 1)
	f(stage(0, 0b001, 1, router.Stable), 3, 1, 0, 1, 0, 1, 1)
	f(stage(0, 0b011, 2, router.Stable), 2, 1, 1, 1, 0, 0, 1)
	f(stage(1, 0b011, 0, router.Stable), 2, 0, 2, 1, 0, 0, 1)
	f(stage(router.Full, 0, 0, router.Canary), 0, 4, 0, 1, 1, 1, 1)
	f(stage(0, 0b001, 1, router.Canary), 3, 1, 0, 0, 0, 0, 0)
	totals := r.proxy.Totals().Splits[0]
	if got := totals.Arms[0].Judged() + totals.Arms[1].Judged(); got != 24 {
		t.Errorf("totals count %d requests, want 24: members once, their past not again", got)
	}
}

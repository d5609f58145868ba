package flag

import (
	"fmt"
	"math"
	"testing"

	"serin/router"
)

func rollout(w router.Weight) *router.Split {
	return &router.Split{Rollout: "checkout", Salt: router.Salt("checkout"), Keys: []router.KeySource{{Kind: router.KeyHeader, Name: "X-User-Id"}}, Weight: w}
}

func onOff() *Flag {
	return &Flag{Name: "new-checkout", Values: []any{false, true}, Variants: []string{"off", "on"}}
}

func TestFor_TenThousandUsersWhileTheWeightMoves_AgreesWithTheRoute(t *testing.T) {
	f := onOff()
	was := make([]bool, 10_000)
	for _, w := range []router.Weight{0, 1, 100, 500, 2500, 5000, 9900, router.Full, 2500, 0} {
		s := rollout(w)
		on := 0
		for i := range was {
			key := fmt.Sprintf("user-%d", i)
			c := s.Choose(&router.Request{Head: []byte("Host: shop\r\nX-User-Id: " + key + "\r\n")})
			got := f.For(s, nil, key)
			if got.Value != (c.Arm == router.Canary) {
				t.Fatalf("%s at %s: the flag is %v, the route goes to %s", key, w, got.Value, c.Arm)
			}
			was[i] = got.Value.(bool)
			if was[i] {
				on++
			}
		}
		if share := w.Fraction(); math.Abs(float64(on)/1e4-share) > 4*math.Sqrt(share*(1-share)/1e4) {
			t.Errorf("at %s the flag is on for %d of 10,000 users", w, on)
		}
	}
}

func TestFor_SaysWhy(t *testing.T) {
	f := onOff()
	g := router.NewGroup("risky", []string{"a", "b"})
	inGroup := rollout(router.Full)
	inGroup.Group = g
	foreign, own := rollout(router.Full), rollout(router.Full)
	foreign.Audience = &router.Audience{Any: []router.Predicate{{Kind: router.IsKey, Keys: router.NewKeySet([]string{"nobody"})}}}
	own.Audience = &router.Audience{Not: foreign.Audience.Any}
	shares := rollout(0)
	shares.Shares = []router.Share{{Name: "control", Until: 5000}, {Name: "green", Until: router.Full, Stopped: true}}
	for _, tt := range []struct {
		name  string
		split *router.Split
		want  map[Reason]bool
	}{
		{"rolled back", rollout(0), map[Reason]bool{Static: true}},
		{"complete", rollout(router.Full), map[Reason]bool{Static: true}},
		{"under way", rollout(500), map[Reason]bool{Split: true}},
		{"in a group", inGroup, map[Reason]bool{Split: true}},
		{"for others", foreign, map[Reason]bool{Default: true}},
		{"for those who are asked about", own, map[Reason]bool{Split: true}},
		{"an arm stopped", shares, map[Reason]bool{Split: true, Disabled: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := map[Reason]bool{}
			for i := range 100 {
				got[f.For(tt.split, nil, fmt.Sprint(i)).Reason] = true
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestFor_AddressAsKey_IsTheAddressOfTheRequest(t *testing.T) {
	s := rollout(5000)
	s.Keys = []router.KeySource{{Kind: router.KeyIP}}
	f := onOff()
	for i := range 50 {
		text := fmt.Sprintf("192.0.2.%d", i)
		if want := s.ChooseText(text).Arm == router.Canary; f.For(s, nil, text).Value != want {
			t.Errorf("%s: got %v, want %v", text, f.For(s, nil, text).Value, want)
		}
	}
}

func TestText_WritesEveryKindOfValue(t *testing.T) {
	f := func(value any, want string) {
		t.Helper()
		if got := Text(value); got != want {
			t.Errorf("%v: got %q, want %q", value, got, want)
		}
	}
	f(true, "true")
	f("red, and green", "red, and green")
	f(int64(7), "7")
	f(.25, "0.25")
	f([]any{int64(1), "a"}, `[1,"a"]`)
	f(map[string]any{"b": false, "a": int64(1)}, `{"a":1,"b":false}`)
}

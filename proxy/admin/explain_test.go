package admin

import (
	"strings"
	"testing"

	"serin/router"
)

func TestExplainKey_Audience_SaysWhatItMakesOfARequest(t *testing.T) {
	t.Parallel()
	var rings []*router.Audience
	for _, name := range []string{"house", "beta"} {
		a := &router.Audience{Name: name, Any: []router.Predicate{{Kind: router.IsHeader, Name: "X-" + name, Is: "1"}}}
		if err := a.Check(); err != nil {
			t.Fatal(err)
		}
		rings = append(rings, a)
	}
	split := &router.Split{Rollout: "shop", Keys: []router.KeySource{{Kind: router.KeyHeader, Name: "X-User-Id"}}, Rings: rings, Open: 0b01}
	f := func(header, arm, audience, reason string) {
		t.Helper()
		a := Ask{Key: "alice"}
		if header != "" {
			a.Headers = []string{header}
		}
		got := ExplainKey(askOf(a.values()), []*router.Split{split}).Rollouts[0]
		if got.Arm != arm || got.Audience != audience || !strings.Contains(got.Reason, reason) {
			t.Errorf("%q: got %+v, want %s, %q, %q", header, got, arm, audience, reason)
		}
	}
	f("", "stable", "", "above the canary's 0 %")
	f("X-House:1", "canary", "house", "a member of audience house, whose ring is open")
	f("x-beta:  1 ", "stable", "beta", "a member of audience beta, whose ring is not open")
	f("X-Beta: 2", "stable", "", "above")
}

func TestAsk_ThatIsNoRequest_IsRefused(t *testing.T) {
	t.Parallel()
	for _, a := range []Ask{{Headers: []string{"no colon"}}, {Headers: []string{"A: b\r\nX-House: 1"}}, {Headers: []string{": x"}}, {Client: "10.8.0"}} {
		if _, err := a.Request(); err == nil {
			t.Errorf("%+v is taken for a request", a)
		}
	}
}

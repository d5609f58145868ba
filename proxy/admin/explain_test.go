package admin

import (
	"fmt"
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

func TestExplainKey_UserOfAnotherMember_NeverFlips(t *testing.T) {
	t.Parallel()
	group := router.NewGroup("risky", []string{"one", "two"})
	var splits []*router.Split
	for i, name := range []string{"one", "two"} {
		splits = append(splits, &router.Split{Rollout: name, Salt: router.Salt(name), Weight: router.Full, Group: group, Member: uint8(i)})
	}
	for i := range 50 {
		key := fmt.Sprint("user-", i)
		x := ExplainKey(Ask{Key: key}, splits)
		own, other := x.Rollouts[0], x.Rollouts[1]
		if own.Arm == "stable" {
			own, other = other, own
		}
		if own.Arm != "canary" || own.FlipsAtWeight == nil || other.Arm != "stable" || other.FlipsAtWeight != nil || !strings.Contains(other.Reason, "risky") {
			t.Fatalf("%s: got %+v", key, x.Rollouts)
		}
		for _, r := range x.Rollouts {
			if want := router.BucketOf(router.Salt(r.Name), []byte(key)); r.Bucket != int(want) {
				t.Errorf("%s: bucket %d of %s, want %d", key, r.Bucket, r.Name, want)
			}
		}
	}
}

func TestExplainKey_SplitForOthers_SaysForWhom(t *testing.T) {
	t.Parallel()
	staff := &router.Audience{Name: "staff", Any: []router.Predicate{{Kind: router.IsHeader, Name: "X-Employee"}}}
	if err := staff.Check(); err != nil {
		t.Fatal(err)
	}
	keys := []router.KeySource{{Kind: router.KeyHeader, Name: "X-User-Id"}}
	splits := []*router.Split{
		{Rollout: "internal", Salt: 1, Keys: keys, Weight: router.Full, Audience: staff},
		{ID: 1, Rollout: "button", Salt: 2, Keys: keys, Audience: staff, Shares: []router.Share{{Name: "plain", Until: 1}, {Name: "green", Until: router.Full}}},
	}
	bucket := int(router.BucketOf(1, []byte("alice")))
	x := ExplainKey(Ask{Key: "alice"}, splits)
	if got := x.Rollouts[0]; got.Arm != "none" || got.For != "staff" || got.FlipsAtWeight != nil || got.Bucket != bucket || got.Reason != "not a member of audience staff, which this rollout is for" {
		t.Errorf("somebody else: got %+v", got)
	}
	if got := x.Experiments[0]; got.Arm != "none" || got.For != "staff" || got.Reason != "outside" {
		t.Errorf("somebody else: got %+v", got)
	}
	x = ExplainKey(Ask{Key: "alice", Headers: []string{"X-Employee: 1"}}, splits)
	if got := x.Rollouts[0]; got.Arm != "canary" || got.For != "staff" || got.FlipsAtWeight == nil || got.Bucket != bucket {
		t.Errorf("a member: got %+v", got)
	}
	if got := x.Experiments[0]; got.Arm != "green" || got.Reason != "weight" {
		t.Errorf("a member: got %+v", got)
	}
}

func TestAsk_ThatIsNoRequest_IsRefused(t *testing.T) {
	t.Parallel()
	for _, a := range []Ask{{Headers: []string{"no colon"}}, {Headers: []string{"A: b\r\nX-House: 1"}}, {Headers: []string{": x"}}, {Client: "10.8.0"}} {
		if _, err := a.Request(); err == nil {
			t.Errorf("%+v is taken for a request", a)
		}
	}
}

// A flag is what its rollout's route is for the very request that is asked about.
func TestExplain_Flags_SeeTheRequestToo(t *testing.T) {
	o, _ := rooms()
	o.Flags = fakeFlags{}
	h := New(o).Handler()
	for target, want := range map[string]string{
		"/v1/explain?key=bob":                        `"value":false`,
		"/v1/explain?key=bob&header=X-Employee:%201": `"value":true`,
	} {
		if w := ask(h, "GET", target, ""); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %s, want %s", target, w.Body, want)
		}
	}
}

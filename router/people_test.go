package router

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// partedRoute is a route with several splits that audiences part, all sources of keys among theirs.
func partedRoute(t testing.TB, random *rand.Rand) *Route {
	of, asked := words()
	r := &Route{Name: "shop", Rest: 7}
	keys := []KeySource{{KeyHeader, "X-User-Id"}, {KeyMint, "uid"}}
	var have []*Audience
	for len(have) < 2+random.IntN(2) {
		a := randomAudience(t, random, of[:asked], 2)
		if random.IntN(2) == 0 && len(have) > 0 {
			a = aud(t, &Audience{All: []Predicate{{Kind: IsMember, Audience: a}}, Not: []Predicate{{Kind: IsMember, Audience: have[0]}}})
		}
		if slices.ContainsFunc(have, func(o *Audience) bool {
			_, found, _ := Somebody(Members(a, false), Members(o, false))
			return found
		}) {
			continue
		}
		have = append(have, a)
		s := &Split{ID: len(have) - 1, Rollout: fmt.Sprint("r", len(have)), Salt: uint64(len(have)), Keys: keys, Weight: 5000, Audience: a, Tokens: bearer}
		if r.Split == nil {
			r.Split = s
		} else {
			r.More = append(r.More, s)
		}
	}
	return r
}

// TestRoute_PartedByAudiences_HaveNoUserInCommon is what parting means: over all his requests a user meets one split at most,
// and whoever is asked, the route, each split, or each split about his key, says the same.
func TestRoute_PartedByAudiences_HaveNoUserInCommon(t *testing.T) {
	t.Parallel()
	random, users := rand.New(rand.NewPCG(7, 8)), someUsers()
	inside, nobody := 0, 0
	for range 20 {
		route := partedRoute(t, random)
		splits := append([]*Split{route.Split}, route.More...)
		for i := range users {
			r := &users[i]
			own, _ := Field(r.Head, "X-User-Id")
			s, c := route.Choose(r)
			if (s == nil) != (c.Why == ByOutside) || s != nil && c.Why != ByWeight {
				t.Fatalf("%s: got %v by %v", r.Head, s, c.Why)
			}
			for _, m := range splits {
				d := m.Choose(r)
				if same := m == s; same != (d.Why != ByOutside) || same && d != c {
					t.Fatalf("%s: the route says %v of %v, split %s says %v", r.Head, c, s, m.Rollout, d)
				}
				if d.Why == ByOutside && d.Arm != Stable {
					t.Fatalf("%s: outside, and on %v", r.Head, d.Arm)
				}
				if e := m.ChooseAs(r, string(own)); e != d {
					t.Fatalf("%s: split %s says %v of the request and %v of the key", r.Head, m.Rollout, d, e)
				}
			}
			if again, d := route.ChooseKey(r, own); again != s || d != c {
				t.Fatalf("%s: got %v %v by its key, want %v %v", r.Head, again, d, s, c)
			}
			if s == nil {
				nobody++
			} else {
				inside++
			}
		}
	}
	if inside < 500 || nobody < 500 {
		t.Errorf("%d users in a split, %d in none: the test says little", inside, nobody)
	}
}

func staffRoute(t testing.TB) (route *Route, staff, others *Split) {
	t.Helper()
	isStaff := aud(t, &Audience{Name: "staff", Any: []Predicate{{Kind: IsHeader, Name: "X-Employee", Is: "1"}}})
	isNot := aud(t, &Audience{Name: "customers", Any: []Predicate{{Kind: IsHeader, Name: "X-Customer"}}, Not: []Predicate{{Kind: IsMember, Audience: isStaff}}})
	keys := []KeySource{{KeyHeader, "X-User-Id"}, {KeyMint, "uid"}}
	staff = &Split{ID: 0, Rollout: "internal", Salt: 1, Keys: keys, Weight: Full, Audience: isStaff, Force: "X-Arm"}
	others = &Split{ID: 1, Rollout: "shop", Salt: 2, Keys: keys, Weight: Full, Audience: isNot, Force: "X-Arm"}
	return &Route{Split: staff, More: []*Split{others}, Rest: 3}, staff, others
}

func TestRoute_PartedByAudiences_SendsEachUserToHisOwn(t *testing.T) {
	t.Parallel()
	route, staff, others := staffRoute(t)
	f := func(head string, want *Split, why Why, mint string) {
		t.Helper()
		if s, c := route.Choose(request(head, "", "")); s != want || c.Why != why || c.Mint != mint {
			t.Errorf("%q: got %v by %v, mint %q, want %v by %v, mint %q", head, s, c.Why, c.Mint, want, why, mint)
		}
	}
	f("X-User-Id: a\r\nX-Employee: 1\r\n", staff, ByWeight, "")
	f("X-User-Id: a\r\nX-Customer: 1\r\n", others, ByWeight, "")
	f("X-User-Id: a\r\nX-Customer: 1\r\nX-Employee: 1\r\n", staff, ByWeight, "")
	f("X-User-Id: a\r\n", nil, ByOutside, "")
	f("", nil, ByOutside, "") // nobody needs a key of him
	f("X-Customer: 1\r\n", others, ByNoKey, "uid")
	f("X-Employee: 1\r\n", staff, ByNoKey, "uid")
	f("X-Customer: 1\r\nX-Arm: canary\r\n", others, ByForce, "")
	f("X-Employee: 1\r\nX-Arm: stable\r\n", staff, ByForce, "")
	f("X-Arm: canary\r\n", staff, ByForce, "") // he is nobody's: the first
	others.Force = "X-Other"
	f("X-Employee: 1\r\nX-Other: canary\r\n", others, ByForce, "")
}

func TestRoute_AudienceOfKeys_IsAskedOnceTheKeyIsMade(t *testing.T) {
	t.Parallel()
	few := aud(t, &Audience{Name: "few", Share: 2000, Salt: Salt("few")})
	rest := aud(t, &Audience{Name: "rest", Not: []Predicate{{Kind: IsMember, Audience: few}}})
	keys := []KeySource{{KeyMint, "uid"}}
	one := &Split{ID: 0, Salt: 1, Keys: keys, Weight: Full, Audience: few}
	two := &Split{ID: 1, Salt: 2, Keys: keys, Weight: Full, Audience: rest}
	route := &Route{Split: one, More: []*Split{two}}
	if _, c := route.Choose(&Request{}); c.Why != ByNoKey || c.Mint != "uid" {
		t.Fatalf("got %+v, want a key to be made", c)
	}
	seen := map[*Split]int{}
	for i := range 1000 {
		key := fmt.Sprint("user-", i)
		s, c := route.ChooseKey(&Request{}, []byte(key))
		again, d := route.Choose(&Request{Head: []byte("Cookie: uid=" + key + "\r\n")})
		if s != again || c != d || s == nil {
			t.Fatalf("%s: got %v %v when it is made, %v %v after", key, s, c, again, d)
		}
		seen[s]++
	}
	if seen[one] < 150 || seen[one] > 250 {
		t.Errorf("got %d of 1000 in a fifth", seen[one])
	}
	bare := &Route{Split: &Split{Keys: []KeySource{{KeyHeader, "X-User-Id"}}, Audience: few}}
	if s, c := bare.Choose(&Request{}); s != nil || c.Why != ByOutside {
		t.Errorf("no key, and none to be made: got %v %v, want nobody's", s, c)
	}
}

func TestRoute_AudienceOfAddresses_KnowsTheAddressAsWritten(t *testing.T) {
	t.Parallel()
	vips := aud(t, &Audience{Name: "vips", Any: []Predicate{{Kind: IsKey, Keys: NewKeySet([]string{"192.0.2.1"})}}})
	s := &Split{Salt: 1, Keys: []KeySource{{KeyIP, ""}}, Weight: Full, Audience: vips}
	for _, tt := range []struct {
		client string
		in     bool
	}{{"192.0.2.1", true}, {"192.0.2.2", false}} {
		c, d := s.Choose(&Request{Client: netip.MustParseAddr(tt.client)}), s.ChooseText(tt.client)
		if (c.Why == ByWeight) != tt.in || c != d {
			t.Errorf("%s: got %v of the request and %v of the text, want a member: %v", tt.client, c, d, tt.in)
		}
	}
}

func TestRoute_PartedByAudiencesAndGroups_OneOfThemHasTheUser(t *testing.T) {
	t.Parallel()
	route, staff, others := staffRoute(t)
	g := NewGroup("risky", []string{"shop", "button"})
	others.Group = g
	button := &Split{ID: 2, Rollout: "button", Salt: 3, Keys: others.Keys, Audience: others.Audience, Group: g, Member: 1, Shares: []Share{{Until: 5000}, {Until: Full}}}
	route.More = append(route.More, button)
	seen := map[*Split]int{}
	for i := range 1000 {
		s, c := route.Choose(request(fmt.Sprintf("X-User-Id: u%d\r\nX-Customer: 1\r\n", i), "", ""))
		if c.Why != ByWeight {
			t.Fatalf("u%d: got %+v", i, c)
		}
		seen[s]++
	}
	if seen[staff] != 0 || seen[others] < 400 || seen[button] < 400 {
		t.Errorf("got %d of staff, %d and %d of customers", seen[staff], seen[others], seen[button])
	}
	button.Audience = staff.Audience // the group's half of the customers that is button's is nobody's now
	s, c := route.Choose(request("X-User-Id: a\r\n", "", ""))
	if s != nil || c.Why != ByOutside {
		t.Errorf("in no audience: got %v %v", s, c)
	}
	for i := range 100 {
		s, c := route.Choose(request(fmt.Sprintf("X-User-Id: u%d\r\nX-Customer: 1\r\n", i), "", ""))
		if s != others || c.Why != ByWeight && c.Why != ByOther {
			t.Fatalf("u%d: got %v %v, want shop or, as another has the user, shop's stable", i, s, c)
		}
	}
}

func TestSplit_Audience_RingsAreWithinIt(t *testing.T) {
	t.Parallel()
	_, staff, _ := staffRoute(t)
	s := *staff
	s.Weight, s.Open = 0, 1
	s.Rings = []*Audience{aud(t, &Audience{Name: "eng", Any: []Predicate{{Kind: IsHeader, Name: "X-Team", Is: "eng"}}})}
	if c := s.Choose(request("X-User-Id: a\r\nX-Employee: 1\r\nX-Team: eng\r\n", "", "")); c.Why != ByAudience || c.Arm != Canary {
		t.Errorf("got %+v, want the canary by audience", c)
	}
	if c := s.Choose(request("X-User-Id: a\r\nX-Team: eng\r\n", "", "")); c.Why != ByOutside || c.Arm != Stable {
		t.Errorf("got %+v, want outside: the release is not for him", c)
	}
}

func TestRoute_PartedByAudiences_AllocatesNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	users := someUsers()
	for range 10 {
		route := partedRoute(t, random)
		for i := 0; i < len(users); i += 11 {
			if _, token := Field(users[i].Head, "Authorization"); token { // the test's own verifier allocates
				continue
			}
			if n := testing.AllocsPerRun(20, func() { route.Choose(&users[i]) }); n != 0 {
				t.Fatalf("%s: got %v allocations, want 0", users[i].Head, n)
			}
		}
	}
	staff, _, _ := staffRoute(t)
	key := []byte("0123456789abcdef0123456789abcdef")
	r := request("X-Customer: 1\r\n", "", "")
	if n := testing.AllocsPerRun(1000, func() { staff.ChooseKey(r, key) }); n != 0 {
		t.Errorf("a minted key: got %v allocations, want 0", n)
	}
}

func BenchmarkRoute_Choose(b *testing.B) {
	parted, staff, _ := staffRoute(b)
	plain := *staff
	plain.Audience, plain.Force = nil, ""
	r := request("Host: shop\r\nAccept: */*\r\nX-User-Id: alice\r\nX-Customer: 1\r\n", "", "")
	for _, bm := range []struct {
		name  string
		route *Route
	}{{"splits=1", &Route{Split: &plain}}, {"splits=2-audiences", parted}} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bm.route.Choose(r)
			}
		})
	}
}

package router

import (
	"math"
	"net/netip"
	"strconv"
	"testing"
)

func request(head, query, client string) *Request {
	r := &Request{Method: []byte("GET"), Host: []byte("shop.example.com"), Path: []byte("/"), Query: []byte(query), Head: []byte(head)}
	if client != "" {
		r.Client = netip.MustParseAddr(client)
	}
	return r
}

func TestSplit_Sources_AreAskedInOrder(t *testing.T) {
	t.Parallel()
	s := &Split{Salt: Salt("checkout"), Keys: []KeySource{{KeyHeader, "X-User-Id"}, {KeyCookie, "uid"}, {KeyQuery, "u"}, {KeyIP, ""}}}
	f := func(head, query, client, key string) {
		t.Helper()
		got := s.Choose(request(head, query, client))
		want := s.ChooseKey(nil, []byte(key))
		if got != want {
			t.Errorf("Choose(%q, %q, %s) = %+v, want %+v, the choice of key %q", head, query, client, got, want, key)
		}
	}
	cookie := "Cookie: uid=bob\r\n"
	f("x-user-id: alice\r\n"+cookie, "u=carol", "192.0.2.7", "alice")
	f("X-USER-ID:\r\n"+cookie, "u=carol", "192.0.2.7", "bob")
	f("Cookie: uid=\r\n", "u=car%6Fl", "192.0.2.7", "carol")
	f("", "u=", "192.0.2.7", "\xC0\x00\x02\x07")
	f("", "", "::ffff:192.0.2.7", "\xC0\x00\x02\x07")
	f("", "", "fe80::1%eth0", "\xFE\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01")
}

func TestSplit_KeyAsWritten_GoesWhereItsRequestsGo(t *testing.T) {
	t.Parallel()
	named := []KeySource{{KeyHeader, "X-User-Id"}}
	byAddress := append(named, KeySource{Kind: KeyIP})
	f := func(keys []KeySource, head, client, text string) {
		t.Helper()
		s := &Split{Salt: Salt("checkout"), Keys: keys}
		if got, want := s.ChooseText(text), s.Choose(request(head, "", client)); got != want {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}
	f(byAddress, "", "192.0.2.7", "192.0.2.7")
	f(byAddress, "", "192.0.2.7", "::ffff:192.0.2.7")
	f(byAddress, "", "2001:db8::1", "2001:0db8:0::1")
	f(byAddress, "X-User-Id: alice\r\n", "192.0.2.7", "alice")
	f(named, "X-User-Id: 192.0.2.7\r\n", "192.0.2.9", "192.0.2.7")
}

func TestSplit_NoKey_IsStableAndSaysSo(t *testing.T) {
	t.Parallel()
	s := &Split{Salt: Salt("checkout"), Keys: []KeySource{{KeyHeader, "X-User-Id"}, {KeyIP, ""}}, Weight: Full}
	if got, want := s.Choose(request("", "", "")), (Choice{Why: ByNoKey}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestSplit_Mint_IsAskedForOnlyWithoutAnyKey(t *testing.T) {
	t.Parallel()
	s := &Split{Salt: Salt("checkout"), Weight: Full, Keys: []KeySource{{KeyMint, "serin_uid"}, {KeyHeader, "X-User-Id"}}}
	f := func(head string, want Choice) {
		t.Helper()
		if got := s.Choose(request(head, "", "")); got != want {
			t.Errorf("Choose(%q) = %+v, want %+v", head, got, want)
		}
	}
	f("", Choice{Why: ByNoKey, Mint: "serin_uid"})
	f("Cookie: serin_uid=\r\n", Choice{Why: ByNoKey, Mint: "serin_uid"})
	f("Cookie: serin_uid=m1\r\n", s.ChooseKey(nil, []byte("m1")))
	f("X-User-Id: alice\r\n", s.ChooseKey(nil, []byte("alice")))
	if got := s.ChooseKey(nil, []byte("fresh")); got.Arm != Canary || got.Mint != "" {
		t.Errorf("a minted key chooses %+v at 100 %%, want canary", got)
	}
}

func TestSplit_ForceHeader_NamesAnArmInAnyCase(t *testing.T) {
	t.Parallel()
	keys := []KeySource{{KeyHeader, "X-User-Id"}}
	f := func(force, head string, w Weight, arm Arm, why Why) {
		t.Helper()
		s := &Split{Salt: Salt("checkout"), Keys: keys, Force: force, Weight: w}
		if got := s.Choose(request(head+"X-User-Id: alice\r\n", "", "")); got.Arm != arm || got.Why != why {
			t.Errorf("force %q, head %q, weight %v: got %v by %v, want %v by %v", force, head, w, got.Arm, got.Why, arm, why)
		}
	}
	f("X-Serin-Arm", "x-serin-arm: CANARY\r\n", 0, Canary, ByForce)
	f("X-Serin-Arm", "X-Serin-Arm: stable \r\n", Full, Stable, ByForce)
	f("X-Serin-Arm", "X-Serin-Arm: canaries\r\n", 0, Stable, ByWeight)
	f("X-Serin-Arm", "X-Serin-Arm: green1\r\n", Full, Canary, ByWeight)
	f("X-Serin-Arm", "X-Serin-Arm: stable\r\nX-Serin-Arm: canary\r\n", 0, Stable, ByForce)
	f("", "X-Serin-Arm: canary\r\n", 0, Stable, ByWeight)
}

func TestSplit_GrowingWeight_NestsItsUsers(t *testing.T) {
	t.Parallel()
	const users = 20_000
	weights := []Weight{0, 1, 100, 500, 2500, 9900, Full}
	var arms [users]Arm
	for _, w := range weights {
		s := &Split{Salt: Salt("nest"), Keys: []KeySource{{KeyHeader, "X-User-Id"}}, Weight: w}
		canary := 0
		for u := range users {
			got := s.Choose(request("X-User-Id: "+strconv.Itoa(u)+"\r\n", "", "")).Arm
			if got < arms[u] {
				t.Fatalf("user %d went back to stable at %v", u, w)
			}
			arms[u] = got
			canary += int(got)
		}
		p := w.Fraction()
		if off := math.Abs(float64(canary) - p*users); off > 4*math.Sqrt(users*p*(1-p)) {
			t.Errorf("weight %v: %d of %d users on the canary", w, canary, users)
		}
	}
}

func TestNames_OfEveryValue_AreWritten(t *testing.T) {
	t.Parallel()
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(Stable.String(), "stable")
	f(Canary.String(), "canary")
	f(Arm(9).String(), "unknown")
	f(KeySource{KeyHeader, "X-User-Id"}.String(), "header:X-User-Id")
	f(KeySource{KeyCookie, "uid"}.String(), "cookie:uid")
	f(KeySource{KeyQuery, "u"}.String(), "query:u")
	f(KeySource{KeyMint, "m"}.String(), "mint:m")
	f(KeySource{Kind: KeyIP}.String(), "ip")
	f(KeyKind(9).String(), "unknown")
	for why, want := range []string{"weight", "force", "no_key", "audience", "other", "stopped", "outside", "unknown"} {
		f(Why(why).String(), want)
	}
}

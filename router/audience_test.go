package router

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// aud makes an audience ready.
func aud(t testing.TB, a *Audience) *Audience {
	t.Helper()
	if err := a.Check(); err != nil {
		t.Fatal(err)
	}
	return a
}

// fakeClaims believes "claim=value,value" tokens.
type fakeClaims struct{}

func (fakeClaims) Text(token []byte, name string) (string, bool) {
	got, value, _ := strings.Cut(string(token), "=")
	return value, got == name && value != ""
}

func (fakeClaims) Has(token []byte, name, is string) bool {
	got, values, _ := strings.Cut(string(token), "=")
	if got != name {
		return false
	}
	for _, v := range strings.Split(values, ",") {
		if is == "" || v == is {
			return true
		}
	}
	return false
}

var bearer = &Tokens{Header: "Authorization", Claims: fakeClaims{}}

func TestAudience_EachPredicate_HoldsForItsOwn(t *testing.T) {
	t.Parallel()
	staff := &Audience{Name: "staff", Any: []Predicate{{Kind: IsHeader, Name: "X-Employee", Is: "1"}}}
	f := func(p Predicate, r *Request, key string, want bool) {
		t.Helper()
		if p.Audience != nil {
			aud(t, p.Audience)
		}
		s := &Split{Keys: []KeySource{{KeyHeader, "X-User-Id"}, {KeyIP, ""}}, Rings: []*Audience{aud(t, &Audience{Name: "a", Any: []Predicate{p}})}, Open: 1}
		r.Head = append([]byte("X-User-Id: "+key+"\r\n"), r.Head...)
		c := s.Choose(r)
		if got := c.Why == ByAudience; got != want || got != (c.Arm == Canary) || got != (c.Ring == 1) {
			t.Errorf("%+v of %s: got %+v, want a member: %v", p, r.Head, c, want)
		}
	}
	at := func(head, query, client, host, path string) *Request {
		r := request(head, query, client)
		r.Host, r.Path = []byte(host), []byte(path)
		return r
	}
	head := func(text string) *Request { return at(text, "", "", "", "/") }
	f(Predicate{Kind: IsHeader, Name: "X-Employee"}, head("x-employee: 0\r\n"), "a", true)
	f(Predicate{Kind: IsHeader, Name: "X-Employee"}, head(""), "a", false)
	f(Predicate{Kind: IsHeader, Name: "X-Employee", Is: "1"}, head("X-Employee: 1\r\n"), "a", true)
	f(Predicate{Kind: IsHeader, Name: "X-Employee", Is: "1"}, head("X-Employee: 10\r\n"), "a", false)
	f(Predicate{Kind: IsHeader, Name: "X-Employee", Is: "1"}, head("X-Employee: 0\r\nX-Employee: 1\r\n"), "a", false)
	f(Predicate{Kind: IsCookie, Name: "beta", Is: "1"}, head("Cookie: a=b; beta=1\r\n"), "a", true)
	f(Predicate{Kind: IsCookie, Name: "beta", Is: "1"}, head("Cookie: a=b; Beta=1\r\n"), "a", false)
	f(Predicate{Kind: IsCookie, Name: "beta"}, head("Cookie: beta=\r\n"), "a", true)
	f(Predicate{Kind: IsQuery, Name: "preview", Is: "yes please"}, at("", "a=1&preview=yes+please", "", "", "/"), "a", true)
	f(Predicate{Kind: IsQuery, Name: "preview", Is: "yes"}, at("", "preview=yes&preview=no", "", "", "/"), "a", true)
	f(Predicate{Kind: IsQuery, Name: "preview"}, at("", "Preview=1", "", "", "/"), "a", false)
	f(Predicate{Kind: IsClaim, Name: "groups", Is: "beta", Tokens: bearer}, head("Authorization: bearer groups=staff,beta\r\n"), "a", true)
	f(Predicate{Kind: IsClaim, Name: "groups", Is: "beta", Tokens: bearer}, head("Authorization: Basic groups=beta\r\n"), "a", false)
	f(Predicate{Kind: IsClaim, Name: "groups", Is: "beta", Tokens: bearer}, head("Authorization: groups=beta\r\n"), "a", false)
	f(Predicate{Kind: IsClaim, Name: "groups", Tokens: &Tokens{Header: "X-Token", Claims: fakeClaims{}}}, head("X-Token: groups=beta\r\n"), "a", true)
	f(Predicate{Kind: IsClaim, Name: "groups", Tokens: &Tokens{Cookie: "session", Claims: fakeClaims{}}}, head("Cookie: session=groups=beta\r\n"), "a", true)
	nets := []netip.Prefix{netip.MustParsePrefix("10.8.0.0/16"), netip.MustParsePrefix("2001:db8::/32")}
	f(Predicate{Kind: IsClient, Networks: nets}, at("", "", "10.8.3.4", "", "/"), "a", true)
	f(Predicate{Kind: IsClient, Networks: nets}, at("", "", "::ffff:10.8.3.4", "", "/"), "a", true)
	f(Predicate{Kind: IsClient, Networks: nets}, at("", "", "2001:db8::7%eth0", "", "/"), "a", true)
	f(Predicate{Kind: IsClient, Networks: nets}, at("", "", "10.9.3.4", "", "/"), "a", false)
	f(Predicate{Kind: IsClient, Networks: nets}, at("", "", "", "", "/"), "a", false)
	hosts := []string{"Beta.Example.com", "*.try.example.com"}
	f(Predicate{Kind: IsHost, Hosts: hosts}, at("", "", "", "beta.example.COM:8080", "/"), "a", true)
	f(Predicate{Kind: IsHost, Hosts: hosts}, at("", "", "", "a.b.try.example.com", "/"), "a", true)
	f(Predicate{Kind: IsHost, Hosts: hosts}, at("", "", "", "try.example.com", "/"), "a", false)
	f(Predicate{Kind: IsHost, Hosts: hosts}, at("", "", "", "notbeta.example.com", "/"), "a", false)
	f(Predicate{Kind: IsHost, Hosts: hosts}, at("", "", "", "eviltry.example.com", "/"), "a", false)
	f(Predicate{Kind: IsPath, Path: "/beta/*"}, at("", "", "", "", "/beta/x"), "a", true)
	f(Predicate{Kind: IsPath, Path: "/beta/*"}, at("", "", "", "", "/beta"), "a", false)
	f(Predicate{Kind: IsPath, Path: "/up"}, at("", "", "", "", "/up"), "a", true)
	f(Predicate{Kind: IsKey, Keys: NewKeySet([]string{"alice", "bob"})}, head(""), "alice", true)
	f(Predicate{Kind: IsKey, Keys: NewKeySet([]string{"alice", "bob"})}, head(""), "Alice", false)
	f(Predicate{Kind: IsKey, Keys: NewKeySet([]string{"192.0.2.7"})}, at("", "", "::ffff:192.0.2.7", "", "/"), "", true)
	f(Predicate{Kind: IsKey, Keys: NewKeySet([]string{"192.0.2.7"})}, at("", "", "192.0.2.8", "", "/"), "", false)
	f(Predicate{Kind: IsMember, Audience: staff}, head("X-Employee: 1\r\n"), "a", true)
	f(Predicate{Kind: IsMember, Audience: staff}, head(""), "a", false)
}

func TestAudience_AnyAllNotAndShare_AreAllAsked(t *testing.T) {
	t.Parallel()
	has := func(name string) Predicate { return Predicate{Kind: IsHeader, Name: name} }
	a := aud(t, &Audience{Any: []Predicate{has("A"), has("B")}, All: []Predicate{has("C")}, Not: []Predicate{has("D")}})
	f := func(head string, want bool) {
		t.Helper()
		if got := a.has(request(head, "", ""), person{}); got != want {
			t.Errorf("%q: got %v, want %v", head, got, want)
		}
	}
	f("A: 1\r\nC: 1\r\n", true)
	f("B: 1\r\nC: 1\r\n", true)
	f("C: 1\r\n", false)
	f("A: 1\r\n", false)
	f("A: 1\r\nC: 1\r\nD: 1\r\n", false)
	if err := (&Audience{}).Check(); err == nil {
		t.Error("an audience of nobody is no error")
	}
}

// TestAudience_Share_IsStableAndIndependent: a tenth of the people are a tenth, always the same, and are spread over the buckets
// of the rollout.
func TestAudience_Share_IsStableAndIndependent(t *testing.T) {
	t.Parallel()
	a := aud(t, &Audience{Share: 1000, Salt: Salt("audience/beta")})
	s := &Split{Salt: Salt("beta"), Keys: []KeySource{{KeyHeader, "X-User-Id"}}, Rings: []*Audience{a}, Open: 1}
	const n = 100_000
	members, low := 0, 0
	for i := range n {
		c := s.ChooseKey(nil, []byte(fmt.Sprint("user-", i)))
		if c.Why != ByAudience {
			continue
		}
		members++
		if c.Bucket < Buckets/2 {
			low++
		}
	}
	if members < n/10-400 || members > n/10+400 {
		t.Errorf("%d of %d are members, want a tenth", members, n)
	}
	if low < members/2-250 || low > members/2+250 {
		t.Errorf("%d of %d members are in the lower half of the buckets, want half", low, members)
	}
}

func TestSplit_Ladder_NeverTakesAMemberBack(t *testing.T) {
	t.Parallel()
	rings := []*Audience{
		aud(t, &Audience{Name: "internal", Any: []Predicate{{Kind: IsHeader, Name: "X-Employee"}}}),
		aud(t, &Audience{Name: "beta", Share: 2000, Salt: 7}),
		aud(t, &Audience{Name: "list", Any: []Predicate{{Kind: IsKey, Keys: NewKeySet([]string{"user-1", "user-5", "user-9"})}}}),
	}
	steps := []Split{
		{Open: 0b001}, {Open: 0b011}, {Open: 0b011, Weight: 100}, {Open: 0b111, Weight: 100}, {Open: 0b111, Weight: 2500}, {Open: 0b111, Weight: 9900},
	}
	for i := range 5000 {
		head := fmt.Sprintf("X-User-Id: user-%d\r\n", i)
		if i%50 == 0 {
			head += "X-Employee: 1\r\n"
		}
		r, was := request(head, "", ""), Choice{}
		for j, s := range steps {
			s.Salt, s.Keys, s.Rings = Salt("checkout"), []KeySource{{KeyHeader, "X-User-Id"}}, rings
			c := s.Choose(r)
			if was.Arm == Canary && c.Arm != Canary || was.Why == ByAudience && c.Why != ByAudience {
				t.Fatalf("%q at step %d: %+v after %+v", head, j, c, was)
			}
			if c.Arm == Canary && c.Why == ByWeight && c.Bucket >= Bucket(s.Weight) {
				t.Fatalf("%q at step %d: %+v with weight %s", head, j, c, s.Weight)
			}
			was = c
		}
	}
}

func TestSplit_RingOpenedOutOfOrder_HasItsMembers(t *testing.T) {
	t.Parallel()
	all := aud(t, &Audience{Name: "new", Any: []Predicate{{Kind: IsHeader, Name: "X"}}})
	beta := aud(t, &Audience{Name: "beta", Any: []Predicate{{Kind: IsHeader, Name: "X"}}})
	s := &Split{Keys: []KeySource{{KeyHeader, "X-User-Id"}}, Rings: []*Audience{all, beta}, Open: 0b10}
	if c := s.Choose(request("X-User-Id: a\r\nX: 1\r\n", "", "")); c.Arm != Canary || c.Ring != 2 {
		t.Errorf("a member of an open ring and of a shut one before it: %+v", c)
	}
	s.Open = 0
	if c := s.Choose(request("X-User-Id: a\r\nX: 1\r\n", "", "")); c.Arm != Stable || c.Ring != 1 {
		t.Errorf("with both shut: %+v", c)
	}
	s.Open = 0b11
	if c := s.Choose(request("X: 1\r\n", "", "")); c.Why != ByNoKey || c.Arm != Stable {
		t.Errorf("a member without a key: %+v, want stable and no evidence", c)
	}
}

func TestSplit_ClaimKey_IsTheSameAsTheText(t *testing.T) {
	t.Parallel()
	s := &Split{Salt: Salt("x"), Keys: []KeySource{{KeyClaim, "sub"}, {KeyHeader, "X-User-Id"}}, Tokens: bearer}
	if got, want := s.Choose(request("Authorization: Bearer sub=alice\r\nX-User-Id: bob\r\n", "", "")), s.ChooseText("alice"); got != want {
		t.Errorf("got %+v, want alice's %+v", got, want)
	}
	if got, want := s.Choose(request("Authorization: Bearer nonsense\r\nX-User-Id: bob\r\n", "", "")), s.ChooseText("bob"); got != want {
		t.Errorf("a token that does not verify: got %+v, want bob's %+v", got, want)
	}
	long := strings.Repeat("k", 2*MaxKey)
	if got, want := s.Choose(request("Authorization: Bearer sub="+long+"\r\n", "", "")), s.ChooseText(long); got != want {
		t.Errorf("a long claim: got %+v, want %+v", got, want)
	}
}

// yes believes every token without looking, so that only the router's own work is measured.
type yes struct{}

func (yes) Text([]byte, string) (string, bool) { return "alice", true }
func (yes) Has(_ []byte, _, is string) bool    { return is == "beta" }
func everyPredicate(t testing.TB) []*Audience {
	t.Helper()
	tokens := &Tokens{Header: "Authorization", Claims: yes{}}
	nets := []netip.Prefix{netip.MustParsePrefix("10.8.0.0/16")}
	var rings []*Audience
	for _, p := range []Predicate{
		{Kind: IsHeader, Name: "X-Employee", Is: "1"}, {Kind: IsCookie, Name: "beta", Is: "1"}, {Kind: IsQuery, Name: "u", Is: "no"},
		{Kind: IsClaim, Name: "groups", Is: "staff", Tokens: tokens}, {Kind: IsClient, Networks: nets}, {Kind: IsHost, Hosts: []string{"*.nowhere.example"}},
		{Kind: IsPath, Path: "/beta/*"}, {Kind: IsKey, Keys: NewKeySet([]string{"bob"})}, {Kind: IsShare, Share: 1},
	} {
		rings = append(rings, aud(t, &Audience{Any: []Predicate{p}}))
	}
	return append(rings, aud(t, &Audience{Any: []Predicate{{Kind: IsClaim, Name: "groups", Is: "beta", Tokens: tokens}}}))
}

func TestSplit_WithRings_AllocatesNothing(t *testing.T) {
	r := browserRequest()
	r.Head = append([]byte("Authorization: Bearer abc\r\n"), r.Head...)
	for _, source := range append(keySources(), KeySource{KeyClaim, "sub"}) {
		s := &Split{Salt: 1, Keys: []KeySource{source}, Rings: everyPredicate(t), Open: 1 << 9, Tokens: &Tokens{Header: "Authorization", Claims: yes{}}}
		var c Choice
		if n := testing.AllocsPerRun(100, func() { c = s.Choose(r) }); n != 0 || c.Why != ByAudience || c.Ring != 10 {
			t.Errorf("key %v: %v allocations, choice %+v", source, n, c)
		}
	}
}

func BenchmarkSplit_Rings(b *testing.B) {
	r := browserRequest()
	for name, rings := range map[string][]*Audience{"rings=0": nil, "rings=1": everyPredicate(b)[:1], "rings=10": everyPredicate(b)} {
		b.Run(name, func(b *testing.B) {
			s := &Split{Salt: 1, Keys: []KeySource{{KeyHeader, "X-User-Id"}}, Rings: rings}
			b.ReportAllocs()
			for b.Loop() {
				if s.Choose(r).Why == ByNoKey {
					b.Fatal("no key")
				}
			}
		})
	}
}

// FuzzSplit_Rings: whatever a request says, membership does not depend on the weight, an open ring's member is on the canary, and
// everybody else where the weight sends them.
func FuzzSplit_Rings(f *testing.F) {
	f.Add("X-Employee: 1\r\nX-User-Id: a\r\n", "u=1", "shop.example.com", "/beta/x", uint16(3), uint16(100))
	f.Add("Cookie: beta=1\r\n", "", "[::1]:80", "", uint16(0xffff), uint16(10000))
	rings := everyPredicate(f)
	f.Fuzz(func(t *testing.T, head, query, host, path string, open, weight uint16) {
		r := &Request{Head: []byte(head), Query: []byte(query), Host: []byte(host), Path: []byte(path), Client: netip.MustParseAddr("10.8.0.1")}
		s := Split{Salt: 1, Keys: []KeySource{{KeyHeader, "X-User-Id"}, {KeyQuery, "u"}, {KeyIP, ""}}, Rings: rings, Open: open, Weight: Weight(weight % (Buckets + 1))}
		c := s.Choose(r)
		plain := s
		plain.Rings, plain.Open = nil, 0
		without := plain.Choose(r)
		if c.Hash != without.Hash || c.Bucket != without.Bucket {
			t.Fatalf("%+v, without rings %+v", c, without)
		}
		if c.Why == ByAudience && (c.Arm != Canary || c.Ring == 0 || open>>(c.Ring-1)&1 == 0) || c.Why == ByWeight && c.Arm != without.Arm {
			t.Fatalf("%+v, without rings %+v, open %b", c, without, open)
		}
		s.Open = 0xffff
		if more := s.Choose(r); c.Arm == Canary && more.Arm != Canary {
			t.Fatalf("opening every ring takes %+v back: %+v", c, more)
		}
	})
}

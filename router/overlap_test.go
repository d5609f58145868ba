package router

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// words are conditions that random audiences are made of. Those from asked on say what is asked for.
func words() (list []Predicate, asked int) {
	nets := func(texts ...string) (out []netip.Prefix) {
		for _, text := range texts {
			out = append(out, netip.MustParsePrefix(text))
		}
		return out
	}
	list = []Predicate{
		{Kind: IsHeader, Name: "X-Role", Is: "staff"}, {Kind: IsHeader, Name: "x-role", Is: "beta"}, {Kind: IsHeader, Name: "X-Role"},
		{Kind: IsCookie, Name: "ring", Is: "1"}, {Kind: IsCookie, Name: "ring", Is: "2"}, {Kind: IsCookie, Name: "ring"},
		{Kind: IsClaim, Name: "groups", Is: "a", Tokens: bearer}, {Kind: IsClaim, Name: "groups", Is: "b", Tokens: bearer}, {Kind: IsClaim, Name: "groups", Tokens: bearer},
		{Kind: IsClient, Networks: nets("10.0.0.0/8", "2001:db8::/32")}, {Kind: IsClient, Networks: nets("10.8.0.0/16")},
		{Kind: IsClient, Networks: nets("192.0.2.0/24", "2001:db8:1::/48")},
		{Kind: IsKey, Keys: NewKeySet([]string{"u1", "u2", "u3"})}, {Kind: IsKey, Keys: NewKeySet([]string{"u3"})}, {Kind: IsKey, Keys: NewKeySet([]string{"u4"})},
		{Kind: IsShare, Share: 2000, Salt: Salt("one")}, {Kind: IsShare, Share: 6000, Salt: Salt("one")}, {Kind: IsShare, Share: 5000, Salt: Salt("other")},
		{Kind: IsPath, Path: "/a*"}, {Kind: IsPath, Path: "/b"}, {Kind: IsQuery, Name: "x", Is: "1"}, {Kind: IsQuery, Name: "x", Is: "2"},
		{Kind: IsHost, Hosts: []string{"a.example"}}, {Kind: IsHost, Hosts: []string{"*.example"}},
	}
	return list, 18
}

// randomAudience is one of at most depth audiences within one another.
func randomAudience(t testing.TB, random *rand.Rand, of []Predicate, depth int) *Audience {
	some := func(most int) (list []Predicate) {
		for range random.IntN(most + 1) {
			if depth > 1 && random.IntN(4) == 0 {
				list = append(list, Predicate{Kind: IsMember, Audience: randomAudience(t, random, of, depth-1)})
				continue
			}
			list = append(list, of[random.IntN(len(of))])
		}
		return list
	}
	a := &Audience{Name: "random", Any: some(2), All: some(2), Not: some(2)}
	if len(a.Any)+len(a.All)+len(a.Not) == 0 {
		a.Any = []Predicate{of[random.IntN(len(of))]}
	}
	if shares := func(p Predicate) bool { return p.Kind == IsShare }; random.IntN(5) == 0 && slices.ContainsFunc(of, shares) {
		a.Share, a.Salt = Weight(1+random.IntN(9999)), Salt("own")
	}
	return aud(t, a)
}

// someUsers are users of all sorts: what all of a user's requests say of him.
func someUsers() (users []Request) {
	for _, role := range []string{"", "X-Role: staff\r\n", "X-Role: beta\r\n", "X-Role: staff\r\nX-Role: beta\r\n", "X-Role: other\r\n"} {
		for _, ring := range []string{"", "Cookie: a=b; ring=1\r\n", "Cookie: ring=2\r\nCookie: ring=1\r\n", "Cookie: ring=3\r\n"} {
			for _, groups := range []string{"", "a", "b", "a,b", "c"} {
				for i, client := range []string{"10.8.0.1", "10.9.0.1", "192.0.2.1", "198.51.100.1", "2001:db8:1::1", "2001:db8:2::1"} {
					key := fmt.Sprintf("u%d", (i+len(users)/6)%8)
					head := role + ring + "X-User-Id: " + key + "\r\n"
					if groups != "" {
						head += "Authorization: Bearer groups=" + groups + "\r\n"
					}
					users = append(users, Request{Head: []byte(head), Client: netip.MustParseAddr(client)})
				}
			}
		}
	}
	return users
}

// asking are requests of a user for different things.
func asking(user Request) (requests []*Request) {
	for _, host := range []string{"a.example", "b.example", "other"} {
		for _, path := range []string{"/a/1", "/b", "/c"} {
			for _, query := range []string{"", "x=1", "x=2"} {
				r := user
				r.Host, r.Path, r.Query = []byte(host), []byte(path), []byte(query)
				requests = append(requests, &r)
			}
		}
	}
	return requests
}

// met reports whether a user's requests make him a member of all the audiences, each by one request or another.
func met(user Request, audiences ...*Audience) bool {
	requests, split := asking(user), &Split{Keys: []KeySource{{KeyHeader, "X-User-Id"}}}
	return !slices.ContainsFunc(audiences, func(a *Audience) bool {
		return !slices.ContainsFunc(requests, func(r *Request) bool { return a.has(r, split.person(r, nil)) })
	})
}

func TestSomebody_NobodyFound_NoUserIsInBoth(t *testing.T) {
	t.Parallel()
	random, users := rand.New(rand.NewPCG(1, 2)), someUsers()
	of, _ := words()
	apart := 0
	for i := range 250 {
		a, b := randomAudience(t, random, of, 3), randomAudience(t, random, of, 3)
		if _, found, sure := Somebody(Members(a, false), Members(b, false)); found && sure {
			continue
		} else if !sure {
			t.Fatalf("%d: gave up on two small audiences", i)
		}
		apart++
		for _, user := range users {
			if met(user, a, b) {
				t.Fatalf("%d: %s from %s is in %+v and in %+v", i, user.Head, user.Client, a, b)
			}
		}
	}
	if apart < 20 {
		t.Errorf("only %d pairs are apart: the test says little", apart)
	}
}

// TestSomebody_Found_ThereIsSuchAUser keeps the search from finding people who cannot be: where nothing but what users say
// counts, and all of it is among someUsers, it is exact.
func TestSomebody_Found_ThereIsSuchAUser(t *testing.T) {
	t.Parallel()
	random, users := rand.New(rand.NewPCG(3, 4)), someUsers()
	of, _ := words()
	of = of[:9] // fields, cookies and claims: someUsers has every combination
	found := 0
	for i := range 250 {
		a, b := randomAudience(t, random, of, 3), randomAudience(t, random, of, 3)
		says, ok, _ := Somebody(Members(a, false), Members(b, false))
		if !ok {
			continue
		}
		found++
		if !slices.ContainsFunc(users, func(u Request) bool { return met(u, a, b) }) {
			t.Fatalf("%d: nobody is in %+v and %+v, found %+v", i, a, b, says)
		}
	}
	if found < 20 {
		t.Errorf("only %d pairs overlap: the test says little", found)
	}
}

func TestSomebody_NobodyOutside_EveryRequestIsInOne(t *testing.T) {
	t.Parallel()
	random, users := rand.New(rand.NewPCG(5, 6)), someUsers()
	of, _ := words()
	split := &Split{Keys: []KeySource{{KeyHeader, "X-User-Id"}}}
	covered := 0
	for i := range 250 {
		a, b := randomAudience(t, random, of, 2), randomAudience(t, random, of, 2)
		if i%3 == 0 {
			b = aud(t, &Audience{Not: []Predicate{{Kind: IsMember, Audience: a}}})
		}
		if _, found, _ := Somebody(Members(a, true), Members(b, true)); found {
			continue
		}
		covered++
		for _, user := range users {
			for _, r := range asking(user) {
				if who := split.person(r, nil); !a.has(r, who) && !b.has(r, who) {
					t.Fatalf("%d: %s from %s is neither in %+v nor in %+v", i, user.Head, user.Client, a, b)
				}
			}
		}
	}
	if covered < 20 {
		t.Errorf("only %d pairs leave nobody out: the test says little", covered)
	}
}

func TestSomebody_EachKind_TellsUsersApartWhereItCan(t *testing.T) {
	t.Parallel()
	of, _ := words()
	not := func(p Predicate) *Audience { return aud(t, &Audience{Not: []Predicate{p}}) }
	yes := func(p Predicate) *Audience { return aud(t, &Audience{Any: []Predicate{p}}) }
	network := func(texts ...string) Predicate {
		p := Predicate{Kind: IsClient}
		for _, text := range texts {
			p.Networks = append(p.Networks, netip.MustParsePrefix(text))
		}
		return p
	}
	for _, tt := range []struct {
		name string
		a, b *Audience
		want bool // somebody may be in both
	}{
		{"a field has one value", yes(of[0]), yes(of[1]), false},
		{"a field's name has no case", yes(of[1]), not(of[2]), false},
		{"a field that is there may be anything", yes(of[0]), yes(of[2]), true},
		{"a field may be another", yes(of[1]), not(of[0]), true},
		{"a cookie has one value", yes(of[3]), yes(of[4]), false},
		{"a cookie's name has case", yes(of[3]), yes(Predicate{Kind: IsCookie, Name: "Ring", Is: "2"}), true},
		{"a claim is a list", yes(of[6]), yes(of[7]), true},
		{"a claim and nobody with it", yes(of[6]), not(of[8]), false},
		{"networks that do not meet", yes(of[10]), yes(of[11]), false},
		{"a network within another", yes(of[9]), yes(of[10]), true},
		{"all but a wider network", yes(of[10]), not(of[9]), false},
		{"all but a part of a network", yes(of[9]), not(of[10]), true},
		{"two parts of one list", yes(network("10.1.0.0/16", "10.2.0.0/16")), not(network("10.0.0.0/14")), false},
		{"another kind of address", yes(network("0.0.0.0/0")), yes(network("::/0")), false},
		{"files that share no key", yes(of[12]), yes(of[14]), false},
		{"files that share a key", yes(of[12]), yes(of[13]), true},
		{"all but who is in a larger file", yes(of[13]), not(of[12]), false},
		{"one share twice", yes(of[15]), yes(of[16]), true},
		{"below and above one share", yes(of[15]), not(of[16]), false},
		{"shares of two salts", yes(of[16]), not(of[17]), true},
		{"the whole and the rest", aud(t, &Audience{Any: of[:3], Share: 100, Salt: 1}), not(Predicate{Kind: IsMember, Audience: aud(t, &Audience{Any: of[:3], Share: 100, Salt: 1})}), false},
		{"a path is asked for by anybody", yes(of[18]), yes(of[19]), true},
		{"even a path and its contrary", yes(of[18]), not(of[18]), true},
		{"a query too", yes(of[20]), yes(of[21]), true},
		{"and a host", yes(of[22]), not(of[23]), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, pair := range [][2]*Audience{{tt.a, tt.b}, {tt.b, tt.a}} {
				if _, found, sure := Somebody(Members(pair[0], false), Members(pair[1], false)); found != tt.want || !sure {
					t.Errorf("got %v, %v, want %v, true", found, sure, tt.want)
				}
			}
		})
	}
}

func TestSomebody_SaysWhatItsRequestsSay(t *testing.T) {
	t.Parallel()
	of, _ := words()
	a := aud(t, &Audience{All: of[:1], Not: of[5:6]})
	b := aud(t, &Audience{Any: []Predicate{of[5], of[10]}})
	says, found, _ := Somebody(Members(a, false), Members(b, false))
	var texts []string
	for _, c := range says {
		texts = append(texts, fmt.Sprint(c.Kind == IsHeader, c.Kind == IsCookie, c.Kind == IsClient, c.Not))
	}
	slices.Sort(texts)
	if want := "false false true false; false true false true; true false false false"; !found || strings.Join(texts, "; ") != want {
		t.Errorf("got %v %q, want %q", found, texts, want)
	}
}

func TestSomebody_TooManyConditions_IsNotSure(t *testing.T) {
	t.Parallel()
	a, b := &Audience{}, &Audience{}
	for i := range 40 { // every choice of one of two cookies fails only at the very end
		either := &Audience{Any: []Predicate{{Kind: IsCookie, Name: fmt.Sprint("a", i)}, {Kind: IsCookie, Name: fmt.Sprint("b", i)}}}
		a.All = append(a.All, Predicate{Kind: IsMember, Audience: aud(t, either)})
	}
	impossible := &Audience{Any: []Predicate{{Kind: IsHeader, Name: "X", Is: "1"}, {Kind: IsHeader, Name: "X", Is: "2"}}}
	b.All = []Predicate{{Kind: IsMember, Audience: aud(t, impossible)}, {Kind: IsMember, Audience: aud(t, &Audience{Any: []Predicate{{Kind: IsHeader, Name: "X", Is: "3"}, {Kind: IsHeader, Name: "X", Is: "4"}}})}}
	if _, found, sure := Somebody(Members(aud(t, a), false), Members(aud(t, b), false)); !found || sure {
		t.Errorf("got %v, %v, want somebody who may be there and an answer that is not sure", found, sure)
	}
}

package router

import (
	"fmt"
	"strings"
	"testing"
)

func mustTable(t testing.TB, routes ...*Route) *Table {
	t.Helper()
	table, err := NewTable(routes)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// checkMatch asks for "METHOD host /path" and wants the route's name, "" for none.
func checkMatch(t *testing.T, table *Table, ask, head, want string) {
	t.Helper()
	parts := strings.Fields(ask)
	r := &Request{Method: []byte(parts[0]), Host: []byte(parts[1]), Path: NormalizePath(nil, []byte(parts[2])), Head: []byte(head)}
	got := ""
	if route := table.Match(r); route != nil {
		got = route.Name
	}
	if got != want {
		t.Errorf("Match(%s, %q) = %q, want %q", ask, head, got, want)
	}
}

func TestTable_Hosts_MostSpecificWins(t *testing.T) {
	t.Parallel()
	table := mustTable(t,
		&Route{Name: "any"},
		&Route{Name: "wild", Match: Match{Hosts: []string{"*.example.com"}}},
		&Route{Name: "deep", Match: Match{Hosts: []string{"*.eu.Example.com."}}},
		&Route{Name: "shop", Match: Match{Hosts: []string{"Shop.Example.com", "shop.example.com"}}},
		&Route{Name: "six", Match: Match{Hosts: []string{"[2001:DB8::1]"}}},
		&Route{Name: "four", Match: Match{Hosts: []string{"192.0.2.7"}}},
	)
	f := func(host, want string) {
		t.Helper()
		checkMatch(t, table, "GET "+host+" /x", "", want)
	}
	f("shop.example.com", "shop")
	f("SHOP.example.COM:8080", "shop")
	f("shop.example.com.:443", "shop")
	f("a.example.com", "wild")
	f("b.a.example.com", "wild")
	f("a.eu.example.com", "deep")
	f("eu.example.com", "wild")
	f("example.com", "any")
	f(".example.com", "any")
	f("shop.example.com.evil.test", "any")
	f("[2001:db8::1]:8080", "six")
	f("[2001:db8::1", "any")
	f("192.0.2.7:80", "four")
	f(strings.Repeat("a.", 200)+"example.com", "any")
	f(strings.Repeat("A.", 200)+"example.com", "any")
	table.Match(&Request{}) // no host at all
}

func TestTable_Paths_LongestWins(t *testing.T) {
	t.Parallel()
	table := mustTable(t,
		&Route{Name: "root", Match: Match{Path: "/*"}},
		&Route{Name: "checkout", Match: Match{Path: "/checkout/*"}},
		&Route{Name: "pay", Match: Match{Path: "/checkout/pay"}},
		&Route{Name: "payments", Match: Match{Path: "/checkout/pay*"}},
		&Route{Name: "hidden", Match: Match{Path: "/.*"}},
		&Route{Name: "name", Match: Match{Path: "/%7Ecafé/*"}},
		&Route{Name: "rest"},
	)
	f := func(path, want string) {
		t.Helper()
		checkMatch(t, table, "GET h "+path, "", want)
	}
	f("/", "root")
	f("/checkout", "root")
	f("/checkout/", "checkout")
	f("/checkout/cart", "checkout")
	f("/checkoutx", "root")
	f("/Checkout/", "root")
	f("/checkout/pa", "checkout")
	f("/checkout/pay", "pay")
	f("/checkout/pay/1", "payments")
	f("/checkout/payx", "payments")
	f("//checkout/./pay", "pay")
	f("/checkout%2Fpay", "root")
	f("/x/../checkout/%70ay", "pay")
	f("/.git/config", "hidden")
	f("/~caf%c3%a9/1", "name")
	f("*", "rest")
}

func TestTable_DecliningHost_LeavesTheRequestToTheNext(t *testing.T) {
	t.Parallel()
	table := mustTable(t,
		&Route{Name: "shop-api", Match: Match{Hosts: []string{"shop.example.com"}, Path: "/api/*"}},
		&Route{Name: "wild-post", Match: Match{Hosts: []string{"*.example.com"}, Methods: []string{"POST"}}},
		&Route{Name: "assets", Match: Match{Path: "/assets/*"}},
	)
	checkMatch(t, table, "GET shop.example.com /api/1", "", "shop-api")
	checkMatch(t, table, "POST shop.example.com /assets/1", "", "wild-post")
	checkMatch(t, table, "GET shop.example.com /assets/1", "", "assets")
	checkMatch(t, table, "GET shop.example.com /else", "", "")
}

func TestTable_Conditions_MoreComesFirst(t *testing.T) {
	t.Parallel()
	beta := FieldMatch{Name: "X-Beta"}
	table := mustTable(t,
		&Route{Name: "all", Match: Match{Path: "/a/*"}},
		&Route{Name: "beta", Match: Match{Path: "/a/*", Headers: []FieldMatch{beta}}},
		&Route{Name: "beta-eu", Match: Match{Path: "/a/*", Headers: []FieldMatch{beta, {"X-Region", "eu"}}}},
		&Route{Name: "write", Match: Match{Path: "/a/*", Methods: []string{"POST", "PUT"}}},
		&Route{Name: "deeper", Match: Match{Path: "/a/b/*", Headers: []FieldMatch{{"X-No", "1"}}}},
	)
	checkMatch(t, table, "GET h /a/b/c", "", "all")
	checkMatch(t, table, "GET h /a/b/c", "x-beta:\r\n", "beta")
	checkMatch(t, table, "GET h /a/b/c", "x-beta: 1\r\nx-region: eu\r\n", "beta-eu")
	checkMatch(t, table, "GET h /a/b/c", "x-beta: 1\r\nx-region: us\r\nx-region: eu\r\n", "beta")
	checkMatch(t, table, "PUT h /a/b/c", "x-beta: 1\r\n", "write")
	checkMatch(t, table, "put h /a/b/c", "", "all")
	checkMatch(t, table, "HEAD h /a/b/c", "X-No: 1\r\n", "deeper")
}

func TestTable_WithoutRoutes_MatchesNothing(t *testing.T) {
	t.Parallel()
	checkMatch(t, &Table{}, "GET h /", "", "")
	checkMatch(t, mustTable(t), "GET h /", "", "")
	if got := mustTable(t).WithSplit(&Split{Weight: Full}); len(got.routes) != 0 {
		t.Errorf("a weight made %d routes", len(got.routes))
	}
}

func TestNewTable_BadPatterns_AreRefused(t *testing.T) {
	t.Parallel()
	f := func(want string, matches ...Match) {
		t.Helper()
		var routes []*Route
		for i, m := range matches {
			routes = append(routes, &Route{Name: fmt.Sprint("r", i), Match: m})
		}
		if _, err := NewTable(routes); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewTable(%+v): got error %v, want one with %q", matches, err, want)
		}
	}
	f("slash", Match{Path: "checkout/*"})
	f("star", Match{Path: "/a/*/b"})
	f("query", Match{Path: "/a?b=1"})
	f("star", Match{Hosts: []string{"shop.*.com"}})
	f("star", Match{Hosts: []string{"*shop.com"}})
	f("port", Match{Hosts: []string{"shop.example.com:80"}})
	f("port", Match{Hosts: []string{"http://shop.example.com"}})
	f("host name", Match{Hosts: []string{""}})
	f("star", Match{Hosts: []string{"*."}})
	f("empty label", Match{Hosts: []string{"a..b"}})
	f("without a name", Match{Headers: []FieldMatch{{Is: "1"}}})
	f(`route "r1" takes the same requests as route "r0"`, Match{}, Match{})
	f("same requests", Match{Path: "/a/../b/*", Methods: []string{"GET", "PUT"}}, Match{Path: "/b/*", Methods: []string{"PUT", "GET"}})
	f("same requests", Match{Hosts: []string{"a.test", "b.test"}}, Match{Hosts: []string{"B.test."}})
	f("same requests", Match{Headers: []FieldMatch{{"X-A", "1"}}}, Match{Headers: []FieldMatch{{"x-a", "1"}}})
}

func TestTable_NewWeight_ReachesEveryRouteOfTheSplit(t *testing.T) {
	t.Parallel()
	checkout := &Split{ID: 0, Rollout: "checkout", Upstreams: [2]int{3, 4}}
	search := &Split{ID: 1, Rollout: "search", Weight: 7}
	before := mustTable(t,
		&Route{Name: "a", Match: Match{Path: "/a/*"}, Upstream: 3, Split: checkout},
		&Route{Name: "b", Match: Match{Path: "/b/*"}, Upstream: 3, Split: checkout},
		&Route{Name: "c", Match: Match{Path: "/c/*"}, Split: search},
		&Route{Name: "d", Match: Match{Path: "/d/*"}, Upstream: 9},
	)
	after := before.WithSplit(&Split{ID: 0, Rollout: "checkout", Upstreams: [2]int{3, 4}, Weight: 500})
	f := func(table *Table, path string, want Weight) {
		t.Helper()
		route := table.Match(&Request{Path: []byte(path)})
		if route.Split.Weight != want {
			t.Errorf("%s: weight %v, want %v", path, route.Split.Weight, want)
		}
	}
	for _, path := range []string{"/a/", "/b/"} {
		f(before, path, 0)
		f(after, path, 500)
	}
	f(after, "/c/", 7)
	if after.routes[0].Split != after.routes[1].Split {
		t.Error("two routes of one rollout got two splits")
	}
	if after.routes[2] != before.routes[2] || after.routes[3] != before.routes[3] {
		t.Error("routes that carry another split were copied")
	}
	moved := after.WithSplit(&Split{ID: 0, Upstreams: [2]int{5, 6}})
	if route := moved.Match(&Request{Path: []byte("/b/")}); route.Upstream != 5 || route.Split.Upstreams[Canary] != 6 {
		t.Errorf("a new split left the route on upstream %d", route.Upstream)
	}
}

// TestTable_ManyRoutes_AgreesWithTryingThemAll compares the index with the order that Table's comment promises.
func TestTable_ManyRoutes_AgreesWithTryingThemAll(t *testing.T) {
	t.Parallel()
	hosts := [][]string{nil, {"a.test"}, {"*.a.test"}, {"*.test", "b.test"}}
	paths := []string{"", "/*", "/a", "/a/*", "/a/b", "/a/b/*", "/a/b*", "/ab/*", "/abc"}
	methods := [][]string{nil, {"POST"}}
	var routes []*Route
	for _, h := range hosts {
		for _, p := range paths {
			for _, m := range methods {
				if (len(routes)*7)%5 == 0 && len(routes) > 3 { // leave gaps, so that requests fall through
					routes = append(routes, nil)
					continue
				}
				routes = append(routes, &Route{Name: fmt.Sprint(h, p, m), Match: Match{Hosts: h, Path: p, Methods: m}})
			}
		}
	}
	routes = compactRoutes(routes)
	table := mustTable(t, routes...)
	for _, host := range []string{"a.test", "b.test", "x.a.test", "y.x.a.test", "test", "c.test", "other"} {
		for _, path := range []string{"/", "/a", "/a/", "/a/b", "/a/b/c", "/a/bc", "/ab", "/ab/", "/abc", "/abcd", "*"} {
			for _, method := range []string{"GET", "POST"} {
				r := &Request{Method: []byte(method), Host: []byte(host), Path: []byte(path)}
				if got, want := table.Match(r), naiveMatch(routes, host, path, method); got != want {
					t.Errorf("%s %s %s: got %v, want %v", method, host, path, got, want)
				}
			}
		}
	}
}

func compactRoutes(routes []*Route) []*Route {
	var kept []*Route
	for _, r := range routes {
		if r != nil {
			kept = append(kept, r)
		}
	}
	return kept
}

// naiveMatch ranks every route: host first, then path, then methods.
func naiveMatch(routes []*Route, host, path, method string) *Route {
	var best *Route
	bestRank := -1
	for _, route := range routes {
		hostRank := naiveHost(route.Match.Hosts, host)
		pathRank := naivePath(route.Match.Path, path)
		methodRank := 0
		if len(route.Match.Methods) > 0 {
			methodRank = 1
		}
		if hostRank < 0 || pathRank < 0 || methodRank == 1 && method != route.Match.Methods[0] {
			continue
		}
		if rank := hostRank<<20 + pathRank<<1 + methodRank; rank > bestRank {
			best, bestRank = route, rank
		}
	}
	return best
}

func naiveHost(patterns []string, host string) int {
	if len(patterns) == 0 {
		return 0
	}
	rank := -1
	for _, p := range patterns {
		if suffix, wild := strings.CutPrefix(p, "*"); wild && strings.HasSuffix(host, suffix) && len(host) > len(suffix) {
			rank = max(rank, len(suffix))
		} else if p == host {
			rank = 1000
		}
	}
	return rank
}

func naivePath(pattern, path string) int {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		if strings.HasPrefix(path, prefix) {
			return len(prefix)
		}
		return -1
	}
	switch pattern {
	case "":
		return 0
	case path:
		return 1000
	}
	return -1
}

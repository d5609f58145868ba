package router

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// browserHead is a plain request's fields, as a browser behind an API gateway sends them.
const browserHead = "Host: shop.example.com\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" +
	"Accept-Language: en-GB,en;q=0.5\r\n" +
	"Accept-Encoding: gzip, deflate, br\r\n" +
	"Cookie: theme=dark; session=0123456789abcdef0123456789abcdef; uid=7e57d004-2b97-0e7a-b45f-5387367791cd\r\n" +
	"X-User-Id: 7e57d004-2b97-0e7a-b45f-5387367791cd\r\n" +
	"Connection: keep-alive\r\n"

func browserRequest() *Request {
	return &Request{
		Method: []byte("GET"), Host: []byte("shop.example.com:8080"), Path: []byte("/checkout/cart/items"),
		Query: []byte("page=2&u=7e57d004%2D2b97&x=1"), Head: []byte(browserHead), Client: netip.MustParseAddr("::ffff:192.0.2.7"),
	}
}

func TestRouting_OfAnyRequest_AllocatesNothing(t *testing.T) {
	table := manyRoutes(t, 1000)
	r := browserRequest()
	key := []byte(strings.Repeat("k", 1000))
	path, dst := []byte("/a/../checkout//%63art"), make([]byte, 0, 256)
	shouted := *r
	shouted.Host = []byte("SHOP.Example.com")
	if n := testing.AllocsPerRun(100, func() {
		if table.Match(&shouted) == nil {
			t.Error("no route for a host in capitals")
		}
	}); n != 0 {
		t.Errorf("host in capitals: %v allocations", n)
	}
	for _, source := range keySources() {
		split := &Split{Salt: Salt("checkout"), Keys: []KeySource{source}, Force: "X-Serin-Arm", Weight: 500}
		var route *Route
		var choice Choice
		if n := testing.AllocsPerRun(100, func() {
			route = table.Match(r)
			choice = split.Choose(r)
		}); n != 0 || route == nil || choice.Why != ByWeight {
			t.Errorf("key %v: %v allocations, route %v, choice %+v", source, n, route, choice)
		}
	}
	if n := testing.AllocsPerRun(100, func() {
		BucketOf(7, key)
		NormalizePath(dst, path)
	}); n != 0 {
		t.Errorf("bucket and path: %v allocations", n)
	}
}

func keySources() []KeySource {
	return []KeySource{{KeyHeader, "X-User-Id"}, {KeyCookie, "uid"}, {KeyQuery, "u"}, {KeyIP, ""}, {KeyMint, "uid"}}
}

// manyRoutes is a table of n routes over hosts and paths; the browser's request takes one of them.
func manyRoutes(t testing.TB, n int) *Table {
	routes := []*Route{{Name: "shop", Match: Match{Hosts: []string{"shop.example.com"}, Path: "/checkout/*"}}}
	for i := 1; i < n; i++ {
		m := Match{Hosts: []string{"shop.example.com"}, Path: fmt.Sprintf("/service-%d/*", i)}
		switch i % 4 {
		case 1:
			m.Hosts = []string{fmt.Sprintf("tenant-%d.example.com", i)}
		case 2:
			m.Hosts, m.Path = nil, fmt.Sprintf("/checkout/exact-%d", i)
		}
		routes = append(routes, &Route{Name: fmt.Sprint("r", i), Match: m})
	}
	return mustTable(t, routes...)
}

func BenchmarkTable_Match(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000, 10000} {
		b.Run(fmt.Sprintf("routes=%d", n), func(b *testing.B) {
			table, r := manyRoutes(b, n), browserRequest()
			b.ReportAllocs()
			for b.Loop() {
				if table.Match(r) == nil {
					b.Fatal("no route")
				}
			}
		})
	}
}

func BenchmarkSplit_Choose(b *testing.B) {
	for _, source := range keySources() {
		b.Run("key="+source.Kind.String(), func(b *testing.B) {
			split := &Split{Salt: Salt("checkout"), Keys: []KeySource{source}, Weight: 500}
			r := browserRequest()
			b.ReportAllocs()
			for b.Loop() {
				if split.Choose(r).Why != ByWeight {
					b.Fatal("no key")
				}
			}
		})
	}
}

func BenchmarkBucketOf(b *testing.B) {
	for _, n := range []int{8, 36, 256, 1 << 20} {
		b.Run(fmt.Sprintf("bytes=%d", n), func(b *testing.B) {
			key := []byte(strings.Repeat("k", n))
			b.ReportAllocs()
			for b.Loop() {
				BucketOf(7, key)
			}
		})
	}
}

func BenchmarkNormalizePath(b *testing.B) {
	for name, path := range map[string]string{"normal": "/checkout/cart/items", "odd": "/checkout/../%63art//items"} {
		b.Run("path="+name, func(b *testing.B) {
			in, dst := []byte(path), make([]byte, 0, 128)
			b.ReportAllocs()
			for b.Loop() {
				NormalizePath(dst, in)
			}
		})
	}
}

func BenchmarkTable_WithSplit(b *testing.B) {
	table := manyRoutes(b, 1000).WithSplit(&Split{})
	table.routes[0].Split = &Split{}
	b.ReportAllocs()
	for w := Weight(0); b.Loop(); w = (w + 1) % Full {
		table = table.WithSplit(&Split{Weight: w + 1})
	}
}

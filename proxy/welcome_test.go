package proxy

import (
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"serin/gate/window"
	"serin/proxy/wire"
	"serin/router"
)

// hosts is a table that takes these hosts.
func hosts(names ...string) *router.Table {
	table, err := router.NewTable([]*router.Route{{Match: router.Match{Hosts: names}}})
	if err != nil {
		panic(err)
	}
	return table
}

// optionConversations hold what a listener's options ask for.
var optionConversations = []conversation{
	{
		name: "a host that is not on the list is misdirected",
		rig:  rigOptions{serve: ServeOptions{Hosts: hosts("shop", "*.shop.test")}},
		steps: []step{
			{"c send", get + strings.Replace(get, "Host: shop", "Host: WWW.shop.test:81", 1) + strings.Replace(get, "Host: shop", "Host: evil.test", 1) + get},
			{"s head", "GET"},
			{"s send", nothing},
			{"s head", "GET"},
			{"s send", nothing},
			{"c head", "HTTP/1.1 204"},
			{"c head", "HTTP/1.1 204"},
			{"c head", "HTTP/1.1 421|!Connection"},
			{"c is", "unknown_host: This host is not served here.\n"},
			{"s head", "GET"},
			{"s send", nothing},
			{"c head", "HTTP/1.1 204"},
		},
		want: map[window.Outcome]uint64{window.Success: 3},
	},
	{
		name: "a host that is not on the list is told before its body is asked for",
		rig:  rigOptions{serve: ServeOptions{Hosts: hosts("shop")}},
		steps: []step{
			{"c send", "POST / HTTP/1.1\r\nHost: evil.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"},
			{"c head", "HTTP/1.1 421|Connection: close"},
		},
	},
	{
		name: "a path of two readings is refused where the listener wants plain ones",
		rig:  rigOptions{serve: ServeOptions{PlainPaths: true}},
		steps: []step{
			{"c send", "GET /a%2f..%2fadmin HTTP/1.1\r\nHost: shop\r\n\r\n"},
			{"c head", "HTTP/1.1 400|!Connection"},
			{"c is", "ambiguous_path: The path can be read in more than one way.\n"},
			{"c send", "GET /a%20b//c?/../%2f HTTP/1.1\r\nHost: shop\r\nX-User-Id: a\r\n\r\n"},
			{"s head", "GET /a%20b//c?/../%2f HTTP/1.1"},
			{"s send", nothing},
			{"c head", "HTTP/1.1 204"},
		},
		want: once(window.Success),
	},
	{
		name: "the last request of a connection is told so",
		rig:  rigOptions{serve: ServeOptions{Requests: 2}},
		steps: []step{
			{"c send", get + get + get},
			{"s head", "GET"},
			{"s send", nothing},
			{"c head", "HTTP/1.1 204|!Connection"},
			{"s head", "GET"},
			{"s send", nothing},
			{"c head", "HTTP/1.1 204|Connection: close"},
			{"c end", ""},
		},
		want: map[window.Outcome]uint64{window.Success: 2},
	},
	{
		name: "Via names us, and a request that has been here goes no further",
		rig:  rigOptions{serve: ServeOptions{Via: "edge-1"}},
		steps: []step{
			{"c send", "GET / HTTP/1.1\r\nHost: shop\r\nX-User-Id: a\r\nVia: 1.1 other\r\n\r\n"},
			{"s head", "GET / HTTP/1.1|Via: 1.1 other|Via: 1.1 edge-1"},
			{"s send", nothing},
			{"c head", "HTTP/1.1 204|!Via"},
			{"c send", "GET / HTTP/1.1\r\nHost: shop\r\nVia: 1.1 other, 1.1 edge-1\r\n\r\n"},
			{"c head", "HTTP/1.1 508 Loop Detected"},
		},
		want: once(window.Success),
	},
	{
		name: "names with underscores are cut where the listener says so",
		rig:  rigOptions{serve: ServeOptions{Limits: wire.Limits{Underscore: wire.UnderscoreDrop}}},
		steps: []step{
			{"c send", "GET / HTTP/1.1\r\nHost: shop\r\nX-User-Id: a\r\nX_Odd: 1\r\n\r\n"},
			{"s head", "GET / HTTP/1.1|!X_Odd"},
			{"s send", nothing},
			{"c head", "HTTP/1.1 204"},
		},
		want: once(window.Success),
	},
	{
		name: "names with underscores are refused where the listener says so",
		rig:  rigOptions{serve: ServeOptions{Limits: wire.Limits{Underscore: wire.UnderscoreReject}}},
		steps: []step{
			{"c send", "GET / HTTP/1.1\r\nHost: shop\r\nX_Odd: 1\r\n\r\n"},
			{"c head", "HTTP/1.1 400|Connection: close"},
		},
	},
	{
		name: "a body below the least rate is the client's fault",
		rig:  rigOptions{serve: ServeOptions{BodyIdle: time.Second, BodyRate: 1 << 20}},
		steps: []step{
			{"c send", post + "Content-Length: 9000000\r\n\r\n"},
			{"s head", "POST"},
			{"c drip", "x"},
			{"c head", "HTTP/1.1 408|Connection: close"},
			{"c is", "body_too_slow: The request's body came too slowly.\n"},
		},
		want: once(window.Neutral),
	},
	{
		name: "a body whose answer has begun may be slow",
		rig:  rigOptions{serve: ServeOptions{BodyIdle: 300 * time.Millisecond, BodyRate: 1 << 20}},
		steps: []step{
			{"c send", post + "Content-Length: 81\r\n\r\na"},
			{"s head", "POST"},
			{"s is", "a"},
			{"s send", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n1"},
			{"c head", "HTTP/1.1 200"},
			{"c drip", strings.Repeat("x", 80)},
			{"s is", strings.Repeat("x", 80)},
			{"s send", "2"},
			{"c is", "12"},
		},
		want: once(window.Success),
	},
}

func TestPace_OnlyTheClientsTimeCounts(t *testing.T) {
	t.Parallel()
	const second = time.Second
	p := newPace(100, 10*second, 5*second, 50)
	f := func(now time.Duration, bytes int64, want bool) {
		t.Helper()
		if got := p.slow(now, bytes); got != want {
			t.Errorf("after %s and %d bytes: got %v, want %v", now, bytes, got, want)
		}
	}
	f(14*second, 50, false) // its window has not ended
	f(15*second, 1050, false)
	f(24*second, 1051, false)
	p.writing = 8 * second
	f(32*second, 1051, false) // 17 s, of which the upstream took 8
	f(33*second, 1051, true)
	f(44*second, 2151, false)
	f(54*second, 3150, true)
	if off := newPace(0, second, 0, 0); off.window != 0 {
		t.Errorf("no rate, and a window of %s", off.window)
	}
}

func TestShortage_HoldsUntilThereIsRoomAgain(t *testing.T) {
	t.Parallel()
	level := plenty
	f := func(used, most int64, want int32) {
		t.Helper()
		if level = shortage(level, used, most); level != want {
			t.Errorf("%d of %d: got level %d, want %d", used, most, level, want)
		}
	}
	f(1<<40, 0, plenty) // no limit
	f(84, 100, plenty)
	f(85, 100, tight)
	f(80, 100, tight)
	f(79, 100, plenty)
	f(92, 100, dire)
	f(87, 100, dire)
	f(86, 100, tight)
	f(120, 100, dire)
	f(10, 100, plenty)
	f(90, 100, tight)
	f(1<<40, 0, plenty)
}

func TestAccount_CountsWhatIsInUseAndNoGarbage(t *testing.T) {
	a := newAccount()
	runtime.GC()
	before := a.inUse()
	held := make([]byte, 64<<20)
	for i := range held {
		held[i] = 1
	}
	runtime.GC()
	with := a.inUse()
	runtime.KeepAlive(held)
	held = nil
	runtime.GC()
	after := a.inUse()
	if before <= 0 || with-before < 60<<20 || with-after < 60<<20 {
		t.Errorf("got %d, with 64 MiB %d, then %d", before, with, after)
	}
}

func TestRation_ShedsThenClosesTheIdleThenServesAgain(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	used := make(chan int64, 1)
	used <- 50
	r.proxy.inUse = func() int64 { n := <-used; used <- n; return n }
	set := func(n int64, level int32) {
		t.Helper()
		<-used
		used <- n
		eventually(t, func() bool { return r.proxy.short.Load() == level }, func() string { return "the level stays" })
	}
	r.proxy.LimitMemory(100)
	client, idle := r.dial(), r.dial()
	client.send(get)
	server := accept(t, up)
	server.head()
	server.send(nothing)
	wantStatus(t, client.head(), 204)
	idle.send(get)
	server.head()
	server.send(nothing)
	wantStatus(t, idle.head(), 204)

	set(90, tight)
	client.send(get)
	head := client.head()
	wantStatus(t, head, 503)
	wantField(t, head, "Retry-After: 1")
	wantNoField(t, head, "Connection")
	client.expect("overloaded: This proxy has too much to do: try again later.\n")
	if n := r.proxy.Totals().Refused; n != 1 {
		t.Errorf("%d were refused without a route, want 1", n)
	}
	set(95, dire)
	idle.expectEnd()
	client.expectEnd()

	set(50, plenty)
	late := r.dial()
	late.send(get)
	server.head()
	server.send(nothing)
	wantStatus(t, late.head(), 204)
	wantOutcome(t, r.snapshot.Splits[0].Evidence[0], window.Success, 3)
}

func TestDate_IsRenderedOnceASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{})
		ctx := t.Context()
		go func() { _ = p.Run(ctx) }()
		synctest.Wait()
		first := p.date()
		time.Sleep(500 * time.Millisecond)
		if again := p.date(); &again[0] != &first[0] {
			t.Errorf("rendered twice in a second: %q %q", first, again)
		}
		time.Sleep(time.Second)
		if later := string(p.date()); later == string(first) || len(later) != len("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n") {
			t.Errorf("got %q after %q", later, first)
		}
	})
}

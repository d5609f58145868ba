package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"
)

func pick(p *Pool, key uint64) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.choose(key, nil, 0)
	if s == nil {
		return ""
	}
	return s.Name()
}

func TestBalance_P2C_SparesTheBusyServer(t *testing.T) {
	t.Parallel()
	p := newPool(t, Spec{Servers: named("a", "b", "c")})
	p.servers[0].inFlight = 100
	for range 200 {
		if pick(p, 0) == "a" {
			t.Fatal("the busy server was chosen over an idle one")
		}
	}
}

func TestBalance_RoundRobin_TakesTurns(t *testing.T) {
	t.Parallel()
	p := newPool(t, Spec{Balance: "round_robin", Servers: named("a", "b", "c")})
	counts := map[string]int{}
	for range 300 {
		counts[pick(p, 0)]++
	}
	if counts["a"] != 100 || counts["b"] != 100 {
		t.Errorf("got %v, want 100 each", counts)
	}
}

func TestBalance_Hash_KeepsKeysAndMovesOnlyThoseOfALostServer(t *testing.T) {
	t.Parallel()
	p := newPool(t, Spec{Balance: "hash", Servers: named("a", "b", "c", "d"), Eject: Eject{Consecutive: 1, Max: .5}})
	before, counts := map[uint64]string{}, map[string]int{}
	for i := range uint64(4000) {
		before[i] = pick(p, mix(i))
		counts[before[i]]++
	}
	for name, n := range counts {
		if n < 850 || n > 1150 {
			t.Errorf("server %s has %d of 4000 keys, want about 1000", name, n)
		}
	}
	p.mu.Lock()
	p.judge(p.servers[1], Reset, 0)
	p.mu.Unlock()
	for key, was := range before {
		now := pick(p, mix(key))
		if now == "b" || was != "b" && now != was {
			t.Fatalf("key %d moved from %s to %s", key, was, now)
		}
	}
}

func TestEject_AfterFailuresInARow_AndBackAfterAWhileGradually(t *testing.T) {
	t.Parallel()
	p := newPool(t, Spec{Servers: named("a", "b"), Eject: Eject{Consecutive: 3, For: time.Minute, Max: .5}})
	fail := func(reason Reason) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.judge(p.servers[0], reason, time.Second)
	}
	fail(ServerError)
	fail(Reset)
	fail(None)
	fail(ServerError)
	fail(QueueFull) // ours, proves nothing
	fail(ServerError)
	if p.Status().Servers[0].State != "up" {
		t.Fatal("ejected before three failures in a row")
	}
	fail(ResponseTime)
	if s := p.Status(); s.Servers[0].State != "ejected" || s.Servers[0].Ejections != 1 || s.Healthy != 1 {
		t.Fatalf("got %+v, want one ejected", s)
	}
	for range 50 {
		if pick(p, 0) != "b" {
			t.Fatal("an ejected server was chosen")
		}
	}
	p.tick(62 * time.Second)
	if s := p.Status().Servers[0].State; s != "warming" {
		t.Fatalf("got state %s, want warming", s)
	}
	if share := p.servers[0].share(67 * time.Second); share < .49 || share > .51 {
		t.Errorf("got share %v half way through the slow start, want .5", share)
	}
	p.tick(80 * time.Second)
	if s := p.Status().Servers[0].State; s != "up" {
		t.Errorf("got state %s, want up", s)
	}
}

func TestEject_NeverMoreThanHalfThePoolAndNeverTheOnlyServer(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{1: 0, 2: 1, 3: 1, 4: 2, 5: 2} {
		var names []string
		for i := range n {
			names = append(names, fmt.Sprint(i))
		}
		p := newPool(t, Spec{Servers: named(names...), Eject: Eject{Consecutive: 1, Max: 1}})
		p.mu.Lock()
		for _, s := range p.servers {
			p.judge(s, Reset, 0)
		}
		p.mu.Unlock()
		if got := n - p.Status().Healthy; got != want {
			t.Errorf("%d of %d servers ejected, want %d", got, n, want)
		}
	}
}

func TestPanicMode_FewerThanHalfLeft_EjectionsAreIgnored(t *testing.T) {
	t.Parallel()
	p := newPool(t, Spec{Servers: named("a", "b", "c")})
	p.mu.Lock()
	p.servers[0].ejected = true
	p.servers[1].down = true
	p.recount()
	p.mu.Unlock()
	seen := map[string]bool{}
	for range 100 {
		seen[pick(p, 0)] = true
	}
	if !seen["a"] || seen["b"] || !seen["c"] {
		t.Errorf("got %v, want the ejected one back and the one that is down out", seen)
	}
	p.mu.Lock()
	for _, s := range p.servers {
		s.down = true
	}
	p.recount()
	p.mu.Unlock()
	if pick(p, 0) == "" || p.Healthy() {
		t.Error("all down: want requests tried and the pool unhealthy")
	}
}

func TestHealth_FirstAnswerDecidesAtOnceThenThresholds(t *testing.T) {
	t.Parallel()
	h := &Health{Healthy: 2, Unhealthy: 3}
	p := newPool(t, Spec{Servers: named("a"), Health: h})
	s := p.servers[0]
	if p.Healthy() {
		t.Error("healthy before any answer")
	}
	refused := errors.New("refused")
	for i, step := range []struct {
		err error
		up  bool
	}{
		{nil, true},
		{refused, true}, {refused, true}, {nil, true}, // two do not
		{refused, true}, {refused, true}, {refused, false},
		{nil, false}, {refused, false}, {nil, false}, {nil, true},
	} {
		p.checked(s, h, "", step.err)
		if p.Healthy() != step.up {
			t.Fatalf("after answer %d: healthy %v, want %v", i, p.Healthy(), step.up)
		}
	}
	other := newPool(t, Spec{Servers: named("a"), Health: h})
	other.checked(other.servers[0], h, "", refused)
	if other.Healthy() || other.Status().Servers[0].State != "down" {
		t.Error("the first answer, a failure, did not count")
	}
}

func TestHealth_Run_FollowsTheServer(t *testing.T) {
	t.Parallel()
	far := newFarEnd(t)
	var mu sync.Mutex
	status := 200
	set := func(s int) { mu.Lock(); status = s; mu.Unlock() }
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path != "/up" {
			w.WriteHeader(404)
			return
		}
		w.WriteHeader(status)
	})}
	go func() { _ = server.Serve(far) }()
	t.Cleanup(func() { _ = server.Close() })
	p := newPool(t, Spec{Servers: []ServerSpec{far.spec()}, Health: &Health{Path: "/up", Every: time.Millisecond, Timeout: time.Second, Healthy: 1, Unhealthy: 1}})
	run(t, p)
	eventually(t, "up", p.Healthy)
	set(500)
	eventually(t, "down", func() bool { return !p.Healthy() })
	if c := p.Status().Servers[0].LastCheck; c.OK || c.Detail != "status 500" || c.At.IsZero() {
		t.Errorf("got check %+v", c)
	}
	set(204)
	eventually(t, "up again", p.Healthy)
}

// run runs the pool until the test ends.
func run(t *testing.T, p *Pool) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { _ = p.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
}

// book is a resolver whose answers the test writes.
type book struct {
	addrs []netip.Addr
	err   error
}

func (b *book) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return b.addrs, b.err
}

func addrs(list ...string) (all []netip.Addr) {
	for _, s := range list {
		all = append(all, netip.MustParseAddr(s))
	}
	return all
}

func TestNames_LastGoodAnswerIsKept(t *testing.T) {
	t.Parallel()
	b := &book{err: errors.New("no resolver")}
	p := New(Spec{Name: "v1", Servers: []ServerSpec{{Network: "tcp", Address: "app.example:80"}}}, Options{Resolver: b})
	if err := p.Prepare(t.Context()); err == nil || p.Healthy() {
		t.Error("a name that does not resolve is no error, or the pool is healthy")
	}
	_, err := p.Get(0, nil)
	wantReason(t, err, NoServer)
	list := func() (all []string) {
		_ = p.Prepare(t.Context())
		for _, s := range p.Status().Servers {
			all = append(all, s.Address)
		}
		return all
	}
	want := func(step string, got []string, want ...string) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%s: got %v, want %v", step, got, want)
		}
	}
	b.addrs, b.err = addrs("10.0.0.2", "10.0.0.1", "10.0.0.2"), nil
	want("first answer", list(), "10.0.0.1:80", "10.0.0.2:80")
	kept := p.servers[0]
	b.err = errors.New("timeout")
	want("failure", list(), "10.0.0.1:80", "10.0.0.2:80")
	b.err, b.addrs = nil, nil
	want("empty answer", list(), "10.0.0.1:80", "10.0.0.2:80")
	b.addrs = addrs("10.0.0.1", "10.0.0.9")
	want("changed", list(), "10.0.0.1:80", "10.0.0.9:80")
	if p.servers[0] != kept {
		t.Error("a server that stayed lost its history")
	}
	b.addrs = addrs("::1", "127.0.0.1")
	want("both families", list(), "127.0.0.1:80")
	if got := p.servers[0].addrs; len(got) != 2 || got[1] != "[::1]:80" {
		t.Errorf("got addresses %v, want IPv6 to fall back to", got)
	}
}

func TestBudget_FractionOfRequestsPlusTenPerSecond(t *testing.T) {
	t.Parallel()
	var b budget
	now := 100 * time.Second
	granted := func(fraction float64) (n int) {
		for b.retry(now, fraction) {
			n++
		}
		return n
	}
	if n := granted(.2); n != 100 {
		t.Errorf("got %d retries without requests, want 10 a second over 10 s", n)
	}
	for range 1000 {
		b.request(now)
	}
	if n := granted(.2); n != 200 {
		t.Errorf("got %d more retries, want 20 %% of 1000", n)
	}
	now += 5 * time.Second
	if n := granted(.2); n != 0 {
		t.Errorf("got %d retries in the same ten seconds, want none", n)
	}
	now += 5 * time.Second
	if n := granted(.2); n != 100 {
		t.Errorf("got %d retries after ten seconds, want a fresh 100", n)
	}
}

func TestTwin_IsTheServerAtTheSameAddress(t *testing.T) {
	t.Parallel()
	old := newPool(t, Spec{Servers: named("a", "b")})
	fresh := newPool(t, Spec{Servers: named("b", "c")})
	if got := fresh.Twin(old.servers[1]); got != fresh.servers[0] {
		t.Errorf("got %v, want the fresh pool's own b", got)
	}
	if got := fresh.Twin(old.servers[0]); got != nil {
		t.Errorf("got %v for a server that left, want none", got)
	}
	if got := fresh.Twin(nil); got != nil {
		t.Errorf("got %v for none, want none", got)
	}
}

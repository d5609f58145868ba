package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"serin/gate/window"
	"serin/proxy/upstream"
	"serin/router"
)

func userGet(user string) string {
	return "GET / HTTP/1.1\r\nHost: shop\r\nX-User-Id: " + user + "\r\n\r\n"
}

// answering runs a server whose answers are its name.
func answering(t testing.TB, name string) *http.Server {
	t.Helper()
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Arm", r.Header.Get("Serin-Arm"))
		fmt.Fprint(w, name)
	})}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func twoArms(t *testing.T, o rigOptions) *rig {
	t.Helper()
	o.stable, o.canary = listenLocal(t), listenLocal(t)
	go func() { _ = answering(t, "v1").Serve(o.stable) }()
	go func() { _ = answering(t, "v2").Serve(o.canary) }()
	return newRig(t, o)
}

func (p *peer) ask(request string) (head, body string) {
	p.t.Helper()
	p.send(request)
	head = p.head()
	length := 0
	for line := range strings.SplitSeq(head, "\r\n") {
		if value, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			_, _ = fmt.Sscan(value, &length)
		}
	}
	b := make([]byte, length)
	for i := range b {
		b[i], _ = p.r.ReadByte()
	}
	return head, string(b)
}

func TestSplit_UsersGoWhereTheirBucketSays(t *testing.T) {
	t.Parallel()
	r := twoArms(t, rigOptions{weight: 3000})
	client := r.dial()
	var want [2]uint64
	for i := range 200 {
		user := fmt.Sprint("user", i)
		arm := router.Weight(3000).Arm(router.BucketOf(router.Salt("checkout"), []byte(user)))
		want[arm]++
		head, body := client.ask(userGet(user))
		if expected := []string{"v1", "v2"}[arm]; body != expected {
			t.Fatalf("user %s: got %s, want %s", user, body, expected)
		}
		wantField(t, head, "X-Arm: "+arm.String())
	}
	for arm, n := range want {
		wantOutcome(t, r.snapshot.Splits[0].Evidence[arm], window.Success, n)
	}
}

func TestSplit_ForcedTraffic_IsServedAndNeverEvidence(t *testing.T) {
	t.Parallel()
	r := twoArms(t, rigOptions{force: "X-Serin-Arm"})
	client := r.dial()
	if _, body := client.ask("GET / HTTP/1.1\r\nHost: shop\r\nX-User-Id: a\r\nX-Serin-Arm: canary\r\n\r\n"); body != "v2" {
		t.Errorf("got %q, want v2", body)
	}
	s := r.snapshot.Splits[0]
	wantOutcome(t, s.Forced[router.Canary], window.Success, 1)
	if n := len(outcomes(s.Evidence[router.Canary])); n != 0 {
		t.Errorf("forced traffic is evidence")
	}
}

func TestSplit_NoKey_GoesToStableWithoutEvidence(t *testing.T) {
	t.Parallel()
	r := twoArms(t, rigOptions{weight: 9999})
	client := r.dial()
	if _, body := client.ask("GET / HTTP/1.1\r\nHost: shop\r\n\r\n"); body != "v1" {
		t.Errorf("got %q, want v1", body)
	}
	wantOutcome(t, r.snapshot.Splits[0].Keyless, window.Success, 1)
}

func TestSplit_MintedCookie_DecidesTheRequestThatMintsIt(t *testing.T) {
	t.Parallel()
	r := twoArms(t, rigOptions{weight: 5000, mint: true, expose: true})
	client := r.dial()
	seen := map[string]bool{}
	for range 20 {
		head, body := client.ask("GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
		_, cookie, found := strings.Cut(head, "Set-Cookie: uid=")
		if !found {
			t.Fatalf("no cookie in %q", head)
		}
		key, rest, _ := strings.Cut(cookie, ";")
		if len(key) != 32 || seen[key] {
			t.Fatalf("got key %q, want 128 new random bits", key)
		}
		seen[key] = true
		if want := " Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax\r\n"; !strings.HasPrefix(rest, want) {
			t.Fatalf("got attributes %q", rest)
		}
		again, bodyAgain := client.ask("GET / HTTP/1.1\r\nHost: shop\r\nCookie: uid=" + key + "\r\n\r\n")
		if body != bodyAgain {
			t.Fatalf("the cookie moved its user from %s to %s", body, bodyAgain)
		}
		wantNoField(t, again, "Set-Cookie")
		wantField(t, head, "Serin-Arm: "+map[string]string{"v1": "stable", "v2": "canary"}[body])
	}
}

func TestSplit_HTTP10WithoutHost_IsServed(t *testing.T) {
	t.Parallel()
	r := twoArms(t, rigOptions{})
	client := r.dial()
	head, _ := client.ask("GET / HTTP/1.0\r\nX-User-Id: a\r\n\r\n")
	wantStatus(t, head, 200)
}

func TestPublish_NewWeight_HoldsForEveryLaterRequest(t *testing.T) {
	t.Parallel()
	r := twoArms(t, rigOptions{})
	client := r.dial()
	for i := range 50 {
		next := r.snapshot
		weight := router.Weight(i % 2 * router.Buckets)
		next.Table = r.weighed(weight)
		r.proxy.Publish(&next)
		want := []string{"v1", "v2"}[i%2]
		if _, body := client.ask(userGet("alice")); body != want {
			t.Fatalf("weight %d: got %s, want %s", weight, body, want)
		}
	}
}

func TestTotals_StagesAndReloadsUnderLoad_LoseNothing(t *testing.T) {
	t.Parallel()
	r := twoArms(t, rigOptions{weight: 5000})
	const clients, each = 4, 150
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			client := r.dial()
			for j := range each {
				client.ask(userGet(fmt.Sprint(i, "-", j)))
			}
		})
	}
	stop := make(chan struct{})
	var last uint64
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			next := r.snapshot
			next.Splits = []*Split{testSplit(rigOptions{})}
			r.proxy.Publish(&next)
			n := total(r.proxy)
			if n < last {
				t.Errorf("totals went from %d down to %d", last, n)
			}
			last = n
		}
	})
	eventually(t, func() bool { return total(r.proxy) == clients*each }, func() string {
		return fmt.Sprintf("got %d requests in the totals, want %d", total(r.proxy), clients*each)
	})
	close(stop)
	wg.Wait()
	if n := len(r.proxy.totals.retired); n > 5 {
		r.proxy.Totals()
		if n = len(r.proxy.totals.retired); n > 5 {
			t.Errorf("%d retired meters are still kept", n)
		}
	}
}

func total(p *Proxy) uint64 {
	var n uint64
	for _, s := range p.Totals().Splits {
		for arm := range s.Arms {
			n += s.Arms[arm].Total()
		}
	}
	return n
}

func TestPublish_RetiredPool_LosesNoRequest(t *testing.T) {
	t.Parallel()
	var spec upstream.Spec
	r := twoArms(t, rigOptions{spec: func(s *upstream.Spec) {
		if s.Name == "v1" {
			spec = *s
		}
	}})
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		wg.Go(func() {
			client := r.dial()
			for {
				select {
				case <-stop:
					return
				default:
				}
				head, _ := client.ask(userGet("a"))
				if !strings.HasPrefix(head, "HTTP/1.1 200") {
					t.Errorf("got %q", head)
					return
				}
			}
		})
	}
	old := r.snapshot.Pools[0]
	for range 50 {
		next := r.snapshot
		pool := upstream.New(spec, upstream.Options{Grain: testGrain})
		next.Pools = []*upstream.Pool{pool, next.Pools[1]}
		r.proxy.Publish(&next)
		old.Close()
		old = pool
	}
	close(stop)
	wg.Wait()
	old.Close()
}

func TestPlainRoute_IsCountedByItsUpstream(t *testing.T) {
	t.Parallel()
	r := twoArms(t, rigOptions{plain: true})
	client := r.dial()
	client.ask(userGet("a"))
	wantOutcome(t, r.snapshot.Plain[0], window.Success, 1)
	totals := r.proxy.Totals()
	if len(totals.Plain) != 1 || totals.Plain[0].Upstream != "v1" || totals.Plain[0].Total() != 1 {
		t.Errorf("got %d rows of plain routes, want one of v1 with one request", len(totals.Plain))
	}
}

func TestArm_ThatRefusesConnections_IsUnreachable503(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{stable: listenLocal(t), weight: router.Full})
	client := r.dial()
	head, _ := client.ask(userGet("a"))
	wantStatus(t, head, 503)
	wantField(t, head, "Retry-After: 1")
	head, _ = client.ask(userGet("a"))
	wantStatus(t, head, 503)
	wantOutcome(t, r.snapshot.Splits[0].Evidence[router.Canary], window.Unreachable, 2)
}

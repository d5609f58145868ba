package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// serving is a rollout whose users are all on stable.
const serving = `
[upstream.v1]
servers = [%q]
[upstream.v2]
servers = [%q]
[rollout.shop]
stable = "v1"
canary = "v2"
key    = ["header:X-User-Id"]
start  = "manual"
ladder = ["5%%", "100%%"]
every  = "1h"
[[rollout.shop.gate]]
metric   = "error_rate"
hold     = "stable + 1pt"
`

// resourceGoals, in KiB.
const (
	idleKiB   = 12       // resident memory of an idle connection
	memoryKiB = 6144     // what the last round of a fault may take more than the first
	backKiB   = 16 << 10 // what may stay when all have left: pools, and what the runtime keeps for the next
)

func newCrowdSite(t *testing.T, listen string) (site, *service) {
	t.Helper()
	v1 := startService(t, "v1", newArchive())
	s := newSite(t)
	s.config(t, listen, fmt.Sprintf(serving, v1.address, v1.address))
	return s, v1
}

// affordable is n, or as many clients as the descriptor limit lets this process have and serin accept.
func affordable(t *testing.T, n int) int {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	const others = 2*2*1024 + 1000 // what two upstreams may have, twice, and the admin API, logs, this process' own
	if most := max(int(limit.Max)/2-300, int(limit.Max)-others); n > most {
		t.Logf("%d connections instead of %d: the descriptor limit is %d", most, n, limit.Max)
		return most
	}
	return n
}

// dialFrom connects from one of many loopback addresses, so that ports do not run out.
func dialFrom(i int, address string) (net.Conn, error) { return dialerFrom(i).Dial("tcp", address) }

func dialerFrom(i int) *net.Dialer {
	return &net.Dialer{Timeout: 20 * time.Second, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%100))}}
}

// gather opens n connections, has each answered once, and leaves them idle.
func gather(t *testing.T, address string, n int) []net.Conn {
	t.Helper()
	conns := make([]net.Conn, n)
	var wg sync.WaitGroup
	const openers = 32
	for w := range openers {
		wg.Go(func() {
			for i := w; i < n; i += openers {
				conn, err := dialFrom(i, address)
				if err != nil {
					t.Errorf("connection %d: %v", i, err)
					return
				}
				c := client{conn: conn, timeout: 40 * time.Second}
				c.in = newReader(conn)
				if o := c.do(get(100)); !o.whole() || o.Status != http.StatusOK {
					t.Errorf("connection %d: %v", i, &o)
				}
				conns[i] = conn
			}
		})
	}
	wg.Wait()
	return conns
}

func scatter(conns []net.Conn) {
	for _, c := range conns {
		if c != nil {
			c.Close()
		}
	}
}

// warm lets serin have what it needs in any case, and returns what it holds when nobody is there.
func (d *daemon) warm() vitals {
	d.t.Helper()
	base := d.vitals()
	scatter(gather(d.t, d.site.listen, 64))
	for was := -1; ; <-time.After(200 * time.Millisecond) {
		now := d.vitals()
		if now.Goroutines == was {
			return vitals{RSS: now.RSS, Descriptors: base.Descriptors, Goroutines: now.Goroutines}
		}
		was = now.Goroutines
	}
}

// alone lets a test run beside others, unless it needs the machine's descriptors for itself.
func alone(t *testing.T) {
	if !*full {
		t.Parallel()
	}
}

// latencies of n visits one after the other, sorted.
func latencies(t *testing.T, address string, n int) []time.Duration {
	t.Helper()
	c := newClient(address)
	defer c.close()
	var took []time.Duration
	for range n {
		o := c.do(get(100))
		if !o.whole() || o.Status != http.StatusOK {
			t.Fatalf("visit: %v", &o)
		}
		took = append(took, o.Ended.Sub(o.Began))
	}
	slices.Sort(took)
	return took
}

func TestCrowd_IdleConnections_AreCheapAndGivenBack(t *testing.T) {
	alone(t)
	s, _ := newCrowdSite(t, "")
	d := start(t, s)
	n := affordable(t, sized(3000, 10_000))
	base := d.warm()
	before := latencies(t, s.listen, 500)
	var rounds []vitals
	for round := range sized(2, 3) {
		conns := gather(t, s.listen, n)
		full := d.settled(vitals{Goroutines: n + base.Goroutines + 10, Descriptors: n + base.Descriptors + 3}, 8*time.Second)
		each := float64(full.RSS-base.RSS) / float64(n)
		beside := latencies(t, s.listen, 500)
		t.Logf("round %d: %d idle connections: %v, %.1f KiB each; a visit beside them p50 %v p99 %v (alone %v %v)",
			round+1, n, full, each, beside[250], beside[495], before[250], before[495])
		m := d.metrics()
		t.Logf("heap in use %.1f MiB, live %.1f MiB, next collection at %.1f MiB", m["go_memstats_heap_inuse_bytes"]/(1<<20), m["go_memstats_alloc_bytes"]/(1<<20), m["go_memstats_next_gc_bytes"]/(1<<20))
		if each > idleKiB && !*withRace {
			t.Errorf("%.1f KiB for an idle connection, want at most %d", each, idleKiB)
		}
		scatter(conns)
		d.back(base)
		rounds = append(rounds, full)
	}
	if grown := rounds[len(rounds)-1].RSS - rounds[0].RSS; grown > memoryKiB && !*withRace {
		t.Errorf("the last round took %d KiB more than the first", grown)
	}
}

// dribble sends a head that never ends, a byte at a time, and returns what came back when.
func dribble(i int, address string, end <-chan struct{}) (answer string, after time.Duration, err error) {
	began := time.Now() // not after: the wait may have begun when dial returns
	conn, err := dialFrom(i, address)
	if err != nil {
		return "", 0, err
	}
	defer conn.Close()
	head := "GET /slow HTTP/1.1\r\nHost: shop.test\r\nX-Dribble: "
	b := make([]byte, 512)
	for sent := 0; ; sent++ {
		one := []byte("a")
		if sent < len(head) {
			one = []byte{head[sent]}
		}
		_, _ = conn.Write(one) // an answer may be there all the same
		conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		n, err := conn.Read(b)
		if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return string(b[:n]), time.Since(began), err
		}
		select {
		case <-end:
			return "", time.Since(began), errors.New("never cut")
		default:
		}
	}
}

func TestCrowd_DribblingClients_AreCutWhileOthersAreServed(t *testing.T) {
	alone(t)
	head := time.Duration(sized(2, 10)) * time.Second
	s, _ := newCrowdSite(t, fmt.Sprintf("timeout = { head = %q }", head))
	d := start(t, s)
	n := affordable(t, sized(500, 5000))
	base := d.warm()
	var rounds []vitals
	for round := range sized(1, 3) {
		end := make(chan struct{})
		stop := time.AfterFunc(10*head, func() { close(end) })
		var mu sync.Mutex
		cut, first, last := 0, time.Hour, time.Duration(0)
		var dribblers sync.WaitGroup
		for i := range n {
			dribblers.Go(func() {
				answer, after, err := dribble(i, s.listen, end)
				mu.Lock()
				defer mu.Unlock()
				if err == nil && !strings.HasPrefix(answer, "HTTP/1.1 408 ") || err != nil && !isReset(err) {
					t.Errorf("a dribbling client got %q, %v after %v", answer, err, after)
				}
				cut, first, last = cut+1, min(first, after), max(last, after)
			})
		}
		ctx, cancel := context.WithCancel(context.Background())
		served, failed := beside(ctx, s.listen)
		dribblers.Wait()
		cancel()
		stop.Stop()
		good, bad := <-served, <-failed
		d.back(base)
		now := d.vitals()
		t.Logf("round %d: %d dribbling clients cut after %.1f to %.1f s (head timeout %v); %d visits beside them, %d failed; %v",
			round+1, cut, first.Seconds(), last.Seconds(), head, good, bad, now)
		if cut != n || first < head || bad != 0 || good == 0 {
			t.Errorf("%d of %d cut, the first after %v; %d of %d others failed", cut, n, first, bad, good+bad)
		}
		rounds = append(rounds, now)
	}
	if grown := rounds[len(rounds)-1].RSS - rounds[0].RSS; grown > memoryKiB && !*withRace {
		t.Errorf("the last round left %d KiB more than the first", grown)
	}
}

// back expects goroutines and descriptors as before the fault, and memory nearly so: serin gives it back within ten
// seconds.
func (d *daemon) back(base vitals) {
	d.t.Helper()
	want := vitals{RSS: base.RSS + backKiB, Goroutines: base.Goroutines + 2, Descriptors: base.Descriptors + 3}
	after := d.settled(want, 20*time.Second)
	d.t.Logf("before %v, after %v", base, after)
	if after.Goroutines > want.Goroutines || after.Descriptors > want.Descriptors || after.RSS > want.RSS && !*withRace {
		d.t.Errorf("before %v, after %v", base, after)
	}
}

// beside visits ten times a second until ctx ends and then says how many were served and how many not.
func beside(ctx context.Context, address string) (served, failed chan int) {
	served, failed = make(chan int, 1), make(chan int, 1)
	go func() {
		good, bad := 0, 0
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		keeps := newClient(address)
		defer keeps.close()
		for {
			fresh := newClient(address)
			for _, c := range []*client{keeps, fresh} {
				if o := c.do(get(100)); o.whole() && o.Status == http.StatusOK {
					good++
				} else {
					bad++
				}
			}
			fresh.close()
			select {
			case <-ctx.Done():
				served <- good
				failed <- bad
				return
			case <-tick.C:
			}
		}
	}()
	return served, failed
}

func TestCrowd_SixtyFourDescriptors_SurvivedAndRecovered(t *testing.T) {
	t.Parallel()
	s, _ := newCrowdSite(t, "")
	d := start(t, s, "ulimit -n 64")
	base := d.warm()
	var before samples
	for round := range 3 {
		// More clients than there are descriptors, all at once; those who get a place leave it after their answer.
		var mu sync.Mutex
		served, turnedAway := 0, 0
		var wg sync.WaitGroup
		for i := range 300 {
			wg.Go(func() {
				c := client{address: s.listen, timeout: 20 * time.Second}
				defer c.close()
				o := c.do(get(1000))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case o.whole() && o.Status == http.StatusOK:
					served++
				case o.Wrong != "" || o.Status != 0 && o.Status != http.StatusServiceUnavailable:
					t.Errorf("client %d: %v", i, &o)
				default:
					turnedAway++
				}
			})
		}
		wg.Wait()
		t.Logf("round %d: 300 clients at once: %d served, %d turned away", round+1, served, turnedAway)
		if served == 0 {
			t.Error("nobody was served")
		}
		if o := newClient(s.listen).do(get(1000)); !o.whole() || o.Status != http.StatusOK {
			t.Errorf("after the flood: %v", &o)
		}
		d.back(base)
		before = d.metrics()
	}
	for name, value := range before { // shortage is our own: no arm's failure
		if strings.HasPrefix(name, "serin_upstream_errors_total") && value != 0 || strings.Contains(name, `code_class="5xx"`) && value != 0 {
			t.Errorf("%s is %v", name, value)
		}
	}
}

func TestCrowd_IdleClientsHoldAllPlaces_OthersTakeThem(t *testing.T) {
	t.Parallel()
	s, _ := newCrowdSite(t, "limits = { connections = 8 }")
	start(t, s)
	held := gather(t, s.listen, 8)
	defer scatter(held)
	var wg sync.WaitGroup
	for i := range 40 { // they keep their connections as well
		wg.Go(func() {
			c := newClient(s.listen)
			o := c.do(get(100))
			if took := o.Ended.Sub(o.Began); !o.whole() || o.Status != http.StatusOK || took > 30*time.Second {
				t.Errorf("client %d was served after %v: %v", i, took, &o)
			}
			<-time.After(time.Second)
			c.close()
		})
	}
	wg.Wait()
}

// faults that are repeated to see whether anything grows.
var faults = map[string]func(t *testing.T, address string){
	"clients that leave in the middle of an upload": func(t *testing.T, address string) {
		for range 50 {
			v := post(100_000)
			halfway(t, address, v.request()[:50_000])
		}
	},
	"clients that leave before their answer": func(t *testing.T, address string) {
		for range 50 {
			v := get(100)
			v.Wait = 300 * time.Millisecond
			halfway(t, address, v.request())
		}
	},
	"clients that leave in the middle of an answer": func(t *testing.T, address string) {
		for range 50 {
			v := get(3 << 20)
			halfway(t, address, v.request())
		}
	},
	"services that break": func(t *testing.T, address string) {
		c := newClient(address)
		defer c.close()
		for i := range 100 {
			v := get(50_000)
			v.Fault = []string{"reset", "cut", "cut-chunked", "garbage", "error"}[i%5]
			c.do(v)
		}
	},
	"heads that make no sense": func(t *testing.T, address string) {
		for range 100 {
			halfway(t, address, []byte("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"))
			halfway(t, address, bytes.Repeat([]byte("X"), 70_000))
		}
	},
}

// halfway sends raw bytes, waits a moment for an answer and resets the connection.
func halfway(t *testing.T, address string, raw []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = conn.Write(raw)
	conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	_, _ = io.ReadFull(conn, make([]byte, 100))
	_ = conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

func TestCrowd_SameFaultThreeTimes_NothingGrows(t *testing.T) {
	t.Parallel()
	s, _ := newCrowdSite(t, "")
	d := start(t, s)
	base := d.warm()
	for name, fault := range faults {
		var rounds []vitals
		for range 3 {
			fault(t, s.listen)
			rounds = append(rounds, d.settled(vitals{Goroutines: base.Goroutines + 2, Descriptors: base.Descriptors + 2}, 10*time.Second))
		}
		t.Logf("%s: %v | %v | %v", name, rounds[0], rounds[1], rounds[2])
		last := rounds[2]
		if last.RSS > rounds[0].RSS+memoryKiB && !*withRace || last.Goroutines > base.Goroutines+2 || last.Descriptors > base.Descriptors+3 {
			t.Errorf("%s: from %v to %v, base %v", name, rounds[0], last, base)
		}
	}
}

func TestCrowd_AdminFlooded_DataPathUnaffected(t *testing.T) {
	t.Parallel()
	s, _ := newCrowdSite(t, "")
	d := start(t, s)
	base := d.warm()
	ctx, cancel := context.WithCancel(context.Background())
	var flood sync.WaitGroup
	for i := range sized(300, 1000) { // subscribers that never read, scrapers that never stop
		flood.Go(func() {
			conn, err := dialFrom(i, s.admin)
			if err != nil {
				return
			}
			defer conn.Close()
			fmt.Fprintf(conn, "GET /v1/events HTTP/1.1\r\nHost: %s\r\n\r\n", s.admin)
			<-ctx.Done()
		})
	}
	for i := range 20 {
		flood.Go(func() {
			for ctx.Err() == nil {
				conn, err := dialFrom(i, s.admin)
				if err != nil {
					continue
				}
				fmt.Fprintf(conn, "GET /metrics HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", s.admin)
				conn.SetDeadline(time.Now().Add(time.Second))
				_, _ = io.Copy(io.Discard, conn)
				conn.Close()
			}
		})
	}
	served, failed := beside(ctx, s.listen)
	<-time.After(4 * time.Second)
	cancel()
	good, bad := <-served, <-failed
	flood.Wait()
	t.Logf("%d visits beside the flood, %d failed", good, bad)
	if bad != 0 || good == 0 {
		t.Errorf("%d of %d visits failed", bad, good+bad)
	}
	d.back(base)
}

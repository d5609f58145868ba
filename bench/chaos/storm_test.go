package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"serin/proxy/admin"
)

// stormy is a rollout that only people move: two servers an arm, gates that never mind.
const stormy = `
[upstream.v1]
servers = [%q, %q]
timeout = { connect = "1s", response = "10s", idle = "10s" }
eject   = { consecutive = 5, for = "2s" }
[upstream.v2]
servers = [%q, %q]
timeout = { connect = "1s", response = "10s", idle = %q }
eject   = { consecutive = 5, for = "2s" }
[rollout.shop]
stable = "v1"
canary = "v2"
key    = ["header:X-User-Id"]
ladder = ["10%%", "30%%", "60%%", "100%%"]
every  = "1h"
[[rollout.shop.gate]]
metric = "error_rate"
hold   = "stable + 90pt"
`

const (
	stormUsers   = 200
	stormClients = 16
)

// storm is one run: a crowd that keeps a ledger, and a schedule of faults from a seed.
type storm struct {
	t       *testing.T
	site    site
	listen  string
	archive *archive
	servers [2][2]*service // by arm
	flips   map[string]float64
	rand    *rand.Rand // the schedule's
	idle    int        // changes with each valid reload

	daemon *daemon   // the one in service
	faults []fault   // what was done, in order
	ledger []outcome // guarded by mu while the crowd runs
	mu     sync.Mutex
}

// fault is something that was done, for as long as its effects may be seen.
type fault struct {
	what           string
	arm            string    // of a server; "" all of serin
	from, over, to time.Time // begun, done (of a server's end: its last connection is closed), and seen no more
}

// newStorm starts the servers and a serin with further keys of [listen].
func newStorm(t *testing.T, seed uint64, listen string) *storm {
	t.Helper()
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-chaos.seed=%d", seed)
	s := &storm{t: t, archive: newArchive(), site: newSite(t), listen: listen, rand: rand.New(rand.NewPCG(seed, 1)), flips: make(map[string]float64), idle: 10}
	for arm := range s.servers {
		for i := range s.servers[arm] {
			s.servers[arm][i] = startService(t, []string{"v1", "v2"}[arm], s.archive)
		}
	}
	s.write("")
	s.daemon = start(t, s.site)
	for i := range stormUsers {
		user := fmt.Sprintf("user-%d", i)
		x, err := s.daemon.api.Explain(context.Background(), admin.Ask{Key: user})
		if err != nil {
			t.Fatal(err)
		}
		s.flips[user] = *x.Rollouts[0].FlipsAtWeight // in no exclusive group: every user has one
	}
	return s
}

// write writes the configuration; spoil is put into it.
func (s *storm) write(spoil string) {
	a, b := s.servers[0], s.servers[1]
	s.site.config(s.t, s.listen, fmt.Sprintf(stormy+spoil, a[0].address, a[1].address, b[0].address, b[1].address, time.Duration(s.idle)*time.Second))
}

// crowd sends visits until ctx ends.
func (s *storm) crowd(ctx context.Context, wg *sync.WaitGroup, faults bool, seed uint64) {
	for i := range stormClients {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			c := newClient(s.site.listen)
			defer c.close()
			for ctx.Err() == nil {
				o := c.do(randomVisit(r, faults))
				s.mu.Lock()
				s.ledger = append(s.ledger, o)
				s.mu.Unlock()
				select {
				case <-ctx.Done():
				case <-time.After(time.Duration(r.IntN(20)) * time.Millisecond):
				}
			}
		})
	}
}

// randomVisit is mostly small and quick, sometimes neither; with faults one in 40 asks its service to fail.
func randomVisit(r *rand.Rand, faults bool) visit {
	v := visit{ID: newID(), User: fmt.Sprintf("user-%d", r.IntN(stormUsers)), Method: http.MethodGet, Size: r.IntN(3000)}
	switch r.IntN(10) {
	case 0, 1, 2:
		v.Method, v.Upload = http.MethodPost, 1+r.IntN(3000)
	case 3:
		v.Method, v.Upload = http.MethodPut, 1+r.IntN(3000)
	case 4:
		v.Method = http.MethodHead
	}
	switch r.IntN(20) {
	case 0:
		v.Size = 100_000 + r.IntN(300_000)
	case 1:
		if v.Upload > 0 {
			v.Upload = 100_000 + r.IntN(300_000)
		}
	}
	v.Chunks = r.IntN(2) == 0
	if r.IntN(10) == 0 {
		v.Wait = time.Duration(r.IntN(400)) * time.Millisecond
	}
	if faults && r.IntN(40) == 0 && v.Method != http.MethodHead {
		kinds := []string{"reset", "reset-once", "error", "garbage", "cut", "cut-chunked"}
		v.Fault = kinds[r.IntN(len(kinds))]
		v.Size = max(v.Size, 100)
	}
	return v
}

// visits is a copy of the ledger.
func (s *storm) visits() []outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ledger)
}

// run lets the crowd meet the schedule for a while, and then reads the books.
func (s *storm) run(length time.Duration, faults bool, schedule []event, watch func()) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg sync.WaitGroup
	s.crowd(ctx, &wg, faults, s.rand.Uint64())
	until := time.Now().Add(length)
	for n := 0; time.Now().Before(until); n++ {
		schedule[s.rand.IntN(len(schedule))](s)
		if watch != nil {
			watch()
		}
		<-time.After(time.Duration(100+s.rand.IntN(500)) * time.Millisecond)
	}
	cancel()
	wg.Wait()
}

// tell says what was done and seen.
func (s *storm) tell() {
	done := map[string]int{}
	for _, f := range s.faults {
		done[f.what]++
	}
	var parts []string
	for _, what := range slices.Sorted(mapKeys(done)) {
		parts = append(parts, fmt.Sprintf("%d x %s", done[what], what))
	}
	s.t.Logf("done: %s", strings.Join(parts, ", "))
}

func TestStorm_ServersWeightsReloads_EveryRequestExplainedAndCountedOnce(t *testing.T) {
	t.Parallel()
	for name, listen := range map[string]string{"fast lane": "", "full door": "fast_lane = false"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			servers(t, listen)
		})
	}
}

func servers(t *testing.T, listen string) {
	s := newStorm(t, *seed, listen)
	base := s.daemon.warm()
	before := s.daemon.metrics()
	s.run(lasting(8*time.Second), true, []event{kill, kill, retire, reload, spoiltReload, move, move, misbehave}, nil)
	s.tell()
	s.explainAll()
	s.countedOnce(before, s.daemon.metrics())
	s.daemon.back(base)
}

func TestStorm_BinariesTakeOver_EveryRequestExplained(t *testing.T) {
	t.Parallel()
	s := newStorm(t, *seed+1, "")
	s.run(lasting(10*time.Second), true, []event{takeOver, takeOver, kill, retire, reload, move, move}, nil)
	s.tell()
	s.explainAll()
}

func TestSoak_ReloadsWeightsAndUpstreamRestarts_NothingFailsAndNothingGrows(t *testing.T) {
	alone(t)
	s := newStorm(t, *seed+2, "")
	base := s.daemon.warm()
	length := lasting(15 * time.Second)
	began, next := time.Now(), time.Now()
	var seen []vitals
	s.run(length, false, []event{retire, reload, reload, spoiltReload, move}, func() {
		if time.Now().Before(next) {
			return
		}
		next = next.Add(length / 20)
		v := s.daemon.vitals()
		seen = append(seen, v)
		if *full || *duration > 0 {
			t.Logf("%4.0f s: %7d visits, %v", time.Since(began).Seconds(), len(s.visits()), v)
		}
	})
	s.tell()
	s.explainAll()
	s.daemon.back(base)
	if early, late := most(seen[len(seen)/5:len(seen)*2/5+1]), most(seen[len(seen)*4/5:]); late.RSS > early.RSS+2*memoryKiB || late.Goroutines > early.Goroutines+100 || late.Descriptors > early.Descriptors+100 {
		t.Errorf("at the end %v, early on %v", late, early)
	}
}

// most is the greatest of each.
func most(all []vitals) (m vitals) {
	for _, v := range all {
		m = vitals{max(m.RSS, v.RSS), max(m.Descriptors, v.Descriptors), max(m.Goroutines, v.Goroutines)}
	}
	return m
}

// misdeeds are failures of a client's own making; %s is its X-User-Id line.
var misdeeds = []string{
	"POST /ledger/m HTTP/1.1\r\nHost: a\r\n%sContent-Length: 100\r\n\r\nhalf",
	"POST /ledger/m HTTP/1.1\r\nHost: a\r\n%sTransfer-Encoding: chunked\r\n\r\n5\r\nhalf",
	"POST /ledger/m HTTP/1.1\r\nHost: a\r\n%sTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
	"POST /ledger/m HTTP/1.1\r\nHost: a\r\n%sTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n-1\r\n\r\n",
	"POST /ledger/m HTTP/1.1\r\nHost: a\r\n%sTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
	"POST /ledger/m HTTP/1.1\r\nHost: a\r\n%sTransfer-Encoding: chunked\r\n\r\n0\r\nContent Length: 3\r\n\r\n",
	"POST /ledger/m HTTP/1.1\r\nHost: a\r\n%sContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"GET /ledger/m HTTP/1.1\r\nHost: a\r\n%sX-Size: 5000000\r\n\r\n",
	"GET /ledger/m HTTP/1.1\r\nHost: a\r\n%sX-Wait: 200ms\r\n\r\n",
	"GET /ledger/m HTTP/1.1\r\nHost: a\r\n%sX: \x00\r\n\r\n",
}

func TestStorm_ClientsMisbehave_NoArmIsBlamed(t *testing.T) {
	t.Parallel()
	s := newStorm(t, *seed+3, "")
	s.daemon.until("the first stage", func(ro admin.Rollout) bool { return ro.Stage.Index == 1 })
	s.daemon.act("promote") // 30 %: users on both arms
	base := s.daemon.warm()
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 100 {
				user := fmt.Sprintf("X-User-Id: user-%d\r\n", (w*100+i)%stormUsers)
				halfway(t, s.site.listen, fmt.Appendf(nil, misdeeds[i%len(misdeeds)], user))
			}
		})
	}
	wg.Wait()
	s.daemon.back(base)
	m := s.daemon.metrics()
	for _, arm := range []string{"stable", "canary"} {
		t.Logf("%s: %v served, %v aborted, %v refused for the client's fault, %v failed", arm, m.requests(arm, "2xx"), m.requests(arm, "aborted"), m.requests(arm, "other"), m.requests(arm, "5xx"))
		if m.requests(arm, "5xx") != 0 || m.requests(arm, "aborted") == 0 || m.requests(arm, "other") == 0 {
			t.Errorf("%s is blamed, or nothing happened", arm)
		}
	}
	for name, value := range m {
		if strings.HasPrefix(name, "serin_upstream_errors_total") && value != 0 {
			t.Errorf("%s is %v", name, value)
		}
	}
	ro := s.daemon.rollout()
	if ro.Arms.Stable.Errors != 0 || ro.Arms.Canary.Errors != 0 {
		t.Errorf("the status counts %d and %d errors", ro.Arms.Stable.Errors, ro.Arms.Canary.Errors)
	}
}

func TestStorm_ServicesCloseIdleConnections_GetNeverSeesItPostNeverTwice(t *testing.T) {
	t.Parallel()
	s := newStorm(t, *seed+4, "")
	for _, arm := range s.servers {
		for _, server := range arm {
			server.retire()
			server.idle = 20 * time.Millisecond
			server.up()
		}
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(*seed, uint64(i)))
			c := newClient(s.site.listen)
			defer c.close()
			for until := time.Now().Add(lasting(6 * time.Second)); time.Now().Before(until); {
				v := randomVisit(r, false)
				v.Wait = 0
				o := c.do(v)
				s.mu.Lock()
				s.ledger = append(s.ledger, o)
				s.mu.Unlock()
				<-time.After(20*time.Millisecond + time.Duration(r.IntN(2000)-1000)*time.Microsecond) // as they close
			}
		})
	}
	wg.Wait()
	races, retries := 0, 0
	all := s.visits()
	for _, o := range all {
		if problem := s.delivered(&o); problem != "" {
			t.Errorf("%s: %v", problem, &o)
		}
		if s.archive.get(o.ID).times > 1 {
			retries++
		}
		if o.Status == http.StatusBadGateway && o.Upload > 0 && s.archive.get(o.ID).times == 0 {
			races++ // closed while it was being written: it may have been read, so it is not repeated
			continue
		}
		if !o.whole() || o.Status != http.StatusOK {
			t.Errorf("%v", &o)
		}
	}
	t.Logf("%d visits as idle connections were being closed: %d with a body met the close, %d were delivered again", len(all), races, retries)
	if races*10 > len(all) { // half of them come after the close
		t.Errorf("%d of %d met the close: is it looked for before a request is sent?", races, len(all))
	}
}

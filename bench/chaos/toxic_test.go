package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"serin/proxy/admin"
)

// behindToxiproxy is a rollout whose stable arm is reached through toxiproxy.
const behindToxiproxy = `
[upstream.v1]
servers = [%q]
timeout = { connect = "500ms", response = "1s", idle = "1s" }
eject   = { consecutive = 0 }
[upstream.v2]
servers = [%q]
[rollout.shop]
stable = "v1"
canary = "v2"
key    = ["header:X-User-Id"]
force  = { header = "X-Serin-Arm" }
start  = "manual"
ladder = ["5%%", "100%%"]
every  = "1h"
[[rollout.shop.gate]]
metric   = "error_rate"
hold     = "stable + 1pt"
`

// wire is a service behind toxiproxy, with serin before it.
type wire struct {
	*daemon
	archive *archive
	service *service
	toxics  *toxiproxy.Proxy
}

func newWire(t *testing.T) *wire {
	t.Helper()
	w := &wire{archive: newArchive()}
	w.service = startService(t, "v1", w.archive)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w.toxics = toxiproxy.NewProxy(server, "v1", "127.0.0.1:0", w.service.address)
	if err := w.toxics.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.toxics.Stop)
	s := newSite(t)
	s.config(t, "", fmt.Sprintf(behindToxiproxy, w.toxics.Listen, w.service.address))
	w.daemon = start(t, s)
	return w
}

// attributes of a toxic, as toxiproxy's documentation names them.
type attributes map[string]int

// poison adds a toxic to one direction: downstream is from the service to serin.
func (w *wire) poison(kind, stream string, a attributes) {
	w.t.Helper()
	b, err := json.Marshal(map[string]any{"name": kind + stream, "type": kind, "stream": stream, "toxicity": 1, "attributes": a})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.toxics.Toxics.AddToxicJson(strings.NewReader(string(b))); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wire) heal() { w.toxics.Toxics.ResetToxics(context.Background()) }

// get and post are the visits the faults are tried with.
func get(size int) visit { return visit{ID: newID(), User: "u1", Method: http.MethodGet, Size: size} }
func post(body int) visit {
	return visit{ID: newID(), User: "u1", Method: http.MethodPost, Size: 100, Upload: body}
}

// wants is what section 4 of the fault table says of one visit.
type wants struct {
	status   int // 0: visibly broken
	least    time.Duration
	most     time.Duration
	reason   string // of serin_upstream_errors_total; "" none
	errors   int    // counted there, once a try
	arrivals int    // heads the service may have seen, at most
	good     bool   // counted for the arm
}

// expect makes the visit and checks everything about it, the counters too: a failure counts once per request.
func (w *wire) expect(v visit, want wants) outcome {
	w.t.Helper()
	before := w.metrics()
	c := newClient(w.site.listen)
	defer c.close()
	o := c.do(v)
	w.check(before, o, want)
	return o
}

func (w *wire) check(before samples, o outcome, want wants) {
	w.t.Helper()
	took := o.Ended.Sub(o.Began)
	switch {
	case o.Dialled != nil || o.Wrong != "":
		w.t.Errorf("the visit: %v", &o)
	case want.status == 0 && (o.Broken == nil || o.Status != http.StatusOK):
		w.t.Errorf("got an answer that looks complete, want a broken one: %v", &o)
	case want.status != 0 && (o.Broken != nil || o.Status != want.status):
		w.t.Errorf("got %v, want status %d", &o, want.status)
	}
	if took < want.least || took > want.most {
		w.t.Errorf("took %v, want %v to %v", took, want.least, want.most)
	}
	if n := w.archive.get(o.ID).times; n > want.arrivals {
		w.t.Errorf("the service got it %d times, want at most %d", n, want.arrivals)
	}
	after := w.metrics()
	good := after.requests("stable", "2xx") - before.requests("stable", "2xx")
	bad := after.requests("stable", "5xx") - before.requests("stable", "5xx")
	if want.good && (good != 1 || bad != 0) || !want.good && (good != 0 || bad != 1) {
		w.t.Errorf("counted %v good and %v bad, want good: %v, once", good, bad, want.good)
	}
	w.checkReasons(before, after, want)
}

// checkReasons allows no other reason than the one wanted.
func (w *wire) checkReasons(before, after samples, want wants) {
	w.t.Helper()
	counted := 0.0
	for name, value := range after {
		if !strings.HasPrefix(name, `serin_upstream_errors_total{upstream="v1"`) || value == before[name] {
			continue
		}
		counted += value - before[name]
		if !strings.Contains(name, fmt.Sprintf("reason=%q", want.reason)) {
			w.t.Errorf("%s rose by %v, want only %q", name, value-before[name], want.reason)
		}
	}
	if int(counted) != want.errors {
		w.t.Errorf("upstream errors rose by %v, want %d of %q", counted, want.errors, want.reason)
	}
}

// slack is what a busy machine may add to a wait.
const slack = 5 * time.Second

func TestToxic_Latency_AnswersComeLate(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.poison("latency", "downstream", attributes{"latency": 300})
	w.expect(get(1000), wants{status: 200, least: 300 * time.Millisecond, most: slack, arrivals: 1, good: true})
	w.expect(post(1000), wants{status: 200, least: 300 * time.Millisecond, most: slack, arrivals: 1, good: true})
}

func TestToxic_LatencyAboveTheResponseTimeout_504WithoutRetry(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.poison("latency", "downstream", attributes{"latency": 4000})
	late := wants{status: 504, least: time.Second, most: 3900 * time.Millisecond, reason: "timeout", errors: 1, arrivals: 1}
	w.expect(get(1000), late)
	w.expect(post(1000), late)
}

func TestToxic_ResetInsteadOfAnAnswer_GetTriedTwicePostOnce(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.poison("reset_peer", "downstream", attributes{"timeout": 0})
	w.expect(get(1000), wants{status: 502, most: slack, reason: "reset", errors: 2, arrivals: 2})
	w.expect(post(1000), wants{status: 502, most: slack, reason: "reset", errors: 1, arrivals: 1})
	w.heal()
	w.expect(post(1000), wants{status: 200, most: slack, arrivals: 1, good: true})
}

func TestToxic_ResetBeforeTheRequestArrives_NothingIsDelivered(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.poison("reset_peer", "upstream", attributes{"timeout": 0})
	w.expect(get(1000), wants{status: 502, most: slack, reason: "reset", errors: 2})
	w.expect(post(1000), wants{status: 502, most: slack, reason: "reset", errors: 1})
	w.expect(post(200_000), wants{status: 502, most: slack, reason: "reset", errors: 1})
}

func TestToxic_SlicedBothWays_EveryByteArrives(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	for _, stream := range []string{"downstream", "upstream"} {
		w.poison("slicer", stream, attributes{"average_size": 7, "size_variation": 5, "delay": 20})
	}
	fine := wants{status: 200, most: 20 * time.Second, arrivals: 1, good: true}
	w.expect(get(2000), fine)
	w.expect(post(2000), fine)
	chunks := post(2000)
	chunks.Chunks = true
	w.expect(chunks, fine)
}

func TestToxic_BlackHole_504AfterTheResponseTimeout(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	gone := wants{status: 504, least: time.Second, most: slack, reason: "timeout", errors: 1, arrivals: 1}
	for _, stream := range []string{"downstream", "upstream"} {
		w.poison("timeout", stream, attributes{"timeout": 0})
		w.expect(get(1000), gone)
		w.expect(post(1000), gone)
		w.heal()
	}
	w.expect(get(1000), wants{status: 200, most: slack, arrivals: 1, good: true})
}

func TestToxic_SilenceThenEnd_IsAReset(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.poison("timeout", "downstream", attributes{"timeout": 200})
	w.expect(post(1000), wants{status: 502, least: 200 * time.Millisecond, most: slack, reason: "reset", errors: 1, arrivals: 1})
}

func TestToxic_DataCutMidBody_LooksCut(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.poison("limit_data", "downstream", attributes{"bytes": 6000})
	cut := wants{most: slack, reason: "truncated", errors: 1, arrivals: 1}
	for range 2 { // ids of both parities: with a length and in chunks
		w.expect(get(50_000), cut)
	}
	w.expect(post(10), wants{status: 200, most: slack, arrivals: 1, good: true})
}

func TestToxic_DataCutMidHead_502(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.poison("limit_data", "downstream", attributes{"bytes": 40})
	w.expect(post(10), wants{status: 502, most: slack, reason: "malformed", errors: 1, arrivals: 1})
}

func TestToxic_UploadCut_502AndTheServiceKnows(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.poison("limit_data", "upstream", attributes{"bytes": 6000})
	for _, chunks := range []bool{false, true} {
		v := post(400_000)
		v.Chunks = chunks
		o := w.expect(v, wants{status: 502, most: slack, reason: "reset", errors: 1, arrivals: 1})
		if r := w.archive.get(o.ID); r.whole != 0 || r.wrong != "" {
			t.Errorf("half an upload looked whole to the service: %+v", r)
		}
	}
}

func TestToxic_NarrowBandwidth_ProgressIsNoStall(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.poison("bandwidth", "downstream", attributes{"rate": 25})
	w.expect(get(60_000), wants{status: 200, least: 1500 * time.Millisecond, most: 20 * time.Second, arrivals: 1, good: true})
}

func TestToxic_StallMidBody_BrokenAtTheIdleTimeout(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.poison("bandwidth", "downstream", attributes{"rate": 20})
	before := w.metrics()
	c := newClient(w.site.listen)
	defer c.close()
	answered := make(chan outcome)
	go func() { answered <- c.do(get(200_000)) }()
	<-time.After(time.Second)
	w.poison("timeout", "downstream", attributes{"timeout": 0})
	w.check(before, <-answered, wants{least: 1900 * time.Millisecond, most: 8 * time.Second, reason: "stalled", errors: 1, arrivals: 1})
}

func TestToxic_Refused_503AtOnceAndBackWhenItIsBack(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.toxics.Stop()
	refused := wants{status: 503, most: slack, reason: "connect", errors: 1}
	w.expect(post(1000), refused)
	o := w.expect(get(1000), refused)
	t.Logf("refused in %v", o.Ended.Sub(o.Began))
	if err := w.toxics.Start(); err != nil {
		t.Fatal(err)
	}
	w.expect(get(1000), wants{status: 200, most: slack, arrivals: 1, good: true})
}

func TestToxic_ManyFaults_ArmsOfTheStatusAgreeWithTheMetrics(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.act("start")
	w.until("the first stage", func(ro admin.Rollout) bool { return ro.Stage.Index == 1 })
	visits := []visit{get(10), post(10), get(10), get(10)}
	visits[1].Fault, visits[2].Fault = "garbage", "error"
	c := newClient(w.site.listen)
	defer c.close()
	for i := range visits { // users of the stable arm: the weight is 5 %
		for user := 0; ; user++ {
			visits[i].User = fmt.Sprint("u", user)
			x, err := w.api.Explain(context.Background(), admin.Ask{Key: visits[i].User})
			if err != nil {
				t.Fatal(err)
			}
			if x.Rollouts[0].Arm == "stable" {
				break
			}
		}
		c.do(visits[i])
	}
	w.until("4 requests with 2 errors", func(ro admin.Rollout) bool {
		return ro.Arms.Stable.Requests == 4 && ro.Arms.Stable.Errors == 2
	})
	m := w.metrics()
	if m.requests("stable", "2xx") != 2 || m.requests("stable", "5xx") != 2 {
		t.Errorf("metrics count %v good and %v bad, want 2 and 2", m.requests("stable", "2xx"), m.requests("stable", "5xx"))
	}
}

// blackHole listens without ever accepting, its queue full: a connection attempt gets no answer at all.
func blackHole(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	for range 3 { // one fills the queue, and another one's answer gets lost
		if c, err := net.DialTimeout("tcp", address, 200*time.Millisecond); err == nil {
			t.Cleanup(func() { c.Close() })
		}
	}
	return address
}

func TestToxic_ConnectBlackHole_NextServerAfterTheConnectTimeoutThenEjected(t *testing.T) {
	t.Parallel()
	a := newArchive()
	v1 := startService(t, "v1", a)
	text := strings.Replace(fmt.Sprintf(behindToxiproxy, v1.address, v1.address), "servers = [", fmt.Sprintf("servers = [%q, ", blackHole(t)), 1)
	s := newSite(t)
	s.config(t, "", strings.Replace(text, "eject   = { consecutive = 0 }", `eject   = { consecutive = 3, for = "1h" }`, 1))
	d := start(t, s)
	slow, quick := 0, 0
	c := newClient(s.listen)
	defer c.close()
	for i := range 60 {
		v := get(100)
		if i%2 == 1 {
			v = post(100)
		}
		o := c.do(v)
		switch took := o.Ended.Sub(o.Began); {
		case !o.whole() || o.Status != http.StatusOK || a.get(o.ID).times != 1:
			t.Errorf("delivered %d times: %v", a.get(o.ID).times, &o)
		case took >= 500*time.Millisecond:
			slow++
		default:
			quick++
		}
	}
	m := d.metrics()
	t.Logf("%d waited for the connect timeout, %d did not", slow, quick)
	if n := m.upstreamErrors("v1", "connect_timeout"); int(n) != slow && int(n) != slow+1 || n < 1 || n > 4 || m.requests("stable", "5xx") != 0 {
		t.Errorf("%v connect timeouts for %d slow visits, %v of them failures of the arm; want ejection after 3", n, slow, m.requests("stable", "5xx"))
	}
}

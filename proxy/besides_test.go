package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"serin/gate/window"
	"serin/proxy/upstream"
	"serin/router"
)

// hears counts what a split's signals tell, by arm.
func hears(counts *[2]atomic.Int64) *Signals {
	return &Signals{Header: "X-Signal", Hear: func(arm router.Arm, _ router.Bucket, _ []byte) { counts[arm&1].Add(1) }}
}

// signalling answers with a signal.
func signalling(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Signal", "done=1")
		w.WriteHeader(status)
		fmt.Fprint(w, text)
	}
}

// A signal counts where its request does: what a drill has marked, and what stable says in the canary's place, is nobody's.
func TestSignals_OfWhatIsNoEvidence_AreNotHeard(t *testing.T) {
	t.Parallel()
	t.Run("marked by a drill", func(t *testing.T) {
		t.Parallel()
		var heard [2]atomic.Int64
		r := twoServices(t, rigOptions{}, signalling(200, "v1"), signalling(200, "v2"))
		d := NewDrill(DrillSpec{Until: time.Now().Add(time.Minute), MostFaults: 1, Header: "X-Drill"})
		r.give(&Extras{Signals: hears(&heard), Drill: d})
		client := r.dial()
		for i := range 20 {
			client.ask(fmt.Sprintf("GET / HTTP/1.1\r\nHost: shop\r\nX-User-Id: u%d\r\nX-Drill: 1\r\n\r\n", i))
		}
		client.ask(userGet("alice"))
		if stable, canary := heard[0].Load(), heard[1].Load(); stable != 1 || canary != 0 {
			t.Errorf("heard %d of stable and %d of the canary, want the unmarked request's alone", stable, canary)
		}
	})
	t.Run("stable in the canary's place", func(t *testing.T) {
		t.Parallel()
		var heard [2]atomic.Int64
		r := twoServices(t, rigOptions{weight: router.Full}, signalling(200, "v1"), signalling(500, "v2"))
		r.give(&Extras{Signals: hears(&heard), Shield: new(Shield)})
		head, body := r.dial().ask(userGet("alice"))
		wantStatus(t, head, 200)
		if body != "v1" || strings.Contains(head, "done=1") {
			t.Fatalf("got %q after\n%s", body, head)
		}
		if stable, canary := heard[0].Load(), heard[1].Load(); stable != 0 || canary != 0 {
			t.Errorf("heard %d of stable and %d of the canary, want none", stable, canary)
		}
	})
}

// Clients get the field of signals in no form.
func TestSignals_Field_ReachesNoClient(t *testing.T) {
	t.Parallel()
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	tests := []struct{ name, answer, end string }{
		{"twice", "HTTP/1.1 200 OK\r\nX-Signal: secret=1\r\nX-Other: 1\r\nx-signal: secret=2\r\nContent-Length: 3\r\n\r\nend", "end"},
		{"in an interim answer", "HTTP/1.1 103 Early Hints\r\nX-Signal: secret=1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend", "end"},
		{"in a trailer", chunked + "\r\n3\r\nend\r\n0\r\nX-Signal: secret=1\r\nX-Other: 1\r\n\r\n", "X-Other: 1\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			up := listenLocal(t)
			r := newRig(t, rigOptions{stable: up})
			var heard [2]atomic.Int64
			r.give(&Extras{Signals: hears(&heard)})
			client := r.dial()
			client.send("GET / HTTP/1.1\r\nHost: shop\r\nX-User-Id: alice\r\nTE: trailers\r\nConnection: TE\r\n\r\n")
			server := accept(t, up)
			server.head()
			server.send(tt.answer)
			var got strings.Builder
			for !strings.HasSuffix(got.String(), tt.end) {
				b, err := client.r.ReadByte()
				if err != nil {
					t.Fatalf("%v after %q", err, got.String())
				}
				got.WriteByte(b)
			}
			if strings.Contains(got.String(), "secret") {
				t.Errorf("the client got\n%s", got.String())
			}
		})
	}
}

// A drill may cut an answer off, but it must not show what is hidden from clients.
func TestDrill_CutAnswer_KeepsTheFieldOfSignals(t *testing.T) {
	t.Parallel()
	r := twoServices(t, rigOptions{weight: router.Full}, says(200, "v1"), signalling(200, "v2"))
	var heard [2]atomic.Int64
	d := NewDrill(DrillSpec{Cut: 1, Until: time.Now().Add(time.Minute), MostFaults: 100})
	r.give(&Extras{Signals: hears(&heard), Drill: d})
	client := r.dial()
	client.send(userGet("alice"))
	if head := client.head(); strings.Contains(head, "X-Signal") {
		t.Errorf("the client got\n%s", head)
	}
}

// Flags and arms are what serin says they are, in trailers too.
func TestTrailer_FieldThatClientsMayNotSend_StaysBehind(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	snapshot := r.snapshot
	split := *snapshot.Splits[0]
	split.Drop = []string{"X-Flag"}
	snapshot.Splits = []*Split{&split}
	r.proxy.Publish(&snapshot)
	client := r.dial()
	client.send("POST / HTTP/1.1\r\nHost: shop\r\nX-User-Id: alice\r\nTE: trailers\r\nConnection: TE\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"3\r\nend\r\n0\r\nX_Flag: true\r\nX-Flag: true\r\nX-Other: 1\r\n\r\n")
	server := accept(t, up)
	server.head()
	server.expect("3\r\nend\r\n0\r\nX-Other: 1\r\n\r\n")
	server.send(nothing)
	wantStatus(t, client.head(), 204)
}

// What a drill moved to another arm says nothing of the users who were there before.
func TestDrill_MarkedTraffic_IsNoRingsPast(t *testing.T) {
	t.Parallel()
	r := twoArms(t, rigOptions{})
	split := *r.snapshot.Splits[0]
	past := window.NewMeter(window.Options{Users: true})
	split.Rings = &Rings{Members: window.NewMeter(window.Options{}), Past: []*window.Meter{past}}
	r.snapshot.Splits = []*Split{&split}
	d := NewDrill(DrillSpec{Until: time.Now().Add(time.Minute), MostFaults: 1, Header: "X-Drill"})
	r.give(&Extras{Drill: d})
	client := r.dial()
	for i := range 20 {
		client.ask(fmt.Sprintf("GET / HTTP/1.1\r\nHost: shop\r\nX-User-Id: u%d\r\nX-Drill: 1\r\n\r\n", i))
	}
	client.ask(userGet("alice"))
	if n := past.Total(); n != 1 {
		t.Errorf("%d requests are the past of who is in no ring, want the unmarked one", n)
	}
}

// A reload may end a drill while a request of it waits: what has been planned for it is off.
func TestDrill_EndedByAReloadMeanwhile_DoesNothingMore(t *testing.T) {
	t.Parallel()
	o := rigOptions{weight: router.Full, canary: listenLocal(t)}
	go func() { _ = answering(t, "v2").Serve(o.canary) }()
	r := newRig(t, o)
	d := NewDrill(DrillSpec{Cut: 1, Delay: 1, DelayFor: 200 * time.Millisecond, Until: time.Now().Add(time.Minute), MostFaults: 100})
	r.give(&Extras{Drill: d})
	client := r.dial()
	client.send(userGet("alice"))
	eventually(t, func() bool { return d.Totals().Delayed == 1 }, func() string { return "no delay" })
	next := r.snapshot
	next.Splits = []*Split{testSplit(rigOptions{})}
	fresh := testPool(t, "v2", o.canary, nil)
	t.Cleanup(fresh.Close)
	next.Pools = []*upstream.Pool{next.Pools[0], fresh}
	r.proxy.Publish(&next)
	r.snapshot.Pools[1].Close()
	wantStatus(t, client.head(), 200)
	client.expect("v2")
	wantOutcome(t, next.Splits[0].Evidence[router.Canary], window.Success, 1)
	if n := d.Meters[router.Canary].Total(); n != 0 {
		t.Errorf("the drill's judge was told of %d requests that the drill left to others, want none", n)
	}
}

// Whom the canary has failed is not sent there again, whatever a reload says meanwhile of its users.
func TestShield_StableReplacedMeanwhile_TheCanaryIsNotAskedTwice(t *testing.T) {
	t.Parallel()
	for weight, status := range map[router.Weight]int{router.Full: 503, 0: 204} {
		t.Run(weight.String(), func(t *testing.T) {
			t.Parallel()
			o := rigOptions{weight: router.Full, stable: listenLocal(t), canary: listenLocal(t), force: "X-Arm"}
			o.spec = func(s *upstream.Spec) { s.Limits.Connections = 1 }
			var asked atomic.Int64
			failing := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				signalling(500, "")(w, r)
			})}
			t.Cleanup(func() { _ = failing.Close() })
			go func() { _ = failing.Serve(o.canary) }()
			r := newRig(t, o)
			var heard [2]atomic.Int64
			e := &Extras{Shield: new(Shield), Signals: hears(&heard)}
			r.give(e)
			occupies := r.dial()
			occupies.send("GET / HTTP/1.1\r\nHost: shop\r\nX-Arm: stable\r\n\r\n")
			first := accept(t, o.stable)
			first.head()
			client := r.dial()
			client.send(userGet("alice"))
			eventually(t, func() bool { return r.snapshot.Pools[0].Status().Queued == 1 }, func() string { return "nobody waits" })
			next := r.snapshot
			split := testSplit(rigOptions{})
			split.Extras = e
			fresh := testPool(t, "v1", o.stable, nil)
			t.Cleanup(fresh.Close)
			next.Pools, next.Splits = []*upstream.Pool{fresh, next.Pools[1]}, []*Split{split}
			next.Table = r.weighed(weight)
			r.proxy.Publish(&next)
			r.snapshot.Pools[0].Close()
			if status == 204 {
				second := accept(t, o.stable)
				second.head()
				second.send("HTTP/1.1 204 No Content\r\nX-Signal: done=1\r\n\r\n")
			}
			wantStatus(t, client.head(), status)
			if n := asked.Load(); n != 1 {
				t.Errorf("the canary was asked %d times, want once", n)
			}
			if heard[0].Load()+heard[1].Load() != 0 {
				t.Error("a signal of what is counted as failed was heard")
			}
			wantOutcome(t, r.snapshot.Splits[0].Evidence[router.Canary], window.ServerError, 1)
			first.send(nothing)
			wantStatus(t, occupies.head(), 204)
		})
	}
}

// A reload may take the whole rollout away while a request of it waits for a connection.
func TestShield_RolloutGoneMeanwhile_ThePlainRouteAnswers(t *testing.T) {
	t.Parallel()
	o := rigOptions{stable: listenLocal(t), canary: listenLocal(t), force: "X-Arm", expose: true, mint: true, spec: func(s *upstream.Spec) { s.Limits.Connections = 1 }}
	go func() { _ = answering(t, "v2").Serve(o.canary) }()
	r := newRig(t, o)
	r.give(&Extras{Shield: new(Shield)})
	occupies := r.dial()
	occupies.send("GET / HTTP/1.1\r\nHost: shop\r\nX-Arm: stable\r\n\r\n")
	server := accept(t, o.stable)
	server.head()
	client := r.dial()
	client.send("GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
	eventually(t, func() bool { return r.snapshot.Pools[0].Status().Queued == 1 }, func() string { return "nobody waits" })
	table, err := router.NewTable([]*router.Route{{Name: "all", Upstream: 1}})
	if err != nil {
		t.Fatal(err)
	}
	next := r.snapshot
	next.Table, next.Splits = table, nil
	r.proxy.Publish(&next)
	r.snapshot.Pools[0].Close()
	head := client.head()
	wantStatus(t, head, 200)
	client.expect("v2")
	if strings.Contains(head, "Serin-Arm") || strings.Contains(head, "Set-Cookie") {
		t.Errorf("the plain route's client got\n%s", head)
	}
	server.send(nothing)
	wantStatus(t, occupies.head(), 204)
}

// Whose copy waits for his answer while a reload sends him elsewhere is not compared: nobody knows which arm answered.
func TestMirror_RequestMovedByAReload_IsNotCompared(t *testing.T) {
	t.Parallel()
	o := rigOptions{stable: listenLocal(t), canary: listenLocal(t), force: "X-Arm", spec: func(s *upstream.Spec) { s.Limits.Connections = 1 }}
	go func() { _ = answering(t, "v2").Serve(o.canary) }()
	r := newRig(t, o)
	m := r.mirror(t, o, nil)
	occupies := r.dial()
	occupies.send("GET / HTTP/1.1\r\nHost: shop\r\nX-Arm: stable\r\n\r\n")
	server := accept(t, o.stable)
	server.head()
	client := r.dial()
	client.send(userGet("alice"))
	eventually(t, func() bool { return m.Totals().Sampled == 1 }, func() string { return "no copy" })
	next := r.snapshot
	next.Splits = []*Split{testSplit(rigOptions{})}
	fresh := testPool(t, "v1", o.stable, nil)
	t.Cleanup(fresh.Close)
	next.Pools = []*upstream.Pool{fresh, next.Pools[1]}
	next.Table = r.weighed(router.Full)
	r.proxy.Publish(&next)
	r.snapshot.Pools[0].Close()
	wantStatus(t, client.head(), 200)
	client.expect("v2")
	if got := m.settle(t, 1); got.Skipped != 1 {
		t.Errorf("got %+v, want the copy skipped", got)
	}
	server.send(nothing)
	wantStatus(t, occupies.head(), 204)
}

// A stable that is retired while a failure of the canary's waits for it saves nobody, and nobody is left without an answer.
func TestShield_StableRetiredMeanwhile_TheUserIsAnswered(t *testing.T) {
	t.Parallel()
	o := rigOptions{weight: router.Full, stable: listenLocal(t), canary: listenLocal(t), force: "X-Arm"}
	o.spec = func(s *upstream.Spec) { s.Limits.Connections = 1 }
	failing := &http.Server{Handler: says(500, "")}
	t.Cleanup(func() { _ = failing.Close() })
	go func() { _ = failing.Serve(o.canary) }()
	r := newRig(t, o)
	s := new(Shield)
	r.give(&Extras{Shield: s})
	occupies := r.dial()
	occupies.send("GET / HTTP/1.1\r\nHost: shop\r\nX-Arm: stable\r\n\r\n")
	server := accept(t, o.stable)
	server.head()
	client := r.dial()
	client.send(userGet("alice"))
	wantOutcome(t, r.snapshot.Splits[0].Evidence[router.Canary], window.ServerError, 1)
	r.snapshot.Pools[0].Close()
	wantStatus(t, client.head(), 503)
	if got := s.Totals(); got != (ShieldTotals{Lost: 1}) {
		t.Errorf("got %+v, want one lost", got)
	}
	wantOutcome(t, r.snapshot.Splits[0].Evidence[router.Canary], window.ServerError, 1)
	server.send(nothing)
	wantStatus(t, occupies.head(), 204)
}

// A bug in what compares answers costs a copy, not the process.
func TestMirror_BugInAComparison_CostsTheCopyOnly(t *testing.T) {
	t.Parallel()
	o := rigOptions{stable: listenLocal(t), canary: listenLocal(t)}
	go func() { _ = answering(t, "v1").Serve(o.stable) }()
	go func() { _ = answering(t, "v1").Serve(o.canary) }()
	r := newRig(t, o)
	var bugs atomic.Int64
	m := r.mirror(t, o, func(o *MirrorOptions) { o.Rules, o.Queue, o.Bug = nil, 1, func(any) { bugs.Add(1) } })
	client := r.dial()
	for i := range 3 {
		client.ask(userGet("alice"))
		m.settle(t, uint64(i+1))
		eventually(t, func() bool { return len(m.free) == 1 }, func() string { return "the copy is lost" })
	}
	if got := bugs.Load(); got != 3 {
		t.Errorf("heard of %d bugs, want 3", got)
	}
}

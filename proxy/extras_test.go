package proxy

import (
	"context"
	"fmt"
	"hash/maphash"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"serin/gate/window"
	"serin/proxy/shadow"
	"serin/router"
)

// give publishes the rig's split with extras.
func (r *rig) give(e *Extras) {
	r.t.Helper()
	snapshot := r.snapshot
	split := *snapshot.Splits[0]
	split.upstreamLines, split.Extras = [2][]byte{}, e
	e.Upstreams = [2]int{0, 1}
	snapshot.Splits = []*Split{&split}
	r.proxy.Publish(&snapshot)
}

// twoServices is twoArms with the test's own handlers.
func twoServices(t *testing.T, o rigOptions, stable, canary http.HandlerFunc) *rig {
	t.Helper()
	o.stable, o.canary = listenLocal(t), listenLocal(t)
	one, two := &http.Server{Handler: stable}, &http.Server{Handler: canary}
	t.Cleanup(func() { _, _ = one.Close(), two.Close() })
	go func() { _ = one.Serve(o.stable) }()
	go func() { _ = two.Serve(o.canary) }()
	return newRig(t, o)
}

func says(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, text)
	}
}

func dies(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func TestShield_CanaryFailure_IsSavedByStableAndChargedOnce(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		canary  http.HandlerFunc
		request string
		outcome window.Outcome
	}{
		{"an error answer", says(500, "oops"), userGet("alice"), window.ServerError},
		{"a large error answer", says(503, strings.Repeat("x", 1<<20)), userGet("alice"), window.ServerError},
		{"a connection lost", dies, userGet("alice"), window.Reset},
		{"a PUT whose body is at hand", says(502, ""), "PUT / HTTP/1.1\r\nHost: shop\r\nX-User-Id: alice\r\nContent-Length: 5\r\n\r\nhello", window.ServerError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := twoServices(t, rigOptions{weight: router.Full}, says(200, "v1"), tt.canary)
			s := new(Shield)
			r.give(&Extras{Shield: s})
			client := r.dial()
			for i := range 3 {
				head, body := client.ask(tt.request)
				wantStatus(t, head, 200)
				if body != "v1" {
					t.Fatalf("got body %q, want stable's", body)
				}
				wantOutcome(t, r.snapshot.Splits[0].Evidence[router.Canary], tt.outcome, uint64(i+1))
			}
			if got := s.Totals(); got != (ShieldTotals{Saved: 3}) {
				t.Errorf("got %+v, want 3 saved", got)
			}
			if n := r.snapshot.Splits[0].Evidence[router.Stable].Total(); n != 0 {
				t.Errorf("stable was given %d requests of evidence, want none", n)
			}
		})
	}
}

func TestShield_DeadCanary_IsUnreachableOnceAndTheUserIsServed(t *testing.T) {
	t.Parallel()
	stable := listenLocal(t)
	go func() { _ = answering(t, "v1").Serve(stable) }()
	r := newRig(t, rigOptions{weight: router.Full, stable: stable})
	r.give(&Extras{Shield: new(Shield)})
	head, _ := r.dial().ask(userGet("alice"))
	wantStatus(t, head, 200)
	wantOutcome(t, r.snapshot.Splits[0].Evidence[router.Canary], window.Unreachable, 1)
}

func TestShield_WhoIsNotShielded(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, request string
		stable        http.HandlerFunc
		status        int
		lost          uint64
	}{
		{"a POST is not sent twice", "POST / HTTP/1.1\r\nHost: shop\r\nX-User-Id: a\r\nContent-Length: 0\r\n\r\n", says(200, ""), 500, 0},
		{"a forced request sees the canary", "GET / HTTP/1.1\r\nHost: shop\r\nX-Arm: canary\r\n\r\n", says(200, ""), 500, 0},
		{"stable fails too", userGet("a"), says(503, ""), 503, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := twoServices(t, rigOptions{weight: router.Full, force: "X-Arm"}, tt.stable, says(500, ""))
			s := new(Shield)
			r.give(&Extras{Shield: s})
			head, _ := r.dial().ask(tt.request)
			wantStatus(t, head, tt.status)
			if got := s.Totals(); got.Saved != 0 || got.Lost != tt.lost {
				t.Errorf("got %+v, want nothing saved and %d lost", got, tt.lost)
			}
		})
	}
}

func TestShield_BudgetSpent_TheUserGetsTheCanarysFailure(t *testing.T) {
	t.Parallel()
	r := twoServices(t, rigOptions{weight: router.Full}, says(200, "v1"), says(500, "v2"))
	s := new(Shield)
	r.give(&Extras{Shield: s})
	client := r.dial()
	failed := 0
	for range 400 { // 10 s of 10 a second are always allowed, and a fifth of the requests
		if head, _ := client.ask(userGet("alice")); !strings.HasPrefix(head, "HTTP/1.1 200") {
			failed++
		}
	}
	got := s.Totals()
	if failed == 0 || uint64(failed) != got.Refused || got.Saved+got.Refused != 400 {
		t.Errorf("%d requests failed, %+v: want some refused, and every request accounted for", failed, got)
	}
	wantOutcome(t, r.snapshot.Splits[0].Evidence[router.Canary], window.ServerError, 400)
}

// mirror starts a mirror from stable to the rig's canary.
func (r *rig) mirror(t testing.TB, o rigOptions, change func(*MirrorOptions)) *Mirror {
	t.Helper()
	canary, stable := testPool(t, "v2 mirror", o.canary, nil), testPool(t, "v1 mirror", o.stable, nil)
	options := MirrorOptions{
		Share: router.Full, Canary: canary, Stable: stable, Credentials: true, Timeout: time.Second,
		Rules: &shadow.Rules{Headers: []string{"Content-Type"}, Seed: maphash.MakeSeed()},
	}
	if change != nil {
		change(&options)
	}
	m := NewMirror(options)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 3)
	for _, run := range []func(context.Context) error{m.Run, canary.Run, stable.Run} {
		go func() { _ = run(ctx); done <- struct{}{} }()
	}
	t.Cleanup(func() {
		gone, stop := context.WithCancel(context.Background())
		stop()
		_, _ = canary.Drain(gone), stable.Drain(gone)
		cancel()
		for range cap(done) {
			<-done
		}
	})
	r.give(&Extras{Mirror: m})
	return m
}

func jsonOf(f func(n int64) string) http.HandlerFunc {
	var n atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, f(n.Add(1)))
	}
}

func (m *Mirror) settle(t *testing.T, want uint64) MirrorTotals {
	t.Helper()
	var got MirrorTotals
	eventually(t, func() bool {
		got = m.Totals()
		return got.Matched+got.Mismatched+got.Learning+got.Dropped+got.TooLarge+got.Skipped >= want
	}, func() string { return fmt.Sprintf("%+v of %d", got, want) })
	return got
}

func TestMirror_Noise_IsLearnedFromStableAndTheRestIsFound(t *testing.T) {
	t.Parallel()
	o := rigOptions{stable: listenLocal(t), canary: listenLocal(t)}
	var seen atomic.Value
	stable := jsonOf(func(n int64) string { return fmt.Sprintf(`{"at":%d,"price":10,"items":[{"id":1}]}`, n) })
	canary := jsonOf(func(n int64) string { return fmt.Sprintf(`{"price":12,"at":%d,"items":[{"id":1}]}`, -n) })
	watch := func(w http.ResponseWriter, r *http.Request) { seen.Store(r.Header.Clone()); canary(w, r) }
	one, two := &http.Server{Handler: stable}, &http.Server{Handler: http.HandlerFunc(watch)}
	t.Cleanup(func() { _, _ = one.Close(), two.Close() })
	go func() { _ = one.Serve(o.stable) }()
	go func() { _ = two.Serve(o.canary) }()
	r := newRig(t, o)
	m := r.mirror(t, o, func(o *MirrorOptions) { o.Noise, o.Credentials = .1, false })
	client := r.dial()
	const n = 200
	for i := range n {
		client.ask("GET /cart/48213?token=x HTTP/1.1\r\nHost: shop\r\nX-User-Id: alice\r\nCookie: a=b\r\nSerin-Mirror: 1\r\n\r\n")
		m.settle(t, uint64(i+1))
	}
	got := m.settle(t, n)
	if got.Learning < shadow.Learn || got.Mismatched != n-got.Learning || got.Matched != 0 || got.Unlike != 0 || got.Control == 0 {
		t.Errorf("got %+v, want every answer but the learning's to differ, and none of stable's own", got)
	}
	found, noisy, _ := m.Findings()
	if len(found) != 1 || found[0].Field != "$.price" || found[0].Kind != shadow.Value || len(noisy) != 1 || noisy[0] != "$.at" {
		t.Fatalf("got %+v, noise %q: want $.price alone, and $.at as noise", found, noisy)
	}
	if e := found[0].Requests[0]; e.Target != "/cart/*?..." || e.Stable[0] != '#' || e.Canary[0] != '#' || e.Stable == e.Canary {
		t.Errorf("the example is not redacted: %+v", e)
	}
	header := seen.Load().(http.Header)
	if header.Get("Serin-Mirror") != "1" || header.Get("Serin-Arm") != "canary" || header.Get("Cookie") != "" || header.Get("X-User-Id") != "alice" {
		t.Errorf("the canary got %v", header)
	}
	if total := m.Meters[router.Canary].Total(); total != n-got.Learning {
		t.Errorf("the gate sees %d comparisons, want %d", total, n-got.Learning)
	}
	wantOutcome(t, r.snapshot.Splits[0].Evidence[router.Stable], window.Success, n)
}

func TestMirror_WhoIsMirrored(t *testing.T) {
	t.Parallel()
	o := rigOptions{stable: listenLocal(t), canary: listenLocal(t), weight: 1}
	go func() { _ = answering(t, "same").Serve(o.stable) }()
	go func() { _ = answering(t, "same").Serve(o.canary) }()
	r := newRig(t, o)
	m := r.mirror(t, o, func(o *MirrorOptions) { o.Share = 5000 })
	f := func(request string, want bool) {
		t.Helper()
		before := m.Totals().Sampled
		r.dial().ask(request)
		if got := m.Totals().Sampled > before; got != want {
			t.Errorf("mirrored %v, want %v: %q", got, want, request)
		}
	}
	salt := router.Salt("checkout")
	low, high := "", ""
	for i := 0; low == "" || high == ""; i++ {
		user := fmt.Sprint("u", i)
		switch b := router.BucketOf(salt, []byte(user)); {
		case b > 1 && b < 5000:
			low = user
		case b >= 5000:
			high = user
		}
	}
	f(userGet(low), true)
	f(userGet(high), false)
	f("OPTIONS / HTTP/1.1\r\nHost: s\r\nX-User-Id: "+low+"\r\n\r\n", true)
	f("POST / HTTP/1.1\r\nHost: s\r\nX-User-Id: "+low+"\r\nContent-Length: 0\r\n\r\n", false)
	f("DELETE / HTTP/1.1\r\nHost: s\r\nX-User-Id: "+low+"\r\n\r\n", false)
	f("GET / HTTP/1.1\r\nHost: s\r\nX-User-Id: "+low+"\r\nContent-Length: 2\r\n\r\nhi", false)
	f("GET / HTTP/1.1\r\nHost: s\r\n\r\n", false)
}

func TestMirror_BadShadow_ChangesNothingForTheUser(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	slow := func(http.ResponseWriter, *http.Request) { <-stop }
	huge := func(w http.ResponseWriter, _ *http.Request) {
		for range 64 {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	}
	tests := []struct {
		name   string
		canary http.HandlerFunc // nil: dead
		right  func(MirrorTotals) bool
	}{
		{"dead", nil, func(t MirrorTotals) bool { return t.Failed > 0 && t.Failed == t.Mismatched }},
		{"slow", slow, func(t MirrorTotals) bool { return t.Dropped > 0 }},
		{"huge", huge, func(t MirrorTotals) bool { return t.TooLarge > 0 && t.Mismatched == 0 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := rigOptions{stable: listenLocal(t)}
			go func() { _ = answering(t, "v1").Serve(o.stable) }()
			if o.canary = listenLocal(t); tt.canary != nil {
				s := &http.Server{Handler: tt.canary}
				t.Cleanup(func() { _ = s.Close() })
				go func() { _ = s.Serve(o.canary) }()
			} else {
				_ = o.canary.Close()
			}
			r := newRig(t, o)
			m := r.mirror(t, o, func(o *MirrorOptions) {
				o.Queue, o.Concurrency, o.Timeout = 8, 2, patience
				if tt.name == "slow" {
					o.Timeout = 20 * time.Millisecond
				}
			})
			client := r.dial()
			const n = 300
			for range n {
				head, body := client.ask(userGet("alice"))
				wantStatus(t, head, 200)
				if body != "v1" {
					t.Fatalf("got %q", body)
				}
			}
			got := m.Totals()
			eventually(t, func() bool { got = m.Totals(); return tt.right(got) }, func() string { return fmt.Sprintf("%+v", got) })
			wantOutcome(t, r.snapshot.Splits[0].Evidence[router.Stable], window.Success, n)
			if left := r.snapshot.Splits[0].Evidence[router.Canary].Total(); left != 0 {
				t.Errorf("mirrored requests are evidence: %d", left)
			}
		})
	}
	close(stop)
}

func TestMirror_AnswerTooLargeForTheUser_IsCutOffTheCopyOnly(t *testing.T) {
	t.Parallel()
	o := rigOptions{stable: listenLocal(t), canary: listenLocal(t)}
	s := &http.Server{Handler: says(200, strings.Repeat("y", 300<<10))}
	t.Cleanup(func() { _ = s.Close() })
	go func() { _ = s.Serve(o.stable) }()
	r := newRig(t, o)
	m := r.mirror(t, o, nil)
	client := r.dial()
	client.send(userGet("alice"))
	client.head()
	eventually(t, func() bool { _, err := client.r.Discard(1 << 10); return err != nil || m.Totals().TooLarge == 1 }, func() string { return fmt.Sprintf("%+v", m.Totals()) })
}

func TestDrill_FaultsOnTheCanaryOnly_AreNoEvidenceAndSeenByTheJudge(t *testing.T) {
	t.Parallel()
	r := twoArms(t, rigOptions{weight: 5000})
	d := NewDrill(DrillSpec{Abort: 1, Status: 503, Until: time.Now().Add(time.Minute), MostFaults: 5})
	r.give(&Extras{Drill: d})
	split := r.snapshot.Splits[0]
	var codes [2]map[int]int
	codes[0], codes[1] = map[int]int{}, map[int]int{}
	client := r.dial()
	salt := router.Salt("checkout")
	for i := range 100 {
		user := fmt.Sprint("u", i)
		arm := router.Weight(5000).Arm(router.BucketOf(salt, []byte(user)))
		head, _ := client.ask(userGet(user))
		var code int
		_, _ = fmt.Sscanf(head, "HTTP/1.1 %d", &code)
		codes[arm][code]++
	}
	if codes[0][503] != 0 || codes[1][503] != 5 {
		t.Errorf("got %v, want 5 aborts, all on the canary", codes)
	}
	if got := outcomes(d.Meters[1])[window.ServerError]; got != 5 {
		t.Errorf("the judge sees %d errors, want 5", got)
	}
	evidence, judged := split.Evidence[0].Total()+split.Evidence[1].Total(), d.Meters[0].Total()+d.Meters[1].Total()
	if evidence != 95 || judged != 100 || outcomes(split.Evidence[1])[window.ServerError] != 0 {
		t.Errorf("evidence %d, judged %d: want 95 untouched ones, and all", evidence, judged)
	}
	if got := d.Totals(); got.Aborted != 5 || got.Left != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestDrill_MarkedTraffic_IsPartedAndTheRestLeftAlone(t *testing.T) {
	t.Parallel()
	r := twoArms(t, rigOptions{})
	d := NewDrill(DrillSpec{Abort: 1, Status: 500, Until: time.Now().Add(time.Minute), MostFaults: 1 << 20, Header: "X-Drill", Is: "1"})
	r.give(&Extras{Drill: d})
	client := r.dial()
	failed := 0
	for i := range 200 {
		head, _ := client.ask(fmt.Sprintf("GET / HTTP/1.1\r\nHost: shop\r\nX-User-Id: u%d\r\nX-Drill: 1\r\n\r\n", i))
		if !strings.HasPrefix(head, "HTTP/1.1 200") {
			failed++
		}
		head, body := client.ask(fmt.Sprintf("GET / HTTP/1.1\r\nHost: shop\r\nX-User-Id: u%d\r\nX-Drill: no\r\n\r\n", i))
		wantStatus(t, head, 200)
		if body != "v1" {
			t.Fatal("an unmarked request was taken")
		}
	}
	if failed < 60 || failed > 140 {
		t.Errorf("%d of 200 marked requests failed, want about half: the canary's", failed)
	}
	split := r.snapshot.Splits[0]
	if split.Evidence[0].Total() != 200 || split.Evidence[1].Total() != 0 {
		t.Errorf("evidence %d and %d: want the 200 unmarked requests on stable", split.Evidence[0].Total(), split.Evidence[1].Total())
	}
}

func TestDrill_CutDelayAndEnd(t *testing.T) {
	t.Parallel()
	r := twoArms(t, rigOptions{weight: router.Full})
	d := NewDrill(DrillSpec{Cut: 1, Delay: 1, DelayFor: 20 * time.Millisecond, Until: time.Now().Add(time.Minute), MostFaults: 100})
	r.give(&Extras{Drill: d})
	client := r.dial()
	client.send(userGet("alice"))
	wantStatus(t, client.head(), 200)
	client.expectReset()
	wantOutcome(t, d.Meters[1], window.Truncated, 1)
	over := NewDrill(DrillSpec{Abort: 1, Status: 503, Until: time.Now(), MostFaults: 100})
	r.give(&Extras{Drill: over})
	head, _ := r.dial().ask(userGet("alice"))
	wantStatus(t, head, 200)
	if got := d.Totals(); got.Cut != 1 || got.Delayed != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestDrill_Shielded_TheUserSeesNoneOfIt(t *testing.T) {
	t.Parallel()
	r := twoArms(t, rigOptions{weight: router.Full})
	d := NewDrill(DrillSpec{Abort: 1, Status: 503, Until: time.Now().Add(time.Minute), MostFaults: 100})
	r.give(&Extras{Drill: d, Shield: new(Shield)})
	head, body := r.dial().ask(userGet("alice"))
	wantStatus(t, head, 200)
	if body != "v1" {
		t.Errorf("got %q, want stable's answer", body)
	}
	wantOutcome(t, d.Meters[1], window.ServerError, 1)
}

func TestSignals_FieldOfAnAnswer_IsHeardAndTakenOff(t *testing.T) {
	t.Parallel()
	var heard atomic.Value
	heard.Store("")
	sells := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Signal", "checkout_done=1, revenue=12.5")
		w.Header().Set("X-Other", "stays")
	}
	r := twoServices(t, rigOptions{weight: router.Full}, says(200, "v1"), sells)
	r.give(&Extras{Signals: &Signals{Header: "x-signal", Hear: func(arm router.Arm, bucket router.Bucket, field []byte) {
		heard.Store(fmt.Sprintf("%s %d %s", arm, bucket, field))
	}}})
	head, _ := r.dial().ask(userGet("alice"))
	want := fmt.Sprintf("canary %d checkout_done=1, revenue=12.5", router.BucketOf(router.Salt("checkout"), []byte("alice")))
	if got := heard.Load(); got != want {
		t.Errorf("heard %q, want %q", got, want)
	}
	if text := fmt.Sprint(head); strings.Contains(text, "checkout_done") || !strings.Contains(text, "stays") {
		t.Errorf("the client got\n%s", text)
	}
}

package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"serin/gate/window"
	"serin/proxy/listen"
	"serin/proxy/upstream"
	"serin/router"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testGrain makes waits exact to 5 ms, so that tests of timeouts take no longer than they must.
const testGrain = 5 * time.Millisecond

// patience is how long a test waits for what must happen.
const patience = 15 * time.Second

// rig is a running proxy in front of scripted upstreams.
type rig struct {
	t        testing.TB
	proxy    *Proxy
	address  string
	listener *listen.Listener
	serving  *Serving
	snapshot Snapshot
	split    *router.Split // of the snapshot's one route; nil where that is plain
	cancel   context.CancelFunc
}

// rigOptions changes what a rig is made of. Stable and canary are listeners; nil: a listener that is closed.
type rigOptions struct {
	stable, canary net.Listener
	spec           func(*upstream.Spec)
	serve          ServeOptions
	listen         listen.Spec
	weight         router.Weight
	force          string
	mint           bool
	expose         bool
	plain          bool // one plain route to stable instead of a split
	access         AccessLog
}

func newRig(t testing.TB, o rigOptions) *rig {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &rig{t: t, cancel: cancel}
	r.proxy = New(Options{Grain: testGrain, Access: o.access})
	var pools []*upstream.Pool
	for i, l := range []net.Listener{o.stable, o.canary} {
		pools = append(pools, testPool(t, []string{"v1", "v2"}[i], l, o.spec))
	}
	r.snapshot = Snapshot{Pools: pools, Plain: []*window.Meter{window.NewMeter(window.Options{}), nil}}
	route := &router.Route{Name: "all"}
	if !o.plain {
		r.split = &router.Split{
			Rollout: "checkout", Upstreams: [2]int{0, 1}, Salt: router.Salt("checkout"),
			Keys: []router.KeySource{{Kind: router.KeyHeader, Name: "X-User-Id"}}, Weight: o.weight, Force: o.force,
		}
		if o.mint {
			r.split.Keys = append(r.split.Keys, router.KeySource{Kind: router.KeyMint, Name: "uid"})
		}
		route.Split = r.split
		r.snapshot.Splits = []*Split{testSplit(o)}
	}
	table, err := router.NewTable([]*router.Route{route})
	if err != nil {
		t.Fatal(err)
	}
	r.snapshot.Table = table
	snapshot := r.snapshot
	r.proxy.Publish(&snapshot)
	o.listen.Address = "127.0.0.1:0"
	r.listener, err = listen.Listen(ctx, o.listen, listen.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r.address = r.listener.Addr().String()
	r.serving = NewServing(o.serve)
	done := make(chan struct{}, 4)
	run := func(f func()) { go func() { f(); done <- struct{}{} }() }
	run(func() { _ = r.proxy.Run(ctx) })
	run(func() { _ = r.proxy.Serve(ctx, r.listener, r.serving) })
	for _, p := range pools {
		run(func() { _ = p.Run(ctx) })
	}
	t.Cleanup(func() {
		_ = r.listener.Close()
		final, stop := context.WithCancel(context.Background())
		stop() // tests that care drain by themselves
		_ = r.proxy.Drain(final)
		for _, p := range pools {
			p.Close()
		}
		cancel()
		for range cap(done) {
			<-done
		}
		if n := r.proxy.panics.Load(); n != 0 {
			t.Errorf("%d panics", n)
		}
	})
	return r
}

// weighed is the snapshot's table with another weight.
func (r *rig) weighed(w router.Weight) *router.Table {
	split := *r.split
	split.Weight = w
	return r.snapshot.Table.WithSplit(&split)
}

func testSplit(o rigOptions) *Split {
	return &Split{
		Name: "checkout", Expose: o.expose, Force: o.force,
		Evidence: [2]*window.Meter{window.NewMeter(window.Options{Users: true}), window.NewMeter(window.Options{Users: true})},
		Forced:   [2]*window.Meter{window.NewMeter(window.Options{}), window.NewMeter(window.Options{})},
		Keyless:  window.NewMeter(window.Options{}),
	}
}

func testPool(t testing.TB, name string, l net.Listener, change func(*upstream.Spec)) *upstream.Pool {
	t.Helper()
	if l == nil {
		l = listenLocal(t)
		_ = l.Close()
	}
	spec := upstream.Spec{
		Name: name, Servers: []upstream.ServerSpec{{Network: l.Addr().Network(), Address: l.Addr().String()}},
		Timeout: upstream.Timeout{Connect: patience, Response: patience, Idle: patience},
		Retry:   upstream.Retry{Max: 1, Budget: .2},
		Limits:  upstream.Limits{Connections: 64, Queue: 16},
	}
	if change != nil {
		change(&spec)
	}
	return upstream.New(spec, upstream.Options{Grain: testGrain})
}

func listenLocal(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// outcomes is what a meter counted, without the zeros.
func outcomes(m *window.Meter) map[window.Outcome]uint64 {
	var s window.Snapshot
	m.Read(&s, false)
	all := make(map[window.Outcome]uint64)
	for o, n := range s.Outcomes {
		if n > 0 {
			all[window.Outcome(o)] = n
		}
	}
	return all
}

// wantOutcome waits until the meter has counted exactly n of one outcome and nothing else.
func wantOutcome(t *testing.T, m *window.Meter, o window.Outcome, n uint64) {
	t.Helper()
	var got map[window.Outcome]uint64
	eventually(t, func() bool {
		got = outcomes(m)
		return len(got) == 1 && got[o] == n
	}, func() string { return fmt.Sprintf("got outcomes %v, want %d of %d only", got, n, o) })
}

// eventually asks until the answer is yes; the proxy's side of a real connection has no other clock to wait on.
func eventually(t testing.TB, ok func() bool, text func() string) {
	t.Helper()
	until := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(until) {
			t.Fatal(text())
		}
		time.Sleep(time.Millisecond)
	}
}

// peer is one end of a raw conversation, as a test speaks it.
type peer struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

func newPeer(t testing.TB, conn net.Conn) *peer {
	t.Helper()
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &peer{t, conn, bufio.NewReader(conn)}
}

// dial connects a client to the proxy.
func (r *rig) dial() *peer {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	return newPeer(r.t, conn)
}

// accept takes the proxy's next connection to an upstream.
func accept(t testing.TB, l net.Listener) *peer {
	t.Helper()
	if tcp, ok := l.(*net.TCPListener); ok {
		_ = tcp.SetDeadline(time.Now().Add(patience))
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return newPeer(t, conn)
}

func (p *peer) send(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p.Conn, s); err != nil {
		p.t.Fatalf("send %.60q: %v", s, err)
	}
}

// head reads up to the blank line.
func (p *peer) head() string {
	p.t.Helper()
	var b strings.Builder
	for {
		line, err := p.r.ReadString('\n')
		b.WriteString(line)
		if err != nil {
			p.t.Fatalf("read head after %q: %v", b.String(), err)
		}
		if line == "\r\n" {
			return b.String()
		}
	}
}

// expect reads exactly the bytes of want.
func (p *peer) expect(want string) {
	p.t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(p.r, got)
	if string(got[:n]) != want {
		p.t.Fatalf("got %q (%v), want %q", got[:n], err, want)
	}
}

// expectEnd wants the other side to close without another byte.
func (p *peer) expectEnd() {
	p.t.Helper()
	if rest, err := io.ReadAll(p.r); err != nil || len(rest) > 0 {
		p.t.Fatalf("got %q and error %v, want the end", rest, err)
	}
}

// expectReset wants the other side to break off; what came before is returned.
func (p *peer) expectReset() string {
	p.t.Helper()
	rest, err := io.ReadAll(p.r)
	if err == nil || !strings.Contains(err.Error(), "reset") {
		p.t.Fatalf("got %q and error %v, want a reset", rest, err)
	}
	return string(rest)
}

// reset closes the connection so that the other side sees a reset.
func (p *peer) reset() {
	p.t.Helper()
	_ = p.Conn.(*net.TCPConn).SetLinger(0)
	_ = p.Conn.Close()
}

func wantStatus(t *testing.T, head string, status int) {
	t.Helper()
	if want := fmt.Sprintf("HTTP/1.1 %d ", status); !strings.HasPrefix(head, want) {
		t.Fatalf("got %q, want %q", head, want)
	}
}

func wantField(t testing.TB, head, line string) {
	t.Helper()
	if !strings.Contains(strings.ToLower(head), strings.ToLower("\r\n"+line+"\r\n")) {
		t.Fatalf("got %q, want the line %q", head, line)
	}
}

func wantNoField(t testing.TB, head, name string) {
	t.Helper()
	if strings.Contains(strings.ToLower(head), strings.ToLower("\r\n"+name+":")) {
		t.Fatalf("got %q, want no field %q", head, name)
	}
}

package upstream

import (
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// farEnd is a server that accepts and keeps connections for the test to use.
type farEnd struct {
	t testing.TB
	net.Listener
}

func newFarEnd(t testing.TB) *farEnd {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return &farEnd{t, l}
}

func (f *farEnd) accept() net.Conn {
	f.t.Helper()
	_ = f.Listener.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	conn, err := f.Accept()
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn
}

func (f *farEnd) spec() ServerSpec {
	return ServerSpec{Network: "tcp", Address: f.Addr().String()}
}

// refusing is an address that nobody listens on.
func refusing(t testing.TB) ServerSpec {
	t.Helper()
	f := newFarEnd(t)
	_ = f.Close()
	return f.spec()
}

// newPool makes a pool whose connections are closed when the test ends.
func newPool(t testing.TB, spec Spec) *Pool {
	t.Helper()
	if spec.Name == "" {
		spec.Name = "v1"
	}
	if spec.Timeout.Connect == 0 {
		spec.Timeout.Connect = patience // a busy machine is no failure, unless a test asks for one
	}
	p := New(spec, Options{})
	t.Cleanup(p.Close)
	return p
}

// named makes servers that are never dialled.
func named(names ...string) []ServerSpec {
	var all []ServerSpec
	for _, n := range names {
		all = append(all, ServerSpec{Name: n, Network: "unix", Address: n})
	}
	return all
}

func mustGet(t testing.TB, p *Pool) *Conn {
	t.Helper()
	c, err := p.Get(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantReason(t testing.TB, err error, want Reason) {
	t.Helper()
	if err == nil || ReasonOf(err) != want {
		t.Fatalf("got %v, want reason %s", err, want)
	}
}

// eventually asks until the answer is yes.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("never: %s", what)
		}
	}
}

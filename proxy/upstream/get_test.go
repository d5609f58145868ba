package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"serin/proxy/wire"
)

func TestGet_IdleConnection_IsReusedLastFirst(t *testing.T) {
	t.Parallel()
	far := newFarEnd(t)
	p := newPool(t, Spec{Servers: []ServerSpec{far.spec()}})
	a, b := mustGet(t, p), mustGet(t, p)
	if a.Reused() {
		t.Error("a new connection says it is reused")
	}
	p.Done(a, true, None)
	p.Done(b, true, None)
	if c := mustGet(t, p); c != b || !c.Reused() {
		t.Error("the connection used last is not the first lent")
	}
	if c := mustGet(t, p); c != a {
		t.Error("the other idle connection is not lent")
	}
	if s := p.Status().Servers[0]; s.Connections != 2 || s.InFlight != 2 || s.Requests != 4 {
		t.Errorf("got %+v", s)
	}
}

func TestGet_IdleConnectionThatIsNotQuiet_IsNeverLent(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(net.Conn){
		"bytes came":  func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n") },
		"closed":      func(c net.Conn) { _ = c.Close() },
		"half-closed": func(c net.Conn) { _ = c.(*net.TCPConn).CloseWrite() },
		"reset":       func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0); _ = c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			far := newFarEnd(t)
			p := newPool(t, Spec{Servers: []ServerSpec{far.spec()}})
			first := mustGet(t, p)
			p.Done(first, true, None)
			disturb(far.accept())
			eventually(t, "the kernel knows", func() bool { return !first.Quiet() })
			if second := mustGet(t, p); second == first {
				t.Error("a connection that is not quiet was lent")
			}
			if s := p.Status().Servers[0]; s.Connections != 1 || s.InFlight != 1 || s.Requests != 2 {
				t.Errorf("got %+v, want the stale connection uncounted", s)
			}
		})
	}
}

func TestGetToAsk_LeavesTheQuestionToAsk_AndStaleCountsNothing(t *testing.T) {
	t.Parallel()
	far := newFarEnd(t)
	p := newPool(t, Spec{Servers: []ServerSpec{far.spec()}})
	first := mustGet(t, p)
	if first.Asks() {
		t.Error("a new connection asks: what its server says unasked would be missed")
	}
	p.Done(first, true, None)
	_ = far.accept().Close()
	eventually(t, "the kernel knows", func() bool { return !first.Quiet() })
	second, err := p.GetToAsk(0, nil)
	if err != nil || second != first || !second.Asks() {
		t.Fatalf("got %v and %v, want the used connection", second, err)
	}
	if n, err := second.In.Ask([]byte("question"), nil); n != 0 || err != wire.ErrNotQuiet {
		t.Errorf("got %d and %v, want ErrNotQuiet", n, err)
	}
	p.Stale(second)
	if s := p.Status().Servers[0]; s.Connections != 0 || s.InFlight != 0 || s.Requests != 1 || len(s.Errors) != 0 {
		t.Errorf("got %+v, want nothing held or counted of it", s)
	}
	third := mustGet(t, p)
	p.Done(third, true, None)
	third.Break()
	if fourth, err := p.GetToAsk(0, nil); err != nil || fourth == third {
		t.Errorf("got the broken connection and %v, want another", err)
	}
}

func TestGet_TLS_QuietConnectionIsReusedAndNoisyIsNot(t *testing.T) {
	t.Parallel()
	certificate, roots := testCertificate(t)
	far := newFarEnd(t)
	spec := far.spec()
	spec.TLS = true
	p := newPool(t, Spec{Servers: []ServerSpec{spec}, TLS: &tls.Config{RootCAs: roots}})
	served := make(chan net.Conn, 4)
	go func() {
		for {
			conn, err := far.Accept()
			if err != nil {
				return
			}
			go func() {
				conn := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}})
				t.Cleanup(func() { _ = conn.Close() })
				b := make([]byte, 4)
				_, _ = io.ReadFull(conn, b)
				_, _ = conn.Write(b)
				served <- conn
			}()
		}
	}()
	first := mustGet(t, p)
	ping(t, first)
	server := <-served
	p.Done(first, true, None)
	second := mustGet(t, p)
	if second != first {
		t.Fatal("a quiet TLS connection was not reused")
	}
	p.Done(second, true, None)
	_, _ = io.WriteString(server, "surprise")
	eventually(t, "the kernel knows", func() bool { return !first.Quiet() })
	if third := mustGet(t, p); third == first {
		t.Error("a TLS connection with unread bytes was lent")
	}
}

// ping exchanges four bytes, and with them what TLS 1.3 sends after the handshake.
func ping(t *testing.T, c *Conn) {
	t.Helper()
	if _, err := io.WriteString(c, "ping"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "ping" {
		t.Fatalf("got %q and %v", b, err)
	}
}

func TestDecryptedNothing_BytesThatTLSHolds_AreSeen(t *testing.T) {
	t.Parallel()
	certificate, roots := testCertificate(t)
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	server := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{certificate}})
	client := tls.Client(near, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"})
	go func() { _, _ = io.WriteString(server, "ab") }()
	b := make([]byte, 1)
	if _, err := client.Read(b); err != nil {
		t.Fatal(err)
	}
	if decryptedNothing(client) {
		t.Error("a decrypted byte was overlooked")
	}
	if !decryptedNothing(client) { // the look has taken it
		t.Error("an empty connection counts as noisy")
	}
}

// testCertificate is a certificate for 127.0.0.1, and the pool that trusts it: those that httptest has.
func testCertificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server.TLS.Certificates[0], roots
}

func TestGet_TLSFailure_SaysSo(t *testing.T) {
	t.Parallel()
	certificate, _ := testCertificate(t)
	far := newFarEnd(t)
	spec := far.spec()
	spec.TLS = true
	p := newPool(t, Spec{Servers: []ServerSpec{spec}})
	go func() {
		if conn, err := far.Accept(); err == nil {
			_ = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}}).Handshake()
			_ = conn.Close()
		}
	}()
	_, err := p.Get(0, nil)
	wantReason(t, err, TLS)
}

func TestGet_ServersThatRefuse_ArePassedOver(t *testing.T) {
	t.Parallel()
	far := newFarEnd(t)
	p := newPool(t, Spec{Servers: []ServerSpec{refusing(t), refusing(t), far.spec()}})
	for range 20 {
		c := mustGet(t, p)
		if c.Server().Name() != far.Addr().String() {
			t.Fatalf("got a connection to %s", c.Server().Name())
		}
		p.Done(c, false, None)
	}
	if got := p.Status().Errors["connect"]; got == 0 {
		t.Error("no refusal was counted: the test proves nothing")
	}
}

func TestGet_AllRefuse_IsConnectAndGivesEverythingBack(t *testing.T) {
	t.Parallel()
	p := newPool(t, Spec{Servers: []ServerSpec{refusing(t), refusing(t)}})
	_, err := p.Get(0, nil)
	wantReason(t, err, Connect)
	if s := p.Status(); s.InFlight != 0 || s.Servers[0].Connections != 0 {
		t.Errorf("got %+v, want nothing held", s)
	}
	if errors := p.Status().Errors; errors["connect"] != 2 || errors["no_server"] != 0 {
		t.Errorf("counted %v, want two refusals and nothing else", errors)
	}
}

func TestGet_BlackHole_EndsAtTheConnectTimeout(t *testing.T) {
	t.Parallel()
	certificate, _ := testCertificate(t)
	_ = certificate
	far := newFarEnd(t) // accepts into the backlog, never answers the handshake
	spec := far.spec()
	spec.TLS = true
	p := newPool(t, Spec{Servers: []ServerSpec{spec}, Timeout: Timeout{Connect: 30 * time.Millisecond}})
	_, err := p.Get(0, nil)
	wantReason(t, err, ConnectTime)
}

func TestConnectReason_OutOfDescriptorsMemoryOrPorts_IsOurOwn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		errno syscall.Errno
		want  Reason
	}{
		{syscall.EMFILE, Shortage}, {syscall.ENFILE, Shortage}, {syscall.ENOBUFS, Shortage}, {syscall.ENOMEM, Shortage},
		{syscall.EADDRNOTAVAIL, Shortage}, {syscall.ECONNREFUSED, Connect}, {syscall.ENETUNREACH, Connect},
	} {
		err := &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", tt.errno)}
		if got := connectReason(context.Background(), err); got != tt.want || got.ours() != (tt.want == Shortage) {
			t.Errorf("%v: got %v, want %v", tt.errno, got, tt.want)
		}
	}
}

func TestGet_NoServers_SaysSo(t *testing.T) {
	t.Parallel()
	_, err := newPool(t, Spec{}).Get(0, nil)
	wantReason(t, err, NoServer)
}

func TestGet_Avoid_PrefersAnotherServerButNotNone(t *testing.T) {
	t.Parallel()
	a, b := newFarEnd(t), newFarEnd(t)
	p := newPool(t, Spec{Servers: []ServerSpec{a.spec(), b.spec()}})
	for range 10 {
		first := mustGet(t, p)
		second, err := p.Get(0, first.Server())
		if err != nil || second.Server() == first.Server() {
			t.Fatalf("got the server to avoid (%v)", err)
		}
		p.Done(first, true, None)
		p.Done(second, true, None)
	}
	alone := newPool(t, Spec{Servers: []ServerSpec{a.spec()}})
	first := mustGet(t, alone)
	if _, err := alone.Get(0, first.Server()); err != nil {
		t.Errorf("the only server is refused to a retry: %v", err)
	}
}

func TestGet_Retry_GetsAFreshConnection(t *testing.T) {
	t.Parallel()
	a, b := newFarEnd(t), newFarEnd(t)
	p := newPool(t, Spec{Servers: []ServerSpec{a.spec(), b.spec()}})
	var idle []*Conn
	for range 20 {
		idle = append(idle, mustGet(t, p))
	}
	for _, c := range idle {
		p.Done(c, true, None)
	}
	again, err := p.Get(0, idle[0].Server())
	if err != nil || again.Reused() {
		t.Errorf("got %+v (%v), want a connection that nobody can be closing", again, err)
	}
}

func TestGet_AvoidButTheOthersRefuse_TakesTheServerToAvoid(t *testing.T) {
	t.Parallel()
	far := newFarEnd(t)
	p := newPool(t, Spec{Servers: []ServerSpec{far.spec(), refusing(t)}})
	first := mustGet(t, p)
	again, err := p.Get(0, first.Server())
	if err != nil || again.Server() != first.Server() {
		t.Fatalf("got %v, want the one server that listens", err)
	}
	if errors := p.Status().Errors; errors["connect"] == 0 {
		t.Error("the other server was not asked first")
	}
}

func TestGet_AtTheLimit_WaitsItsTurn(t *testing.T) {
	t.Parallel()
	far := newFarEnd(t)
	p := newPool(t, Spec{Servers: []ServerSpec{far.spec()}, Timeout: Timeout{Connect: patience}, Limits: Limits{Connections: 1, Queue: 1}})
	first := mustGet(t, p)
	got := make(chan *Conn)
	go func() { got <- mustGet(t, p) }()
	eventually(t, "one waits", func() bool { return p.Status().Queued == 1 })
	_, err := p.Get(0, nil)
	wantReason(t, err, QueueFull)
	p.Done(first, true, None)
	if c := <-got; c != first {
		t.Error("the waiting request got another connection")
	}
}

func TestGet_WaitedTooLong_SaysSo(t *testing.T) {
	t.Parallel()
	far := newFarEnd(t)
	p := newPool(t, Spec{Servers: []ServerSpec{far.spec()}, Timeout: Timeout{Connect: 500 * time.Millisecond}, Limits: Limits{Connections: 1, Queue: 1}})
	mustGet(t, p)
	_, err := p.Get(0, nil)
	wantReason(t, err, QueueTime)
	if n := p.Status().Queued; n != 0 {
		t.Errorf("%d still wait", n)
	}
}

func TestGet_AtTheLimit_AnIdleConnectionElsewhereMakesRoom(t *testing.T) {
	t.Parallel()
	a, b := newFarEnd(t), newFarEnd(t)
	p := newPool(t, Spec{Balance: "round_robin", Servers: []ServerSpec{a.spec(), b.spec()}, Limits: Limits{Connections: 1}})
	first := mustGet(t, p)
	p.Done(first, true, None)
	second := mustGet(t, p)
	if second.Server() == first.Server() {
		t.Fatal("round robin stayed: the test proves nothing")
	}
	if n := p.Status().Servers; n[0].Connections+n[1].Connections != 1 {
		t.Errorf("got %d connections, want 1", n[0].Connections+n[1].Connections)
	}
}

func TestPool_ManyAtOnce_CountsComeBackToZero(t *testing.T) {
	t.Parallel()
	far := newFarEnd(t)
	p := newPool(t, Spec{Servers: []ServerSpec{far.spec(), refusing(t)}, Limits: Limits{Connections: 3, Queue: 100}, Timeout: Timeout{Connect: patience}})
	go func() {
		for {
			conn, err := far.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 50 {
				c, err := p.Get(uint64(i), nil)
				if err != nil {
					t.Error(err)
					return
				}
				p.Done(c, i%3 != 0, None)
			}
		})
	}
	wg.Wait()
	s := p.Status()
	if s.InFlight != 0 || s.Queued != 0 || s.Servers[0].InFlight+s.Servers[1].InFlight != 0 {
		t.Errorf("got %+v", s)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.total != len(p.servers[0].idle)+len(p.servers[1].idle) || p.total > 3 {
		t.Errorf("%d connections counted, %d idle", p.total, len(p.servers[0].idle))
	}
}

func TestDrain_WaitsForWhatIsLent(t *testing.T) {
	t.Parallel()
	far := newFarEnd(t)
	p := newPool(t, Spec{Servers: []ServerSpec{far.spec()}})
	busy, idle := mustGet(t, p), mustGet(t, p)
	p.Done(idle, true, None)
	ended := make(chan error)
	go func() { ended <- p.Drain(context.Background()) }()
	eventually(t, "the pool is closed", func() bool { return p.Status().Draining })
	_, err := p.Get(0, nil)
	wantReason(t, err, Closed)
	select {
	case <-ended:
		t.Fatal("drained with a connection lent")
	default:
	}
	p.Done(busy, true, None)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := p.Status().Servers[0].Connections; n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

func TestTick_IdleTooLong_IsClosed(t *testing.T) {
	t.Parallel()
	far := newFarEnd(t)
	p := newPool(t, Spec{Servers: []ServerSpec{far.spec()}})
	p.Done(mustGet(t, p), true, None)
	p.tick(idleFor / 2)
	if n := p.Status().Servers[0].Idle; n != 1 {
		t.Fatalf("%d idle after half the time, want 1", n)
	}
	p.tick(2 * idleFor)
	if n := p.Status().Servers[0].Connections; n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

func BenchmarkPool_GetDone(b *testing.B) {
	far := newFarEnd(b)
	p := newPool(b, Spec{Servers: []ServerSpec{far.spec(), far.spec()}})
	b.ReportAllocs()
	for b.Loop() {
		c, err := p.Get(1, nil)
		if err != nil {
			b.Fatal(err)
		}
		p.Done(c, true, None)
	}
}

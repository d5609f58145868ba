package listen

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// takeAll accepts until the listener ends and returns how many there were.
func takeAll(t *testing.T, l *Listener) int {
	t.Helper()
	for n := 0; ; n++ {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
}

func TestFinish_QueuedConnections_AreAcceptedBeforeTheListenerCloses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "unix:" + filepath.Join(t.TempDir(), "s")} {
		l := listenTest(t, Spec{Address: address})
		for range 50 {
			dialTest(t, l)
		}
		l.Finish()
		if n := takeAll(t, l); n != 50 {
			t.Errorf("%s: %d of 50 queued connections were accepted", address, n)
		}
		if conn, err := net.Dial(l.Addr().Network(), l.Addr().String()); err == nil {
			_ = conn.Close()
			t.Errorf("%s: a finished listener still listens", address)
		}
	}
}

// late is a listener on a busy machine: the wait for a connection is over before it looks.
type late struct {
	*net.TCPListener
	times int
}

func (l *late) Accept() (net.Conn, error) {
	if l.times--; l.times >= 0 {
		return nil, os.ErrDeadlineExceeded
	}
	return l.TCPListener.Accept()
}

func TestFinish_LooksTooLate_QueuedConnectionsAreAcceptedAllTheSame(t *testing.T) {
	t.Parallel()
	l := listenTest(t, Spec{})
	l.inner = &late{l.inner.(*net.TCPListener), 5}
	dialTest(t, l)
	l.Finish()
	if n := takeAll(t, l); n != 1 {
		t.Errorf("%d of 1 queued connection was accepted", n)
	}
}

func TestFinish_WhileAcceptWaits_EndsIt(t *testing.T) {
	t.Parallel()
	for _, spec := range []Spec{{}, {Connections: 1}} {
		l := listenTest(t, spec)
		dialTest(t, l)
		acceptTest(t, l)
		done := make(chan error, 1)
		go func() {
			_, err := l.Accept()
			done <- err
		}()
		l.Finish()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("%+v: got %v, want %v", spec, err, net.ErrClosed)
		}
	}
}

func TestFinish_PassedSocket_LeavesItsQueueToTheNextProcess(t *testing.T) {
	t.Parallel()
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	f, err := held.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	passed, err := net.FileListener(f)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(t.Context(), Spec{Address: "fd:web"}, Options{Sockets: Sockets{"web": {passed}}})
	if err != nil {
		t.Fatal(err)
	}
	near := dialTest(t, l)
	l.Finish()
	if n := takeAll(t, l); n != 0 {
		t.Errorf("%d connections were taken from the next process", n)
	}
	far, err := held.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	_, _ = io.WriteString(near, "hi")
	wantBytes(t, far, "hi")
}

func TestYield_SuccessorListens_GetsEveryNewConnection(t *testing.T) {
	t.Parallel()
	first := listenTest(t, Spec{})
	first.Yield()
	dialTest(t, first)
	acceptTest(t, first) // nobody else is there yet
	second := listenTest(t, Spec{Address: first.Addr().String()})
	for range 100 {
		dialTest(t, first)
	}
	second.Finish()
	if n := takeAll(t, second); n != 100 {
		t.Errorf("the successor got %d of 100 connections", n)
	}
	first.Finish()
	if n := takeAll(t, first); n != 0 {
		t.Errorf("%d connections went to the listener that yielded", n)
	}
}

func TestYield_ThreeGenerations_TheYoungestIsServed(t *testing.T) {
	t.Parallel()
	old := listenTest(t, Spec{})
	for generation := range 3 {
		old.Yield()
		young := listenTest(t, Spec{Address: old.Addr().String()})
		dialTest(t, young)
		acceptTest(t, young)
		old.Finish()
		if n := takeAll(t, old); n != 0 {
			t.Errorf("generation %d: %d connections went to the older", generation, n)
		}
		old = young
	}
}

func TestListen_UnixTakeOver_ReplacesTheSocketAndItsOwnerLeavesItAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	first := listenTest(t, Spec{Address: "unix:" + path})
	early := dialTest(t, first)
	second, err := Listen(t.Context(), Spec{Address: "unix:" + path}, Options{TakeOver: true})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	far := acceptTest(t, first)
	_, _ = io.WriteString(early, "hi")
	wantBytes(t, far, "hi")
	_ = first.Close()
	near := dialTest(t, second)
	far = acceptTest(t, second)
	_, _ = io.WriteString(near, "ho")
	wantBytes(t, far, "ho")
	_ = second.Close()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a closed listener left its socket: %v", err)
	}
}

func TestSet_CapsAndTrust_ApplyToTheNextConnection(t *testing.T) {
	t.Parallel()
	l := listenTest(t, Spec{})
	dialTest(t, l)
	first := acceptTest(t, l)
	l.Set(Spec{PerIP: 1})
	surplus := dialTest(t, l)
	l.Finish()
	if n := takeAll(t, l); n != 0 {
		t.Errorf("%d connections above the new cap", n)
	}
	if answer, err := io.ReadAll(surplus); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 503 ") || l.Refused() != 1 {
		t.Errorf("a connection above the new cap got %q (%v), %d refused", answer, err, l.Refused())
	}
	_ = surplus.Close()
	if _ = first.Close(); l.Open() > 1 { // the surplus is kept for a second
		t.Errorf("%d places taken, want none", l.Open())
	}
}

func TestSet_MoreConnections_LetTheWaitingIn(t *testing.T) {
	t.Parallel()
	l := listenTest(t, Spec{Connections: 1})
	dialTest(t, l)
	acceptTest(t, l)
	dialTest(t, l)
	got := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			defer c.Close()
		}
		got <- err
	}()
	l.Set(Spec{Connections: 2, Address: "ignored:1"})
	if err := <-got; err != nil {
		t.Error(err)
	}
	if l.Spec().Address == "ignored:1" {
		t.Error("the address changed")
	}
}

func TestSet_ProxyProtocol_TheAcceptedConnectionKeepsItsTerms(t *testing.T) {
	t.Parallel()
	l := listenTest(t, Spec{})
	dialTest(t, l)
	before := acceptTest(t, l)
	l.Set(Spec{ProxyProtocol: true, Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	near := dialTest(t, l)
	after := acceptTest(t, l)
	if err := before.Open(t.Context()); err != nil || before.Peer.Addr().String() != "127.0.0.1" {
		t.Errorf("got peer %v and %v", before.Peer, err)
	}
	_, _ = io.WriteString(near, "PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n")
	if err := after.Open(t.Context()); err != nil || after.Peer != netip.MustParseAddrPort("203.0.113.9:4711") {
		t.Errorf("got peer %v and %v", after.Peer, err)
	}
}

package listen

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 5 * time.Second

func listenTest(t *testing.T, spec Spec) *Listener {
	t.Helper()
	if spec.Address == "" {
		spec.Address = "127.0.0.1:0"
	}
	l, err := Listen(t.Context(), spec, Options{Share: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func dialTest(t *testing.T, l *Listener) net.Conn {
	t.Helper()
	conn, err := net.Dial(l.Addr().Network(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn
}

func acceptTest(t *testing.T, l *Listener) *Conn {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

func wantBytes(t *testing.T, r io.Reader, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(r, b); err != nil || string(b) != want {
		t.Fatalf("got %q and %v, want %q", b, err, want)
	}
}

func TestListen_TCP_SecondListenerMayTakeOver(t *testing.T) {
	t.Parallel()
	first := listenTest(t, Spec{})
	second, err := Listen(t.Context(), Spec{Address: first.Addr().String()}, Options{TakeOver: true})
	if err != nil {
		t.Fatalf("the next binary cannot listen beside this one: %v", err)
	}
	defer second.Close()
	_ = first.Close()
	near := dialTest(t, second)
	far := acceptTest(t, second)
	_, _ = io.WriteString(near, "hi")
	wantBytes(t, far, "hi")
	if far.Peer.Addr().String() != "127.0.0.1" || far.Secure {
		t.Errorf("got peer %v secure %v", far.Peer, far.Secure)
	}
}

func TestListen_TCP_StrangerIsNotJoined(t *testing.T) {
	t.Parallel()
	first := listenTest(t, Spec{})
	address := Spec{Address: first.Addr().String()}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the first try has to do
	if l, err := Listen(ctx, address, Options{}); !errors.Is(err, syscall.EADDRINUSE) {
		if err == nil {
			l.Close()
		}
		t.Errorf("a second serin on the address of the first: got %v, want %v", err, syscall.EADDRINUSE)
	}
	same, err := Listen(t.Context(), address, Options{Share: true})
	if err != nil {
		t.Fatalf("the same process, under another name of the address: %v", err)
	}
	_ = same.Close()
	_ = first.Close()
	next, err := Listen(t.Context(), address, Options{})
	if err != nil {
		t.Fatalf("an address that is free again: %v", err)
	}
	_ = next.Close()
}

func TestListen_Unix_ModeAndStaleSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	stale, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	stale.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = stale.Close()
	l := listenTest(t, Spec{Address: "unix:" + path})
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != socketMode {
		t.Errorf("got mode %v and %v, want %o", info.Mode(), err, socketMode)
	}
	near := dialTest(t, l)
	far := acceptTest(t, l)
	_, _ = io.WriteString(near, "hi")
	wantBytes(t, far, "hi")
	if far.Peer.IsValid() {
		t.Errorf("a unix socket has the peer %v", far.Peer)
	}
	if _, err := Listen(t.Context(), Spec{Address: "unix:" + path}, Options{}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a socket in use: got %v, want %v", err, syscall.EADDRINUSE)
	}
}

func TestListen_UnixPathOfAnotherFile_IsLeftAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(t.Context(), Spec{Address: "unix:" + path}, Options{}); err == nil {
		t.Error("a file was taken for a socket")
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "mine" {
		t.Errorf("got %q and %v, want the file untouched", b, err)
	}
}

func TestListen_PassedSocket_IsFoundByNameOnce(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sockets := Sockets{"web": {inner}, "spare": {inner}}
	l, err := Listen(t.Context(), Spec{Address: "fd:web"}, Options{Sockets: sockets})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if l.Addr() != inner.Addr() {
		t.Errorf("got %v, want %v", l.Addr(), inner.Addr())
	}
	if left := sockets.Left(); !l.Passed() || len(left) != 1 || left[0] != "spare" {
		t.Errorf("passed %v, left %v, want the spare one", l.Passed(), left)
	}
	for _, name := range []string{"fd:web", "fd:other"} {
		if _, err := Listen(t.Context(), Spec{Address: name}, Options{Sockets: sockets}); err == nil {
			t.Errorf("%s was given out, want an error", name)
		}
	}
}

// flood is a listener that fails as told before it accepts.
type flood struct {
	net.Listener
	mu     sync.Mutex
	errs   []error
	failed int
}

func (f *flood) Accept() (net.Conn, error) {
	f.mu.Lock()
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		f.failed++
		f.mu.Unlock()
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", err)}
	}
	f.mu.Unlock()
	return f.Listener.Accept()
}

func TestAccept_DescriptorShortage_IsSurvived(t *testing.T) {
	t.Parallel()
	l := listenTest(t, Spec{})
	f := &flood{Listener: l.inner, errs: []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED}}
	l.inner = f
	near := dialTest(t, l)
	far := acceptTest(t, l)
	_, _ = io.WriteString(near, "hi")
	wantBytes(t, far, "hi")
	if f.failed != 5 {
		t.Errorf("got %d failures, want all 5 survived", f.failed)
	}
	if l.Open() != 1 {
		t.Errorf("%d places taken, want 1", l.Open())
	}
}

func TestAccept_ErrorThatStays_IsReturned(t *testing.T) {
	t.Parallel()
	l := listenTest(t, Spec{})
	l.inner = &flood{Listener: l.inner, errs: []error{syscall.EBADF}}
	if _, err := l.Accept(); !errors.Is(err, syscall.EBADF) {
		t.Errorf("got %v, want %v", err, syscall.EBADF)
	}
}

func TestAccept_AtTheCap_WaitsUntilOneCloses(t *testing.T) {
	t.Parallel()
	l := listenTest(t, Spec{Connections: 1})
	dialTest(t, l)
	first := acceptTest(t, l)
	near := dialTest(t, l)
	got := make(chan *Conn)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		got <- c
	}()
	select {
	case <-got:
		t.Fatal("accepted over the cap")
	case <-time.After(20 * time.Millisecond):
	}
	_ = first.Close()
	_ = first.Close() // frees one place, not two
	second := <-got
	defer second.Close()
	_, _ = io.WriteString(near, "hi")
	wantBytes(t, second, "hi")
	if l.Open() != 1 {
		t.Errorf("%d places taken, want 1", l.Open())
	}
}

func TestCrowded_OnlyWhileSomebodyWaitsForAPlace(t *testing.T) {
	t.Parallel()
	l := listenTest(t, Spec{Address: "127.0.0.1:0", Connections: 1})
	first := dialTest(t, l)
	held := acceptTest(t, l)
	accepted := make(chan *Conn)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		accepted <- c
	}()
	time.Sleep(3 * crowdPoll)
	if l.Crowded() {
		t.Error("crowded although nobody waits")
	}
	second := dialTest(t, l)
	for !held.Crowded() {
		time.Sleep(time.Millisecond)
	}
	_ = first.Close()
	_ = held.Close()
	c := <-accepted
	if l.Crowded() {
		t.Error("crowded although everybody is in")
	}
	_ = second.Close()
	_ = c.Close()
}

func TestAccept_PerIPCap_TurnsTheSurplusAway(t *testing.T) {
	t.Parallel()
	l := listenTest(t, Spec{PerIP: 2})
	var open []*Conn
	for range 2 {
		dialTest(t, l)
		open = append(open, acceptTest(t, l))
	}
	third := dialTest(t, l)
	accepted := make(chan *Conn, 1)
	go func() {
		if c, err := l.Accept(); err == nil {
			accepted <- c
		}
	}()
	if _, err := io.WriteString(third, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(third)
	if text := string(answer); err != nil || !strings.HasPrefix(text, "HTTP/1.1 503 ") || !strings.Contains(text, "\r\nRetry-After: 1\r\n") ||
		!strings.Contains(text, "\r\nConnection: close\r\n") || !strings.HasSuffix(text, "too_many_connections: Your address has too many connections open.\n") {
		t.Errorf("got %q and %v, want a whole 503 and a clean end", text, err)
	}
	if l.Refused() != 1 {
		t.Errorf("got %d refused, want 1", l.Refused())
	}
	_ = open[0].Close()
	dialTest(t, l)
	_ = (<-accepted).Close()
}

func TestAccept_AfterClose_IsErrClosed(t *testing.T) {
	t.Parallel()
	l := listenTest(t, Spec{Connections: 1})
	done := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		done <- err
	}()
	_ = l.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want %v", err, net.ErrClosed)
	}
}

func TestPlaces_StayBelowTheDescriptorLimit(t *testing.T) {
	t.Parallel()
	all := most(0, 0)
	if all < 1 || most(1, 0) != 1 || most(all+1, 0) != all {
		t.Errorf("got %d by default, %d for one, %d for one more", all, most(1, 0), most(all+1, 0))
	}
	if few := most(0, 10); few < all || few > 2*all {
		t.Errorf("got %d beside upstreams of 10 connections, %d beside any", few, all)
	}
	if many := most(0, 1<<30); many < all || many > all+1 {
		t.Errorf("got %d beside upstreams without bounds, %d beside any", many, all)
	}
}

func TestOpen_TLS_ShakesHandsAndSaysSo(t *testing.T) {
	t.Parallel()
	certificate := testCertificate(t)
	l := listenTest(t, Spec{TLS: &tls.Config{Certificates: []tls.Certificate{certificate}}})
	near := tls.Client(dialTest(t, l), &tls.Config{InsecureSkipVerify: true})
	go func() { _, _ = io.WriteString(near, "hi") }()
	far := acceptTest(t, l)
	if err := far.Open(t.Context()); err != nil || !far.Secure {
		t.Fatalf("got %v, secure %v", err, far.Secure)
	}
	wantBytes(t, far, "hi")
}

func TestOpen_TLSGarbage_IsAnError(t *testing.T) {
	t.Parallel()
	l := listenTest(t, Spec{TLS: &tls.Config{Certificates: []tls.Certificate{testCertificate(t)}}})
	near := dialTest(t, l)
	_, _ = io.WriteString(near, "GET / HTTP/1.1\r\n\r\n")
	if err := acceptTest(t, l).Open(t.Context()); err == nil {
		t.Error("plain HTTP passed for TLS")
	}
}

func TestOpen_ProxyHeaderThenTLS_NothingIsLost(t *testing.T) {
	t.Parallel()
	l := listenTest(t, Spec{
		ProxyProtocol: true, Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		TLS: &tls.Config{Certificates: []tls.Certificate{testCertificate(t)}},
	})
	raw := dialTest(t, l)
	go func() {
		_, _ = io.WriteString(raw, "PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n")
		_, _ = io.WriteString(tls.Client(raw, &tls.Config{InsecureSkipVerify: true}), "hi")
	}()
	far := acceptTest(t, l)
	if err := far.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	if far.Peer != netip.MustParseAddrPort("203.0.113.9:4711") {
		t.Errorf("got peer %v", far.Peer)
	}
	wantBytes(t, far, "hi")
}

func TestOpen_ProxyHeaderFromAStranger_IsRefused(t *testing.T) {
	t.Parallel()
	l := listenTest(t, Spec{ProxyProtocol: true, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	near := dialTest(t, l)
	_, _ = io.WriteString(near, "PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n")
	if err := acceptTest(t, l).Open(t.Context()); !errors.Is(err, errUntrusted) {
		t.Errorf("got %v, want %v", err, errUntrusted)
	}
}

func testCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestProxyHeader(t *testing.T) {
	t.Parallel()
	v2 := func(command, family byte, block string) string {
		return signature + string([]byte{command, family, byte(len(block) >> 8), byte(len(block))}) + block
	}
	four := "\xcb\x00\x71\x09" + "\xc0\x00\x02\x01" + "\x12\x67" + "\x01\xbb"
	six := strings.Repeat("\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", 2) + "\x12\x67" + "\x01\xbb"
	tests := []struct{ name, in, want string }{
		{"version 1, IPv4", "PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n", "203.0.113.9:4711"},
		{"version 1, IPv6", "PROXY TCP6 2001:db8::1 2001:db8::2 4711 443\r\n", "[2001:db8::1]:4711"},
		{"version 1, unknown", "PROXY UNKNOWN\r\n", "none"},
		{"version 1, unknown with addresses", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "none"},
		{"version 1, wrong family", "PROXY TCP4 2001:db8::1 2001:db8::2 4711 443\r\n", "error"},
		{"version 1, port too large", "PROXY TCP4 203.0.113.9 192.0.2.1 70000 443\r\n", "error"},
		{"version 1, port with a zero in front", "PROXY TCP4 203.0.113.9 192.0.2.1 04711 443\r\n", "error"},
		{"version 1, two spaces", "PROXY  TCP4 203.0.113.9 192.0.2.1 4711 443\r\n", "error"},
		{"version 1, bare LF", "PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\n", "error"},
		{"version 1, a zone", "PROXY TCP6 fe80::1%eth0 fe80::2 4711 443\r\n", "error"},
		{"version 1, too long", "PROXY UNKNOWN " + strings.Repeat("x", 100) + "\r\n", "error"},
		{"version 2, IPv4", v2(0x21, 0x11, four), "203.0.113.9:4711"},
		{"version 2, IPv4 with values behind", v2(0x21, 0x11, four+"\x04\x00\x01x"), "203.0.113.9:4711"},
		{"version 2, IPv6", v2(0x21, 0x21, six), "[2001:db8::1]:4711"},
		{"version 2, local", v2(0x20, 0x00, ""), "none"},
		{"version 2, unspecified", v2(0x21, 0x00, ""), "none"},
		{"version 2, unix", v2(0x21, 0x31, strings.Repeat("\x00", 216)), "none"},
		{"version 2, too short", v2(0x21, 0x11, four[:11]), "error"},
		{"version 2, datagrams", v2(0x21, 0x12, four), "error"},
		{"version 2, another command", v2(0x22, 0x11, four), "error"},
		{"version 2, another version", v2(0x31, 0x11, four), "error"},
		{"version 2, huge", signature + "\x21\x11\xff\xff", "error"},
		{"HTTP", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "error"},
		{"cut short", "PROXY TCP4 203.0", "error"},
		{"nothing", "", "error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := strings.NewReader(tt.in + "rest")
			if tt.name == "cut short" || tt.name == "nothing" {
				r = strings.NewReader(tt.in)
			}
			peer, err := readProxyHeader(r)
			got := peer.String()
			switch {
			case err != nil:
				got = "error"
			case !peer.IsValid():
				got = "none"
			}
			if got != tt.want {
				t.Fatalf("got %s (%v), want %s", got, err, tt.want)
			}
			if rest, _ := io.ReadAll(r); err == nil && string(rest) != "rest" {
				t.Errorf("got %q behind the header, want it untouched", rest)
			}
		})
	}
}

func FuzzProxyHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\nGET /"))
	f.Add([]byte("PROXY UNKNOWN\r\n"))
	f.Add([]byte(signature + "\x21\x11\x00\x0c\xcb\x00\x71\x09\xc0\x00\x02\x01\x12\x67\x01\xbb"))
	f.Add([]byte(signature + "\x20\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := &counting{in: in}
		peer, err := readProxyHeader(r)
		if err != nil {
			return
		}
		if peer.IsValid() && (peer.Addr().Zone() != "" || peer.Addr().Is4In6()) {
			t.Errorf("got %v, want an unmapped address without a zone", peer)
		}
		if r.at > maxBlock+len(signature)+4 {
			t.Errorf("%d bytes were read", r.at)
		}
		again, err := readProxyHeader(&counting{in: in[:r.at]})
		if err != nil || again != peer {
			t.Errorf("the header alone reads as %v (%v), with bytes behind it as %v", again, err, peer)
		}
	})
}

// counting is a reader that knows how far it was read.
type counting struct {
	in []byte
	at int
}

func (c *counting) Read(p []byte) (int, error) {
	if c.at == len(c.in) {
		return 0, io.EOF
	}
	n := copy(p, c.in[c.at:])
	c.at += n
	return n, nil
}

package proxy

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"serin/gate/window"
	"serin/proxy/listen"
	"serin/proxy/upstream"
)

// selfSigned is a certificate for 127.0.0.1, and the pool that trusts it: those that httptest has.
func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server.TLS.Certificates[0], roots
}

func TestTransport_TLSOnBothSides_CarriesKeepAliveAndBodies(t *testing.T) {
	t.Parallel()
	certificate, roots := selfSigned(t)
	up := listenLocal(t)
	server := &http.Server{
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Forwarded-Proto") != "https" || r.ProtoMajor != 1 {
				w.WriteHeader(500)
				return
			}
			_ = http.NewResponseController(w).EnableFullDuplex()
			_, _ = io.Copy(w, r.Body)
		}),
	}
	go func() { _ = server.ServeTLS(up, "", "") }()
	t.Cleanup(func() { _ = server.Close() })
	r := newRig(t, rigOptions{
		stable: up, listen: listen.Spec{TLS: &tls.Config{Certificates: []tls.Certificate{certificate}}},
		spec: func(s *upstream.Spec) {
			s.Servers[0].TLS = true
			s.TLS = &tls.Config{RootCAs: roots}
		},
	})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}, Timeout: 10 * time.Second}
	t.Cleanup(client.CloseIdleConnections)
	for i, size := range []int64{0, 10, 20_000, 500_000, 0} {
		request, _ := http.NewRequest(http.MethodPost, "https://"+r.address+"/", pattern(size))
		request.ContentLength = size
		request.Header.Set("X-User-Id", "a")
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != 200 {
			t.Fatalf("got %s", response.Status)
		}
		isPattern(t, "echo", response.Body, size)
		_ = response.Body.Close()
		wantOutcome(t, r.snapshot.Splits[0].Evidence[0], window.Success, uint64(i+1))
	}
	if n := r.snapshot.Pools[0].Status().Servers[0].Connections; n != 1 {
		t.Errorf("got %d upstream connections, want one reused", n)
	}
}

func TestTransport_UnixUpstreamAndUnixClients(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	up, err := net.Listen("unix", filepath.Join(dir, "app"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = up.Close() })
	go func() { _ = answering(t, "unix").Serve(up) }()
	r := newRig(t, rigOptions{stable: up})
	for range 3 {
		head, body := r.dial().ask(userGet("a"))
		wantStatus(t, head, 200)
		if body != "unix" {
			t.Errorf("got %q", body)
		}
	}
}

func TestTransport_TrustedProxy_IsBelieved(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	local := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	r := newRig(t, rigOptions{stable: up, serve: ServeOptions{Trusted: local}})
	client := r.dial()
	client.send("GET / HTTP/1.1\r\nHost: shop\r\nX-User-Id: a\r\nX-Forwarded-For: 203.0.113.9\r\nX-Request-Id: abc-123\r\n\r\n")
	server := accept(t, up)
	head := server.head()
	wantField(t, head, "X-Forwarded-For: 203.0.113.9, 127.0.0.1")
	wantField(t, head, "X-Request-Id: abc-123")
	server.send(nothing)
	client.head()
}

func TestTransport_CookieMintedBehindTLS_IsSecure(t *testing.T) {
	t.Parallel()
	local := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for _, tt := range []struct {
		name    string
		trusted []netip.Prefix
		proto   string
		secure  bool
	}{
		{"a trusted proxy says https", local, "https", true},
		{"in its own spelling, with more", local, "HTTPS, http", true},
		{"a trusted proxy says http", local, "http", false},
		{"anybody says https", nil, "https", false},
	} {
		r := twoArms(t, rigOptions{mint: true, serve: ServeOptions{Trusted: tt.trusted}})
		head, _ := r.dial().ask("GET / HTTP/1.1\r\nHost: shop\r\nX-Forwarded-Proto: " + tt.proto + "\r\n\r\n")
		if _, cookie, _ := strings.Cut(head, "Set-Cookie: uid="); strings.Contains(cookie, "; Secure\r\n") != tt.secure || cookie == "" {
			t.Errorf("%s: got %q", tt.name, head)
		}
	}
}

func TestTransport_ProxyProtocol_NamesTheClient(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	local := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	r := newRig(t, rigOptions{stable: up, listen: listen.Spec{ProxyProtocol: true, Trusted: local}})
	client := r.dial()
	client.send("PROXY TCP4 203.0.113.9 192.0.2.1 4711 80\r\n" + get)
	server := accept(t, up)
	wantField(t, server.head(), "X-Forwarded-For: 203.0.113.9")
	server.send(nothing)
	wantStatus(t, client.head(), 204)
}

func TestTransport_RequestIDs_AreNeverTheSame(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	client := r.dial()
	seen := map[string]bool{}
	var server *peer
	for i := range 50 {
		client.send(get)
		if i == 0 {
			server = accept(t, up)
		}
		head := server.head()
		_, id, _ := strings.Cut(head, "X-Request-Id: ")
		id, _, _ = strings.Cut(id, "\r\n")
		if id == "" || seen[id] {
			t.Fatalf("got request id %q again", id)
		}
		seen[id] = true
		server.send(nothing)
		client.head()
	}
}

func TestTransport_HashBalance_KeepsAUserOnOneServer(t *testing.T) {
	t.Parallel()
	a, b := listenLocal(t), listenLocal(t)
	go func() { _ = answering(t, "a").Serve(a) }()
	go func() { _ = answering(t, "b").Serve(b) }()
	r := newRig(t, rigOptions{stable: a, spec: func(s *upstream.Spec) {
		s.Balance = "hash"
		s.Servers = []upstream.ServerSpec{{Network: "tcp", Address: a.Addr().String()}, {Network: "tcp", Address: b.Addr().String()}}
	}})
	client := r.dial()
	first, both := map[string]string{}, map[string]bool{}
	for i := range 120 {
		user := fmt.Sprint(i % 40)
		_, body := client.ask(userGet(user))
		if was, ok := first[user]; ok && was != body {
			t.Fatalf("user %s moved from %s to %s", user, was, body)
		}
		first[user], both[body] = body, true
	}
	if len(both) != 2 {
		t.Error("one server took every user")
	}
}

func TestOverhead_IsSampledOncePer64Requests(t *testing.T) {
	t.Parallel()
	r := twoArms(t, rigOptions{})
	client := r.dial()
	for range 3 * sampleEvery {
		client.ask(userGet("a"))
	}
	var n uint64
	var totals Totals
	eventually(t, func() bool { // the last one is counted after its answer was sent
		n, totals = 0, r.proxy.Totals()
		for _, b := range totals.Overhead {
			n += b.Count
		}
		return n >= 3
	}, func() string { return fmt.Sprintf("got %d samples, want 3", n) })
	if n != 3 || totals.OverheadSeconds <= 0 || totals.OverheadSeconds > 1 {
		t.Errorf("got %d samples of %v s together, want 3", n, totals.OverheadSeconds)
	}
}

func TestOverhead_ShortConnections_AreSampledToo(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	go func() {
		for {
			conn, err := up.Accept()
			if err != nil {
				return
			}
			go func() { // a head, its body in a segment of its own, and the end: no connection is used twice
				defer conn.Close()
				_, _ = bufio.NewReader(conn).ReadString('\n')
				fmt.Fprint(conn, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n")
				fmt.Fprint(conn, "ok")
			}()
		}
	}()
	r := newRig(t, rigOptions{stable: up})
	eventually(t, func() bool {
		client := r.dial()
		client.ask(userGet("a"))
		client.Close()
		var n uint64
		for _, b := range r.proxy.Totals().Overhead {
			n += b.Count
		}
		return n > 0
	}, func() string { return "of requests with a connection each none was measured" })
}

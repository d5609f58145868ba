package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// handshake connects with TLS and returns the connection, or why it was refused: with TLS 1.3 a client learns of that
// when it first reads.
func (e *edge) handshake(config *tls.Config) (*wireConn, tls.ConnectionState, error) {
	e.t.Helper()
	raw := e.dial()
	conn := tls.Client(raw.Conn, config)
	if err := conn.HandshakeContext(context.Background()); err != nil {
		return nil, tls.ConnectionState{}, err
	}
	c := newWire(e.t, conn)
	c.send(getRoot)
	if _, err := c.r.Peek(1); err != nil {
		return nil, tls.ConnectionState{}, err
	}
	if resp, _ := c.answer(); resp.StatusCode != http.StatusOK {
		e.t.Fatalf("answered %s over TLS", resp.Status)
	}
	return c, conn.ConnectionState(), nil
}

// secureEdge starts serin with a certificate for shop.example in its directory.
func secureEdge(t *testing.T, ca *authority, more string) *edge {
	t.Helper()
	e := &edge{site: newSite(t), release: make(chan struct{})}
	chain, key := ca.issue("shop.example")
	put(t, e.site.dir, "cert.pem", chain)
	put(t, e.site.dir, "key.pem", key)
	put(t, e.site.dir, "ca.pem", ca.pem)
	e.upstream = startEcho(t, listenTCP(t), nil, e.release)
	e.daemonProcess = startDaemon(t, e.site, e.file(t, "[listen]\naddress = %q\ntls = { cert = \"cert.pem\", key = \"key.pem\""+more+" }\n"))
	return e
}

func TestE2E_TLS_VersionsAndProtocols(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "ca")
	e := secureEdge(t, ca, "")
	client := &tls.Config{RootCAs: ca.pool(), ServerName: "shop.example", NextProtos: []string{"h2", "http/1.1"}}
	conn, state, err := e.handshake(client)
	if err != nil || state.Version != tls.VersionTLS13 || state.NegotiatedProtocol != "http/1.1" {
		t.Fatalf("got %v, version %x, protocol %q; want TLS 1.3 and http/1.1", err, state.Version, state.NegotiatedProtocol)
	}
	if got := conn.ask(getRoot, 200).Header.Get("X-Forwarded-Proto"); got != "https" {
		t.Errorf("the upstream hears of %q, want https", got)
	}
	old := client.Clone()
	old.MaxVersion = tls.VersionTLS12
	if _, state, err := e.handshake(old); err != nil || state.Version != tls.VersionTLS12 {
		t.Errorf("TLS 1.2: got %v, version %x", err, state.Version)
	}
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if _, _, err := e.handshake(old); err == nil {
		t.Error("TLS 1.1 is served")
	}
	h2 := client.Clone()
	h2.NextProtos = []string{"h2"}
	if _, _, err := e.handshake(h2); err == nil {
		t.Error("a client that speaks only h2 was let in")
	}
	plain := e.dial()
	plain.send(getRoot)
	if rest, _ := io.ReadAll(plain.r); strings.Contains(string(rest), "HTTP/1.1 200") {
		t.Error("a TLS listener serves plain HTTP")
	}
}

func TestE2E_TLS_ReplacedCertificateIsServedAndABadOneIsNot(t *testing.T) {
	t.Parallel()
	first, second := newAuthority(t, "first"), newAuthority(t, "second")
	e := secureEdge(t, first, "")
	roots := first.pool()
	roots.AddCert(second.cert)
	client := &tls.Config{RootCAs: roots, ServerName: "shop.example"}
	issuer := func() string {
		t.Helper()
		_, state, err := e.handshake(client)
		if err != nil {
			t.Fatal(err)
		}
		return state.PeerCertificates[0].Issuer.CommonName
	}
	open, _, err := e.handshake(client)
	if err != nil || issuer() != "first" {
		t.Fatal(err)
	}
	chain, key := second.issue("shop.example")
	put(t, e.site.dir, "cert.pem", chain)
	if got := issuer(); got != "first" {
		t.Errorf("a chain without its key: served by %q", got)
	}
	put(t, e.site.dir, "key.pem", key)
	if got := issuer(); got != "second" {
		t.Errorf("a replaced certificate: served by %q", got)
	}
	put(t, e.site.dir, "cert.pem", []byte("-----BEGIN CERTIFICATE-----\n"))
	for range 5 {
		if got := issuer(); got != "second" {
			t.Errorf("a bad certificate: served by %q", got)
		}
	}
	open.ask(getRoot, 200)
	e.Signal(syscall.SIGTERM)
	if n := strings.Count(e.log.String(), "certificate cannot be used"); n != 2 {
		t.Errorf("told %d times of two unusable states", n)
	}
	if n := strings.Count(e.log.String(), "certificate replaced"); n != 1 {
		t.Errorf("told %d times of one replacement", n)
	}
}

func TestE2E_TLS_ClientAuthority_LetsNobodyElseIn(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t, "ca"), newAuthority(t, "other")
	e := secureEdge(t, ca, `, client_ca = "ca.pem"`)
	client := &tls.Config{RootCAs: ca.pool(), ServerName: "shop.example"}
	if _, _, err := e.handshake(client); err == nil {
		t.Error("a client without a certificate was let in")
	}
	client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair := other.pair("stranger")
		return &pair, nil
	}
	if _, _, err := e.handshake(client); err == nil {
		t.Error("a client of another authority was let in")
	}
	client.GetClientCertificate = nil
	client.Certificates = []tls.Certificate{ca.pair("friend")}
	if _, _, err := e.handshake(client); err != nil {
		t.Errorf("a client with a certificate was refused: %v", err)
	}
}

func TestE2E_TLS_ReloadTurnsItOnAndOff(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "ca")
	e := secureEdge(t, ca, "")
	client := &tls.Config{RootCAs: ca.pool(), ServerName: "shop.example"}
	secure, _, err := e.handshake(client)
	if err != nil {
		t.Fatal(err)
	}
	e.mustRelisten("[listen]\naddress = %q\n")
	e.dial().ask(getRoot, 200)
	secure.ask(getRoot, 200)
	e.mustRelisten("[listen]\naddress = %q\ntls = { cert = \"cert.pem\", key = \"key.pem\" }\n")
	if _, _, err := e.handshake(client); err != nil {
		t.Error(err)
	}
}

func TestE2E_UpstreamTLS_IsVerifiedUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t, "ca"), newAuthority(t, "other")
	tests := []struct {
		name, tls, certificate, sni string
		status                      int
	}{
		{"no authority given", ``, "upstream.example", "", 502},
		{"right authority, address in the certificate", `tls = { ca = "ca.pem" }`, "upstream.example", "", 200},
		{"right authority, server_name", `tls = { ca = "ca.pem", server_name = "upstream.example" }`, "upstream.example", "upstream.example", 200},
		{"right authority, another name", `tls = { ca = "ca.pem", server_name = "elsewhere.example" }`, "upstream.example", "", 502},
		{"wrong authority", `tls = { ca = "other.pem" }`, "upstream.example", "", 502},
		{"not verified", `tls = { skip_verify = true }`, "upstream.example", "", 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			put(t, s.dir, "ca.pem", ca.pem)
			put(t, s.dir, "other.pem", other.pem)
			upstream := startEcho(t, listenTCP(t), &tls.Config{Certificates: []tls.Certificate{ca.pair(tt.certificate)}}, nil)
			d := startDaemon(t, s, s.file(t, fmt.Sprintf(
				"[listen]\naddress = %q\n[upstream.v1]\nservers = [%q]\ntimeout = { connect = \"10s\" }\n%s\n[route.all]\nupstream = \"v1\"\n", s.listen, upstream, tt.tls)))
			got := dialWire(t, s.listen).ask(getRoot, tt.status)
			if tt.status == http.StatusOK {
				if got.ServerName != tt.sni || got.Host != "shop.example" {
					t.Errorf("the upstream saw server name %q and host %q", got.ServerName, got.Host)
				}
				return
			}
			if line := `serin_upstream_errors_total{upstream="v1",reason="tls"} 1`; !strings.Contains(d.metrics(), line) {
				t.Errorf("the metrics lack %s", line)
			}
		})
	}
}

// metrics is one scrape.
func (d *daemonProcess) metrics() string {
	d.t.Helper()
	resp, err := http.Get("http://" + d.Client.Address() + "/metrics")
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}

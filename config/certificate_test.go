package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// issue makes a self-signed certificate for a name, as PEM.
func issue(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// put writes a file with an age of its own, so that a change shows however coarse the file system's clock is.
func put(t *testing.T, path string, data []byte, age time.Duration) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	when := time.Now().Add(-age)
	if err := os.Chtimes(path, when, when); err != nil {
		t.Fatal(err)
	}
}

// shake does a handshake and returns the name in the server's certificate, and the server's error.
func shake(t *testing.T, server *tls.Config, client *tls.Config) (string, error) {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	done := make(chan error, 1)
	go func() {
		defer far.Close()
		done <- tls.Server(far, server).Handshake()
	}()
	conn := tls.Client(near, client)
	name := ""
	if err := conn.Handshake(); err == nil {
		name = conn.ConnectionState().PeerCertificates[0].Subject.CommonName
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, _ = conn.Read(make([]byte, 1)) // a refused client certificate shows after the client's side is done
	}
	near.Close()
	return name, <-done
}

// serve parses a file that listens with TLS in dir.
func serve(t *testing.T, dir, table string) (*Plan, []Problem) {
	t.Helper()
	return serveTelling(t, dir, table, nil)
}

func serveTelling(t *testing.T, dir, table string, tell func(string, error)) (*Plan, []Problem) {
	t.Helper()
	return Parse(filepath.Join(dir, "serin.toml"), []byte(
		"[listen]\ntls = "+table+"\n[upstream.a]\nservers = [\"h:1\"]\n[route.r]\nupstream = \"a\"\n"), Options{Certificate: tell})
}

func TestCertificate_ChangeThatCannotBeUsed_IsToldOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "cert.pem")
	cert, key := issue(t, "one")
	put(t, path, cert, 3*time.Hour)
	put(t, filepath.Join(dir, "key.pem"), key, 3*time.Hour)
	var told []error
	plan, problems := serveTelling(t, dir, `{ cert = "cert.pem", key = "key.pem" }`, func(which string, err error) {
		if which != path {
			t.Errorf("told of %s", which)
		}
		told = append(told, err)
	})
	if plan == nil {
		t.Fatal(problems)
	}
	handshakes := func(n int) {
		t.Helper()
		for range n {
			if got, err := shake(t, plan.Listen[0].TLS, &tls.Config{InsecureSkipVerify: true}); got != "one" || err != nil {
				t.Fatalf("got %q, %v", got, err)
			}
		}
	}
	handshakes(1)
	put(t, path, []byte("no certificate"), 2*time.Hour)
	handshakes(3)
	if len(told) != 1 || told[0] == nil {
		t.Fatalf("told %v, want one error", told)
	}
	put(t, path, cert, time.Hour)
	handshakes(2)
	if len(told) != 2 || told[1] != nil {
		t.Errorf("told %v, want that the good one is served", told)
	}
}

func TestCertificate_ChangedFiles_AreServedWithoutAReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certPath, keyPath := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	cert, key := issue(t, "one")
	put(t, certPath, cert, 3*time.Hour)
	put(t, keyPath, key, 3*time.Hour)
	plan, problems := serve(t, dir, `{ cert = "cert.pem", key = "key.pem" }`)
	if plan == nil {
		t.Fatal(problems)
	}
	client := &tls.Config{InsecureSkipVerify: true}
	served := func(want string) {
		t.Helper()
		if got, err := shake(t, plan.Listen[0].TLS, client); got != want || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	served("one")
	cert, key = issue(t, "two")
	put(t, certPath, cert, 2*time.Hour)
	served("one") // the new chain does not fit the old key yet
	put(t, keyPath, key, 2*time.Hour)
	served("two")
	if err := os.Remove(certPath); err != nil {
		t.Fatal(err)
	}
	served("two")
}

func TestCertificate_ClientAuthority_RefusesStrangers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := issue(t, "server")
	known, knownKey := issue(t, "known")
	put(t, filepath.Join(dir, "cert.pem"), cert, 0)
	put(t, filepath.Join(dir, "key.pem"), key, 0)
	put(t, filepath.Join(dir, "ca.pem"), known, 0)
	plan, problems := serve(t, dir, `{ cert = "cert.pem", key = "key.pem", client_ca = "ca.pem" }`)
	if plan == nil {
		t.Fatal(problems)
	}
	if _, err := shake(t, plan.Listen[0].TLS, &tls.Config{InsecureSkipVerify: true}); err == nil {
		t.Error("a client without a certificate is let in")
	}
	pair, err := tls.X509KeyPair(known, knownKey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shake(t, plan.Listen[0].TLS, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}}); err != nil {
		t.Errorf("a known client is refused: %v", err)
	}
}

func TestCertificate_WhatCannotBeUsed_IsAProblem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := issue(t, "one")
	_, other := issue(t, "two")
	put(t, filepath.Join(dir, "cert.pem"), cert, 0)
	put(t, filepath.Join(dir, "key.pem"), key, 0)
	put(t, filepath.Join(dir, "other.pem"), other, 0)
	for _, table := range []string{
		`{ cert = "cert.pem", key = "other.pem" }`,
		`{ cert = "absent.pem", key = "key.pem" }`,
		`{ cert = "key.pem", key = "cert.pem" }`,
		`{ cert = "cert.pem", key = "key.pem", client_ca = "key.pem" }`,
		`{ cert = "cert.pem", key = "key.pem", client_ca = "absent.pem" }`,
	} {
		plan, problems := serve(t, dir, table)
		if plan != nil || len(problems) != 1 || problems[0].Key != "listen.tls" || problems[0].Line != 2 {
			t.Errorf("%s: got %v", table, problems)
		}
	}
}

func TestUpstreamTLS_Authority_IsReadAndMissedWhenAbsent(t *testing.T) {
	t.Parallel()
	cert, _ := issue(t, "upstream")
	text := []byte("[upstream.a]\nservers = [\"https://h:1\"]\ntls = { ca = \"ca.pem\" }\n[route.r]\nupstream = \"a\"\n")
	plan, problems := Parse("serin.toml", text, sealed(map[string]string{"ca.pem": string(cert)}, nil))
	if plan == nil || plan.Upstreams[0].TLS.RootCAs == nil {
		t.Errorf("got %v", problems)
	}
	plan, problems = Parse("serin.toml", text, sealed(nil, nil))
	if got := said(plan, problems); got != "serin.toml:3: upstream.a.tls: read authorities: open ca.pem: file does not exist\n" {
		t.Errorf("got %s", got)
	}
}

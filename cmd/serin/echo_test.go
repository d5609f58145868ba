package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The tests of the wire, of listeners and of restarts use upstreams in the test's own process, which tell what they got.

// echoed is what an echo upstream saw of a request.
type echoed struct {
	Target, Host, ServerName string
	Header                   http.Header
	Body                     int64
}

// startEcho serves an upstream on l, TLS if config is given, and returns its address as a configuration writes it.
// /slow answers when release is closed; /upgrade becomes a tunnel that echoes bytes.
func startEcho(t *testing.T, l net.Listener, config *tls.Config, release <-chan struct{}) string {
	t.Helper()
	scheme := map[bool]string{true: "https://"}[config != nil]
	address := scheme + l.Addr().String()
	if l.Addr().Network() == "unix" {
		address = "unix:" + l.Addr().String()
	}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			w.WriteHeader(http.StatusOK)
			http.NewResponseController(w).Flush()
			<-release
		case "/upgrade":
			echoTunnel(t, w)
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		e := echoed{Target: r.RequestURI, Host: r.Host, Header: r.Header, Body: n}
		if r.TLS != nil {
			e.ServerName = r.TLS.ServerName
		}
		_ = json.NewEncoder(w).Encode(e)
	})}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return address
}

func echoTunnel(t *testing.T, w http.ResponseWriter) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	go func() {
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		io.Copy(conn, buffered)
	}()
}

func listenTCP(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// shortDir is a folder whose sockets have short enough names.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "serin-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// plainRoute sends everything to one upstream.
const plainRoute = "[upstream.v1]\nservers = [%q]\n[route.all]\nupstream = \"v1\"\n"

// file writes serin.toml with the listen tables as given.
func (s site) file(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(s.dir, "serin.toml")
	text = fmt.Sprintf("%s\n[admin]\naddress = %q\n[state]\ndir = %q\n", text, s.admin, filepath.Join(s.dir, "state"))
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	return file
}

// wire is a client's connection, spoken raw.
type wireConn struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

// dialWire connects to "host:port" or "unix:/path".
func dialWire(t *testing.T, address string) *wireConn {
	t.Helper()
	network := "tcp"
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	return newWire(t, conn)
}

func newWire(t *testing.T, conn net.Conn) *wireConn {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(60 * time.Second))
	return &wireConn{t, conn, bufio.NewReader(conn)}
}

func (c *wireConn) send(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, s); err != nil {
		c.t.Fatalf("send %.60q: %v", s, err)
	}
}

// answer reads a response with its body.
func (c *wireConn) answer() (*http.Response, string) {
	c.t.Helper()
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatalf("read answer: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatalf("read body after %q: %v", body, err)
	}
	return resp, string(body)
}

// ask sends a request and wants the status.
func (c *wireConn) ask(request string, status int) echoed {
	c.t.Helper()
	c.send(request)
	resp, body := c.answer()
	if resp.StatusCode != status {
		c.t.Fatalf("%.80q answered %s %q, want %d", request, resp.Status, body, status)
	}
	var e echoed
	if status == http.StatusOK {
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			c.t.Fatalf("the upstream's answer %q: %v", body, err)
		}
	}
	return e
}

// ended wants the other side to close or reset without another byte.
func (c *wireConn) ended() {
	c.t.Helper()
	if b, err := io.ReadAll(c.r); len(b) > 0 {
		c.t.Fatalf("got %q (%v), want the end", b, err)
	}
}

const getRoot = "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"

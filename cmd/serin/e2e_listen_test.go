package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"serin/proxy/admin"
)

// edge is serin in front of one echo upstream.
type edge struct {
	*daemonProcess
	site     site
	upstream string
	release  chan struct{} // closed: /slow ends
}

// newEdge starts serin with listen tables; %q in them is the site's listen address.
func newEdge(t *testing.T, tables string) *edge {
	t.Helper()
	e := &edge{site: newSite(t), release: make(chan struct{})}
	e.upstream = startEcho(t, listenTCP(t), nil, e.release)
	e.daemonProcess = startDaemon(t, e.site, e.file(t, tables))
	return e
}

func (e *edge) file(t *testing.T, tables string) string {
	t.Helper()
	tables = strings.ReplaceAll(tables, "%q", fmt.Sprintf("%q", e.site.listen))
	return e.site.file(t, tables+"\n"+fmt.Sprintf(plainRoute, e.upstream))
}

// relisten puts other listen tables in force.
func (e *edge) relisten(tables string) error {
	e.t.Helper()
	e.file(e.t, tables)
	_, err := e.Client.Reload(context.Background())
	return err
}

func (e *edge) mustRelisten(tables string) {
	e.t.Helper()
	if err := e.relisten(tables); err != nil {
		e.t.Fatal(err)
	}
}

func (e *edge) dial() *wireConn {
	e.t.Helper()
	return dialWire(e.t, e.site.listen)
}

func (e *edge) refused(address string) {
	e.t.Helper()
	network := "tcp"
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	conn, err := net.Dial(network, address)
	if err == nil {
		conn.Close()
		e.t.Errorf("%s still listens", address)
	}
}

func TestE2E_Reload_ListenTermsApplyToNewConnectionsOnly(t *testing.T) {
	t.Parallel()
	e := newEdge(t, "[listen]\naddress = %q\n")
	large := "POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 2000\r\n\r\n" + strings.Repeat("x", 2000)
	forwarded := "GET / HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n"
	old := e.dial()
	old.ask(large, 200)
	e.mustRelisten(`[listen]
address = %q
trusted_proxies = ["127.0.0.0/8"]
fast_lane = false
timeout = { keep_alive = "50ms" }
limits = { body = "1KiB", fields = 8, target = "256B", head = "2KiB" }
`)
	if from := old.ask(forwarded, 200).Header.Get("X-Forwarded-For"); from != "127.0.0.1" {
		t.Errorf("an open connection is trusted after the reload: %q", from)
	}
	old.ask(large, 200)
	if from := e.dial().ask(forwarded, 200).Header.Get("X-Forwarded-For"); from != "203.0.113.9, 127.0.0.1" {
		t.Errorf("a new connection is not trusted after the reload: %q", from)
	}
	e.dial().ask(large, 413)
	e.dial().ask("GET /"+strings.Repeat("x", 300)+" HTTP/1.1\r\nHost: a\r\n\r\n", 414)
	e.dial().ask("GET / HTTP/1.1\r\nHost: a\r\n"+strings.Repeat("A: b\r\n", 8)+"\r\n", 431)
	short := e.dial()
	short.ask(getRoot, 200)
	short.ended()
	e.mustRelisten("[listen]\naddress = %q\nlimits = { per_ip = 2 }\n")
	surplus := e.dial() // the old connection counts, and so does the next
	if resp, _ := surplus.answer(); resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "1" {
		t.Errorf("a connection above the cap was answered %s %v", resp.Status, resp.Header)
	}
	surplus.ended()
	if text := e.metrics(); !strings.Contains(text, "\nserin_connections_refused_total 1\n") {
		t.Error("the connection above the cap is not counted")
	}
	old.Close()
}

func TestE2E_Reload_AddressesOpenBeforeTheyClose(t *testing.T) {
	t.Parallel()
	e := newEdge(t, "[listen]\naddress = %q\n")
	second := ownAddress(t)
	socket := "unix:" + shortDir(t) + "/front"
	slow, idle := e.dial(), e.dial()
	idle.ask(getRoot, 200)
	slow.send("GET /slow HTTP/1.1\r\nHost: shop.example\r\n\r\n")
	if _, err := slow.r.Peek(1); err != nil {
		t.Fatal(err)
	}
	e.mustRelisten(fmt.Sprintf("[[listen]]\naddress = %%q\n[[listen]]\naddress = %q\n[[listen]]\naddress = %q\n", second, socket))
	for _, address := range []string{e.site.listen, second, socket} {
		dialWire(t, address).ask(getRoot, 200)
	}
	e.mustRelisten(fmt.Sprintf("[listen]\naddress = %q\n", second))
	e.refused(e.site.listen)
	e.refused(socket)
	idle.ended()
	close(e.release)
	if resp, body := slow.answer(); resp.StatusCode != 200 || !strings.Contains(body, "/slow") {
		t.Errorf("the request under way on a closed address answered %s %q", resp.Status, body)
	}
	slow.ended()
	dialWire(t, second).ask(getRoot, 200)
}

func TestE2E_Reload_AddressThatCannotBeOpened_ChangesNothing(t *testing.T) {
	t.Parallel()
	e := newEdge(t, "[listen]\naddress = %q\n")
	taken := listenTCP(t)
	defer taken.Close()
	free := ownAddress(t)
	err := e.relisten(fmt.Sprintf("[[listen]]\naddress = %q\n[[listen]]\naddress = %q\n", free, taken.Addr()))
	var refused *admin.StatusError
	if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest || len(refused.Problems) != 1 {
		t.Fatalf("got %v, want 400 with one problem", err)
	}
	if p := refused.Problems[0]; p.Key != "listen.address" || !strings.Contains(p.Text, taken.Addr().String()) || !strings.Contains(p.Text, "in use") {
		t.Errorf("the problem reads %q", p.String())
	}
	e.refused(free)
	e.dial().ask(getRoot, 200)
	now, err := e.Client.Config(context.Background())
	if err != nil || strings.Contains(now.TOML, free) || !strings.Contains(now.TOML, e.site.listen) {
		t.Errorf("the configuration in force is another one (%v):\n%s", err, now.TOML)
	}
}

func TestE2E_Reload_LogLevelAppliesAtOnce(t *testing.T) {
	t.Parallel()
	at := func(level string) string {
		return fmt.Sprintf("[log]\nlevel = %q\n", level) + "[listen]\naddress = %q\n"
	}
	e := newEdge(t, at("error"))
	e.mustRelisten(at("info"))
	e.mustRelisten(at("error"))
	e.Signal(syscall.SIGTERM) // what it said is ours once it has ended
	said := e.log.String()
	for line, want := range map[string]bool{"listening": false, "configuration in force": true, "restart serin": false, "drained": false} {
		if strings.Contains(said, line) != want {
			t.Errorf("the log has %q: %v, want %v\n%s", line, !want, want, said)
		}
	}
}

func TestE2E_FiftyListenReloadsUnderLoad_NoRequestFails(t *testing.T) {
	t.Parallel()
	e := newEdge(t, "[listen]\naddress = %q\n")
	second := ownAddress(t)
	ctx, stop := context.WithCancel(context.Background())
	var sent, failed atomic.Int64
	var load sync.WaitGroup
	for i := range 8 {
		transport := &http.Transport{DisableKeepAlives: i%2 == 0}
		load.Go(func() {
			defer transport.CloseIdleConnections()
			for ctx.Err() == nil {
				sent.Add(1)
				if err := getOK(transport, "http://"+e.site.listen+"/basket"); err != nil && failed.Add(1) == 1 {
					t.Error(err)
				}
			}
		})
	}
	for i := range 50 {
		tables := fmt.Sprintf("[[listen]]\naddress = %%q\nlimits = { body = \"%dKiB\" }\ntrusted_proxies = [\"10.0.%d.0/24\"]\n", i+1, i)
		if i%2 == 0 {
			tables += fmt.Sprintf("[[listen]]\naddress = %q\n", second)
		}
		e.mustRelisten(tables)
		err := getOK(&http.Transport{DisableKeepAlives: true}, "http://"+second+"/")
		if i%2 == 0 && err != nil || i%2 == 1 && !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("reload %d: the second address answered %v", i, err)
		}
	}
	stop()
	load.Wait()
	t.Logf("%d requests during 50 reloads of listen, %d failed", sent.Load(), failed.Load())
}

// getOK asks once and wants 200 and a whole body.
func getOK(transport http.RoundTripper, url string) error {
	resp, err := (&http.Client{Transport: transport}).Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

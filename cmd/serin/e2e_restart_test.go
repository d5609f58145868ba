package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"serin/proxy/admin"
)

// constantLoad asks an address without pause, with fresh and with kept connections, until stopped.
type constantLoad struct {
	t            *testing.T
	stop         context.CancelFunc
	wg           sync.WaitGroup
	sent, failed atomic.Int64
	slowest      atomic.Int64 // nanoseconds
}

func startLoad(t *testing.T, address string) *constantLoad {
	ctx, stop := context.WithCancel(context.Background())
	l := &constantLoad{t: t, stop: stop}
	t.Cleanup(l.end)
	for i := range 16 {
		transport := &http.Transport{
			DisableKeepAlives: i%2 == 0,
			DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dialAny(ctx, address) },
		}
		l.wg.Go(func() {
			defer transport.CloseIdleConnections()
			for ctx.Err() == nil {
				began := time.Now()
				l.sent.Add(1)
				if err := getOK(transport, "http://shop.example/basket"); err != nil && l.failed.Add(1) <= 3 {
					t.Errorf("request %d: %v", l.sent.Load(), err)
				}
				for took := int64(time.Since(began)); ; {
					was := l.slowest.Load()
					if took <= was || l.slowest.CompareAndSwap(was, took) {
						break
					}
				}
			}
		})
	}
	return l
}

// until waits until n more requests were sent.
func (l *constantLoad) until(n int64) {
	l.t.Helper()
	goal := l.sent.Load() + n
	deadline := time.Now().Add(30 * time.Second)
	for l.sent.Load() < goal {
		if time.Now().After(deadline) {
			l.t.Fatalf("only %d of %d requests were answered", l.sent.Load(), goal)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func (l *constantLoad) end() { l.stop(); l.wg.Wait() }

func (l *constantLoad) report(what string) {
	l.end()
	l.t.Logf("%s: %d requests, %d failed, the slowest took %.0f ms", what, l.sent.Load(), l.failed.Load(), float64(l.slowest.Load())/1e6)
}

func dialAny(ctx context.Context, address string) (net.Conn, error) {
	network := "tcp"
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func TestE2E_Takeover_NewBinaryWaitsThenServes_NoRequestFails(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"tcp", "unix"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			e := &edge{site: newSite(t), release: make(chan struct{})}
			if kind == "unix" {
				e.site.listen = "unix:" + shortDir(t) + "/front"
			}
			e.upstream = startEcho(t, listenTCP(t), nil, e.release)
			file := e.file(t, "[listen]\naddress = %q\n")
			e.daemonProcess = startDaemon(t, e.site, file)
			load := startLoad(t, e.site.listen)
			for range 5 {
				load.until(200)
				next := launchDaemon(t, e.site, file)
				load.until(200)
				if code := e.Signal(syscall.SIGTERM); code != 0 {
					t.Errorf("the old one ended with %d", code)
				}
				next.awaitReady()
				e.daemonProcess = next
			}
			load.until(200)
			load.report("5 takeovers")
		})
	}
}

func TestE2E_Takeover_WeightAndAttemptGoOn(t *testing.T) {
	t.Parallel()
	s := stage(t, longLadder, 300, 0, 0)
	before := s.Follow(20*time.Second, func(ro admin.Rollout) bool { return ro.Weight == .05 && ro.Arms.Stable.Requests > 100 })
	next := launchDaemon(t, s.site, s.File)
	if code := s.Signal(syscall.SIGTERM); code != 0 {
		t.Errorf("the old one ended with %d", code)
	}
	next.awaitReady()
	after, err := next.Client.Rollout(context.Background(), "shop")
	if err != nil || after.Weight != before.Weight || after.Attempt != before.Attempt || after.Arms.Stable.Requests < before.Arms.Stable.Requests {
		t.Errorf("before: weight %v, attempt %d, %d requests; after: %v, %d, %d (%v)", before.Weight, before.Attempt,
			before.Arms.Stable.Requests, after.Weight, after.Attempt, after.Arms.Stable.Requests, err)
	}
	s.leave()
	if seen := s.load.Ledger(); seen.Failed != 0 {
		t.Errorf("%d of %d requests failed: %s", seen.Failed, seen.Sent, seen.FirstBroken)
	}
}

func TestE2E_SocketHeldByTheManager_RestartRefusesNobody(t *testing.T) {
	t.Parallel()
	e := &edge{site: newSite(t), release: make(chan struct{})}
	e.upstream = startEcho(t, listenTCP(t), nil, e.release)
	file := e.file(t, "[listen]\naddress = \"fd:serin\"\n")
	held := listenTCP(t)
	defer held.Close()
	socket, err := held.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	e.site.listen = held.Addr().String()
	e.daemonProcess = startDaemon(t, e.site, file, socket)
	load := startLoad(t, e.site.listen)
	for range 5 {
		load.until(200)
		if code := e.Signal(syscall.SIGTERM); code != 0 { // as systemctl restart does: the next starts when this one has ended
			t.Errorf("ended with %d", code)
		}
		e.daemonProcess = startDaemon(t, e.site, file, socket)
	}
	load.until(200)
	load.report("5 restarts")
}

func TestE2E_SocketHeldByTheManager_OneSlowRequestStopsNobody(t *testing.T) {
	t.Parallel()
	e := &edge{site: newSite(t), release: make(chan struct{})}
	e.upstream = startEcho(t, listenTCP(t), nil, e.release)
	held := listenTCP(t)
	defer held.Close()
	socket, err := held.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	e.site.listen = held.Addr().String()
	e.daemonProcess = startDaemon(t, e.site, e.file(t, "[listen]\naddress = \"fd:serin\"\n"), socket)
	slow := e.dial()
	slow.send("GET /slow HTTP/1.1\r\nHost: shop.example\r\n\r\n")
	if _, err := slow.r.Peek(1); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for time.Since(began) < 3*time.Second { // long after the last call
		if err := getOK(&http.Transport{DisableKeepAlives: true}, "http://"+e.site.listen+"/"); err != nil {
			t.Fatalf("after %v: %v", time.Since(began), err)
		}
	}
	close(e.release)
	if resp, body := slow.answer(); resp.StatusCode != http.StatusOK || !strings.Contains(body, "/slow") {
		t.Errorf("the request under way answered %s %q", resp.Status, body)
	}
	slow.Close()
	<-e.done
}

func TestE2E_SIGTERM_UnreadyFirstThenTheLastCall(t *testing.T) {
	t.Parallel()
	e := newEdge(t, "[listen]\naddress = %q\n")
	slow := e.dial()
	slow.send("GET /slow HTTP/1.1\r\nHost: shop.example\r\n\r\n")
	if _, err := slow.r.Peek(1); err != nil {
		t.Fatal(err)
	}
	ready := "http://" + e.Client.Address() + "/healthz/ready"
	if err := getOK(http.DefaultTransport, ready); err != nil {
		t.Fatal(err)
	}
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for getOK(http.DefaultTransport, ready) == nil { // until the signal has arrived
	}
	late := e.dial() // who knocks while the news spreads is served
	late.send(getRoot)
	if resp, _ := late.answer(); resp.StatusCode != http.StatusOK || !resp.Close {
		t.Errorf("a late request answered %s, close %v", resp.Status, resp.Close)
	}
	resp, err := http.Get(ready)
	if err != nil {
		t.Fatalf("readiness is not told during the drain: %v", err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("readiness says %s", resp.Status)
	}
	if _, err := e.Client.Act(context.Background(), "shop", "pause", admin.Act{}); err == nil {
		t.Error("a draining serin takes acts")
	}
	for { // until the last call is over
		conn, err := net.Dial("tcp", e.site.listen)
		if err != nil {
			break
		}
		conn.Close()
	}
	close(e.release)
	if resp, body := slow.answer(); resp.StatusCode != http.StatusOK || !strings.Contains(body, "/slow") {
		t.Errorf("the request under way answered %s %q", resp.Status, body)
	}
	<-e.done
	if code := e.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

func TestE2E_SIGTERM_TunnelLivesUntilTheDeadline(t *testing.T) {
	t.Parallel()
	e := newEdge(t, "[listen]\naddress = %q\n")
	tunnel := e.dial()
	tunnel.send("GET /upgrade HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	if resp, err := http.ReadResponse(tunnel.r, nil); err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got %v, %v, want a tunnel", resp, err)
	}
	began := time.Now()
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4)
	for time.Since(began) < drainWithin-5*time.Second {
		tunnel.send("ping")
		if _, err := io.ReadFull(tunnel.r, buf); err != nil || string(buf) != "ping" {
			t.Fatalf("after %v: %q, %v", time.Since(began), buf, err)
		}
		<-time.After(100 * time.Millisecond)
	}
	if _, err := tunnel.r.ReadByte(); err == nil {
		t.Error("a byte that nobody sent")
	}
	<-e.done
	took := time.Since(began)
	if code := e.cmd.ProcessState.ExitCode(); code != 0 || took < drainWithin-time.Second || took > drainWithin+10*time.Second {
		t.Errorf("exit %d after %v, want 0 after about %v", code, took, drainWithin)
	}
}

func TestE2E_SecondSignal_EndsAtOnce(t *testing.T) {
	t.Parallel()
	e := newEdge(t, "[listen]\naddress = %q\n")
	slow := e.dial()
	slow.send("GET /slow HTTP/1.1\r\nHost: shop.example\r\n\r\n")
	if _, err := slow.r.Peek(1); err != nil {
		t.Fatal(err)
	}
	ready := "http://" + e.Client.Address() + "/healthz/ready"
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for getOK(http.DefaultTransport, ready) == nil { // until the first has arrived
	}
	began := time.Now()
	e.Signal(syscall.SIGTERM)
	if took := time.Since(began); took > 5*time.Second || e.cmd.ProcessState.Success() {
		t.Errorf("ended after %v, success %v", took, e.cmd.ProcessState.Success())
	}
	close(e.release)
}

func TestE2E_WaitForTheState_EndsClearly(t *testing.T) {
	t.Parallel()
	e := newEdge(t, "[listen]\naddress = %q\n")
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	out, code := runBinary(t, path, "run", "-c", e.File, "--wait", "300ms")
	if took := time.Since(began); took < 300*time.Millisecond || code != 1 {
		t.Errorf("exit %d after %v", code, took)
	}
	for _, want := range []string{"waiting for the state directory", fmt.Sprintf("process %d", e.cmd.Process.Pid), "hint: state.dir"} {
		if !strings.Contains(out, want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
	waiting := exec.Command(path, "run", "-c", e.File)
	if err := waiting.Start(); err != nil {
		t.Fatal(err)
	}
	<-time.After(200 * time.Millisecond)
	if err := waiting.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := waiting.Wait(); !errors.As(err, &exit) {
		t.Errorf("a signal while waiting: %v", err)
	}
	e.dial().ask(getRoot, 200)
}

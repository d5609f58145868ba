package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// latencies asks the proxy n times on one connection and returns the times, sorted.
func (e *edge) latencies(n int) []time.Duration {
	e.t.Helper()
	c := e.dial()
	took := make([]time.Duration, n)
	for i := range took {
		began := time.Now()
		c.ask(getRoot, 200)
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took
}

func TestE2E_AdminFlooded_RequestsAreServedAsBefore(t *testing.T) {
	t.Parallel()
	e := newEdge(t, "[listen]\naddress = %q\n")
	address := e.Client.Address()
	calm := e.latencies(1000)
	ctx, stop := context.WithCancel(context.Background())
	var flood sync.WaitGroup
	defer flood.Wait()
	defer stop()
	for range 1000 { // subscribers that never read
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "GET /v1/events HTTP/1.1\r\nHost: "+address+"\r\n\r\n")
	}
	var asked atomic.Int64
	for i := range 4 {
		flood.Go(func() {
			transport := &http.Transport{DisableKeepAlives: i%2 == 0}
			defer transport.CloseIdleConnections()
			for ctx.Err() == nil {
				_ = getOK(transport, "http://"+address+"/metrics")
				asked.Add(1)
			}
		})
	}
	flooded := e.latencies(1000)
	for asked.Load() < 100 {
		flooded = e.latencies(1000)
	}
	at := func(d []time.Duration, q float64) string {
		return fmt.Sprintf("%.2f", float64(d[int(q*float64(len(d)-1))])/1e6)
	}
	t.Logf("ms at p50, p99, most: calm %s %s %s; with 1,000 silent subscribers and %d scrapes %s %s %s",
		at(calm, .5), at(calm, .99), at(calm, 1), asked.Load(), at(flooded, .5), at(flooded, .99), at(flooded, 1))
	if open := e.descriptors(); open > 620 { // the admin API's share of 512, and the data listener's
		t.Errorf("the daemon has %d descriptors open", open)
	}
	if limit := max(50*time.Millisecond, 20*calm[len(calm)/2]); flooded[len(flooded)/2] > limit { // the flood shares the test's processors
		t.Errorf("half of the requests took %v and more, calm %v", flooded[len(flooded)/2], calm[len(calm)/2])
	}
}

// descriptors is how many the daemon has open.
func (d *daemonProcess) descriptors() int {
	d.t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	return len(open)
}

func TestE2E_Admin_RawRequestsThatAPageCouldSend_AreRefused(t *testing.T) {
	t.Parallel()
	s := stage(t, longLadder, 1, 0, 0)
	address := s.Client.Address()
	const body = "\r\nContent-Length: 2\r\n\r\n{}"
	const json = "\r\nContent-Type: application/json"
	post := "POST /v1/rollouts/shop/pause HTTP/1.1\r\nHost: " + address
	tests := []struct {
		name, request string
		status        int
	}{
		{"its own address", "GET /v1/rollouts HTTP/1.1\r\nHost: " + address + "\r\n\r\n", 200},
		{"another host", "GET /v1/rollouts HTTP/1.1\r\nHost: evil.test\r\n\r\n", 403},
		{"another host with our port", "GET /v1/rollouts HTTP/1.1\r\nHost: evil.test:" + address[strings.LastIndex(address, ":")+1:] + "\r\n\r\n", 403},
		{"absolute form of another host", "GET http://evil.test/v1/rollouts HTTP/1.1\r\nHost: " + address + "\r\n\r\n", 403},
		{"no host", "GET /v1/rollouts HTTP/1.1\r\n\r\n", 400},
		{"two hosts", "GET /v1/rollouts HTTP/1.1\r\nHost: " + address + "\r\nHost: evil.test\r\n\r\n", 400},
		{"write of another origin", post + json + "\r\nOrigin: http://evil.test" + body, 403},
		{"write of the null origin", post + json + "\r\nOrigin: null" + body, 403},
		{"write across sites", post + json + "\r\nSec-Fetch-Site: cross-site" + body, 403},
		{"write from a sibling site", post + json + "\r\nSec-Fetch-Site: same-site" + body, 403},
		{"write as a form", post + "\r\nContent-Type: application/x-www-form-urlencoded" + body, 415},
		{"write as text", post + "\r\nContent-Type: text/plain" + body, 415},
		{"write without a type", post + body, 415},
		{"write encoded", post + json + "\r\nContent-Encoding: gzip" + body, 415},
		{"body of 2 MiB", post + json + "\r\nContent-Length: 2097152\r\n\r\n" + strings.Repeat(" ", 2<<20), 413},
		{"unlimited body", post + json + "\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" + strings.Repeat(" ", 2<<20) + "\r\n0\r\n\r\n", 413},
		{"effect by GET", "GET /v1/rollouts/shop/pause HTTP/1.1\r\nHost: " + address + "\r\n\r\n", 405},
		{"script of its own page", post + json + "\r\nOrigin: http://" + address + "\r\nSec-Fetch-Site: same-origin" + body, 200},
	}
	for _, tt := range tests {
		c := dialWire(t, address)
		_, _ = io.WriteString(c.Conn, tt.request) // refused before its end, perhaps
		resp, err := http.ReadResponse(c.r, nil)
		if err != nil || resp.StatusCode != tt.status {
			t.Errorf("%s: got %v, %v, want %d", tt.name, resp, err, tt.status)
		}
	}
}

func TestE2E_Admin_PublicAddress_IsRefused(t *testing.T) {
	t.Parallel()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"0.0.0.0:9180", ":9180", "[::]:9180", "192.0.2.1:9180", "admin.example:9180"} {
		s := newSite(t)
		s.admin = address
		file := s.file(t, fmt.Sprintf("[listen]\naddress = %q\n"+plainRoute, s.listen, "127.0.0.1:1"))
		out, code := runBinary(t, path, "run", "-c", file)
		if code != 78 || !strings.Contains(out, "admin.address") {
			t.Errorf("%s: exit %d\n%s", address, code, out)
		}
	}
}

func TestE2E_AdminSocket_ServesItsUserOnly(t *testing.T) {
	t.Parallel()
	e := &edge{site: newSite(t), upstream: "127.0.0.1:1"}
	dir := shortDir(t)
	path := dir + "/admin"
	e.site.admin = "unix:" + path
	e.daemonProcess = startDaemon(t, e.site, e.file(t, "[listen]\naddress = %q\n"))
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the socket's mode is %v (%v), want 600", info.Mode(), err)
	}
	if _, err := e.Client.Rollouts(context.Background()); err != nil {
		t.Fatalf("its own user is refused: %v", err)
	}
	if os.Geteuid() == 0 { // only root can be somebody else; the rule itself is tested in proxy/admin
		e.expectStrangerRefused(dir, path)
	}
	if code := e.Signal(syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d", code)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket is still there")
	}
}

// expectStrangerRefused connects as nobody, once the mode no longer keeps him out.
func (e *edge) expectStrangerRefused(dir, path string) {
	e.t.Helper()
	for name, mode := range map[string]os.FileMode{dir: 0o755, path: 0o666} {
		if err := os.Chmod(name, mode); err != nil {
			e.t.Fatal(err)
		}
	}
	copied := dir + "/dialer"
	binary, err := os.ReadFile(os.Args[0])
	if err != nil {
		e.t.Fatal(err)
	}
	if err := os.WriteFile(copied, binary, 0o755); err != nil {
		e.t.Fatal(err)
	}
	stranger := exec.Command(copied)
	stranger.Dir = dir
	stranger.Env = []string{dialerEnv + "=" + path}
	stranger.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := stranger.CombinedOutput()
	if err != nil || string(out) != "connected, closed\n" {
		e.t.Errorf("a stranger got %q, %v, want to be closed at once", out, err)
	}
}

// dialerEnv makes the test binary ask a unix socket for the rollouts.
const dialerEnv = "SERIN_TEST_DIAL"

func dialerMain(path string) int {
	conn, err := net.Dial("unix", path)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET /v1/rollouts HTTP/1.1\r\nHost: serin\r\n\r\n")
	answer, _ := io.ReadAll(io.LimitReader(conn, 1))
	if len(answer) > 0 {
		fmt.Println("connected, answered")
		return 0
	}
	fmt.Println("connected, closed")
	return 0
}

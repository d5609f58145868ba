package chaos

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// endless answers with bytes until nobody takes them.
func endless(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000000000")
	piece := make([]byte, 64<<10)
	for {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

// frugal keeps the kernel from lending a connection's other end megabytes to send from, as it does over loopback, where a
// segment has 64 KiB: 400 of them took 1.5 GB of what the kernel has for all TCP connections (tcp_mem), and when that is used
// up it drops what others beside receive, until their answers are late by seconds.
func frugal(_, _ string, raw syscall.RawConn) error {
	var err error
	return errors.Join(raw.Control(func(fd uintptr) {
		err = errors.Join(
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 1460), // as over Ethernet
			syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10))
	}), err)
}

// stall asks for an endless answer and reads none of it: a large buffer of serin's waits to be written.
func stall(t *testing.T, i int, address string) net.Conn {
	t.Helper()
	d := dialerFrom(i)
	d.Control = frugal
	conn, err := d.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /endless HTTP/1.1\r\nHost: shop.test\r\nX-User-Id: u1\r\n\r\n")
	return conn
}

// More than memory holds is asked for: new requests are shed, idle connections closed, and all is well again once those
// who hold the memory are cut.
func TestCrowd_MemoryShort_ShedsClosesTheIdleAndRecovers(t *testing.T) {
	t.Parallel()
	const memoryMiB, clients = 64, 400 // at 256 KiB each they want 100 MiB
	s, service := newCrowdSite(t, "timeout = { write_idle = \"6s\" }\n[limits]\nmemory = \"64MiB\"")
	service.extra, service.sendBuffer = http.HandlerFunc(endless), 64<<10
	d := start(t, s)
	base := d.warm()
	idle := gather(t, s.listen, 1)
	defer scatter(idle)
	var stalled []net.Conn
	defer func() { scatter(stalled) }()
	for i := range clients {
		stalled = append(stalled, stall(t, i, s.listen))
	}
	shed := false
	for until := time.Now().Add(10 * time.Second); !shed && time.Now().Before(until); <-time.After(50 * time.Millisecond) {
		c := newClient(s.listen)
		o := c.do(get(100))
		shed = o.Status == http.StatusServiceUnavailable
		c.close()
	}
	if !shed {
		t.Error("nobody was shed")
	}
	head := retryAfter(t, s.listen)
	worst := d.vitals()
	t.Logf("%d clients that do not read: %v, from %v", clients, worst, base)
	if !strings.Contains(head, "\r\nRetry-After: 1\r\n") {
		t.Errorf("shed with %q", head)
	}
	if most := base.RSS + 2*memoryMiB<<10; worst.RSS > most && !*withRace {
		t.Errorf("%d KiB are resident, want at most %d", worst.RSS, most)
	}
	_ = idle[0].SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := idle[0].Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("the idle connection was left open: %v", err)
	}
	recovered := false
	for until := time.Now().Add(30 * time.Second); !recovered && time.Now().Before(until); <-time.After(100 * time.Millisecond) {
		c := newClient(s.listen)
		o := c.do(get(100))
		recovered = o.Status == http.StatusOK && o.whole()
		c.close()
	}
	if !recovered {
		t.Error("serin still sheds after those who held its memory were cut")
	}
	d.back(base)
	m := d.metrics()
	upstreams := 0.0 // on a busy machine some of the 400 do not get through to the service in time
	for name, value := range m {
		if strings.HasPrefix(name, "serin_upstream_errors_total") {
			upstreams += value
		}
	}
	if n := m.requests("stable", "5xx"); n > upstreams {
		t.Errorf("%v failures were counted against the arm, %v were its own", n, upstreams)
	}
	if n := m["serin_requests_refused_total"]; n == 0 {
		t.Error("who was shed is counted nowhere")
	}
}

// retryAfter is the head of an answer to a request that is shed.
func retryAfter(t *testing.T, address string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
	var b strings.Builder
	for in := bufio.NewReader(conn); !strings.HasSuffix(b.String(), "\r\n\r\n"); {
		line, err := in.ReadString('\n')
		b.WriteString(line)
		if err != nil {
			break
		}
	}
	return b.String()
}

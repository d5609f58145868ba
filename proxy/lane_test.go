package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"serin/proxy/upstream"
	"serin/router"
)

// asked is how many requests of the connected clients went by the lane.
func (r *rig) asked() (n uint) {
	r.proxy.each(func(c *client) { n += c.byLane })
	return n
}

func TestLane_WhoMayTakeIt(t *testing.T) {
	t.Parallel()
	const body = "Content-Length: 5\r\n\r\nhello"
	f := func(request string, strict, used bool, want uint) {
		t.Helper()
		up := listenLocal(t)
		r := newRig(t, rigOptions{stable: up, serve: ServeOptions{Strict: strict}})
		var server *peer
		if used {
			server = r.use(t, up)
		}
		client := r.dial()
		client.send(request)
		if server == nil {
			server = accept(t, up)
		}
		server.head()
		server.send(nothing)
		wantStatus(t, client.head(), 204)
		if got := r.asked(); got != want {
			t.Errorf("%.40q, strict %v, used connection %v: %d requests by the lane, want %d", request, strict, used, got, want)
		}
	}
	f(get, false, true, 1)
	f(get, false, false, 0)
	f(get, true, true, 0)
	f(post+body, false, true, 1)
	f(post+"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", false, true, 1)
	f(strings.Replace(get, "\r\n\r\n", "\r\nTE: trailers\r\n\r\n", 1), false, true, 0) // not plain
}

func TestLane_ConnectionThatIsNotQuiet_IsReplacedUnseen(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(*peer){
		"end":   func(p *peer) { _ = p.Close() },
		"bytes": func(p *peer) { p.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n") },
		"reset": func(p *peer) { p.reset() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := listenLocal(t)
			r := newRig(t, rigOptions{stable: up})
			var used []*peer // several, so that one replacement is not enough
			for range 5 {
				client := r.dial()
				client.send(get)
				used = append(used, accept(t, up))
				used[len(used)-1].head()
				defer client.head()
			}
			for _, p := range used {
				p.send(nothing)
			}
			eventually(t, func() bool { return r.snapshot.Pools[0].Status().Servers[0].Idle == len(used) },
				func() string { return "the connections did not come back" })
			for _, p := range used {
				disturb(p)
			}
			time.Sleep(10 * time.Millisecond) // the kernel's: a FIN on loopback takes some microseconds
			client := r.dial()
			client.send(post + "Content-Length: 5\r\n\r\nhello")
			server := accept(t, up)
			wantField(t, server.head(), "Content-Length: 5")
			server.expect("hello")
			server.send(ok5)
			wantStatus(t, client.head(), 200)
			status := r.snapshot.Pools[0].Status().Servers[0]
			if status.Requests != uint64(len(used)+1) || status.Connections != 1 || len(status.Errors) != 0 {
				t.Errorf("got %+v, want %d requests, one connection and no error", status, len(used)+1)
			}
		})
	}
}

// answers are what FuzzLane's upstream says to a request; it closes after those that begin with "!".
var answers = []string{
	ok5,
	nothing,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
	"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok5,
	ok5 + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nothers",
	"HTTP/1.1 500 Oh\r\nX-A: 1\r\n folded\r\nContent-Length: 0\r\n\r\n",
	"!HTTP/1.1 200 OK\r\n\r\nhello",
	"!HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
	"!HTTP/1.1 200 OK\r\nContent-",
	"!nonsense\r\n\r\n",
	"!",
}

// recorder is an upstream that keeps what it was asked and answers all of it in one way.
type recorder struct {
	net.Listener
	mu       sync.Mutex
	requests []string
	answer   string
}

// newRecorder listens on a unix socket: fuzzing would run out of TCP ports.
func newRecorder(t testing.TB) *recorder {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "up"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	r := &recorder{Listener: l}
	go func() {
		for {
			conn, err := r.Accept()
			if err != nil {
				return
			}
			go r.serve(conn)
		}
	}()
	return r
}

func (r *recorder) serve(conn net.Conn) {
	defer conn.Close()
	var raw bytes.Buffer
	in := bufio.NewReader(io.TeeReader(conn, &raw))
	for {
		request, err := http.ReadRequest(in)
		if err == nil {
			_, err = io.Copy(io.Discard, request.Body)
		}
		if err != nil {
			return // the proxy closed, or broke a request off
		}
		text, closing := strings.CutPrefix(r.note(raw.String()), "!")
		raw.Reset()
		if _, err := io.WriteString(conn, text); err != nil || closing {
			return
		}
	}
}

// note keeps a request and says how to answer it.
func (r *recorder) note(request string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, request)
	return r.answer
}

// prepare sets the answer and forgets what was asked before, which is returned.
func (r *recorder) prepare(answer string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	requests := r.requests
	r.requests, r.answer = nil, answer
	return requests
}

// door is one of two proxies that differ by the fast lane only.
type door struct {
	*rig
	up *recorder
}

func newDoor(t testing.TB, strict bool) door {
	up := newRecorder(t)
	return door{newRig(t, rigOptions{stable: up, canary: up, weight: 5000, expose: true, force: "Serin-Arm",
		serve: ServeOptions{Strict: strict, Body: 1 << 20},
		spec:  func(s *upstream.Spec) { s.Retry.Budget = 1e9 }}), up}
}

// ids are what differs from request to request.
var ids = regexp.MustCompile(`(?i)(traceparent: 00-|x-request-id: )[0-9a-f-]+`)

// dates are, from second to second.
var dates = regexp.MustCompile(`\r\nDate: [^\r]* GMT\r\n`)

// pass sends in on a new connection, the upstream's connections having been used before, and returns all that was seen.
func (d door) pass(t testing.TB, in []byte, answer string) string {
	d.up.prepare(nothing)
	for _, arm := range []router.Arm{router.Stable, router.Canary} {
		d.talk(t, []byte("GET / HTTP/1.1\r\nHost: shop\r\nSerin-Arm: "+arm.String()+"\r\n\r\n"))
	}
	d.up.prepare(answer)
	reply := dates.ReplaceAllString(d.talk(t, in), "\r\nDate: now\r\n")
	asked := d.up.prepare("")
	for i := range asked {
		asked[i] = ids.ReplaceAllString(asked[i], "$1")
	}
	eventually(t, func() bool { return d.proxy.Connections() == 0 }, func() string { return "a client's connection is left" })
	totals := d.proxy.Totals()
	return fmt.Sprintf("upstream was asked %q\nclient was told %q\ncounted %v %v, refused %d",
		asked, reply, totals.Splits[0].Arms[0].Outcomes, totals.Splits[0].Arms[1].Outcomes, totals.Refused)
}

// talk sends in, half-closes and returns the answer, followed by how the connection ended when that was no end.
func (d door) talk(t testing.TB, in []byte) string {
	conn, err := net.Dial("tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = conn.Write(in) // it may be refused half way
	_ = conn.(*net.TCPConn).CloseWrite()
	reply, err := io.ReadAll(conn)
	_ = conn.(*net.TCPConn).SetLinger(0) // leaves the port free
	if err != nil {
		if strings.Contains(err.Error(), "timeout") {
			t.Fatalf("no end after %q", reply)
		}
		return string(reply) + " and a reset"
	}
	return string(reply)
}

func FuzzLane(f *testing.F) {
	chunked := post + "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n"
	for _, in := range []string{
		get, get + get, post + "Content-Length: 5\r\n\r\nhello", post + "Content-Length: 9\r\n\r\nhello", chunked, chunked + get,
		getClose, "HEAD" + get[len("GET"):], "GET / HTTP/1.0\r\n\r\n", "GET http://a/b?c HTTP/1.1\r\nHost: shop\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: shop\r\nMax-Forwards: 1\r\n\r\n", "GET /%2e%2E//a HTTP/1.1\r\nHost: shop\r\nX-User-Id: é\r\n\r\n",
		post + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", "PUT / HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\nX: 1\r\n\r\n",
		strings.Repeat("\r\n", 3) + get + post + "Content-Length: 0\r\n\r\n", "GET / HTTP/1.1\r\nHost: shop\r\nSerin-Arm: canary\r\n\r\n" + get,
	} {
		for i := range answers {
			f.Add([]byte(in), uint8(i))
		}
	}
	lane, full := newDoor(f, false), newDoor(f, true)
	f.Fuzz(func(t *testing.T, in []byte, answer uint8) {
		if len(in) > 8<<10 {
			t.Skip("longer than what is sure to be read at once")
		}
		text := answers[int(answer)%len(answers)]
		got, want := lane.pass(t, in, text), full.pass(t, in, text)
		if got != want {
			t.Errorf("after %q, by the lane:\n%s\nby the full door:\n%s", in, got, want)
		}
	})
}

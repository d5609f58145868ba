package chaos

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// handshake is a WebSocket request that a raw test sends with the bytes of its first frames behind it.
const handshake = "GET /raw%s HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-User-Id: u1\r\nX-Serin-Arm: %s\r\n\r\n"

// errSaid carries what a raw service heard up to the end of the client's side.
type errSaid string

func (e errSaid) Error() string { return string(e) }

// rawTunnel greets in the same segment as its 101, echoes, and says goodbye when the client's side has ended. With ?ends
// it ends its own side after the greeting and only listens.
func rawTunnel(w http.ResponseWriter, r *http.Request, arm string) error {
	conn, in, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Arm: "+arm+"\r\n\r\ngreetings;")
	if err != nil {
		return err
	}
	if r.URL.RawQuery == "ends" {
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			return err
		}
		all, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		return errSaid(all)
	}
	var all strings.Builder
	b := make([]byte, 4096)
	for {
		n, err := in.Read(b)
		all.Write(b[:n])
		if _, failed := conn.Write(b[:n]); failed != nil {
			return failed
		}
		if errors.Is(err, io.EOF) {
			_, _ = io.WriteString(conn, ";goodbye")
			return errSaid(all.String())
		}
		if err != nil {
			return err
		}
	}
}

// rawClient is a connection that has shaken hands.
type rawClient struct {
	*net.TCPConn
	in *bufio.Reader
}

// connect sends a handshake with first behind it in the same write, and reads the 101.
func (p *peers) connect(query, arm, first string) rawClient {
	p.t.Helper()
	conn, err := net.Dial("tcp", p.site.listen)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(60 * time.Second))
	if _, err := fmt.Fprintf(conn, handshake+"%s", query, arm, first); err != nil {
		p.t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		p.t.Fatalf("the handshake was answered by %+v, %v", resp, err)
	}
	return rawClient{conn.(*net.TCPConn), in}
}

// expect reads exactly want.
func (c rawClient) expect(t *testing.T, want string) {
	t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(c.in, got)
	if string(got[:n]) != want {
		t.Fatalf("got %q, %v, want %q", got[:n], err, want)
	}
}

func (c rawClient) say(t *testing.T, s string) {
	t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		t.Fatal(err)
	}
}

func TestTunnel_FramesBehindTheHandshake_GoFirstBothWays(t *testing.T) {
	t.Parallel()
	p := newPeers(t, "")
	for _, arm := range []string{"stable", "canary"} {
		first := strings.Repeat("first frame ", 2000) // more than a buffer
		c := p.connect("", arm, first)
		c.expect(t, "greetings;"+first)
		c.say(t, "and more")
		c.expect(t, "and more")
		c.CloseWrite()
		<-p.endings
	}
}

func TestTunnel_ClientHalfCloses_StillHearsTheService(t *testing.T) {
	t.Parallel()
	p := newPeers(t, "")
	c := p.connect("", "stable", "words")
	c.CloseWrite()
	c.expect(t, "greetings;words;goodbye")
	if rest, err := io.ReadAll(c.in); len(rest) != 0 || err != nil {
		t.Errorf("after the goodbye came %q, %v, want an end", rest, err)
	}
	if got := <-p.endings; got != errSaid("words") {
		t.Errorf("the service heard %q", got)
	}
}

func TestTunnel_ServiceHalfCloses_StillHearsTheClient(t *testing.T) {
	t.Parallel()
	p := newPeers(t, "")
	c := p.connect("?ends", "canary", "words")
	c.expect(t, "greetings;")
	if rest, err := io.ReadAll(c.in); len(rest) != 0 || err != nil {
		t.Fatalf("after the greeting came %q, %v, want an end", rest, err)
	}
	c.say(t, ", and words after the end")
	c.CloseWrite()
	if got := <-p.endings; got != errSaid("words, and words after the end") {
		t.Errorf("the service heard %q", got)
	}
}

func TestTunnel_ClientResets_ServiceLearnsOfIt(t *testing.T) {
	t.Parallel()
	p := newPeers(t, "")
	c := p.connect("", "stable", "")
	c.expect(t, "greetings;")
	c.SetLinger(0)
	c.Close()
	select {
	case err := <-p.endings:
		t.Logf("the service saw %v", err)
	case <-time.After(20 * time.Second):
		t.Error("the service never learnt that its client is gone")
	}
}

func TestTunnel_NobodySaysAnything_EndsAtTheIdleLimit(t *testing.T) {
	t.Parallel()
	p := newPeers(t, `timeout = { tunnel_idle = "1s" }`)
	c := p.connect("", "stable", "")
	c.expect(t, "greetings;")
	for range 4 { // one side talks: that is not idle
		<-time.After(500 * time.Millisecond)
		c.say(t, ".")
		c.expect(t, ".")
	}
	began := time.Now()
	_, err := io.ReadAll(c.in)
	took := time.Since(began)
	if took < 900*time.Millisecond || took > slack {
		t.Errorf("the tunnel ended after %v with %v, want 1 s", took, err)
	}
	<-p.endings
}

func TestTunnel_WeightGoesToZero_TunnelStaysOnItsArm(t *testing.T) {
	t.Parallel()
	p := newPeers(t, "")
	c := p.connect("", "canary", "")
	c.expect(t, "greetings;")
	for _, verb := range []string{"rollback", "retry"} {
		p.act(verb)
		c.say(t, "still here after "+verb)
		c.expect(t, "still here after "+verb)
	}
	if p.v2.connections() == 0 {
		t.Error("the canary's service has lost the tunnel")
	}
	c.CloseWrite()
	if got := <-p.endings; got != errSaid("still here after rollbackstill here after retry") {
		t.Errorf("the service heard %q", got)
	}
}

func TestTunnel_SIGTERM_TunnelsLiveOnAndAreCutAtTheDeadline(t *testing.T) {
	t.Parallel()
	p := newPeers(t, "")
	leaves, stays := p.connect("", "stable", ""), p.connect("", "canary", "")
	began := time.Now()
	p.signal(syscall.SIGTERM)
	for range 4 {
		<-time.After(500 * time.Millisecond)
		for _, c := range []rawClient{leaves, stays} {
			c.say(t, "in the drain")
		}
	}
	leaves.CloseWrite()
	leaves.expect(t, "greetings;"+strings.Repeat("in the drain", 4)+";goodbye")
	stays.expect(t, "greetings;"+strings.Repeat("in the drain", 4))
	if *full { // else the deadline, 30 s, is not waited for
		_, err := io.ReadAll(stays.in)
		cut := time.Since(began)
		t.Logf("cut after %v with %v", cut, err)
		if cut < 29*time.Second || cut > 40*time.Second {
			t.Errorf("cut after %v, want 30 s", cut)
		}
	}
	stays.Close()
	if code := p.ended(20 * time.Second); code != 0 {
		t.Errorf("exit %d, want 0", code)
	}
}

func TestTunnel_SecondSignal_EndsAtOnce(t *testing.T) {
	t.Parallel()
	p := newPeers(t, "")
	c := p.connect("", "stable", "")
	c.expect(t, "greetings;")
	p.signal(syscall.SIGTERM)
	for !strings.Contains(p.log.String(), `"draining"`) {
		<-time.After(10 * time.Millisecond)
	}
	p.signal(syscall.SIGTERM)
	p.ended(10 * time.Second)
}

func TestTunnel_ItsUpstreamLeavesTheConfiguration_CutAtTheDeadline(t *testing.T) {
	t.Parallel()
	p := newPeers(t, "")
	c := p.connect("", "canary", "")
	c.expect(t, "greetings;")
	p.site.config(t, "", fmt.Sprintf(tunnelling, p.v1.address, p.v1.address))
	if _, err := p.api.Reload(context.Background()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for range 4 {
		<-time.After(250 * time.Millisecond)
		c.say(t, "still here")
		c.expect(t, "still here")
	}
	if !*full { // else the deadline, two minutes, is not waited for
		return
	}
	c.SetDeadline(time.Now().Add(4 * time.Minute))
	_, err := io.ReadAll(c.in)
	cut := time.Since(began)
	t.Logf("cut after %v with %v", cut, err)
	if cut < 119*time.Second || cut > 140*time.Second {
		t.Errorf("cut after %v, want two minutes", cut)
	}
}

package chaos

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"
)

// tunnelling is a rollout between two WebSocket services, each reached by the force header.
const tunnelling = `
[upstream.v1]
servers = [%q]
[upstream.v2]
servers = [%q]
[rollout.shop]
stable = "v1"
canary = "v2"
key    = ["header:X-User-Id"]
force  = { header = "X-Serin-Arm" }
ladder = ["50%%", "100%%"]
every  = "1h"
[[rollout.shop.gate]]
metric   = "error_rate"
hold     = "stable + 1pt"
`

// peers is serin between two services that speak WebSocket by both libraries.
type peers struct {
	*daemon
	v1, v2  *service
	endings chan error // how tunnels ended for the service
}

const (
	largest = 16 << 20    // bytes of a message
	limit   = 2 * largest // compressing noise makes it longer
)

func newPeers(t *testing.T, listen string) *peers {
	t.Helper()
	p := &peers{endings: make(chan error, 100)}
	p.v1, p.v2 = startService(t, "v1", newArchive()), startService(t, "v2", newArchive())
	for _, s := range []*service{p.v1, p.v2} {
		mux := http.NewServeMux()
		mux.HandleFunc("/gorilla", func(w http.ResponseWriter, r *http.Request) { p.endings <- echoGorilla(w, r, s.arm) })
		mux.HandleFunc("/coder", func(w http.ResponseWriter, r *http.Request) { p.endings <- echoCoder(w, r, s.arm) })
		mux.HandleFunc("/raw", func(w http.ResponseWriter, r *http.Request) { p.endings <- rawTunnel(w, r, s.arm) })
		s.extra = mux
	}
	s := newSite(t)
	s.config(t, listen, fmt.Sprintf(tunnelling, p.v1.address, p.v2.address))
	p.daemon = start(t, s)
	return p
}

// echoGorilla answers every message with itself; "close 4002" is answered by that.
func echoGorilla(w http.ResponseWriter, r *http.Request, arm string) error {
	up := gorilla.Upgrader{EnableCompression: true, WriteBufferSize: 1000}
	c, err := up.Upgrade(w, r, http.Header{"X-Arm": {arm}})
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetReadLimit(limit)
	for {
		kind, message, err := c.ReadMessage()
		if err != nil {
			return err
		}
		if string(message) == "close 4002" {
			return c.WriteControl(gorilla.CloseMessage, gorilla.FormatCloseMessage(4002, "as asked"), time.Now().Add(time.Minute))
		}
		out, err := c.NextWriter(kind) // flushed in fragments of the write buffer's size
		if err != nil {
			return err
		}
		if _, err := out.Write(message); err != nil {
			return err
		}
		if err := out.Close(); err != nil {
			return err
		}
	}
}

// echoCoder is echoGorilla by the other library.
func echoCoder(w http.ResponseWriter, r *http.Request, arm string) error {
	w.Header().Set("X-Arm", arm)
	c, err := coder.Accept(w, r, &coder.AcceptOptions{CompressionMode: coder.CompressionContextTakeover})
	if err != nil {
		return err
	}
	defer c.CloseNow()
	c.SetReadLimit(limit)
	ctx := context.Background() // the request's ends when the connection is taken over
	for {
		kind, message, err := c.Read(ctx)
		if err != nil {
			return err
		}
		if string(message) == "close 4002" {
			return c.Close(4002, "as asked")
		}
		if err := c.Write(ctx, kind, message); err != nil {
			return err
		}
	}
}

// talker is one of the two client libraries.
type talker interface {
	say(t *testing.T, binary bool, message []byte)
	hear(t *testing.T) []byte
	pings(t *testing.T)
	closes(t *testing.T, code int) // and waits for the answer
	closed(t *testing.T) int       // the code the other side closed with
	compressed() bool
	end()
}

// dial shakes hands with path on an arm.
func (p *peers) dial(library, path, arm string) talker {
	p.t.Helper()
	url := "ws://" + p.site.listen + path
	fields := http.Header{"X-Serin-Arm": {arm}, "X-User-Id": {"u1"}}
	var c talker
	var resp *http.Response
	var err error
	if library == "gorilla" {
		var conn *gorilla.Conn
		dialer := gorilla.Dialer{EnableCompression: true, WriteBufferSize: 1000, HandshakeTimeout: 20 * time.Second}
		conn, resp, err = dialer.Dial(url, fields)
		c = &byGorilla{conn, resp}
	} else {
		var conn *coder.Conn
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		conn, resp, err = coder.Dial(ctx, url, &coder.DialOptions{HTTPHeader: fields, CompressionMode: coder.CompressionContextTakeover})
		c = &byCoder{conn, resp}
	}
	if err != nil {
		p.t.Fatalf("%s dials %s: %v", library, path, err)
	}
	if got := resp.Header.Get("X-Arm"); got != map[string]string{"stable": "v1", "canary": "v2"}[arm] {
		p.t.Fatalf("%s was answered by %s", arm, got)
	}
	p.t.Cleanup(c.end)
	return c
}

type byGorilla struct {
	*gorilla.Conn
	resp *http.Response
}

func (g *byGorilla) say(t *testing.T, binary bool, message []byte) {
	t.Helper()
	kind := gorilla.TextMessage
	if binary {
		kind = gorilla.BinaryMessage
	}
	if err := g.WriteMessage(kind, message); err != nil {
		t.Fatal(err)
	}
}

func (g *byGorilla) hear(t *testing.T) []byte {
	t.Helper()
	g.SetReadLimit(limit)
	g.SetReadDeadline(time.Now().Add(60 * time.Second))
	_, message, err := g.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func (g *byGorilla) pings(t *testing.T) {
	t.Helper()
	came := ""
	g.SetPongHandler(func(data string) error { came = data; return nil })
	if err := g.WriteControl(gorilla.PingMessage, []byte("are you there"), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	g.say(t, false, []byte("after the ping"))
	if g.hear(t); came != "are you there" {
		t.Errorf("the pong says %q", came)
	}
}

func (g *byGorilla) closes(t *testing.T, code int) {
	t.Helper()
	if err := g.WriteControl(gorilla.CloseMessage, gorilla.FormatCloseMessage(code, "bye"), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if got := g.closed(t); got != code {
		t.Errorf("the close was answered by %d, want %d", got, code)
	}
}

func (g *byGorilla) closed(t *testing.T) int {
	t.Helper()
	g.SetReadDeadline(time.Now().Add(60 * time.Second))
	_, _, err := g.ReadMessage()
	var e *gorilla.CloseError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a close", err)
	}
	return e.Code
}

func (g *byGorilla) compressed() bool { return deflates(g.resp) }
func (g *byGorilla) end()             { g.Close() }

type byCoder struct {
	*coder.Conn
	resp *http.Response
}

func patience() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 60*time.Second)
}

func (c *byCoder) say(t *testing.T, binary bool, message []byte) {
	t.Helper()
	ctx, cancel := patience()
	defer cancel()
	kind := coder.MessageText
	if binary {
		kind = coder.MessageBinary
	}
	out, err := c.Writer(ctx, kind) // two writes are two fragments
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range [][]byte{message[:len(message)/2], message[len(message)/2:]} {
		if _, err := out.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func (c *byCoder) hear(t *testing.T) []byte {
	t.Helper()
	c.SetReadLimit(limit)
	ctx, cancel := patience()
	defer cancel()
	_, message, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func (c *byCoder) pings(t *testing.T) {
	t.Helper()
	ctx, cancel := patience()
	defer cancel()
	heard := make(chan error, 1)
	go func() { // a pong is seen by a reader only
		_, _, err := c.Read(ctx)
		heard <- err
	}()
	if err := c.Ping(ctx); err != nil {
		t.Errorf("ping: %v", err)
	}
	c.say(t, false, []byte("after the ping"))
	if err := <-heard; err != nil {
		t.Fatal(err)
	}
}

func (c *byCoder) closes(t *testing.T, code int) {
	t.Helper()
	if err := c.Close(coder.StatusCode(code), "bye"); err != nil {
		t.Errorf("close: %v", err)
	}
}

func (c *byCoder) closed(t *testing.T) int {
	t.Helper()
	ctx, cancel := patience()
	defer cancel()
	_, _, err := c.Read(ctx)
	return int(coder.CloseStatus(err))
}

func (c *byCoder) compressed() bool { return deflates(c.resp) }
func (c *byCoder) end()             { c.CloseNow() }

func deflates(resp *http.Response) bool {
	return strings.Contains(resp.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate")
}

func TestTunnel_TwoLibrariesBothEndsBothArms_EverythingPasses(t *testing.T) {
	t.Parallel()
	p := newPeers(t, "")
	noise := make([]byte, largest)
	_, _ = rand.Read(noise)
	for _, arm := range []string{"stable", "canary"} {
		for _, library := range []string{"gorilla", "coder"} {
			for _, path := range []string{"/gorilla", "/coder"} {
				t.Run(fmt.Sprintf("%s to %s on %s", library, path[1:], arm), func(t *testing.T) {
					converse(t, p, library, path, arm, noise)
				})
			}
		}
	}
}

func converse(t *testing.T, p *peers, library, path, arm string, noise []byte) {
	c := p.dial(library, path, arm)
	if !c.compressed() {
		t.Error("permessage-deflate was not agreed on")
	}
	plain := bytes.Repeat([]byte("a basket with bread and cheese. "), 4000)
	for _, message := range [][]byte{[]byte("hello"), {}, plain, noise[:70_000]} {
		binary := len(message) == 70_000
		c.say(t, binary, message)
		if got := c.hear(t); !bytes.Equal(got, message) {
			t.Fatalf("heard %d other bytes than the %d said", len(got), len(message))
		}
	}
	c.pings(t)
	c.say(t, true, noise)
	if got := c.hear(t); !bytes.Equal(got, noise) {
		t.Fatalf("heard %d other bytes than the %d said", len(got), len(noise))
	}
	c.closes(t, 4001)
	if err := <-p.endings; !closedWith(err, 4001) {
		t.Errorf("the service saw %v, want close 4001", err)
	}

	c = p.dial(library, path, arm)
	c.say(t, false, []byte("close 4002"))
	if got := c.closed(t); got != 4002 {
		t.Errorf("the client saw close %d, want 4002", got)
	}
	c.end()
	<-p.endings
}

func closedWith(err error, code int) bool {
	var e *gorilla.CloseError
	return errors.As(err, &e) && e.Code == code || int(coder.CloseStatus(err)) == code
}

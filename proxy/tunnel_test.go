package proxy

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"serin/gate/window"
)

const (
	upgrade  = "GET /ws HTTP/1.1\r\nHost: shop\r\nX-User-Id: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
	switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)

func TestTunnel_BytesSentWithTheHeads_GoFirstBothWays(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	client := r.dial()
	client.send(upgrade + "early")
	server := accept(t, up)
	wantField(t, server.head(), "Upgrade: websocket")
	server.send(switched + "hello")
	wantStatus(t, client.head(), 101)
	client.expect("hello")
	server.expect("early")
	wantOutcome(t, r.snapshot.Splits[0].Evidence[0], window.Informational, 1)
	client.send("ping")
	server.expect("ping")
	server.send("pong")
	client.expect("pong")
}

func TestTunnel_HalfClose_LeavesTheOtherDirectionOpen(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	client := r.dial()
	client.send(upgrade)
	server := accept(t, up)
	server.head()
	server.send(switched)
	client.head()
	client.do(0, "half", "")
	server.expectEnd()
	server.send("last words")
	_ = server.Close()
	client.expect("last words")
	client.expectEnd()
	eventually(t, func() bool { return r.snapshot.Pools[0].InFlight() == 0 }, func() string { return "the tunnel is still counted" })
}

func TestPoolDrain_TimeIsUp_EndsTunnelsAndRequestsAndBlamesNobody(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	tunnel, waiting, reading := r.dial(), r.dial(), r.dial()
	tunnel.send(upgrade)
	server := accept(t, up)
	server.head()
	server.send(switched)
	tunnel.head()
	waiting.send("GET / HTTP/1.1\r\nHost: shop\r\nX-User-Id: a\r\n\r\n")
	accept(t, up).head()
	reading.send("GET / HTTP/1.1\r\nHost: shop\r\nX-User-Id: a\r\n\r\n")
	server = accept(t, up)
	server.head()
	server.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
	reading.head()
	reading.expect("half")
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.snapshot.Pools[0].Drain(over); err == nil {
		t.Error("the pool says that all were done")
	}
	wantStatus(t, waiting.head(), 503)
	for name, c := range map[string]*peer{"tunnel": tunnel, "reading": reading} {
		if b, err := c.r.ReadByte(); err == nil {
			t.Errorf("%s: got %q, want the end", name, b)
		}
	}
	var seen window.Snapshot
	r.snapshot.Splits[0].Evidence[0].Read(&seen, false)
	if n := seen.Outcomes; n[window.Informational] != 1 || n[window.Neutral] != 2 || seen.Total() != 3 {
		t.Errorf("got outcomes %v, want the tunnel's handshake and two of nobody's making", n)
	}
}

func TestTunnel_Idle_IsClosed(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up, serve: ServeOptions{TunnelIdle: 60 * time.Millisecond}})
	client := r.dial()
	client.send(upgrade)
	server := accept(t, up)
	server.head()
	server.send(switched)
	client.head()
	for range 5 { // one direction alone keeps it alive
		server.send("x")
		client.expect("x")
	}
	client.expectEnd()
	server.expectEnd()
}

func TestTunnel_WebSocketLibrary_Talks(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		conn.SetReadLimit(-1)
		for {
			kind, message, err := conn.Read(context.Background())
			if err != nil {
				return
			}
			if conn.Write(context.Background(), kind, message) != nil {
				return
			}
		}
	})}
	go func() { _ = server.Serve(up) }()
	t.Cleanup(func() { _ = server.Close() })
	r := newRig(t, rigOptions{stable: up})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, "ws://"+r.address+"/ws", &websocket.DialOptions{HTTPHeader: http.Header{"X-User-Id": {"a"}}})
	if err != nil {
		t.Fatal(err)
	}
	_ = response
	conn.SetReadLimit(-1)
	message := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	for range 3 {
		if err := conn.Write(ctx, websocket.MessageBinary, message); err != nil {
			t.Fatal(err)
		}
		_, got, err := conn.Read(ctx)
		if err != nil || !bytes.Equal(got, message) {
			t.Fatalf("got %d bytes and %v back, want the %d sent", len(got), err, len(message))
		}
	}
	if err := conn.Close(websocket.StatusNormalClosure, "bye"); err != nil && err != io.EOF {
		t.Errorf("close: %v", err)
	}
}

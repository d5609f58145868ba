package proxy

import (
	"net"
	"testing"
	"time"

	"serin/gate/window"
	"serin/router"
)

func TestTurn_EndThatComesWithARequest_IsSeenSoon(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	server := r.use(t, up)
	client := r.dial()
	for range 3 {
		client.send(get)
		server.head()
		server.send(nothing)
		wantStatus(t, client.head(), 204)
	}
	client.send(get)
	if err := client.Conn.(*net.TCPConn).CloseWrite(); err != nil { // most often before the proxy has read the request
		t.Fatal(err)
	}
	server.head()
	server.send(nothing)
	wantStatus(t, client.head(), 204)
	before := time.Now()
	client.expectEnd()
	if waited := time.Since(before); waited > patience/2 { // the keep-alive wait is 75 s
		t.Errorf("waited %s for the end", waited)
	}
}

func TestTurn_PipelinedRequests_AreAnsweredInOrderAndCounted(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	server := r.use(t, up)
	client := r.dial()
	const n = 20
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range n {
			server.head()
			server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	}()
	for i := range n / 4 {
		client.send(get + get)
		if i%2 == 0 { // the others lie before the proxy when it has answered the first two
			wantStatus(t, client.head(), 200)
			client.expect("ok")
			client.send(get + get)
			continue
		}
		client.send(get + get)
		wantStatus(t, client.head(), 200)
		client.expect("ok")
	}
	for range n - n/4 {
		wantStatus(t, client.head(), 200)
		client.expect("ok")
	}
	<-done
	wantOutcome(t, r.snapshot.Splits[0].Evidence[router.Stable], window.Success, n+1)
}

func TestTurn_AnswerThatBreaksOff_ResetsTheClient(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	server := r.use(t, up)
	client := r.dial()
	client.send(get)
	server.head()
	server.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
	wantStatus(t, client.head(), 200)
	client.expect("half")
	server.reset()
	client.expectReset()
	if got := outcomes(r.snapshot.Splits[0].Evidence[router.Stable]); got[window.Truncated] != 1 {
		t.Errorf("outcomes %v, want one truncated", got)
	}
}

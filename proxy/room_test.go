package proxy

import (
	"testing"
	"time"

	"serin/proxy/listen"
)

func TestCrowded_IdleClientGivesItsPlaceAndBusyOneAfterItsAnswer(t *testing.T) {
	t.Parallel()
	const ask, answer = "GET / HTTP/1.1\r\nHost: shop\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up, listen: listen.Spec{Connections: 1}})
	idle := r.dial()
	idle.send(ask)
	server := accept(t, up)
	server.head()
	server.send(answer)
	wantNoField(t, idle.head(), "Connection")
	idle.expect("ok")

	busy := r.dial() // waits for the only place
	busy.send(ask)
	idle.expectEnd()
	server.head()
	next := r.dial()
	next.send(ask)
	eventually(t, r.listener.Crowded, func() string { return "nobody is seen to wait" })
	server.send(answer)
	wantField(t, busy.head(), "Connection: close")
	busy.expect("ok")
	_ = busy.Close()
	server.head()
	server.send(answer)
	wantStatus(t, next.head(), 200)
}

func TestAskToLeave_NobodyIsAskedTwice(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	client := r.dial()
	eventually(t, func() bool { return r.proxy.Connections() == 1 }, func() string { return "nobody is there" })
	began := time.Now()
	for time.Since(began) < drainGrace/2 {
		r.proxy.askToLeave(r.serving, 10)
		time.Sleep(10 * time.Millisecond)
	}
	client.send("GET / HTTP/1.1\r\nHost: shop\r\n\r\n") // it was on its way
	server := accept(t, up)
	server.head()
	server.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	wantStatus(t, client.head(), 200)
}

package proxy

import (
	"testing"

	"serin/gate/window"
)

const get = "GET /a?b HTTP/1.1\r\nHost: shop\r\nX-User-Id: alice\r\n\r\n"

func TestProxy_GetOnKeepAlive_IsForwardedAndCountedOnce(t *testing.T) {
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	client := r.dial()
	var server *peer
	for i := range 3 {
		client.send(get)
		if server == nil {
			server = accept(t, up)
		}
		head := server.head()
		wantField(t, head, "Host: shop")
		wantField(t, head, "X-User-Id: alice")
		wantField(t, head, "X-Forwarded-For: 127.0.0.1")
		wantField(t, head, "Serin-Arm: stable")
		server.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: x\r\n\r\nhello")
		answer := client.head()
		wantStatus(t, answer, 200)
		wantField(t, answer, "Date: x")
		client.expect("hello")
		wantOutcome(t, r.snapshot.Splits[0].Evidence[0], window.Success, uint64(i+1))
	}
}

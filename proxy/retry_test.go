package proxy

import (
	"testing"

	"serin/gate/window"
	"serin/router"
)

// A server that resets the connection may have read the request: it goes out once more where that does no harm, RFC 9110
// 9.2.2, and where it is still at hand as a whole.
func TestRetry_ResetBeforeTheAnswer_IdempotentWithoutABodyGoesOutAgain(t *testing.T) {
	t.Parallel()
	const head = " /a HTTP/1.1\r\nHost: shop\r\nX-User-Id: alice\r\n"
	tests := []struct {
		name, request string
		again         bool
	}{
		{"GET", "GET" + head + "\r\n", true},
		{"HEAD", "HEAD" + head + "\r\n", true},
		{"DELETE", "DELETE" + head + "\r\n", true},
		{"GET of no bytes", "GET" + head + "Content-Length: 0\r\n\r\n", true},
		{"PUT of no bytes", "PUT" + head + "Content-Length: 0\r\n\r\n", true},
		{"DELETE of no bytes", "DELETE" + head + "Content-Length: 0\r\n\r\n", true},
		{"POST", "POST" + head + "\r\n", false},
		{"POST of no bytes", "POST" + head + "Content-Length: 0\r\n\r\n", false},
		{"PUT with a body", "PUT" + head + "Content-Length: 1\r\n\r\nx", false},
		{"PUT in chunks", "PUT" + head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false},
		{"GET with a body", "GET" + head + "Content-Length: 1\r\n\r\nx", false},
		{"unknown method", "FROB" + head + "\r\n", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			up := listenLocal(t)
			r := newRig(t, rigOptions{stable: up})
			client := r.dial()
			client.send(tt.request)
			first := accept(t, up)
			first.head()
			first.reset()
			if !tt.again {
				wantStatus(t, client.head(), 502)
				wantOutcome(t, r.snapshot.Splits[0].Evidence[router.Stable], window.Reset, 1)
				return
			}
			second := accept(t, up)
			second.head()
			second.send(nothing)
			wantStatus(t, client.head(), 204)
			wantOutcome(t, r.snapshot.Splits[0].Evidence[router.Stable], window.Success, 1)
		})
	}
}

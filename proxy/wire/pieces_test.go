package wire

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// pieces are what smuggling is made of.
var pieces = []string{
	"\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", " ", "\t", "\x00", "\v", ",", ":", ";", "#", "@", "\xff", "_",
	"GET ", "POST ", "OPTIONS ", "/", "/a?b", "*", "http://b/", " HTTP/1.1", " HTTP/1.0", "HTTP/1.1 200 OK", "HTTP/1.0 304", "HTTP/1.1 101 x",
	"Host: a", "Host: b", "host:a", "Content-Length: 1", "Content-Length: 1", "content-length:01", "Content-Length: +1", "Content_Length: 2",
	"Transfer-Encoding: chunked", "Transfer-Encoding: CHUNKED", "transfer-encoding:identity", "Transfer_Encoding: chunked", "Transfer-Encoding : chunked",
	"Connection: close", "Connection: Content-Length, X-A", "Connection: Upgrade", "Upgrade: websocket", "Upgrade: h2c", "X-A: 1", "Keep-Alive: 1",
	"TE: trailers", "Expect: 100-continue", "Max-Forwards: 2", "X-Forwarded-For: 6.6.6.6", "Serin-Arm: canary", "Trailer: Host", "Via: 1.1 x",
}

// TestHeads_OfRandomPieces drives the checks of FuzzRequest and FuzzResponse through heads that are nearly right.
func TestHeads_OfRandomPieces(t *testing.T) {
	t.Parallel()
	const rounds = 20_000
	random := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range rounds {
		var head strings.Builder
		if random.IntN(2) == 0 {
			head.WriteString([]string{"GET / HTTP/1.1\r\nHost: a\r\n", "POST /x HTTP/1.0\r\n", "HTTP/1.1 200 OK\r\n"}[random.IntN(3)])
		}
		for range random.IntN(8) {
			head.WriteString(pieces[random.IntN(len(pieces))])
			if random.IntN(4) > 0 {
				head.WriteString("\r\n")
			}
		}
		head.WriteString("\r\n\r\n")
		checkRequest(t, []byte(head.String()))
		checkResponse(t, []byte(head.String()), uint8(random.Uint32()))
		var r Request
		if n, err := r.Parse([]byte(head.String()), nil); n > 0 && err == nil {
			accepted++
		}
	}
	if accepted < rounds/50 || accepted > rounds/2 {
		t.Errorf("accepted %d of %d heads: the pieces test little", accepted, rounds)
	}
}

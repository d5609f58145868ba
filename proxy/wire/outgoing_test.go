package wire

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// sent is the head that goes upstream for head, line ends as "|".
func sent(t *testing.T, head string, o *Outgoing) string {
	t.Helper()
	r, err := judged(head)
	if err != nil {
		t.Fatalf("%q: %v", head, err)
	}
	out := string(AppendRequest(nil, r, o))
	if _, err := http.ReadRequest(bufio.NewReader(strings.NewReader(out))); err != nil {
		t.Errorf("%q: net/http refuses %q: %v", head, out, err)
	}
	return strings.ReplaceAll(out, "\r\n", "|")
}

const (
	peerLine  = "X-Forwarded-For: 192.0.2.7|"
	madeID    = "X-Request-Id: 00000000000000010000000000000003|"
	madeTrace = "traceparent: 00-00000000000000010000000000000003-0000000000000003-00|"
	goodTrace = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	ourLines  = peerLine + "X-Forwarded-Proto: http|X-Forwarded-Host: a|" + madeID + madeTrace
)

func from() *Outgoing { return &Outgoing{Peer: []byte("192.0.2.7"), Random: [3]uint64{1, 2, 2}} }

func TestAppendRequest_Duties(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ duty, head, want string }{
		{"19 own version", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / HTTP/1.1|Host: a|" + ourLines + "|"},
		{"12 Host for HTTP/1.0", "GET / HTTP/1.0\r\nX: y\r\n\r\n", "GET / HTTP/1.1|Host: |X: y|" + strings.Replace(ourLines, "X-Forwarded-Host: a|", "", 1) + "|"},
		{"13 authority replaces Host in place", "GET http://b/p? HTTP/1.1\r\nX: 1\r\nHost: a\r\nY: 2\r\n\r\n", "GET /p? HTTP/1.1|X: 1|Host: b|Y: 2|" + strings.Replace(ourLines, "Host: a", "Host: b", 1) + "|"},
		{"13 authority of HTTP/1.0", "GET http://b HTTP/1.0\r\n\r\n", "GET / HTTP/1.1|Host: b|" + strings.Replace(ourLines, "Host: a", "Host: b", 1) + "|"},
		{"15 star", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1|Host: a|" + ourLines + "|"},
		{"16 target byte for byte", "GET //a/../%2F%2f;x?&=\\^? HTTP/1.1\r\nHost: a\r\n\r\n", "GET //a/../%2F%2f;x?&=\\^? HTTP/1.1|Host: a|" + ourLines + "|"},
		{"3 length rendered anew in place", post("A: 1", "content-length:   007 ", "B: 2"), "POST / HTTP/1.1|Host: a|A: 1|content-length: 7|B: 2|" + ourLines + "|"},
		{"4 coding rendered anew in place", post("A: 1", "transfer-ENCODING:CHUNKED", "B: 2"), "POST / HTTP/1.1|Host: a|A: 1|transfer-ENCODING: chunked|B: 2|" + ourLines + "|"},
		{"21 hop-by-hop", get("A: 1", "Connection: keep-alive, X-Hop", "Keep-Alive: 5", "x-hop: 1", "B: 2", "Proxy-Connection: keep-alive", "TE: gzip", "Upgrade: h2c", "HTTP2-Settings: AA"), "GET / HTTP/1.1|Host: a|A: 1|B: 2|" + ourLines + "|"},
		{"21 two nominated lines", get("Connection: a", "A: 1", "B: 2", "a: 3", "Connection: b"), "GET / HTTP/1.1|Host: a|" + ourLines + "|"},
		{
			"21 nominations not honoured", post("Connection: Host, Content-Length, Cookie, Authorization, Via, traceparent", "Content-Length: 1", "Cookie: c", "Authorization: d", "Via: 1.1 e", goodTrace),
			"POST / HTTP/1.1|Host: a|Content-Length: 1|Cookie: c|Authorization: d|Via: 1.1 e|" + goodTrace + "|" + strings.Replace(ourLines, madeTrace, "", 1) + "|",
		},
		{"22 forwarding fields survive nomination (CVE-2024-45410)", get("Connection: X-Forwarded-For, X-Forwarded-Host, X-Request-Id"), "GET / HTTP/1.1|Host: a|" + ourLines + "|"},
		{"24 Max-Forwards counts down", "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 3\r\n\r\n", "OPTIONS / HTTP/1.1|Host: a|Max-Forwards: 2|" + ourLines + "|"},
		{"24 Max-Forwards of GET stays", get("Max-Forwards: 3"), "GET / HTTP/1.1|Host: a|Max-Forwards: 3|" + ourLines + "|"},
		{"27 Expect is answered here (CVE-2024-24791)", post("Expect: 100-continue", "Content-Length: 1"), "POST / HTTP/1.1|Host: a|Content-Length: 1|" + ourLines + "|"},
		{"35 TE trailers is ours", get("TE: trailers"), "GET / HTTP/1.1|Host: a|" + ourLines + "Connection: TE|TE: trailers|" + "|"},
		{"40 41 42 order, case, number, cookies", get("b: 1", "A: 2", "b: 3", "COOKIE: x=1; y", "cookie: z", "ETag:w "), "GET / HTTP/1.1|Host: a|b: 1|A: 2|b: 3|COOKIE: x=1; y|cookie: z|ETag:w |" + ourLines + "|"},
		{"43 websocket", get("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: k"), "GET / HTTP/1.1|Host: a|Sec-WebSocket-Key: k|" + ourLines + "Connection: Upgrade|Upgrade: websocket||"},
		{
			"48 49 an untrusted peer says nothing about others (CVE-2022-32148)", get("X-Forwarded-For: 6.6.6.6", "x-forwarded-for: 7.7.7.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil", "X-Forwarded-Port: 1", "X-Forwarded-Prefix: /", "X-Real-IP: 6.6.6.6", "Forwarded: for=6.6.6.6", "X-Request-Id: evil"),
			"GET / HTTP/1.1|Host: a|" + ourLines + "|",
		},
		{"serin's names are ours", get("Serin-Arm: canary", "serin-anything: 1", "X-Serin-Arm: canary"), "GET / HTTP/1.1|Host: a|X-Serin-Arm: canary|" + ourLines + "|"},
		{"a valid trace is kept", get(goodTrace, "tracestate: a=1"), "GET / HTTP/1.1|Host: a|" + goodTrace + "|tracestate: a=1|" + strings.Replace(ourLines, madeTrace, "", 1) + "|"},
		{"a broken trace is replaced with its state", get("Traceparent: 00-x", "Tracestate: a=1"), "GET / HTTP/1.1|Host: a|" + ourLines + "|"},
		{"two traces are none", get(goodTrace, goodTrace), "GET / HTTP/1.1|Host: a|" + ourLines + "|"},
	} {
		t.Run(tt.duty, func(t *testing.T) {
			t.Parallel()
			if got := sent(t, tt.head, from()); got != tt.want {
				t.Errorf("%q:\n got %q\nwant %q", tt.head, got, tt.want)
			}
		})
	}
}

func TestAppendRequest_TrustedPeer_IsExtended(t *testing.T) {
	t.Parallel()
	o := from()
	o.Trusted, o.TLS = true, true
	head := get("X-Forwarded-For: 6.6.6.6,", "X-Forwarded-Proto: https", "x-forwarded-for: 7.7.7.7", "X-Forwarded-For:", "X-Forwarded-Port: 443", "X-Real-IP: 6.6.6.6", "Forwarded: for=6.6.6.6", "X-Request-Id: kept")
	want := "GET / HTTP/1.1|Host: a|X-Forwarded-Proto: https|X-Forwarded-Port: 443|X-Real-IP: 6.6.6.6|Forwarded: for=6.6.6.6|X-Request-Id: kept|" +
		"X-Forwarded-For: 6.6.6.6,, 7.7.7.7, 192.0.2.7|X-Forwarded-Host: a|" + madeTrace + "|"
	if got := sent(t, head, o); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, fields := range [][]string{{"X-Request-Id:"}, {"X-Request-Id: a", "x-request-id: b"}} {
		if got := sent(t, get(fields...), o); strings.Count(strings.ToLower(got), "x-request-id") != 1 || !strings.Contains(got, "|"+madeID) {
			t.Errorf("%q: got %q, want an id made here", fields, got)
		}
	}
	o.Peer = nil
	if got := sent(t, get("X-Forwarded-For: 6.6.6.6"), o); !strings.Contains(got, "|X-Forwarded-For: 6.6.6.6|X-Forwarded-Proto: https|") {
		t.Errorf("without a peer address: got %q", got)
	}
	o.Trusted = false
	if got := sent(t, get("X-Forwarded-For: 6.6.6.6"), o); strings.Contains(got, "X-Forwarded-For") {
		t.Errorf("without a peer address nor trust: got %q", got)
	}
}

func TestAppendRequest_Extras(t *testing.T) {
	t.Parallel()
	o := from()
	o.Lines = AppendField(AppendField(nil, "Serin-Arm", "canary"), "X-Flag", "on")
	o.Drop, o.Keep, o.Via, o.Host = []string{"X-Flag", "X-Serin-Arm"}, "X-Serin-Arm", "serin", "10.0.0.1:80"
	head := "GET / HTTP/1.0\r\nx_flag: off\r\nX-FLAG: off\r\nx-serin-arm: canary\r\nSerin-Arm: x\r\nX-Flags: 1\r\n\r\n"
	want := "GET / HTTP/1.1|Host: 10.0.0.1:80|x-serin-arm: canary|X-Flags: 1|" + peerLine + "X-Forwarded-Proto: http|" + madeID + madeTrace +
		"Serin-Arm: canary|X-Flag: on|Via: 1.0 serin||"
	if got := sent(t, head, o); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	o.Keep = "Serin-Force"
	if got := sent(t, get("Serin-Force: canary", "Serin-Arm: x"), o); !strings.HasPrefix(got, "GET / HTTP/1.1|Host: a|Serin-Force: canary|"+peerLine) {
		t.Errorf("force header among Serin-*: got %q", got)
	}
}

func TestAppendField_BadNameOrValue_AppendsNothing(t *testing.T) {
	t.Parallel()
	f := func(name, value, want string) {
		t.Helper()
		if got := string(AppendField(nil, name, value)); got != want {
			t.Errorf("AppendField(%q, %q): got %q, want %q", name, value, got, want)
		}
	}
	f("A", "b", "A: b\r\n")
	f("", "b", "")
	f("A b", "b", "")
	f("A", "b\r\nC: d", "")
}

func TestRequest_ViaSeen_FindsTheLoop(t *testing.T) {
	t.Parallel()
	f := func(via string, want bool) {
		t.Helper()
		r, err := judged(get("Via: 1.0 other", "via: "+via))
		if err != nil || r.ViaSeen("serin") != want {
			t.Errorf("%q: got %v, %v", via, r.ViaSeen("serin"), err)
		}
	}
	f("1.1 serin", true)
	f("1.1 x, HTTP/1.1 serin (comment)", true)
	f("1.1 serin2", false)
	f("serin", false)
}

func TestAppendError_IsACompleteAnswer(t *testing.T) {
	t.Parallel()
	f := func(status int, json, closing, head bool, wants ...string) {
		t.Helper()
		out := AppendError([]byte{}, status, "some_reason", "A sentence.", json, closing, head, []byte("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"))
		method := "GET"
		if head {
			method = "HEAD"
		}
		in := bufio.NewReader(strings.NewReader(string(out)))
		p, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(p.Body)
		if err != nil || p.StatusCode != status || p.Close != closing || p.Header.Get("Date") == "" || in.Buffered() != 0 || head && len(body) > 0 {
			t.Errorf("%q: got %+v, %v, body %q", out, p, err, body)
		}
		for _, want := range wants {
			if !strings.Contains(string(out), want) {
				t.Errorf("got %q, want %q in it", out, want)
			}
		}
	}
	f(400, false, true, false, "HTTP/1.1 400 Bad Request\r\n", "text/plain", "some_reason: A sentence.\n")
	f(503, true, false, false, "Retry-After: 1\r\n", "application/json", `{"error":"some_reason","hint":"A sentence."}`)
	f(405, false, true, true, "Allow: GET, ")
	for status := range 600 {
		if status >= 200 {
			f(status, status%2 == 0, false, true)
		}
	}
}

func TestAppendHex_AnyNumber_IsItsSixteenDigits(t *testing.T) {
	t.Parallel()
	for _, v := range []uint64{0, 1, 9, 10, 15, 16, 0x9fa0, 0x0123456789abcdef, 0xfedcba9876543210, 1 << 63, 1<<64 - 1} {
		if got, want := string(appendHex(nil, v)), fmt.Sprintf("%016x", v); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

package wire

import (
	"bufio"
	"errors"
	"net/http"
	"strings"
	"testing"
)

// answered parses one whole response head and gives the second opinion where the first asks for it.
func answered(head string, asked Asked) (*Response, error) {
	var p Response
	n, err := p.Parse([]byte(head), asked, nil)
	if err == nil && n != len(head) {
		return &p, errors.New("head not consumed")
	}
	if err == nil && !p.Plain {
		err = p.SecondOpinion()
	}
	return &p, err
}

// answer is a head with status and field lines.
func answer(status string, lines ...string) string {
	return "HTTP/1.1 " + status + "\r\n" + strings.Join(append(lines, "", ""), "\r\n")
}

func TestResponse_Duties_Refusals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ duty, head, want string }{
		{"garbage", "SSH-2.0-OpenSSH\r\n", "bad_status_line"},
		{"HTTP/0.9", "<html>", "bad_status_line"},
		{"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", "bad_status_line"},
		{"HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", "bad_status_line"},
		{"an empty line first", "\r\n" + answer("200 OK"), "bad_status_line"},
		{"two digits", answer("20 OK"), "bad_status_line"},
		{"four digits", answer("2000 OK"), "bad_status_line"},
		{"status 099", answer("099 OK"), "bad_status_line"},
		{"status 600", answer("600 OK"), "bad_status_line"},
		{"letters", answer("2x0 OK"), "bad_status_line"},
		{"two spaces", "HTTP/1.1  200 OK\r\n\r\n", "bad_status_line"},
		{"bare LF", "HTTP/1.1 200 OK\n\r\n", "bad_status_line"},
		{"control in the reason", answer("200 O\x00K"), "bad_status_line"},
		{"7 space before colon", answer("200 OK", "Content-Length : 1"), "bad_response_field"},
		{"8 space inside a name", answer("200 OK", "X Y: 1"), "bad_response_field"},
		{"9 fold behind the status line", answer("200 OK", " x"), "bad_response_field"},
		{"11 NUL", answer("200 OK", "X: \x00"), "bad_response_field"},
		{"11 NUL in a folded line", answer("200 OK", "X: y", " \x00"), "bad_response_field"},
		{"10 bare LF in a folded line", answer("200 OK", "X: y", " z\nw"), "bad_response_field"},
		{"21 Connection that is no token", answer("204 OK", "Connection: a b"), "bad_response_field"},
		{"32 length and coding", answer("200 OK", "Content-Length: 1", "Transfer-Encoding: chunked"), "bad_response_framing"},
		{"32 length and coding of HEAD's 204", answer("204 OK", "Content-Length: 1", "Transfer-Encoding: chunked"), "bad_response_framing"},
		{"32 two lengths", answer("200 OK", "Content-Length: 1", "Content-Length: 1"), "bad_response_framing"},
		{"32 length list", answer("200 OK", "Content-Length: 1, 1"), "bad_response_framing"},
		{"32 bad length", answer("200 OK", "Content-Length: 1x"), "bad_response_framing"},
		{"32 folded length", answer("200 OK", "Content-Length: 1", " 2"), "bad_response_framing"},
		{"4 coding identity", answer("200 OK", "Transfer-Encoding: identity"), "bad_response_framing"},
		{"4 two codings", answer("200 OK", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), "bad_response_framing"},
		{"33 coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "bad_response_framing"},
		{"38 a giant head", answer("200 OK", "X: "+strings.Repeat("a", DefaultResponseHead)), "response_head_too_large"},
		{"38 a head without end", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", DefaultResponseHead), "response_head_too_large"},
		{"38 too many fields", answer("200 OK", strings.Repeat("X: y\r\n", DefaultResponseFields)+"X: y"), "response_head_too_large"},
		{"43 101 unasked", answer("101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket"), "unasked_switch"},
	} {
		t.Run(tt.duty, func(t *testing.T) {
			t.Parallel()
			if _, err := answered(tt.head, Asked{}); reasonOf(err) != "502 "+tt.want {
				t.Errorf("%.80q: got %q, want 502 %q", tt.head, reasonOf(err), tt.want)
			}
		})
	}
	for _, lines := range [][]string{{"Connection: Upgrade"}, {"Upgrade: websocket"}, {"Connection: Upgrade", "Upgrade: h2c"}} {
		if _, err := answered(answer("101 x", lines...), Asked{Upgrade: true}); reasonOf(err) != "502 unasked_switch" {
			t.Errorf("101 with %q: got %v", lines, err)
		}
	}
}

func TestResponse_Duties_Accepts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		duty, head string
		asked      Asked
		check      func(*Response) bool
	}{
		{"plain", plainAnswer, Asked{}, func(p *Response) bool {
			return p.Plain && p.KeepAlive && p.Framing == Length && p.ContentLength == 100
		}},
		{"no reason", answer("200"), Asked{}, func(p *Response) bool { return string(p.Line) == "200" }},
		{"obs-text in the reason", answer("200 \xff\t"), Asked{}, func(p *Response) bool { return p.Status == 200 }},
		{"until close", answer("200 OK"), Asked{}, func(p *Response) bool { return p.Framing == UntilClose && !p.KeepAlive && !p.Plain }},
		{"chunked", answer("200 OK", "Transfer-Encoding: Chunked"), Asked{}, func(p *Response) bool { return p.Framing == Chunked && p.KeepAlive && p.Plain }},
		{"9 folded lines become spaces", answer("200 OK", "X: a", "\tb", "  c ", "Y:", " d", "Z:", " "), Asked{}, func(p *Response) bool {
			return string(p.Value("X")) == "a  \tb    c" && string(p.Value("Y")) == "d" && len(p.Value("Z")) == 0 && !p.Plain
		}},
		{"29 HEAD", answer("200 OK", "Content-Length: 5"), Asked{Head: true}, func(p *Response) bool { return p.Framing == NoBody && p.ContentLength == 5 && p.KeepAlive }},
		{"29 HEAD without length", answer("200 OK"), Asked{Head: true}, func(p *Response) bool { return p.Framing == NoBody && p.ContentLength == -1 && p.KeepAlive }},
		{"30 204", answer("204 No Content", "Content-Length: 5"), Asked{}, func(p *Response) bool { return p.Framing == NoBody }},
		{"30 304", answer("304 Not Modified", "Content-Length: 5"), Asked{}, func(p *Response) bool { return p.Framing == NoBody && p.ContentLength == 5 }},
		{"26 103", answer("103 Early Hints", "Link: </a>"), Asked{}, func(p *Response) bool { return p.Interim && p.Framing == NoBody }},
		{"43 101 asked", answer("101 x", "Connection: upgrade", "Upgrade: WebSocket"), Asked{Upgrade: true}, func(p *Response) bool { return p.Switch && !p.Interim && !p.KeepAlive }},
		{"close", answer("200 OK", "Content-Length: 0", "Connection: close"), Asked{}, func(p *Response) bool { return !p.KeepAlive }},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", Asked{}, func(p *Response) bool { return !p.KeepAlive && p.HTTP10 }},
		{"HTTP/1.0 keep-alive", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", Asked{}, func(p *Response) bool { return p.KeepAlive }},
	} {
		t.Run(tt.duty, func(t *testing.T) {
			t.Parallel()
			p, err := answered(tt.head, tt.asked)
			if err != nil {
				t.Fatalf("%q: %v", tt.head, err)
			}
			if !tt.check(p) {
				t.Errorf("%q: got %+v", tt.head, p)
			}
		})
	}
}

func TestResponse_AnySplit_ReadsTheSame(t *testing.T) {
	t.Parallel()
	for _, head := range []string{plainAnswer, answer("200"), answer("200 OK", "X: a", " b", "Content-Length: 1"), answer("200 OK", "X: \x00")} {
		var whole, p Response
		wantN, wantErr := whole.Parse([]byte(head), Asked{}, nil)
		buf := []byte(head)
		for size := 1; size <= len(head); size++ {
			n, err := p.Parse(buf[:size], Asked{}, nil)
			if n == 0 && err == nil {
				continue
			}
			if n != wantN || err != wantErr || string(p.Value("X")) != string(whole.Value("X")) {
				t.Errorf("%q byte by byte: got %d, %v, want %d, %v", head, n, err, wantN, wantErr)
			}
			break
		}
	}
}

func TestResponse_SecondOpinion_SeesADisagreement(t *testing.T) {
	t.Parallel()
	f := func(change func(*Response)) {
		t.Helper()
		var p Response
		if _, err := p.Parse([]byte(plainAnswer), Asked{}, nil); err != nil || p.SecondOpinion() != nil {
			t.Fatal(err, p.SecondOpinion())
		}
		change(&p)
		if err := p.SecondOpinion(); reasonOf(err) != "502 ambiguous_response" {
			t.Errorf("got %v", err)
		}
	}
	f(func(p *Response) { p.Status = 201 })
	f(func(p *Response) { p.HTTP10 = true })
	f(func(p *Response) { p.ContentLength = 99 })
	f(func(p *Response) { p.buf = p.buf[:len(p.buf)-2] })
}

// replied is the head that the client gets, line ends as "|".
func replied(t *testing.T, head string, asked Asked, o *Reply) string {
	t.Helper()
	p, err := answered(head, asked)
	if err != nil {
		t.Fatalf("%q: %v", head, err)
	}
	out := string(AppendResponse(nil, p, o))
	method := "GET"
	if asked.Head {
		method = "HEAD"
	}
	if _, err := http.ReadResponse(bufio.NewReader(strings.NewReader(out)), &http.Request{Method: method}); err != nil {
		t.Errorf("%q: net/http refuses %q: %v", head, out, err)
	}
	return strings.ReplaceAll(out, "\r\n", "|")
}

func TestAppendResponse_Duties(t *testing.T) {
	t.Parallel()
	live, old, last := &Reply{KeepAlive: true}, &Reply{HTTP10: true, KeepAlive: true}, &Reply{}
	dated := &Reply{KeepAlive: true, Date: []byte("Date: now\r\n")}
	for _, tt := range []struct {
		duty, head string
		asked      Asked
		reply      *Reply
		want       string
	}{
		{"19 own version", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", Asked{}, live, "HTTP/1.1 200 OK|Content-Length: 1||"},
		{"the space of an empty reason", answer("200", "Content-Length: 1"), Asked{}, live, "HTTP/1.1 200 |Content-Length: 1||"},
		{"close", answer("200 OK", "Content-Length: 1"), Asked{}, last, "HTTP/1.1 200 OK|Content-Length: 1|Connection: close||"},
		{"20 chunked to HTTP/1.0", answer("200 OK", "A: 1", "Transfer-Encoding: chunked", "Trailer: X"), Asked{}, old, "HTTP/1.1 200 OK|A: 1|Connection: close||"},
		{"keep-alive to HTTP/1.0", answer("200 OK", "Content-Length: 1"), Asked{}, old, "HTTP/1.1 200 OK|Content-Length: 1|Connection: keep-alive||"},
		{"until close becomes chunked", answer("200 OK", "A: 1"), Asked{}, live, "HTTP/1.1 200 OK|A: 1|Transfer-Encoding: chunked||"},
		{"21 hop-by-hop", answer("200 OK", "A: 1", "Connection: x-hop", "X-Hop: 1", "Keep-Alive: 5", "Upgrade: h2c", "Content-Length: 1", "B: 2"), Asked{}, live, "HTTP/1.1 200 OK|A: 1|Content-Length: 1|B: 2||"},
		{"21 framing can't be nominated", answer("200 OK", "Connection: content-length, set-cookie", "Content-Length: 1", "Set-Cookie: a"), Asked{}, live, "HTTP/1.1 200 OK|Content-Length: 1|Set-Cookie: a||"},
		{"26 early hints", answer("103 Early Hints", "Link: </a>", "Connection: close", "Content-Length: 1"), Asked{}, last, "HTTP/1.1 103 Early Hints|Link: </a>||"},
		{"29 HEAD keeps the length", answer("200 OK", "Content-Length: 5"), Asked{Head: true}, live, "HTTP/1.1 200 OK|Content-Length: 5||"},
		{"29 HEAD without coding", answer("200 OK", "Transfer-Encoding: chunked"), Asked{Head: true}, live, "HTTP/1.1 200 OK||"},
		{"30 204", answer("204 No Content", "Content-Length: 0"), Asked{}, live, "HTTP/1.1 204 No Content||"},
		{"30 304 keeps the length", answer("304 Not Modified", "content-length: 05"), Asked{}, live, "HTTP/1.1 304 Not Modified|content-length: 5||"},
		{"32 framing rendered anew", answer("200 OK", "A: 1", "transfer-encoding:CHUNKED", "B: 2"), Asked{}, live, "HTTP/1.1 200 OK|A: 1|transfer-encoding: chunked|B: 2||"},
		{"39 40 41 order, case, number, Date and Server", answer("200 OK", "date: D", "SERVER: s", "Set-Cookie: a", "X: 1", "Set-Cookie: b", "Content-Length: 0"), Asked{}, live, "HTTP/1.1 200 OK|date: D|SERVER: s|Set-Cookie: a|X: 1|Set-Cookie: b|Content-Length: 0||"},
		{"43 101", answer("101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: x"), Asked{Upgrade: true}, live, "HTTP/1.1 101 Switching Protocols|Sec-WebSocket-Accept: x|Connection: Upgrade|Upgrade: websocket||"},
		{"serin's names are ours", answer("200 OK", "Serin-Arm: x", "Content-Length: 0"), Asked{}, &Reply{KeepAlive: true, Lines: []byte("Serin-Arm: canary\r\n")}, "HTTP/1.1 200 OK|Content-Length: 0|Serin-Arm: canary||"},
		{"minted cookie", answer("200 OK", "Content-Length: 0"), Asked{}, &Reply{KeepAlive: true, SetCookie: []byte("Set-Cookie: u=1\r\n")}, "HTTP/1.1 200 OK|Content-Length: 0|Set-Cookie: u=1||"},
		{"minted cookie and a shared cache", answer("200 OK", "Content-Length: 0", "Cache-Control: public"), Asked{}, &Reply{KeepAlive: true, SetCookie: []byte("Set-Cookie: u=1\r\n")}, "HTTP/1.1 200 OK|Content-Length: 0|Cache-Control: public||"},
		{"no fields", answer("304 x"), Asked{}, live, "HTTP/1.1 304 x||"},
		{"39 an answer without Date gets one", answer("200 OK", "Content-Length: 1"), Asked{}, dated, "HTTP/1.1 200 OK|Content-Length: 1|Date: now||"},
		{"39 its own Date stays", answer("404 x", "DATE: then", "Content-Length: 1"), Asked{}, dated, "HTTP/1.1 404 x|DATE: then|Content-Length: 1||"},
		{"39 no Date of an interim answer", answer("103 Early Hints", "Link: </a>"), Asked{}, dated, "HTTP/1.1 103 Early Hints|Link: </a>||"},
	} {
		t.Run(tt.duty, func(t *testing.T) {
			t.Parallel()
			if got := replied(t, tt.head, tt.asked, tt.reply); got != tt.want {
				t.Errorf("%q:\n got %q\nwant %q", tt.head, got, tt.want)
			}
		})
	}
}

func TestResponse_SharedCacheable_ReadsCacheControl(t *testing.T) {
	t.Parallel()
	f := func(want bool, lines ...string) {
		t.Helper()
		p, err := answered(answer("200 OK", lines...), Asked{})
		if err != nil || p.SharedCacheable() != want {
			t.Errorf("%q: got %v, %v, want %v", lines, p.SharedCacheable(), err, want)
		}
	}
	f(false)
	f(true, "Cache-Control: public")
	f(true, "Cache-Control: Max-Age=60")
	f(true, "Cache-Control: max-age=0, s-maxage=60")
	f(true, "Cache-Control: no-cache", "cache-control: public")
	f(false, "Cache-Control: max-age=0")
	f(false, "Cache-Control: max-age=60, no-cache")
	f(false, "Cache-Control: public, private")
	f(false, "Cache-Control: public", "Cache-Control: no-store")
	f(false, `Cache-Control: private="x", max-age=60`)
	f(true, "Expires: Sat, 21 Nov 2026 12:00:00 GMT")
	f(false, "Expires: 0")
	f(false, "Expires: -1")
	f(false, "Cache-Control: no-transform", "Expires: Sat, 21 Nov 2026 12:00:00 GMT", "Pragma: x", "Cache-Control: private")
}

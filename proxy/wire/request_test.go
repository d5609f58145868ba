package wire

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// reasonOf is the code of a refusal, "" without an error.
func reasonOf(err error) string {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return fmt.Sprintf("%d %s", e.Status, e.Reason)
	}
	return err.Error()
}

// judged parses one whole head and gives the second opinion where the first asks for it.
func judged(head string) (*Request, error) {
	var r Request
	n, err := r.Parse([]byte(head), nil)
	if err == nil && n != len(head) {
		return &r, fmt.Errorf("parsed %d of %d bytes", n, len(head))
	}
	if err == nil && !r.Plain {
		err = r.SecondOpinion()
	}
	return &r, err
}

// get is a request with the given field lines behind Host.
func get(lines ...string) string {
	return "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Join(append(lines, "", ""), "\r\n")
}

// post is get with POST.
func post(lines ...string) string { return "POST" + get(lines...)[len("GET"):] }

func TestRequest_Duties_Refusals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ duty, head, want string }{
		{"1 length and coding", post("Content-Length: 3", "Transfer-Encoding: chunked"), "400 length_and_coding"},
		{"1 coding and length", post("Transfer-Encoding: chunked", "Content-Length: 3"), "400 length_and_coding"},
		{"2 two lengths that differ", post("Content-Length: 3", "Content-Length: 4"), "400 bad_content_length"},
		{"2 two lengths that agree", post("Content-Length: 3", "content-length: 3"), "400 bad_content_length"},
		{"3 length list", post("Content-Length: 3, 3"), "400 bad_content_length"},
		{"3 length sign", post("Content-Length: +3"), "400 bad_content_length"},
		{"3 length negative", post("Content-Length: -3"), "400 bad_content_length"},
		{"3 length hex", post("Content-Length: 0x3"), "400 bad_content_length"},
		{"3 length empty", post("Content-Length:"), "400 bad_content_length"},
		{"3 length inner space", post("Content-Length: 1 2"), "400 bad_content_length"},
		{"3 length above int64", post("Content-Length: 9223372036854775808"), "400 bad_content_length"},
		{"3 length of 20 digits", post("Content-Length: 00000000000000000001"), "400 bad_content_length"},
		{"4 coding identity", post("Transfer-Encoding: identity"), "501 unknown_transfer_encoding"},
		{"4 coding list", post("Transfer-Encoding: gzip, chunked"), "501 unknown_transfer_encoding"},
		{"4 coding twice in a list", post("Transfer-Encoding: chunked, chunked"), "501 unknown_transfer_encoding"},
		{"4 coding twice", post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), "400 bad_transfer_encoding"},
		{"4 coding quoted", post(`Transfer-Encoding: "chunked"`), "501 unknown_transfer_encoding"},
		{"4 coding with parameter", post("Transfer-Encoding: chunked;q=1"), "501 unknown_transfer_encoding"},
		{"4 coding with vertical tab (CVE-2022-1705)", post("Transfer-Encoding: \vchunked"), "400 bad_field_value"},
		{"4 coding empty", post("Transfer-Encoding:"), "501 unknown_transfer_encoding"},
		{"5 coding in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "400 coding_in_http10"},
		{"6 space before colon", get("X : y"), "400 bad_field_name"},
		{"6 tab before colon", get("X\t: y"), "400 bad_field_name"},
		{"8 space inside name", get("X Y: z"), "400 bad_field_name"},
		{"8 name with slash", get("X/Y: z"), "400 bad_field_name"},
		{"8 name with DEL", get("X\x7f: z"), "400 bad_field_name"},
		{"8 name beyond ASCII", get("X\xff: z"), "400 bad_field_name"},
		{"8 long name with NUL", get("X-Quite-Long-\x00Name: z"), "400 bad_field_name"},
		{"8 empty name (CVE-2023-25725)", get(": z"), "400 bad_field_name"},
		{"8 line without colon", get("X"), "400 bad_field_name"},
		{"9 folded field", get("X: y", " z"), "400 folded_field"},
		{"9 folded first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400 folded_field"},
		{"9 folded coding", post("Transfer-Encoding:", "\tchunked"), "400 folded_field"},
		{"10 bare LF behind a field", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", "400 bad_field_value"},
		{"10 bare LF behind the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", "400 bad_request_line"},
		{"10 bare LF LF ends nothing", "GET / HTTP/1.1\r\nHost: a\n\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_field_value"},
		{"10 empty line of bare LF", "GET / HTTP/1.1\r\nHost: a\r\n\n", "400 bad_field_name"},
		{"11 bare CR", get("X: y\rz"), "400 bad_field_value"},
		{"11 NUL", get("X: y\x00z"), "400 bad_field_value"},
		{"11 DEL", get("X: y\x7fz"), "400 bad_field_value"},
		{"11 ESC far in the value", get("X: " + strings.Repeat("a", 100) + "\x1b[2J"), "400 bad_field_value"},
		{"12 no Host", "GET / HTTP/1.1\r\nX: y\r\n\r\n", "400 bad_host"},
		{"12 no fields", "GET / HTTP/1.1\r\n\r\n", "400 bad_host"},
		{"12 two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "400 bad_host"},
		{"12 empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "400 bad_host"},
		{"12 user information", "GET / HTTP/1.1\r\nHost: user:pass@a\r\n\r\n", "400 bad_host"},
		{"12 Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400 bad_host"},
		{"12 Host with slash", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400 bad_host"},
		{"12 Host with space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400 bad_host"},
		{"12 Host with letters for a port", "GET / HTTP/1.1\r\nHost: a:http\r\n\r\n", "400 bad_host"},
		{"12 Host with two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", "400 bad_host"},
		{"12 bad Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", "400 bad_host"},
		{"13 absolute form without Host", "GET http://a/ HTTP/1.1\r\nX: y\r\n\r\n", "400 bad_host"},
		{"13 absolute form with user information", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_host"},
		{"13 absolute form without authority", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_host"},
		{"13 absolute form of another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"},
		{"14 CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "405 method_connect"},
		{"14 authority form with GET", "GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"},
		{"15 star with GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"},
		{"17 fragment (CVE-2023-45539)", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"},
		{"17 fragment in the query", "GET /a?b#c HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"},
		{"17 control in the target", "GET /a\x01b HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"},
		{"17 tab in the target", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"},
		{"17 DEL in the target", "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"},
		{"17 space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_request_line"},
		{"17 two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"},
		{"18 HTTP/0.9", "GET /\r\n\r\n", "400 bad_target"},
		{"18 HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "505 version"},
		{"18 HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505 version"},
		{"18 HTTP/0.9 spelled out", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", "505 version"},
		{"18 the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 version"},
		{"18 lower-case protocol", "GET / http/1.1\r\nHost: a\r\n\r\n", "400 bad_request_line"},
		{"18 two digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "400 bad_request_line"},
		{"18 space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "400 bad_request_line"},
		{"21 nomination that is no token", get("Connection: a b"), "400 bad_connection"},
		{"21 nominations without end", get("Connection: " + strings.Repeat("a,", 65)), "400 bad_connection"},
		{"24 Max-Forwards that is no number", "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: x\r\n\r\n", "400 bad_max_forwards"},
		{"24 two Max-Forwards", "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 1\r\nMax-Forwards: 2\r\n\r\n", "400 bad_max_forwards"},
		{"25 TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "405 method_trace"},
		{"28 another expectation", post("Expect: 200-ok", "Content-Length: 1"), "417 expectation"},
		{"28 100-continue and more", post("Expect: 100-continue, x", "Content-Length: 1"), "417 expectation"},
		{"38 a method without end", strings.Repeat("A", 40), "501 unknown_method"},
		{"38 a target without end", "GET /" + strings.Repeat("a", DefaultTarget), "414 target_too_long"},
		{"38 a long target", "GET /" + strings.Repeat("a", DefaultTarget) + " HTTP/1.1\r\nHost: a\r\n\r\n", "414 target_too_long"},
		{"38 fields without end", get("X: " + strings.Repeat("a", DefaultHead)), "431 head_too_large"},
		{"38 a field without end", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", DefaultHead), "431 head_too_large"},
		{"38 too many fields", get(strings.Repeat("X: y\r\n", DefaultFields) + "Z: 1"), "431 too_many_fields"},
		{"51 five empty lines", "\r\n\r\n\r\n\r\n\r\n" + get(), "400 empty_lines"},
		{"TLS on a plain port", "\x16\x03\x01\x02\x00\x01", "400 bad_request_line"},
	} {
		t.Run(tt.duty, func(t *testing.T) {
			t.Parallel()
			if _, err := judged(tt.head); reasonOf(err) != tt.want {
				t.Errorf("%.80q: got %q, want %q", tt.head, reasonOf(err), tt.want)
			}
		})
	}
}

func TestRequest_Duties_Accepts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		duty, head string
		check      func(*Request) bool
	}{
		{"3 leading zeros", post("Content-Length: 007"), func(r *Request) bool { return r.Framing == Length && r.ContentLength == 7 && r.Plain }},
		{"3 the largest length", post("Content-Length: 9223372036854775807"), func(r *Request) bool { return r.ContentLength == 1<<63-1 }},
		{"4 coding in any case", post("Transfer-Encoding:  CHUNKED "), func(r *Request) bool { return r.Framing == Chunked && r.Plain }},
		{"11 tab and obs-text in values", get("X: a\tb\xff" + strings.Repeat("c\t", 30)), func(r *Request) bool { return len(r.Value("x")) == 63 }},
		{"11 empty value", get("X:", "Y: z"), func(r *Request) bool { return r.Value("X") != nil && len(r.Value("X")) == 0 }},
		{"8 a name of 270 bytes is no Content-Length (CVE-2021-40346)", post("Content-Length0"+strings.Repeat("a", 255)+":", "Content-Length: 23"), func(r *Request) bool {
			return r.Framing == Length && r.ContentLength == 23 && len(r.Fields) == 3
		}},
		{"12 IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", func(r *Request) bool { return string(r.Host) == "[::1]:8080" }},
		{"12 Host with port", "GET / HTTP/1.1\r\nHost: a.b:80\r\n\r\n", func(r *Request) bool { return string(r.Host) == "a.b:80" && r.Plain }},
		{"12 HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", func(r *Request) bool { return r.HTTP10 && r.Host == nil && !r.KeepAlive && !r.Plain }},
		{"13 absolute form", "GET http://b:81/p?q HTTP/1.1\r\nHost: a\r\n\r\n", func(r *Request) bool {
			return r.Absolute && string(r.Host) == "b:81" && string(r.Path) == "/p" && string(r.Query) == "q" && !r.Plain
		}},
		{"13 absolute form without path", "GET HTTPS://b?q HTTP/1.1\r\nHost: a\r\n\r\n", func(r *Request) bool { return string(r.Path) == "/" && string(r.Query) == "q" }},
		{"15 OPTIONS star", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", func(r *Request) bool { return string(r.Path) == "*" }},
		{"15 OPTIONS star in absolute form", "OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n", func(r *Request) bool { return string(r.Path) == "*" }},
		{"16 lone question mark", "GET /a? HTTP/1.1\r\nHost: a\r\n\r\n", func(r *Request) bool { return string(r.Path) == "/a" && r.Query != nil && r.Simple }},
		{"16 query with slashes", "GET /a?b=//../%2e HTTP/1.1\r\nHost: a\r\n\r\n", func(r *Request) bool { return r.Simple && !r.Plain }},
		{"16 dots in names", "GET /a.b/c..d HTTP/1.1\r\nHost: a\r\n\r\n", func(r *Request) bool { return r.Simple && r.Plain }},
		{"16 dot segment", "GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n", func(r *Request) bool { return !r.Simple && r.Plain }},
		{"16 double slash", "GET //b HTTP/1.1\r\nHost: a\r\n\r\n", func(r *Request) bool { return !r.Simple }},
		{"16 percent", "GET /%2f HTTP/1.1\r\nHost: a\r\n\r\n", func(r *Request) bool { return !r.Simple }},
		{"17 obs-text and quotes in the target", "GET /\xff\"<> HTTP/1.1\r\nHost: a\r\n\r\n", func(r *Request) bool { return !r.Plain && len(r.Target) == 5 }},
		{"21 close", get("Connection: close"), func(r *Request) bool { return !r.KeepAlive && r.Plain }},
		{"21 Close in a list", get("Connection: , Close ,x-y"), func(r *Request) bool { return !r.KeepAlive && !r.Plain }},
		{"21 keep-alive in HTTP/1.0", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", func(r *Request) bool { return r.KeepAlive }},
		{"21 close beats keep-alive", get("Connection: keep-alive", "Connection: close"), func(r *Request) bool { return !r.KeepAlive }},
		{"24 Max-Forwards", "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n", func(r *Request) bool { return r.MaxForwards == 0 }},
		{"24 Max-Forwards of GET", get("Max-Forwards: x"), func(r *Request) bool { return r.MaxForwards == -1 }},
		{"27 expectation", post("Expect: 100-Continue", "Content-Length: 1"), func(r *Request) bool { return r.Expect100 && !r.Plain }},
		{"27 expectation without body", post("Expect: 100-continue"), func(r *Request) bool { return !r.Expect100 }},
		{"27 expectation of HTTP/1.0", "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", func(r *Request) bool { return !r.Expect100 }},
		{"35 trailers wanted", get("TE: gzip, trailers"), func(r *Request) bool { return r.Trailers }},
		{"38 a hundred fields", get(strings.Repeat("X: y\r\n", DefaultFields-2) + "Z: 1"), func(r *Request) bool { return len(r.Fields) == DefaultFields }},
		{"43 websocket", get("Connection: keep-alive, Upgrade", "Upgrade: WebSocket"), func(r *Request) bool { return r.Upgrade && r.Asked().Upgrade }},
		{"43 websocket without nomination", get("Upgrade: websocket"), func(r *Request) bool { return !r.Upgrade }},
		{"43 websocket with a body", get("Connection: Upgrade", "Upgrade: websocket", "Content-Length: 1"), func(r *Request) bool { return !r.Upgrade }},
		{"43 websocket by POST", post("Connection: Upgrade", "Upgrade: websocket"), func(r *Request) bool { return !r.Upgrade }},
		{"44 h2c", get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA"), func(r *Request) bool { return !r.Upgrade }},
		{"44 h2c beside websocket", get("Connection: Upgrade", "Upgrade: h2c, websocket"), func(r *Request) bool { return !r.Upgrade }},
		{"50 underscores pass", get("X_Y: z"), func(r *Request) bool { return string(r.Value("X_Y")) == "z" && r.Plain }},
		{"51 four empty lines", "\r\n\r\n\r\n\r\n" + get(), func(r *Request) bool { return string(r.Method) == "GET" && string(r.Head) == "Host: a\r\n" }},
		{"HEAD", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", func(r *Request) bool { return r.IsHead && r.Idempotent && r.Asked().Head }},
		{"POST is not idempotent", post(), func(r *Request) bool { return !r.Idempotent }},
		{"methods are case-sensitive", "connect / HTTP/1.1\r\nHost: a\r\n\r\n", func(r *Request) bool { return !r.Idempotent }},
		{"a plain request", plainHead, func(r *Request) bool { return r.Plain && r.Simple && r.KeepAlive && len(r.Fields) == 8 }},
	} {
		t.Run(tt.duty, func(t *testing.T) {
			t.Parallel()
			r, err := judged(tt.head)
			if err != nil {
				t.Fatalf("%q: %v", tt.head, err)
			}
			if !tt.check(r) {
				t.Errorf("%q: got %+v", tt.head, r)
			}
		})
	}
}

func TestRequest_Underscore_FollowsThePolicy(t *testing.T) {
	t.Parallel()
	head := []byte(get("X_Forwarded_For: 1", "Serin_Arm: canary", "Transfer_Encoding: chunked", "X_Mine: 2"))
	f := func(policy Underscore, want string) {
		t.Helper()
		var r Request
		_, err := r.Parse(head, &Limits{Underscore: policy})
		got := reasonOf(err)
		if err == nil {
			got = string(r.appendKept(nil, &Outgoing{}, hopByHop))
		}
		if got != want {
			t.Errorf("policy %d: got %q, want %q", policy, got, want)
		}
	}
	f(UnderscorePass, "Host: a\r\nX_Mine: 2\r\n")
	f(UnderscoreDrop, "Host: a\r\n")
	f(UnderscoreReject, "400 underscore_name")
}

func TestRequest_AnySplit_ReadsTheSame(t *testing.T) {
	t.Parallel()
	heads := []string{plainHead, post("Content-Length: 3"), "\r\n\r\n" + get(), get("X: y\x01"), "GET / HTTP/1.1\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n"}
	for _, head := range heads {
		var whole Request
		wantN, wantErr := whole.Parse([]byte(head), nil)
		var r Request
		for size := 1; size <= len(head); size++ {
			n, err := r.Parse([]byte(head[:size]), nil)
			if n == 0 && err == nil {
				continue
			}
			if n != wantN || err != wantErr || string(r.Target) != string(whole.Target) && err == nil {
				t.Errorf("%.60q byte by byte: got %d, %v at %d, want %d, %v", head, n, err, size, wantN, wantErr)
			}
			break
		}
	}
}

func TestRequest_DribbledTarget_Is414(t *testing.T) {
	t.Parallel()
	var r Request
	for size := 1000; ; size += 1000 {
		n, err := r.Parse([]byte("GET /"+strings.Repeat("a", size)), nil)
		if err != nil {
			if reasonOf(err) != "414 target_too_long" || size > DefaultTarget+1000 {
				t.Errorf("got %v at %d bytes", err, size)
			}
			return
		}
		if n != 0 {
			t.Fatalf("got %d bytes of an endless target", n)
		}
	}
}

func TestRequest_Limits_AreTheCallers(t *testing.T) {
	t.Parallel()
	lim := &Limits{Head: 100, Target: 10, Fields: 2}
	f := func(head, want string) {
		t.Helper()
		var r Request
		if _, err := r.Parse([]byte(head), lim); reasonOf(err) != want {
			t.Errorf("%q: got %q, want %q", head, reasonOf(err), want)
		}
	}
	f(get("X: y"), "")
	f(get("X: y", "Y: z"), "431 too_many_fields")
	f(get("X: "+strings.Repeat("y", 80)), "431 head_too_large")
	f("GET /0123456789 HTTP/1.1\r\nHost: a\r\n\r\n", "414 target_too_long")
}

func TestRequest_Reuse_LeavesNothingBehind(t *testing.T) {
	t.Parallel()
	var r Request
	first := "OPTIONS http://b/x?y HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\nTE: trailers\r\nMax-Forwards: 3\r\n\r\n"
	if _, err := r.Parse([]byte(first), nil); err != nil || !r.Expect100 || !r.Trailers || !r.Absolute {
		t.Fatalf("got %+v, %v", r, err)
	}
	if _, err := r.Parse([]byte(get()), nil); err != nil {
		t.Fatal(err)
	}
	if r.Expect100 || r.Trailers || r.Absolute || r.Framing != NoBody || r.ContentLength != 0 || r.MaxForwards != -1 ||
		string(r.Host) != "a" || r.Query != nil || !r.Plain || len(r.Fields) != 1 {
		t.Errorf("got %+v", r)
	}
	r.Reset()
	if r.Host != nil || r.buf != nil || len(r.Fields) != 0 || cap(r.Fields) == 0 {
		t.Errorf("after Reset: got %+v", r)
	}
}

func TestRequest_SecondOpinion_AgreesOnPlainHeads(t *testing.T) {
	t.Parallel()
	for _, head := range []string{plainHead, post("Content-Length: 3"), post("Transfer-Encoding: chunked"), "\r\n" + get()} {
		var r Request
		if _, err := r.Parse([]byte(head), nil); err != nil || !r.Plain {
			t.Fatalf("%q: got %v, plain %v", head, err, r.Plain)
		}
		if err := r.SecondOpinion(); err != nil {
			t.Errorf("%q: %v", head, err)
		}
	}
}

func TestRequest_SecondOpinion_SeesADisagreement(t *testing.T) {
	t.Parallel()
	f := func(what string, change func(*Request)) {
		t.Helper()
		var r Request
		if _, err := r.Parse([]byte(post("Content-Length: 3")), nil); err != nil {
			t.Fatal(err)
		}
		change(&r)
		if err := r.SecondOpinion(); reasonOf(err) != "400 ambiguous" {
			t.Errorf("%s: got %v", what, err)
		}
	}
	f("method", func(r *Request) { r.Method = []byte("PUT") })
	f("target", func(r *Request) { r.Target = []byte("/x") })
	f("version", func(r *Request) { r.HTTP10 = true })
	f("length", func(r *Request) { r.ContentLength = 4 })
	f("framing", func(r *Request) { r.Framing = Chunked })
	f("host", func(r *Request) { r.Fields[0].ValueEnd-- })
	f("end of head", func(r *Request) { r.buf = append(r.buf, "GET"...) })
}

func TestRequest_WantsJSON_ReadsAccept(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{"application/json": true, "text/html, application/json;q=0.1": true, "text/html": false} {
		if r, err := judged(get("accept: " + accept)); err != nil || r.WantsJSON() != want {
			t.Errorf("%q: got %v, %v", accept, r.WantsJSON(), err)
		}
	}
}

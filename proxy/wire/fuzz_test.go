package wire

import (
	"bufio"
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// hop are the names that no proxy passes on.
var hop = []string{"connection", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings", "expect"}

func seedRequests(f *testing.F) {
	for _, head := range []string{
		plainHead, get(), post("Content-Length: 007"), post("Transfer-Encoding: CHUNKED"), "\r\n" + get("Connection: X-A, close", "X-A: 1"),
		get("Connection: Upgrade", "Upgrade: websocket"), get("X_Forwarded_For: 1", "Serin-Arm: x", "TE: trailers"),
		"OPTIONS http://b?x HTTP/1.1\r\nHost: a\r\nMax-Forwards: 7\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
		post("Content-Length: 1", "Transfer-Encoding: chunked"), post("Transfer-Encoding:\vchunked"), get("X: y", " z"),
		"GET / HTTP/1.1\nHost: a\n\n", get("Host: b"), get("X : y"), get(": y"), get("X: \x00"), "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "GET http://u@b/ HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		f.Add([]byte(head))
	}
}

// FuzzRequest: what Parse accepts, a strict reader and net/http read the same way; what goes upstream is one request
// with the same target, host and framing, without hop-by-hop fields; every other split of the bytes gives the same.
func FuzzRequest(f *testing.F) {
	seedRequests(f)
	f.Fuzz(checkRequest)
}

func checkRequest(t *testing.T, in []byte) {
	var r Request
	n, err := r.Parse(in, nil)
	requireSplit(t, in, n, err)
	if n == 0 || err != nil {
		return
	}
	strict, strictErr := strictly(bytes.TrimLeft(in[:n], "\r\n"), strictRequestLine, false)
	if strictErr != nil {
		t.Fatalf("accepted %q, which is not strict", in[:n])
	}
	framing, length, err := strict.framing(NoBody)
	if err != nil || framing != r.Framing || length != r.ContentLength || strict.first[0] != string(r.Method) ||
		strict.first[1] != string(r.Target) || len(strict.fields) != len(r.Fields) {
		t.Fatalf("%q: strict reader says %+v %v %d, %v", in[:n], strict, framing, length, err)
	}
	hosts := strict.all("Host")
	if len(hosts) > 1 || len(hosts) == 1 && !strictHost.MatchString(hosts[0]) || len(hosts) == 0 && !r.HTTP10 {
		t.Fatalf("accepted hosts %q", hosts)
	}
	requireNetHTTP(t, &r, bytes.TrimLeft(in[:n], "\r\n"))
	second := r.SecondOpinion()
	if r.Plain && second != nil {
		t.Fatalf("plain, but fasthttp disagrees: %q", in[:n])
	}
	requireForwarded(t, &r, &strict)
}

// requireSplit parses byte by byte.
func requireSplit(t *testing.T, in []byte, wantN int, wantErr error) {
	t.Helper()
	if len(in) > 300 {
		return
	}
	var r Request
	for size := 0; size <= len(in); size++ {
		n, err := r.Parse(slices.Clone(in[:size]), nil)
		if n == 0 && err == nil {
			continue
		}
		if n != wantN || (err == nil) != (wantErr == nil) {
			t.Fatalf("%q byte by byte: got %d, %v at %d, want %d, %v", in, n, err, size, wantN, wantErr)
		}
		return
	}
	if wantN != 0 {
		t.Fatalf("%q byte by byte asks for more, want %d", in, wantN)
	}
}

// requireNetHTTP compares with net/http, where it has an opinion: it knows no target that is no URL, and refuses some
// hosts that the grammar allows.
func requireNetHTTP(t *testing.T, r *Request, head []byte) {
	t.Helper()
	in := bufio.NewReader(bytes.NewReader(head))
	std, err := http.ReadRequest(in)
	if err != nil {
		if strings.HasPrefix(err.Error(), "parse ") {
			return
		}
		t.Fatalf("accepted %q, net/http says %v", head, err)
	}
	length := r.ContentLength
	if r.Framing == Chunked {
		length = -1
	}
	if std.Method != string(r.Method) || std.RequestURI != string(r.Target) || std.ContentLength != length ||
		slices.Contains(std.TransferEncoding, "chunked") != (r.Framing == Chunked) ||
		std.ProtoAtLeast(1, 1) == r.HTTP10 || std.Host != string(r.Host) && std.URL.Host != "" {
		t.Fatalf("%q: net/http says %+v, we %+v", head, std, r)
	}
}

// requireForwarded checks the head that goes upstream.
func requireForwarded(t *testing.T, r *Request, client *strictHead) {
	t.Helper()
	o := &Outgoing{Peer: []byte("192.0.2.7"), Host: "u"}
	out := AppendRequest(nil, r, o)
	got, err := strictly(out, strictRequestLine, false)
	if err != nil || got.size != len(out) || got.first[2] != "1.1" || len(got.all("Host")) != 1 {
		t.Fatalf("forwarded %q: %+v, %v", out, got, err)
	}
	framing, length, err := got.framing(NoBody)
	if err != nil || framing != r.Framing || length != r.ContentLength {
		t.Fatalf("forwarded framing of %q: %v %d, %v, want %v %d", out, framing, length, err, r.Framing, r.ContentLength)
	}
	if !r.Absolute && got.first[1] != string(r.Target) || r.Host != nil && got.all("Host")[0] != string(r.Host) {
		t.Fatalf("forwarded %q for target %q, host %q", out, r.Target, r.Host)
	}
	nominated := client.list("Connection")
	for _, field := range got.fields {
		name := strings.ToLower(field[0])
		ours := name == "connection" && (field[1] == "TE" && r.Trailers || field[1] == "Upgrade" && r.Upgrade) ||
			name == "te" && field[1] == "trailers" && r.Trailers || name == "upgrade" && field[1] == "websocket" && r.Upgrade
		if slices.Contains(hop, name) && !ours || strings.HasPrefix(name, "serin-") {
			t.Fatalf("%q survives in %q", name, out)
		}
		if slices.Contains(nominated, name) && kindOther == classify([]byte(name)) {
			t.Fatalf("nominated %q survives in %q", name, out)
		}
	}
	if xff := got.all("X-Forwarded-For"); len(xff) != 1 || xff[0] != "192.0.2.7" {
		t.Fatalf("X-Forwarded-For is %q", xff)
	}
	var again Request
	if n, err := again.Parse(out, &Limits{Head: 1 << 20, Fields: 1000, Target: 1 << 20}); n != len(out) || err != nil {
		t.Fatalf("our own gate refuses %q: %d, %v", out, n, err)
	}
}

// FuzzResponse: what Parse accepts, a strict reader and net/http read the same way; what goes to the client is one
// response with the framing that FramingTo promises.
func FuzzResponse(f *testing.F) {
	for _, head := range []string{
		plainAnswer, answer("200"), answer("204 x", "Content-Length: 0"), answer("200 OK", "Transfer-Encoding: chunked"),
		answer("200 OK", "X: a", " b"), "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 07\r\n\r\n",
		answer("103 x", "Link: a"), answer("101 x", "Connection: Upgrade", "Upgrade: websocket"), answer("304 x", "Content-Length: 9"),
	} {
		f.Add([]byte(head), uint8(0))
		f.Add([]byte(head), uint8(7))
	}
	f.Fuzz(checkResponse)
}

func checkResponse(t *testing.T, in []byte, flags uint8) {
	asked := Asked{Head: flags&1 != 0, Upgrade: flags&2 != 0}
	reply := &Reply{HTTP10: flags&4 != 0, KeepAlive: flags&8 != 0, Date: []byte("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")}
	var p Response
	received := slices.Clone(in)
	n, err := p.Parse(in, asked, nil)
	if n == 0 || err != nil {
		return
	}
	strict, err := strictly(received, strictStatusLine, true)
	if err != nil || strict.size != n || len(strict.fields) != len(p.Fields) {
		t.Fatalf("accepted %q: %+v, %v", received[:n], strict, err)
	}
	for i, field := range strict.fields {
		got := &p.Fields[i]
		value := in[got.Value:got.ValueEnd]
		if string(in[got.Start:got.NameEnd]) != field[0] || !sameWords(string(value), field[1]) {
			t.Fatalf("%q: field %d is %q: %q, want %q", received[:n], i, in[got.Start:got.NameEnd], value, field)
		}
	}
	framing, length, err := strict.framing(UntilClose)
	if err != nil || framing == Length && length != p.ContentLength || p.Framing != NoBody && framing != p.Framing {
		t.Fatalf("%q: got %v %d, strict reader says %v %d, %v", received[:n], p.Framing, p.ContentLength, framing, length, err)
	}
	if p.Plain && len(strict.all("Trailer")) == 0 && p.SecondOpinion() != nil { // fasthttp refuses some announcements
		t.Fatalf("plain, but fasthttp disagrees: %q", received[:n])
	}
	requireReply(t, &p, asked, reply)
}

func sameWords(a, b string) bool { return slices.Equal(strings.Fields(a), strings.Fields(b)) }

// requireReply reads the client's head with net/http and compares framing.
func requireReply(t *testing.T, p *Response, asked Asked, o *Reply) {
	t.Helper()
	out := AppendResponse(nil, p, o)
	head, err := strictly(out, strictStatusLine, false)
	if err != nil || head.size != len(out) || head.first[0] != "1.1" {
		t.Fatalf("sent %q: %v", out, err)
	}
	for _, field := range head.fields {
		name := strings.ToLower(field[0])
		ours := name == "connection" && (field[1] == "close" || field[1] == "keep-alive") || p.Switch && (name == "connection" || name == "upgrade")
		if slices.Contains(hop, name) && name != "expect" && !ours || strings.HasPrefix(name, "serin-") {
			t.Fatalf("%q survives in %q", name, out)
		}
	}
	if p.Interim || p.Switch {
		return
	}
	if len(head.all("Date")) == 0 {
		t.Fatalf("sent %q without a date", out)
	}
	framing, length, err := head.framing(UntilClose)
	want := p.FramingTo(o.HTTP10)
	if err != nil || want != NoBody && framing != want || want == Length && length != p.ContentLength || want == NoBody && framing == Chunked {
		t.Fatalf("sent %q: framing %v %d, %v, want %v", out, framing, length, err, want)
	}
	method := "GET"
	if asked.Head {
		method = "HEAD"
	}
	std, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(out)), &http.Request{Method: method})
	if err != nil || std.StatusCode != p.Status || !std.Close && (!o.KeepAlive || want == UntilClose) {
		t.Fatalf("net/http reads %q as %+v, %v", out, std, err)
	}
}

// FuzzChunks: the decoder and a strict one agree on payload and end, whatever the split; what Append frames anew decodes
// to the same.
func FuzzChunks(f *testing.F) {
	for _, in := range []string{
		"0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "1;x=y\r\na\r\n2 \t;z\r\nbc\r\n0\r\nA: b\r\n\r\nnext", "5\nhello\r\n0\r\n\r\n",
		"00000000000000001\r\na\r\n0\r\n\r\n", "8000000000000000\r\n", "0\r\nA: b\n\r\n", "0\r\n\n", "1\r\na\r\r\n0\r\n\r\n", "0\r\n : b\r\n\r\n",
	} {
		f.Add(in, uint8(3))
	}
	f.Fuzz(func(t *testing.T, in string, step uint8) {
		wantData, wantUsed, wantErr := strictChunks(in)
		for _, size := range []int{int(step) + 1, 1, len(in) + 1} {
			var b Body
			b.Reset(Chunked, 0, 0)
			data, used, err := decoded(&b, in, size)
			if b.Done() != (wantErr == nil) && len(in) < maxTrailerBytes {
				t.Fatalf("%q by %d: done %v, %v, strict decoder says %v", in, size, b.Done(), err, wantErr)
			}
			if b.Done() && (data != wantData || used != wantUsed || err != nil) {
				t.Fatalf("%q by %d: got %q, %d, %v, want %q, %d", in, size, data, used, err, wantData, wantUsed)
			}
			if !b.Done() && !strings.HasPrefix(wantData, data) {
				t.Fatalf("%q by %d: got %q, want a beginning of %q", in, size, data, wantData)
			}
		}
		if wantErr != nil || len(in) >= maxTrailerBytes {
			return
		}
		var b Body
		b.Reset(Chunked, 0, 0)
		b.KeepTrailer = true
		out, _, err := b.Append(nil, []byte(in), Chunked)
		data, used, strictErr := strictChunks(string(out))
		if err != nil || strictErr != nil || data != wantData || used != len(out) {
			t.Fatalf("%q framed anew is %q: %q, %d, %v, %v", in, out, data, used, err, strictErr)
		}
	})
}

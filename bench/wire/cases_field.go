package main

import "fmt"

// fieldGroups are duties 6 to 11: what a field line may look like.
func fieldGroups() []*group {
	return []*group{
		{6, "space before the colon", "RFC 9112 5.1: a server MUST answer 400", spacedNames()},
		{7, "space before the colon of a response", "RFC 9112 5.1: a proxy MUST remove it, or the message", []Case{
			spacedAnswer("unknown field", lines("HTTP/1.1 200 OK", "X-A : 1", "Content-Length: 2")+"ok", nowhere("x-a ")),
			spacedAnswer("tab", lines("HTTP/1.1 200 OK", "X-A\t: 1", "Content-Length: 2")+"ok", nowhere("x-a\t")),
			spacedAnswer("length", lines("HTTP/1.1 200 OK", "Content-Length : 2")+"ok", body("ok")),
			spacedAnswer("coding", lines("HTTP/1.1 200 OK", "Transfer-Encoding : chunked")+"2\r\nok\r\n0\r\n\r\n", body("ok")),
			spacedAnswer("cookie", lines("HTTP/1.1 200 OK", "Set-Cookie : a=b", "Content-Length: 2")+"ok", nowhere("set-cookie ")),
		}},
		{8, "field names are tokens", "RFC 9110 5.1, RFC 9112 2.2: refuse what is no field; leaving the line out is as safe", badNames()},
		{8, "field names of responses are tokens", "RFC 9110 5.1: what is no field must not reach the client", badAnswerNames()},
		{9, "folded lines", "RFC 9112 5.2: reject, or replace the fold by spaces", folds()},
		{9, "folded lines of responses", "RFC 9112 5.2: discard with 502, or replace the fold by spaces", []Case{
			foldedAnswer("space", "X-A: 1\r\n 2", "X-A"),
			foldedAnswer("tab", "X-A: 1\r\n\t2", "X-A"),
			foldedAnswer("twice", "X-A: 1\r\n 2\r\n 3", "X-A"),
			foldedAnswer("looks like a field", "X-A: 1\r\n Set-Cookie: evil=1", "X-A"),
			foldedAnswer("blank continuation", "X-A: 1\r\n  ", "X-A"),
			foldedAnswer("before any field", " X-A: 1", ""),
		}},
		{10, "bare LF", "RFC 9112 2.2: a line may be taken to end at LF, or the message refused; never read in two ways", bareLF()},
		{11, "control characters in values", "RFC 9110 5.5: CR, LF and NUL must be refused or replaced by SP", controls()},
	}
}

func spacedNames() []Case {
	var cases []Case
	for _, line := range []string{"X-A : 1", "X-A\t: 1", "X-A  \t : 1", "Content-Length : 5", "Cookie : a=b", "Connection : close"} {
		cases = append(cases, Case{Name: fmt.Sprintf("%q", line), Play: probe{
			send: get(line, "X-B: 2"), want: []outcome{refused(400)},
		}})
	}
	return append(cases,
		Case{Name: "Transfer-Encoding", Play: probe{
			send: post("Transfer-Encoding : chunked") + "0\r\n\r\n", want: []outcome{refused(400)},
		}},
		Case{Name: "Host", Play: probe{send: lines("GET / HTTP/1.1", "Host : example.test"), want: []outcome{refused(400)}}},
	)
}

func spacedAnswer(name, raw string, clean is) Case {
	return Case{Name: name, Play: probe{
		send: get(), answers: []answer{{raw: raw, then: closes}}, want: []outcome{answered(502), answered(200, clean)},
	}}
}

func badNames() []Case {
	var cases []Case
	for _, bad := range []struct{ name, line, secret string }{
		{"space inside", "X A: secret", "secret"}, {"empty name", ": secret", "secret"}, {"parenthesis", "X(A): secret", "secret"},
		{"slash", "X/A: secret", "secret"}, {"at sign", "X@A: secret", "secret"}, {"quote", "X\"A: secret", "secret"},
		{"control character", "X\x01A: secret", "secret"}, {"NUL", "X\x00A: secret", "secret"}, {"DEL", "X\x7fA: secret", "secret"},
		{"byte above ASCII", "X\xe9A: secret", "secret"}, {"UTF-8", "Stra\u00dfe: secret", "secret"}, {"no colon", "secret", "secret"},
		{"CR inside", "X\rA: secret", "secret"}, {"brackets", "X[A]: secret", "secret"}, {"equals sign", "X=A: secret", "secret"},
		{"semicolon", "X;A: secret", "secret"}, {"backslash", `X\A: secret`, "secret"},
	} {
		cases = append(cases, Case{Name: bad.name, Play: probe{
			send: get("X-Before: 1", bad.line, "X-After: 2"),
			want: []outcome{refused(400), forwarded(nowhere(bad.secret), header("X-Before", "1"), header("X-After", "2"))},
		}})
	}
	return append(cases,
		Case{Name: "empty name before the length", Why: "CVE-2023-25725: the fields behind it were lost", Play: probe{
			send: post(": x", "Content-Length: 5") + "hello", want: []outcome{refused(400), forwarded(body("hello"))},
		}},
		Case{Name: "every token character", Why: "RFC 9110 5.6.2: a valid name must get through", Play: probe{
			send: get("X!#$%&'*+-.^`|~09az: 1"), want: []outcome{forwarded(header("X!#$%&'*+-.^`|~09az", "1"))},
		}},
		Case{Name: "one character", Play: probe{send: get("x: 1"), want: []outcome{forwarded(header("x", "1"))}}},
	)
}

func badAnswerNames() []Case {
	var cases []Case
	for _, bad := range []struct{ name, line string }{
		{"space inside", "X A: secret"}, {"empty name", ": secret"}, {"parenthesis", "X(A): secret"}, {"control character", "X\x01A: secret"},
		{"byte above ASCII", "X\xe9A: secret"}, {"no colon", "secret"}, {"NUL", "X\x00A: secret"},
	} {
		cases = append(cases, Case{Name: bad.name, Play: probe{
			send: get(), answers: []answer{{raw: ok(bad.line)}},
			want: []outcome{answered(502), answered(200, nowhere("secret"), body("ok"))},
		}})
	}
	return cases
}

func folds() []Case {
	var cases []Case
	for _, f := range []struct {
		name, line string
		want       is
	}{
		{"space", "X-A: 1\r\n 2", elements("X-B", "2")},
		{"tab", "X-A: 1\r\n\t2", elements("X-B", "2")},
		{"twice", "X-A: 1\r\n 2\r\n 3", elements("X-B", "2")},
		{"looks like a field", "X-A: 1\r\n X-Evil: 1", without("X-Evil")},
		{"on Cookie", "Cookie: a=b;\r\n c=d", elements("X-B", "2")},
		{"blank continuation", "X-A: 1\r\n  ", elements("X-B", "2")},
		{"empty first line", "X-A:\r\n 1", elements("X-B", "2")},
	} {
		cases = append(cases, Case{Name: f.name, Play: probe{
			send: get(f.line, "X-B: 2"), want: []outcome{refused(400), forwarded(f.want)},
		}})
	}
	return append(cases,
		Case{Name: "on Transfer-Encoding", Play: probe{
			send: post("Transfer-Encoding:\r\n chunked") + "5\r\nhello\r\n0\r\n\r\n", want: []outcome{refused(400, 501), forwarded(body("hello"))},
		}},
		Case{Name: "on Content-Length", Play: probe{
			send: post("Content-Length:\r\n 5") + "hello", want: []outcome{refused(400), forwarded(body("hello"))},
		}},
		Case{Name: "a length hidden in a fold", Play: probe{
			send: get("X-A: 1\r\n Content-Length: 5"), want: []outcome{refused(400), forwarded(without("Content-Length"))},
		}},
		Case{Name: "before any field", Why: "RFC 9112 2.2: reject, or drop every line up to the first proper one", Play: probe{
			send: lines("GET / HTTP/1.1", " X-Evil: 1", host), want: []outcome{refused(400), forwarded(without("X-Evil"))},
		}},
		Case{Name: "Host before any field", Why: "RFC 9112 2.2", Play: probe{
			send: lines("GET / HTTP/1.1", " Host: evil.test", host), want: []outcome{refused(400), forwarded(header("Host", "example.test"))},
		}},
	)
}

func foldedAnswer(name, line, field string) Case {
	return Case{Name: name, Play: probe{
		send: get(), answers: []answer{{raw: ok(line)}},
		want: []outcome{answered(502), answered(200, without("Set-Cookie"), body("ok"))},
	}}
}

func bareLF() []Case {
	one := []outcome{refused(400), forwarded()}
	return []Case{
		{Name: "every line", Play: probe{send: "GET / HTTP/1.1\nHost: example.test\n\n", want: one}},
		{Name: "request line", Play: probe{send: "GET / HTTP/1.1\nHost: example.test\r\n\r\n", want: one}},
		{Name: "one field", Play: probe{send: get("X-A: 1\nX-B: 2"), want: one}},
		{Name: "the empty line", Play: probe{send: "GET / HTTP/1.1\r\nHost: example.test\r\n\n", want: one}},
		{Name: "the last field", Play: probe{send: "GET / HTTP/1.1\r\nHost: example.test\n\r\n", want: one}},
		{Name: "a request behind LF LF", Play: probe{
			send: "GET /one HTTP/1.1\nHost: example.test\n\nGET /two HTTP/1.1\r\nHost: example.test\r\n\r\n",
			want: []outcome{refused(400), forwardedAll([]is{target("/one")}, []is{target("/two")})},
		}},
		{Name: "LF LF within the fields", Play: probe{
			send: "GET /one HTTP/1.1\r\nHost: example.test\r\nX-A: 1\n\nGET /two HTTP/1.1\r\nHost: example.test\r\n\r\n",
			want: []outcome{refused(400), forwardedAll([]is{target("/one")}, []is{target("/two")})},
		}},
		{Name: "a length behind LF", Play: probe{
			send: post("X-A: 1\nContent-Length: 5") + "hello", want: []outcome{refused(400), forwarded(body("hello"))},
		}},
		{Name: "CR CR LF", Why: "RFC 9112 2.2: a bare CR is invalid or a space", Play: probe{
			send: "GET / HTTP/1.1\r\nHost: example.test\r\r\n\r\n", want: one,
		}},
		{Name: "CR only", Why: "RFC 9112 2.2: a bare CR is invalid or a space", Play: probe{
			send: "GET / HTTP/1.1\rHost: example.test\r\rX: y\r\n\r\n", want: []outcome{refused(400)},
		}},
		{Name: "a response's line", Play: probe{
			send: get(), answers: []answer{{raw: "HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok", then: closes}},
			want: []outcome{answered(502), answered(200, body("ok"))},
		}},
		{Name: "a response's field", Play: probe{
			send: get(), answers: []answer{{raw: ok("X-A: 1\nX-B: 2"), then: closes}},
			want: []outcome{answered(502), answered(200, body("ok"))},
		}},
		{Name: "a response's empty line", Play: probe{
			send: get(), answers: []answer{{raw: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nok", then: closes}},
			want: []outcome{answered(502), answered(200, body("ok"))},
		}},
	}
}

func controls() []Case {
	var cases []Case
	for _, c := range []struct{ name, value string }{
		{"NUL", "a\x00b"}, {"bare CR", "a\rb"}, {"CR and a field", "a\rX-Evil: 1"}, {"CR at the end", "a\r"},
		{"NUL first", "\x00a"}, {"bell", "a\x07b"}, {"escape", "a\x1b[31mb"}, {"DEL", "a\x7fb"},
		{"vertical tab", "a\vb"}, {"form feed", "a\fb"},
	} {
		cases = append(cases,
			Case{Name: c.name, Play: probe{
				send: get("X-A: "+c.value, "X-B: 2"), want: []outcome{refused(400), forwarded(header("X-B", "2"), without("X-Evil"))},
			}},
			Case{Name: c.name + ", in a response", Play: probe{
				send: get(), answers: []answer{{raw: ok("X-A: "+c.value, "X-B: 2")}},
				want: []outcome{answered(502), answered(200, header("X-B", "2"), without("X-Evil"))},
			}},
		)
	}
	return append(cases,
		Case{Name: "tab inside is text", Why: "RFC 9110 5.5: HTAB is part of a value", Play: probe{
			send: get("X-A: a\tb"), want: []outcome{forwarded(header("X-A", "a\tb"))},
		}},
		Case{Name: "bytes above ASCII are opaque", Why: "RFC 9110 5.5: obs-text is opaque data", Play: probe{
			send: get("X-A: \xff\xe9\x80"), want: []outcome{forwarded(header("X-A", "\xff\xe9\x80"))},
		}},
		Case{Name: "bytes above ASCII in a response", Why: "RFC 9110 5.5: obs-text is opaque data", Play: probe{
			send: get(), answers: []answer{{raw: ok("X-A: \xff\xe9\x80")}}, want: []outcome{answered(200, header("X-A", "\xff\xe9\x80"))},
		}},
		Case{Name: "NUL in a framing field", Play: probe{send: post("Content-Length: 5\x00") + "hello", want: []outcome{refused(400)}}},
		Case{Name: "a reason with a control character", Beyond: true, Why: "RFC 9112 4: the reason is text", Play: probe{
			send: get(), answers: []answer{{raw: lines("HTTP/1.1 200 O\x00K", "Content-Length: 2") + "ok"}},
			want: []outcome{answered(502), answered(200, body("ok"))},
		}},
	)
}

package main

// versionGroups are duties 18 to 20: versions.
func versionGroups() []*group {
	h10 := lines("GET / HTTP/1.0", host)
	chunkedAnswer := lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n"
	var bad []Case
	for _, v := range []string{
		"HTTP/2.0", "HTTP/2", "HTTP/3.0", "HTTP/9.9", "HTTP/0.9", "HTTP/1", "HTTP/1.", "HTTP/.1", "HTTP/11", "HTTP/1.1x", "http/1.1", "HTTPS/1.1", "HTTP/01.1",
		"HTTP/1.01", "HTTP/-1.1", "HTTP 1.1", "FOO/1.1", "HTTP/1,1",
	} {
		bad = append(bad, Case{Name: v, Play: probe{send: lines("GET / "+v, host), want: []outcome{refused(400, 426, 501, 505)}}})
	}
	bad = append(bad,
		Case{Name: "HTTP/1.2", Why: "RFC 9110 2.5: the highest minor version known is meant; 505 declines", Play: probe{
			send: lines("GET / HTTP/1.2", host), want: []outcome{forwarded(version("HTTP/1.1")).anyEnding(), refused(400, 505)},
		}},
		Case{Name: "HTTP/0.9 simple request", Play: probe{send: "GET /\r\n", want: []outcome{refused(400, 505)}}},
		Case{Name: "HTTP/2.0 is refused with 505", Why: "RFC 9110 15.6.6", Play: probe{
			send: lines("GET / HTTP/2.0", host), want: []outcome{refused(505)},
		}},
		Case{Name: "HTTP/2 preface", Why: "RFC 9113 3.4: made to be refused by HTTP/1.1 servers", Play: probe{
			send: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", want: []outcome{refused(400, 405, 501, 505)},
		}},
		Case{Name: "HTTP/2 preface in pieces", Why: "RFC 9113 3.4", Play: script{client: []step{
			sends("PRI * HTTP/2.0\r\n"), waits(shortly), sends("\r\nSM\r\n\r\n"), gets(status(400, 405, 501, 505)), ends(),
		}}},
	)
	answerAs := func(first string) []answer {
		return []answer{{raw: lines(first, "Content-Length: 2") + "ok", then: closes}}
	}
	return []*group{
		{18, "versions", "RFC 9112 2.3, RFC 9110 2.5 and 15.6.6: another major version is refused with 505, what is none with 400", bad},
		{19, "its own version, both ways", "RFC 9110 2.5, RFC 9112 2.3: an intermediary sends its own version", []Case{
			{Name: "a request of HTTP/1.0", Play: probe{send: h10, want: []outcome{forwarded(version("HTTP/1.1")).closing()}}},
			{Name: "a request of HTTP/1.0 with a body", Play: probe{
				send: lines("POST / HTTP/1.0", host, "Content-Length: 5") + "hello",
				want: []outcome{forwarded(version("HTTP/1.1"), body("hello")).closing()},
			}},
			{Name: "an answer of HTTP/1.0", Play: probe{
				send: get(), answers: answerAs("HTTP/1.0 200 OK"), want: []outcome{answered(200, version("HTTP/1.1"), body("ok"))},
			}},
			{Name: "an answer of HTTP/1.0 to HTTP/1.0", Play: probe{
				send: h10, answers: answerAs("HTTP/1.0 200 OK"), want: []outcome{answered(200, version("HTTP/1.1", "HTTP/1.0"), body("ok"))},
			}},
			{Name: "an answer of HTTP/1.7", Why: "RFC 9110 2.5: the highest minor version known is meant; 502 declines", Play: probe{
				send: get(), answers: answerAs("HTTP/1.7 200 OK"), want: []outcome{answered(200, version("HTTP/1.1"), body("ok")), answered(502)},
			}},
			{Name: "an answer of HTTP/2.0", Play: probe{send: get(), answers: answerAs("HTTP/2.0 200 OK"), want: []outcome{answered(502), answered(200, version("HTTP/1.1"), body("ok"))}}},
			{Name: "an answer that is none", Play: probe{send: get(), answers: answerAs("ICY 200 OK"), want: []outcome{answered(502)}}},
			{Name: "an answer without a head", Why: "RFC 9112 A.2: HTTP/0.9 is not spoken any more", Play: probe{
				send: get(), answers: []answer{{raw: "hello\r\n\r\n", then: closes}}, want: []outcome{answered(502)},
			}},
			{Name: "an answer without a status", Play: probe{send: get(), answers: answerAs("HTTP/1.1 OK"), want: []outcome{answered(502)}}},
			{Name: "a status of two digits", Play: probe{send: get(), answers: answerAs("HTTP/1.1 20 OK"), want: []outcome{answered(502)}}},
			{Name: "a status of four digits", Play: probe{send: get(), answers: answerAs("HTTP/1.1 2000 OK"), want: []outcome{answered(502)}}},
			{Name: "a status of 999", Why: "RFC 9110 15: outside 100 to 599 is invalid, best treated as 5xx", Play: probe{
				send: get(), answers: answerAs("HTTP/1.1 999 Odd"), want: []outcome{answered(502), answered(999)},
			}},
			{Name: "an unknown status", Why: "RFC 9110 15: any of a known class is valid", Play: probe{
				send: get(), answers: answerAs("HTTP/1.1 299 Fine"), want: []outcome{answered(299, body("ok"))},
			}},
			{Name: "no reason", Why: "RFC 9112 4: the reason may be empty, its space may not be missing", Play: probe{
				send: get(), answers: answerAs("HTTP/1.1 200 "), want: []outcome{answered(200, body("ok"))},
			}},
			{Name: "no space for the reason", Why: "RFC 9112 4: lenient parsing is usual; the client must get a proper line", Play: probe{
				send: get(), answers: answerAs("HTTP/1.1 200"), want: []outcome{answered(200, body("ok")), answered(502)},
			}},
		}},
		{20, "no chunks to HTTP/1.0", "RFC 9112 6.1, 7.1: never to a client that did not say HTTP/1.1", []Case{
			{Name: "a chunked answer", Play: probe{
				send: h10, answers: []answer{{raw: chunkedAnswer}}, want: []outcome{answered(200, framed(byClose, byLength), body("hello"))},
			}},
			{Name: "a chunked answer, keep-alive asked for", Play: probe{
				send: lines("GET / HTTP/1.0", host, "Connection: keep-alive"), answers: []answer{{raw: chunkedAnswer}},
				want: []outcome{answered(200, framed(byClose, byLength), body("hello"))},
			}},
			{Name: "a chunked answer with trailers", Play: probe{
				send:    h10,
				answers: []answer{{raw: lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"}},
				want:    []outcome{answered(200, framed(byClose, byLength), body("hello"))},
			}},
			{Name: "an answer ended by closing", Play: probe{
				send: h10, answers: []answer{{raw: lines("HTTP/1.1 200 OK", "X-A: 1") + "hello", then: closes}},
				want: []outcome{answered(200, framed(byClose, byLength), body("hello"))},
			}},
			{Name: "an answer of a length keeps the connection", Why: "RFC 9112 9.3, C.2.2: keep-alive, when asked for; optional", Play: probe{
				send: lines("GET / HTTP/1.0", host, "Connection: keep-alive"), want: []outcome{forwarded().anyEnding()},
			}},
			{Name: "an answer ended by closing, to HTTP/1.1", Play: probe{
				send: get(), answers: []answer{{raw: lines("HTTP/1.1 200 OK", "X-A: 1") + "hello", then: closes}},
				want: []outcome{answered(200, body("hello"))},
			}},
			{Name: "a chunked answer to HEAD", Play: probe{
				send: lines("HEAD / HTTP/1.0", host), answers: []answer{{raw: lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")}},
				want: []outcome{answered(200, without("Transfer-Encoding"), body(""))},
			}},
		}},
	}
}

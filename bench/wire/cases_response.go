package main

// responseGroups are duties 32 and 33: how an answer ends must be certain.
func responseGroups() []*group {
	says := func(body string, more ...string) []answer {
		return []answer{{raw: lines(append([]string{"HTTP/1.1 200 OK"}, more...)...) + body, then: closes}}
	}
	bad := answered(502)
	const chunks = "5\r\nhello\r\n0\r\n\r\n"
	f := func(name string, answers []answer, want ...outcome) Case {
		return Case{Name: name, Play: probe{send: get(), answers: answers, want: want}}
	}
	hello := answered(200, body("hello"))
	tooLong := cutOff()
	old := func(body string, more ...string) []answer {
		return []answer{{raw: lines(append([]string{"HTTP/1.0 200 OK"}, more...)...) + body, then: closes}}
	}
	return []*group{
		{32, "response framing", "RFC 9112 6.3: what has no certain end is answered 502", []Case{
			f("length and coding", says(chunks, "Content-Length: 5", "Transfer-Encoding: chunked"), bad, hello),
			f("coding and length", says(chunks, "Transfer-Encoding: chunked", "Content-Length: 100"), bad, hello),
			f("two lengths that differ", says("hello!", "Content-Length: 5", "Content-Length: 6"), bad),
			f("a list of lengths that differ", says("hello!", "Content-Length: 5, 6"), bad),
			f("the same length twice", says("hello", "Content-Length: 5", "Content-Length: 5"), bad, hello),
			f("the same length as a list", says("hello", "Content-Length: 5, 5"), bad, hello),
			f("negative length", says("hello", "Content-Length: -5"), bad),
			f("length with a sign", says("hello", "Content-Length: +5"), bad),
			f("length of letters", says("hello", "Content-Length: five"), bad),
			f("empty length", says("hello", "Content-Length:"), bad),
			f("hexadecimal length", says("hello", "Content-Length: 0x5"), bad),
			f("length beyond 64 bits", says("hello", "Content-Length: 18446744073709551621"), bad),
			f("two codings", says(chunks, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), bad, cutOff()),
			f("unknown coding", says("hello", "Transfer-Encoding: cow"), bad, answered(200)),
			f("chunked, then gzip", says(chunks, "Transfer-Encoding: chunked, gzip"), bad, answered(200)),
			f("obfuscated coding and a length", says("hello", "Transfer-Encoding: \vchunked", "Content-Length: 5"), bad, hello, cutOff()),
			f("bad chunk size", says("x\r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), bad, tooLong),
			f("signed chunk size", says("+5\r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), bad, tooLong),
			f("chunk size 0x5", says("0x5\r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), bad, tooLong),
			f("chunk longer than its size", says("4\r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), bad, tooLong),
			f("chunk size beyond 64 bits", says("10000000000000005\r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), bad, tooLong),
			f("bad chunk after a good one", says("5\r\nhello\r\nx\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), bad, cutOff()),
			f("coding in upper case", says(chunks, "Transfer-Encoding: Chunked"), hello),
			f("leading zeros", says("hello", "Content-Length: 0005"), hello, bad),
			f("chunk extension", says("5;a=b\r\nhello\r\n0;c\r\n\r\n", "Transfer-Encoding: chunked"), hello),
		}},
		{33, "Transfer-Encoding in an HTTP/1.0 response", "RFC 9112 6.1: the framing is faulty; the connection ends after it", []Case{
			f("chunked", old(chunks, "Transfer-Encoding: chunked"), bad, answered(200)),
			f("chunked and keep-alive", old(chunks, "Transfer-Encoding: chunked", "Connection: keep-alive"), bad, answered(200)),
			f("with a length", old("hello", "Content-Length: 5", "Transfer-Encoding: chunked"), bad, cutOff(), answered(200)),
			{Name: "its connection carries no other request", Play: script{
				client: []step{sends(get()), gets(status(200, 502)), asksOrEnds(), dials(), asks()},
				upstream: []step{
					takes(onConn(0)), sends(lines("HTTP/1.0 200 OK", "Connection: keep-alive", "Transfer-Encoding: chunked") + chunks), ends(), answersTheRest(),
				},
			}},
			{Name: "without keep-alive, neither", Why: "RFC 9112 9.3: HTTP/1.0 does not persist by itself", Play: script{
				client: []step{sends(get()), gets(status(200), body("ok")), asksOrEnds(), dials(), asks()},
				upstream: []step{
					takes(onConn(0)), sends(lines("HTTP/1.0 200 OK", "Content-Length: 2") + "ok"), ends(), answersTheRest(),
				},
			}},
		}},
	}
}

// truncationGroups are duty 34: what is not whole must not look whole.
func truncationGroups() []*group {
	cut := func(name, raw string, then after, want ...outcome) Case {
		if want == nil {
			want = []outcome{cutOff()}
		}
		return Case{Name: name, Play: probe{send: get(), answers: []answer{{raw: raw, then: then}}, want: want}}
	}
	chunked := lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")
	upload := func(name, sent string) Case {
		return Case{Name: name, Play: script{
			client:   []step{sends(sent), tells("sent"), waits(shortly), hangsUp()},
			upstream: []step{await("sent"), takesBroken()},
		}}
	}
	return []*group{
		{34, "truncated answers", "RFC 9112 8: an incomplete message must be seen as such", []Case{
			cut("short of its length", lines("HTTP/1.1 200 OK", "Content-Length: 100")+"hello", closes),
			cut("nothing of its length", lines("HTTP/1.1 200 OK", "Content-Length: 100"), closes),
			cut("short of its length, by a reset", lines("HTTP/1.1 200 OK", "Content-Length: 100")+"hello", resets),
			cut("within a chunk", chunked+"64\r\nhello", closes),
			cut("behind a chunk", chunked+"5\r\nhello\r\n", closes),
			cut("within a chunk's CRLF", chunked+"5\r\nhello\r", closes),
			cut("within a size line", chunked+"5\r\nhello\r\n1", closes),
			cut("within the last chunk's line", chunked+"5\r\nhello\r\n0", closes),
			cut("before the last CRLF", chunked+"5\r\nhello\r\n0\r\n", closes),
			cut("within the last CRLF", chunked+"5\r\nhello\r\n0\r\n\r", closes),
			cut("within a trailer", chunked+"5\r\nhello\r\n0\r\nX-T: 1", closes),
			cut("behind a trailer", chunked+"5\r\nhello\r\n0\r\nX-T: 1\r\n", closes),
			cut("behind a chunk, by a reset", chunked+"5\r\nhello\r\n", resets),
			cut("ended by closing, by a reset", lines("HTTP/1.1 200 OK", "X-A: 1")+"hello", resets),
			{Name: "to HTTP/1.0, by a reset", Beyond: true, Play: probe{
				send: lines("GET / HTTP/1.0", host), answers: []answer{{raw: chunked + "5\r\nhello\r\n", then: closes}}, want: []outcome{cutOff()},
			}},
			cut("within the head", "HTTP/1.1 200 OK\r\nX-A: 1\r\n", closes, answered(502)),
			cut("within the status line", "HTTP/1.1 20", closes, answered(502)),
			cut("one space", " ", closes, answered(502)),
		}},
		{34, "truncated requests", "RFC 9112 8: an incomplete request must not look complete upstream", []Case{
			upload("short of its length", post("Content-Length: 100")+"hello"),
			upload("within a chunk", post("Transfer-Encoding: chunked")+"64\r\nhello"),
			upload("behind a chunk", post("Transfer-Encoding: chunked")+"5\r\nhello\r\n"),
			upload("within the last chunk's line", post("Transfer-Encoding: chunked")+"5\r\nhello\r\n0"),
			upload("before the last CRLF", post("Transfer-Encoding: chunked")+"5\r\nhello\r\n0\r\n"),
			upload("within a trailer", post("Transfer-Encoding: chunked", "TE: trailers")+"5\r\nhello\r\n0\r\nX-T: 1\r\n"),
			upload("within the head", "POST / HTTP/1.1\r\nHost: example.test\r\nContent-Le"),
			{Name: "half-closed within the body", Play: script{
				client:   []step{sends(post("Transfer-Encoding: chunked") + "5\r\nhello\r\n"), finishes(), tells("sent"), waits(4 * shortly)},
				upstream: []step{await("sent"), takesBroken()},
			}},
			{Name: "half-closed short of the length", Play: script{
				client:   []step{sends(post("Content-Length: 10") + "hello"), finishes(), tells("sent"), waits(4 * shortly)},
				upstream: []step{await("sent"), takesBroken()},
			}},
			{Name: "by a reset", Play: script{
				client:   []step{sends(post("Transfer-Encoding: chunked") + "5\r\nhello\r\n"), waits(shortly), aborts(), tells("sent")},
				upstream: []step{await("sent"), takesBroken()},
			}},
		}},
	}
}

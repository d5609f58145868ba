package main

// bodilessGroups are duties 29 and 30: answers without a body, whatever their fields say.
func bodilessGroups() []*group {
	head := lines("HEAD / HTTP/1.1", host)
	says := func(raw string) []answer { return []answer{{raw: raw}} }
	bare := func(status string, more ...string) string {
		return lines(append([]string{"HTTP/1.1 " + status}, more...)...)
	}
	return []*group{
		{29, "HEAD", "RFC 9112 6.3, RFC 9110 9.3.2: no content, whatever the fields say", []Case{
			{Name: "keeps the length", Play: probe{
				send: head, answers: says(bare("200 OK", "Content-Length: 1000")), want: []outcome{forwarded().with(header("Content-Length", "1000"), body(""))},
			}},
			{Name: "without a length", Play: probe{send: head, answers: says(bare("200 OK", "X-A: 1")), want: []outcome{answered(200, body(""))}}},
			{Name: "chunked", Play: probe{send: head, answers: says(bare("200 OK", "Transfer-Encoding: chunked")), want: []outcome{answered(200, body(""))}}},
			{Name: "a body all the same", Why: "RFC 9112 6.3: surplus bytes are not the next answer", Play: probe{
				send: head, answers: says(ok()), want: []outcome{answered(200, body(""))},
			}},
			{Name: "a body that looks like an answer", Why: "RFC 9112 6.3: surplus bytes are not the next answer", Play: probe{
				send: head, answers: says(bare("200 OK", "Content-Length: 45") + lines("HTTP/1.1 200 OK", "X-Evil: 1", "Content-Length: 0")),
				want: []outcome{answered(200, body(""))},
			}},
			{Name: "chunks all the same", Play: probe{
				send: head, answers: says(bare("200 OK", "Transfer-Encoding: chunked") + "2\r\nok\r\n0\r\n\r\n"), want: []outcome{answered(200, body(""))},
			}},
			{Name: "404", Play: probe{send: head, answers: says(bare("404 No", "Content-Length: 9")), want: []outcome{answered(404, body(""))}}},
			{Name: "the proxy's own error", Why: "RFC 9110 9.3.2: nor may the proxy's error have content", Play: probe{
				send: head, answers: []answer{{raw: "HTTP/1.1 200 OK\r\nX-A: 1\r\n", then: closes}}, want: []outcome{answered(502, body(""))},
			}},
			{Name: "pipelined", Why: "RFC 9112 9.3.2", Play: script{client: []step{
				sends(head + "GET /next HTTP/1.1\r\n" + host + "\r\n\r\n"), getsTo("HEAD", echoed("HEAD /")), gets(echoed("GET /next"), body("ok")),
			}}},
		}},
		{30, "204, 304 and 1xx", "RFC 9112 6.3, RFC 9110 8.6: no content; a 204 says no length", []Case{
			{Name: "204", Play: probe{send: get(), answers: says(bare("204 None", "X-A: 1")), want: []outcome{forwarded().with(status(204), header("X-A", "1"))}}},
			{Name: "204 with length 0", Play: probe{
				send: get(), answers: says(bare("204 None", "Content-Length: 0")), want: []outcome{answered(204, without("Content-Length")), answered(502)},
			}},
			{Name: "204 with a length and no body", Play: probe{
				send: get(), answers: says(bare("204 None", "Content-Length: 5")), want: []outcome{answered(204, without("Content-Length")), answered(502)},
			}},
			{Name: "204 with a body", Play: probe{
				send: get(), answers: says(bare("204 None", "Content-Length: 5") + "hello"), want: []outcome{answered(204, without("Content-Length")), answered(502)},
			}},
			{Name: "204 and an answer behind it", Play: probe{
				send: get(), answers: says(bare("204 None") + lines("HTTP/1.1 200 OK", "X-Evil: 1", "Content-Length: 0")), want: []outcome{answered(204)},
			}},
			{Name: "204 with a coding", Why: "RFC 9112 6.1: MUST NOT be sent", Play: probe{
				send: get(), answers: says(bare("204 None", "Transfer-Encoding: chunked")), want: []outcome{answered(204, without("Transfer-Encoding")), answered(502)},
			}},
			{Name: "304", Play: probe{
				send: get("If-None-Match: \"a\""), answers: says(bare("304 Same", "ETag: \"a\"")), want: []outcome{forwarded().with(status(304), header("ETag", "\"a\""))},
			}},
			{Name: "304 with the length it would have", Why: "RFC 9110 8.6: allowed, and no content follows", Play: probe{
				send: get(), answers: says(bare("304 Same", "Content-Length: 1000")), want: []outcome{forwarded().with(status(304), body(""))},
			}},
			{Name: "304 with a body", Play: probe{
				send: get(), answers: says(bare("304 Same", "Content-Length: 5") + "hello"), want: []outcome{answered(304, body(""))},
			}},
			{Name: "304 with a coding", Why: "RFC 9112 6.1: allowed, and no content follows", Play: probe{
				send: get(), answers: says(bare("304 Same", "Transfer-Encoding: chunked")), want: []outcome{answered(304, body(""))},
			}},
			{Name: "205", Why: "RFC 9110 15.3.6: an empty body, framed as any other", Play: probe{
				send: get(), answers: says(bare("205 Reset", "Content-Length: 0")), want: []outcome{forwarded().with(status(205), body(""))},
			}},
		}},
	}
}

// surplusGroups are duty 31: bytes that no request asked for.
func surplusGroups() []*group {
	evil := lines("HTTP/1.1 200 OK", "X-Evil: 1", "Content-Length: 4") + "evil"
	first := func(raw string) script {
		return script{
			client:   []step{sends(get()), gets(status(200), body("ok")), asksOrEnds(), dials(), asks()},
			upstream: []step{takes(), sends(raw), answersTheRest()},
		}
	}
	late := func(raw string, pause step) script {
		return script{
			client: []step{
				sends(get()), gets(status(200), body("ok")), tells("answered"), await("sent"), asksOrEnds(), dials(), asks(),
			},
			upstream: []step{takes(), sends(ok()), await("answered"), sends(raw), pause, tells("sent"), answersTheRest()},
		}
	}
	return []*group{
		{31, "surplus and unsolicited bytes", "RFC 9112 6.3, 9.2: not a response, MUST NOT be taken for the next; close", []Case{
			{Name: "behind a length", Play: first(ok() + "x")},
			{Name: "an answer behind a length", Play: first(ok() + evil)},
			{Name: "half an answer behind a length", Play: first(ok() + "HTTP/1.1 200 OK\r\nX-Evil: ")},
			{Name: "an answer behind the last chunk", Play: first(
				lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "2\r\nok\r\n0\r\n\r\n" + evil)},
			{Name: "CRLF behind a length", Play: first(ok() + "\r\n")},
			{Name: "a late answer", Play: late(evil, waits(shortly))},
			{Name: "a late answer, at once followed by a request", Play: late(evil, waits(0))},
			{Name: "a late byte", Play: late("x", waits(shortly))},
			{Name: "an unsolicited 408", Why: "RFC 9110 15.5.9: servers say so before they close an idle connection", Play: script{
				client: []step{sends(get()), gets(status(200)), tells("answered"), await("sent"), asksOrEnds(), dials(), asks()},
				upstream: []step{
					takes(), sends(ok()), await("answered"), sends(lines("HTTP/1.1 408 Late", "Connection: close", "Content-Length: 0")), hangsUp(),
					waits(shortly), tells("sent"), answersTheRest(),
				},
			}},
			{Name: "an answer before any request", Why: "RFC 9112 9.2: on a fresh connection too", Play: script{
				client:   []step{sends(get()), gets(status(200, 502)), asksOrEnds(), dials(), asks()},
				upstream: []step{takes(), sends(ok() + evil), answersTheRest()},
			}},
			{Name: "two users, one connection", Play: script{
				client: []step{
					sends(get()), gets(status(200), body("ok")), dials(), sends(get("X-User: 2")), gets(status(200), body("22")), asksOrEnds(),
				},
				upstream: []step{
					takes(), sends(ok() + evil), takes(header("X-User", "2")), sends(lines("HTTP/1.1 200 OK", "Content-Length: 2") + "22"), answersTheRest(),
				},
			}},
		}},
	}
}

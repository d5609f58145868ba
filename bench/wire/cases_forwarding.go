package main

// forwardingGroups are duties 48 and 49: who says where a request comes from.
func forwardingGroups() []*group {
	f := func(name string, with profile, want is, more ...string) Case {
		return Case{Name: name, With: with, Play: probe{send: get(more...), want: []outcome{forwarded(want)}}}
	}
	const xff, me = "X-Forwarded-For", "127.0.0.1"
	return []*group{
		{48, "X-Forwarded-For of a stranger", "RFC 7239 8.1, by analogy: a client may write anything; start afresh", []Case{
			f("none", usual, elements(xff, me)),
			f("one", usual, elements(xff, me), xff+": 192.0.2.1"),
			f("a list", usual, elements(xff, me), xff+": 192.0.2.1, 192.0.2.2"),
			f("two lines", usual, elements(xff, me), xff+": 192.0.2.1", "X-A: 1", xff+": 192.0.2.2"),
			f("in other case", usual, elements(xff, me), "x-forwarded-FOR: 192.0.2.1"),
			f("no address", usual, elements(xff, me), xff+": <script>"),
			f("empty", usual, elements(xff, me), xff+":"),
		}},
		{48, "X-Forwarded-For of a trusted proxy", "RFC 7239 5.2, by analogy: append the peer", []Case{
			f("none", trusted, elements(xff, me)),
			f("one", trusted, elements(xff, "192.0.2.1", me), xff+": 192.0.2.1"),
			f("a list", trusted, elements(xff, "192.0.2.1", "192.0.2.2", me), xff+": 192.0.2.1, 192.0.2.2"),
			f("two lines", trusted, elements(xff, "192.0.2.1", "192.0.2.2", me), xff+": 192.0.2.1", "X-A: 1", xff+": 192.0.2.2"),
			f("IPv6", trusted, elements(xff, "2001:db8::1", me), xff+": 2001:db8::1"),
			{Name: "becomes one line", With: trusted, Beyond: true, Play: probe{
				send: get(xff+": 192.0.2.1", xff+": 192.0.2.2"), want: []outcome{forwarded(header(xff, "192.0.2.1, 192.0.2.2, 127.0.0.1"))},
			}},
		}},
		{49, "other forwarding fields of a stranger", "RFC 7239 8.1: not to be believed: replace or drop", []Case{
			f("X-Forwarded-Proto", usual, header("X-Forwarded-Proto", "http"), "X-Forwarded-Proto: https"),
			f("X-Forwarded-Proto twice", usual, header("X-Forwarded-Proto", "http"), "X-Forwarded-Proto: https", "X-Forwarded-Proto: wss"),
			f("X-Forwarded-Host", usual, header("X-Forwarded-Host", "example.test"), "X-Forwarded-Host: evil.test"),
			f("X-Forwarded-Port", usual, nowhere("6666"), "X-Forwarded-Port: 6666"),
			f("X-Real-IP", usual, nowhere("192.0.2.1"), "X-Real-IP: 192.0.2.1"),
			f("Forwarded", usual, nowhere("192.0.2.1"), "Forwarded: for=192.0.2.1;proto=https"),
			f("Forwarded on two lines", usual, nowhere("192.0.2"), "Forwarded: for=192.0.2.1", "Forwarded: for=192.0.2.2"),
			{Name: "any other X-Forwarded-", Beyond: true, Play: probe{
				send: get("X-Forwarded-Ssl: on", "X-Forwarded-Prefix: /evil"), want: []outcome{forwarded(without("X-Forwarded-Ssl", "X-Forwarded-Prefix"))},
			}},
		}},
		{49, "other forwarding fields of a trusted proxy", "RFC 7239 5: believed, and passed on", []Case{
			f("X-Forwarded-Proto", trusted, header("X-Forwarded-Proto", "https"), "X-Forwarded-Proto: https"),
			f("X-Forwarded-Host", trusted, header("X-Forwarded-Host", "public.test"), "X-Forwarded-Host: public.test"),
			f("X-Forwarded-Port", trusted, header("X-Forwarded-Port", "443"), "X-Forwarded-Port: 443"),
			f("Forwarded", trusted, elements("Forwarded", "for=192.0.2.1"), "Forwarded: for=192.0.2.1"),
		}},
	}
}

// earlyGroups are duty 52: an answer before the request is complete.
func earlyGroups() []*group {
	inside := "GET /smuggled HTTP/1.1\r\nHost: smuggled\r\n\r\n"
	const staged = "RFC 9112 9.6: close in stages where more may come"
	no := func(more ...string) string {
		return lines(append([]string{"HTTP/1.1 413 No", "Content-Length: 2"}, more...)...) + "no"
	}
	return []*group{
		{52, "early answers", "RFC 9112 9.5, 9.6: relay it, stop sending, and let no reset eat it", []Case{
			{Name: "to half a body, the upstream closes", Play: script{
				client:   []step{sends(post("Content-Length: 100000000")), pours(1 << 20), gets(status(413), body("no"))},
				upstream: []step{takesHead(), sends(no("Connection: close")), hangsUp()},
			}},
			{Name: "to half a body, the upstream keeps reading nothing", Play: script{
				client:   []step{sends(post("Content-Length: 100000")), sends("hello"), gets(status(413), body("no"))},
				upstream: []step{takesHead(), sends(no()), answersTheRest()},
			}},
			{Name: "to chunks", Play: script{
				client:   []step{sends(post("Transfer-Encoding: chunked") + "5\r\nhello\r\n"), gets(status(413), body("no"))},
				upstream: []step{takesHead(), sends(no("Connection: close")), hangsUp()},
			}},
			{Name: "to a client that sends all the same", Play: script{
				client:   []step{sends(post("Content-Length: 8000000")), pours(8_000_000), gets(status(413), body("no"))},
				upstream: []step{takesHead(), sends(no("Connection: close")), waits(shortly), hangsUp()},
			}},
			{Name: "the rest of the body is no request", Why: "RFC 9112 6.3: the body's end is where its length says", Play: script{
				client: []step{
					sends(post("Content-Length: 47") + "hello"), gets(status(413)), sends(inside), asksOrEnds(),
				},
				upstream: []step{takesHead(), sends(no()), answersTheRest()},
			}},
			{Name: "the rest of the body is no request, chunked", Why: "RFC 9112 7.1", Play: script{
				client: []step{
					sends(post("Transfer-Encoding: chunked") + "5\r\nhello\r\n"), gets(status(413)), sends("2a\r\n" + inside + "\r\n0\r\n\r\n"), asksOrEnds(),
				},
				upstream: []step{takesHead(), sends(no()), answersTheRest()},
			}},
			{Name: "no reset eats the last answer", Why: staged, Play: script{
				client: []step{sends(get("Connection: close") + xs(40_000)), gets(status(200), body("ok")), endsQuietly()},
			}},
			{Name: "no reset eats the last answer, more comes late", Why: staged, Play: script{
				client: []step{sends(get("Connection: close") + xs(1000)), gets(status(200), body("ok")), sends(xs(10_000)), endsQuietly()},
			}},
			{Name: "no reset eats the answer to HTTP/1.0", Why: staged, Play: script{
				client: []step{sends(lines("GET / HTTP/1.0", host) + xs(40_000)), gets(status(200), body("ok")), endsQuietly()},
			}},
			{Name: "no reset eats a refusal", Why: staged, Play: script{
				client: []step{sends("GE(T / HTTP/1.1\r\n\r\n" + xs(40_000)), gets(status(400)), endsQuietly()},
			}},
			{Name: "no reset eats a refusal of a body", Why: staged, With: brief, Play: script{
				client: []step{sends(post("Content-Length: 1000000") + xs(40_000)), gets(status(413)), endsQuietly()},
			}},
			{Name: "no reset eats an early answer", Why: staged, Play: script{
				client:   []step{sends(post("Content-Length: 1000000")), gets(status(401), body("no")), sends(xs(40_000)), isNotReset()},
				upstream: []step{takesHead(), sends(lines("HTTP/1.1 401 No", "Connection: close", "Content-Length: 2") + "no"), hangsUp()},
			}},
			{Name: "the proxy's own refusal, the body is no request", Why: "RFC 9112 6.3", With: brief, Play: script{
				client:   []step{sends(post("Content-Length: 1000000") + inside), gets(status(413)), asksOrEnds()},
				upstream: []step{isLeftAlone(shortly), answersTheRest()},
			}},
			{Name: "a whole body in time", Play: script{
				client:   []step{sends(post("Content-Length: 10") + "hello"), tells("half"), getsHead(status(200)), has("o"), sends("world"), hasRest(body("ok"))},
				upstream: []step{takesHead(), has("hello"), await("half"), sends(lines("HTTP/1.1 200 OK", "Content-Length: 2") + "o"), hasRest(body("helloworld")), sends("k")},
			}},
		}},
	}
}

// timeoutGroups are duty 54: every phase ends. All of them are briefWait.
func timeoutGroups() []*group {
	const soon = 2 * briefAnswer
	slowHead := "GET / HTTP/1.1\r\nHost: example.test\r\nX-A: "
	b := func(name, why string, p play) Case { return Case{Name: name, Why: why, With: brief, Play: p} }
	drip := briefWait / 8
	return []*group{
		{54, "timeouts of the client", "RFC 9110 15.5.9, RFC 9112 9.5: 408, or the end", []Case{
			b("no byte", "", script{client: []step{timesOut(soon)}}),
			b("half a head", "", script{client: []step{sends(slowHead), timesOut(soon)}}),
			b("a head byte by byte", "", script{client: []step{drips(slowHead, drip), drips(xs(30), drip), timesOut(soon)}}),
			b("half a request line", "", script{client: []step{sends("GE"), timesOut(soon)}}),
			b("an idle connection", "", script{client: []step{sends(get()), gets(status(200)), timesOut(soon)}}),
			b("half of the second head", "", script{client: []step{sends(get()), gets(status(200)), sends(slowHead), timesOut(soon)}}),
			b("half a body", "", script{
				client:   []step{sends(post("Content-Length: 10") + "hello"), timesOut(soon)},
				upstream: []step{takesBroken()},
			}),
			b("half a chunk", "", script{
				client:   []step{sends(post("Transfer-Encoding: chunked") + "a\r\nhello"), timesOut(soon)},
				upstream: []step{takesBroken()},
			}),
			b("a slow body that moves is no timeout", "RFC 9112 9.5: slow is not idle", script{client: []step{
				sends(post("Content-Length: 16")), drips(xs(16), drip), gets(status(200)), asks(),
			}}),
			b("a client that does not read", "RFC 9112 9.5", script{
				client:   []step{sends(get()), await("cut"), hangsUp()},
				upstream: []step{takes(), sends(lines("HTTP/1.1 200 OK", "Content-Length: 1000000000")), pours(1_000_000_000), tells("cut")},
			}),
		}},
		{54, "timeouts of the upstream", "RFC 9110 15.6.5: 504; RFC 9112 8: what began must look broken off", []Case{
			b("no head", "", script{
				client: []step{sends(get()), gets(status(504))}, upstream: []step{takes(), waits(soon), answersTheRest()},
			}),
			b("half a head", "", script{
				client: []step{sends(get()), gets(status(502, 504))}, upstream: []step{takes(), sends("HTTP/1.1 200 OK\r\nX-A: "), waits(soon), answersTheRest()},
			}),
			b("no head, to a POST, sent once", "RFC 9110 9.2.2", script{
				client:   []step{sends(post("Content-Length: 5") + "hello"), gets(status(504))},
				upstream: []step{takes(body("hello")), isLeftAlone(soon), answersTheRest()},
			}),
			b("half a body of a length", "", script{
				client:   []step{sends(get()), getsBroken()},
				upstream: []step{takes(), sends(lines("HTTP/1.1 200 OK", "Content-Length: 10") + "hello"), waits(soon), answersTheRest()},
			}),
			b("half a chunked body", "", script{
				client:   []step{sends(get()), getsBroken()},
				upstream: []step{takes(), sends(lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "5\r\nhello\r\n"), waits(soon), answersTheRest()},
			}),
			b("half a body that ends by closing", "", script{
				client:   []step{sends(get()), getsBroken()},
				upstream: []step{takes(), sends(lines("HTTP/1.1 200 OK", "X-A: 1") + "hello"), waits(soon), answersTheRest()},
			}),
			b("a slow answer that moves is no timeout", "", script{
				client:   []step{sends(get()), gets(body(xs(16)))},
				upstream: []step{takes(), sends(lines("HTTP/1.1 200 OK", "Content-Length: 16")), drips(xs(16), drip), answersTheRest()},
			}),
			b("a late head after 504 is not the next answer", "RFC 9112 9.2", script{
				client:   []step{sends(get()), gets(status(504)), tells("told"), await("late"), asksOrEnds(), dials(), asks()},
				upstream: []step{takes(), await("told"), sends(ok("X-Evil: 1")), waits(shortly), tells("late"), answersTheRest()},
			}),
			b("a quiet tunnel", "RFC 9110 7.8: nothing bounds a tunnel but the proxy", script{
				client:   []step{sends(websocket()), getsHead(status(101)), endsWithin(soon)},
				upstream: []step{takes(), sends(switched), endsWithin(soon)},
			}),
			b("a tunnel that is used lives", "", script{
				client:   []step{sends(websocket()), getsHead(status(101)), drips(xs(16), drip), receives("x")},
				upstream: []step{takes(), sends(switched), receives(xs(16)), sends("x")},
			}),
		}},
	}
}

package main

import (
	"fmt"
	"strings"
)

// pipelineGroups are duties 45 and 51: several requests on one connection.
func pipelineGroups() []*group {
	to := func(path string, more ...string) string {
		return lines(append([]string{"GET " + path + " HTTP/1.1", host}, more...)...)
	}
	var twenty strings.Builder
	var asked [][]is
	for i := range 20 {
		twenty.WriteString(to(fmt.Sprintf("/%d", i)))
		asked = append(asked, []is{target(fmt.Sprintf("/%d", i))})
	}
	hello := func(path string) string { return lines("POST "+path+" HTTP/1.1", host, "Content-Length: 5") + "hello" }
	return []*group{
		{45, "pipelining", "RFC 9112 9.3.2: answers in the order of the requests", []Case{
			{Name: "three", Play: probe{
				send: to("/a") + to("/b") + to("/c"),
				want: []outcome{forwardedAll([]is{target("/a")}, []is{target("/b")}, []is{target("/c")}).with(echoed("GET /a"))},
			}},
			{Name: "twenty", Play: probe{send: twenty.String(), want: []outcome{forwardedAll(asked...)}}},
			{Name: "with bodies", Play: probe{
				send: hello("/a") + to("/b") + hello("/c"),
				want: []outcome{forwardedAll([]is{target("/a"), body("hello")}, []is{target("/b"), body("")}, []is{target("/c"), body("hello")})},
			}},
			{Name: "with chunked bodies", Play: probe{
				send: post("Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n" + to("/b"),
				want: []outcome{forwardedAll([]is{target("/"), body("hello")}, []is{target("/b")})},
			}},
			{Name: "five bodies of 50 KB", Play: probe{
				send: strings.Repeat(lines("POST /big HTTP/1.1", host, "Content-Length: 50000")+xs(50_000), 5),
				want: []outcome{forwardedAll([]is{body(xs(50_000))}, nil, []is{body(xs(50_000))}, nil, []is{body(xs(50_000))})},
			}},
			{Name: "the first answer is slow", Play: script{
				client:   []step{sends(to("/a") + to("/b")), gets(body("aa")), gets(body("bb"))},
				upstream: []step{takes(target("/a")), waits(2 * shortly), sends(lines("HTTP/1.1 200 OK", "Content-Length: 2") + "aa"), takes(target("/b")), sends(lines("HTTP/1.1 200 OK", "Content-Length: 2") + "bb")},
			}},
			{Name: "the second is malformed", Why: "RFC 9112 9.3.2, 9.6: the first has its answer before the connection ends", Play: probe{
				send: to("/a") + "G(T / HTTP/1.1\r\n\r\n", want: []outcome{forwarded(target("/a")).thenRefused(400)},
			}},
			{Name: "the second has no Host", Play: probe{
				send: to("/a") + "GET /b HTTP/1.1\r\n\r\n", want: []outcome{forwarded(target("/a")).thenRefused(400)},
			}},
			{Name: "behind close", Why: "RFC 9112 9.6: MUST NOT process any further requests", Play: probe{
				send: to("/a", "Connection: close") + to("/b"), want: []outcome{forwarded(target("/a")).closing()},
			}},
			{Name: "behind HTTP/1.0", Why: "RFC 9112 9.3: does not persist by itself", Play: probe{
				send: lines("GET /a HTTP/1.0", host) + to("/b"), want: []outcome{forwarded(target("/a")).closing()},
			}},
			{Name: "in two pieces", Play: script{client: []step{
				sends(to("/a") + to("/b")[:20]), gets(echoed("GET /a")), sends(to("/b")[20:]), gets(echoed("GET /b")),
			}}},
			{Name: "byte by byte", Play: script{client: []step{
				drips(to("/a")+to("/b"), 0), gets(echoed("GET /a")), gets(echoed("GET /b")),
			}}},
			{Name: "a request of the same connection after an error of the upstream", Play: probe{
				send: to("/a") + to("/b"), answers: []answer{{raw: lines("HTTP/1.1 500 Oh", "Content-Length: 0")}},
				want: []outcome{forwardedAll([]is{target("/a")}, []is{target("/b")}).starting(500)},
			}},
		}},
		{51, "empty lines before a request", "RFC 9112 2.2: at least one CRLF SHOULD be ignored", []Case{
			{Name: "one", Play: probe{send: "\r\n" + to("/a"), want: []outcome{forwarded(target("/a"))}}},
			{Name: "one behind a body", Why: "RFC 9112 2.2: old clients sent it", Play: probe{
				send: hello("/a") + "\r\n" + to("/b"), want: []outcome{forwardedAll([]is{target("/a"), body("hello")}, []is{target("/b")})},
			}},
			{Name: "two", Play: probe{send: "\r\n\r\n" + to("/a"), want: []outcome{forwarded(target("/a")), refused(400)}}},
			{Name: "a hundred", Play: probe{send: strings.Repeat("\r\n", 100) + to("/a"), want: []outcome{forwarded(target("/a")), refused(400)}}},
			{Name: "one in two pieces", Play: script{client: []step{sends("\r"), waits(shortly), sends("\n" + to("/a")), gets(echoed("GET /a"))}}},
			{Name: "a bare LF", Play: probe{send: "\n" + to("/a"), want: []outcome{forwarded(target("/a")), refused(400)}}},
			{Name: "a bare CR", Play: probe{send: "\r" + to("/a"), want: []outcome{forwarded(target("/a")), refused(400)}}},
			{Name: "a space", Play: probe{send: " \r\n" + to("/a"), want: []outcome{refused(400)}}},
			{Name: "four are ignored, more refused", Beyond: true, Play: script{client: []step{
				sends(strings.Repeat("\r\n", 4) + to("/a")), gets(echoed("GET /a")), sends(strings.Repeat("\r\n", 5) + to("/b")), gets(status(400)), ends(),
			}}},
		}},
	}
}

// retryGroups are duties 46 and 47: what is sent again, and what the client's end means.
func retryGroups() []*group {
	to := func(m string, more ...string) string {
		return lines(append([]string{m + " /x HTTP/1.1", host}, more...)...)
	}
	// The upstream takes the request, and drops it.
	dropped := func(name, raw string, drop step, delivered int) Case {
		server := []step{}
		for range delivered {
			server = append(server, takes(target("/x")), drop)
		}
		return Case{Name: name, Play: script{
			client:   []step{sends(raw), fails()},
			upstream: append(server, isLeftAlone(4*shortly)),
		}}
	}
	// The upstream closes a connection that was kept, before the next request comes.
	stale := func(name, raw string, end step) Case {
		return Case{Name: name, Play: script{
			client: []step{sends(get()), gets(status(200)), await("closed"), sends(raw), gets(status(200), body("ok")), asks()},
			upstream: []step{
				takes(onConn(0)), sends(ok()), end, waits(shortly), tells("closed"), takes(target("/x"), onConn(1)), sends(ok()), answersTheRest(),
			},
		}}
	}
	hello := to("POST", "Content-Length: 5") + "hello"
	const once = "RFC 9110 9.2.2: a proxy MUST NOT automatically retry non-idempotent requests"
	withWhy := func(c Case, why string) Case { c.Why = why; return c }
	return []*group{
		{46, "idle connections that the upstream closed", "RFC 9112 9.5: a client notices, and opens another", []Case{
			stale("GET", to("GET"), hangsUp()),
			stale("POST", hello, hangsUp()),
			stale("POST in chunks", to("POST", "Transfer-Encoding: chunked")+"5\r\nhello\r\n0\r\n\r\n", hangsUp()),
			stale("GET, by a reset", to("GET"), aborts()),
			stale("POST, by a reset", hello, aborts()),
			stale("GET, half-closed", to("GET"), finishes()),
		}},
		{46, "what was sent is not sent again", once, []Case{
			dropped("POST, closed", hello, hangsUp(), 1),
			dropped("POST, reset", hello, aborts(), 1),
			dropped("POST without a body", to("POST", "Content-Length: 0"), hangsUp(), 1),
			dropped("PATCH", to("PATCH", "Content-Length: 5")+"hello", hangsUp(), 1),
			dropped("an unknown method", to("ODD"), hangsUp(), 1),
			{Name: "POST on a kept connection", Play: script{
				client: []step{sends(get()), gets(status(200)), sends(hello), fails()},
				upstream: []step{
					takes(), sends(ok()), takes(target("/x"), body("hello")), hangsUp(), isLeftAlone(4 * shortly),
				},
			}},
			{Name: "PUT with a body, no more than twice", Why: "RFC 9110 9.2.2: idempotent, may be retried; not for ever", Play: script{
				client:   []step{sends(to("PUT", "Content-Length: 5") + "hello"), failsOr(200)},
				upstream: []step{takes(), hangsUp(), answersTheRest()},
			}},
			{Name: "GET once more", Why: "RFC 9110 9.2.2: idempotent, may be retried", Play: script{
				client:   []step{sends(to("GET")), failsOr(200)},
				upstream: []step{takes(), hangsUp(), answersTheRest()},
			}},
			{Name: "GET is retried", Beyond: true, Play: script{
				client:   []step{sends(to("GET")), gets(status(200))},
				upstream: []step{takes(onConn(0)), hangsUp(), takes(onConn(1)), sends(ok())},
			}},
			{Name: "GET, not after half an answer", Beyond: true, Play: script{
				client:   []step{sends(to("GET")), gets(status(502))},
				upstream: []step{takes(), sends("HTTP/1.1 200 OK\r\nX-"), hangsUp(), isLeftAlone(4 * shortly)},
			}},
			{Name: "GET, not after an interim answer", Beyond: true, Play: script{
				client:   []step{sends(to("GET")), gets(status(502), interims(103))},
				upstream: []step{takes(), sends(lines("HTTP/1.1 103 Early Hints")), hangsUp(), isLeftAlone(4 * shortly)},
			}},
			withWhy(dropped("GET, two tries at most", to("GET"), hangsUp(), 2), "at most one retry is serin's default").beyond(),
		}},
		{47, "a client that half-closes", "RFC 9112 9.6, RFC 9293 3.6: an end of sending is no end of reading", []Case{
			{Name: "behind a GET", Beyond: true, Play: script{
				client:   []step{sends(get()), finishes(), gets(status(200), body("ok")), ends()},
				upstream: []step{takes(), waits(4 * shortly), sends(ok())},
			}},
			{Name: "behind a POST", Beyond: true, Play: script{
				client:   []step{sends(post("Content-Length: 5") + "hello"), finishes(), gets(status(200), body("ok")), ends()},
				upstream: []step{takes(), waits(4 * shortly), sends(ok())},
			}},
			{Name: "while the answer comes", Beyond: true, Play: script{
				client:   []step{sends(get()), getsHead(), has("a"), finishes(), tells("half"), hasRest(body("aa")), ends()},
				upstream: []step{takes(), sends(lines("HTTP/1.1 200 OK", "Content-Length: 2") + "a"), await("half"), waits(2 * shortly), sends("a")},
			}},
			{Name: "before any request", Play: script{client: []step{finishes(), timesOut(patience)}}},
			{Name: "within a head", Why: "RFC 9112 8: incomplete, never forwarded", Play: script{
				client:   []step{sends("GET / HTTP/1.1\r\nHost: exa"), finishes(), timesOut(patience)},
				upstream: []step{isLeftAlone(4 * shortly)},
			}},
			{Name: "a client that goes while its answer comes", Why: "its upstream connection must carry no other request before the answer's end", Play: script{
				client: []step{sends(get()), getsHead(), has("a"), aborts(), tells("gone")},
				upstream: []step{
					takes(), sends(lines("HTTP/1.1 200 OK", "Content-Length: 100") + "a"), await("gone"), waits(shortly), sends(xs(99)), answersTheRest(),
				},
			}},
			{Name: "a client that is gone", Why: "an answer nobody reads ends; the upstream's next user is served", Play: script{
				client:   []step{sends(get()), await("taken"), aborts()},
				upstream: []step{takes(), tells("taken"), waits(4 * shortly), sends(ok()), answersTheRest()},
			}},
		}},
	}
}

func (c Case) beyond() Case { c.Beyond = true; return c }

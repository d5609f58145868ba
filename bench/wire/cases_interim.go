package main

import (
	"strings"
	"time"
)

// shortly is a pause that keeps two things in order which nothing else does.
const shortly = 60 * time.Millisecond

// interimGroups are duties 26 to 28: answers before the answer.
func interimGroups() []*group {
	hints := lines("HTTP/1.1 103 Early Hints", "Link: </a.css>; rel=preload")
	behind := func(before string) []answer { return []answer{{raw: before + ok()}} }
	relayed := func(codes ...int) outcome { return forwarded().with(interims(codes...)) }
	return []*group{
		{26, "interim answers", "RFC 9110 15.2: a proxy MUST forward 1xx, except a 100 that it asked for itself", []Case{
			{Name: "103", Play: probe{send: get(), answers: behind(hints), want: []outcome{
				relayed(103).with(interimHas(0, header("Link", "</a.css>; rel=preload"))),
			}}},
			{Name: "103 twice", Play: probe{send: get(), answers: behind(hints + hints), want: []outcome{relayed(103, 103)}}},
			{Name: "102 and 103", Play: probe{
				send: get(), answers: behind(lines("HTTP/1.1 102 Processing") + hints), want: []outcome{relayed(102, 103)},
			}},
			{Name: "an unknown one", Play: probe{send: get(), answers: behind(lines("HTTP/1.1 142 Odd", "X-A: 1")), want: []outcome{relayed(142)}}},
			{Name: "103 before an error", Play: probe{
				send: get(), answers: []answer{{raw: hints + lines("HTTP/1.1 500 Oh", "Content-Length: 0")}}, want: []outcome{answered(500, interims(103))},
			}},
			{Name: "103 before 304", Play: probe{
				send: get(), answers: []answer{{raw: hints + lines("HTTP/1.1 304 Same", "ETag: \"a\"")}}, want: []outcome{answered(304, interims(103))},
			}},
			{Name: "103 on its own, the answer later", Play: script{
				client:   []step{sends(get()), getsHead(status(103)), tells("hinted"), gets(status(200), body("ok")), asks()},
				upstream: []step{takes(), sends(hints), await("hinted"), sends(ok()), takes(), sends(lines("HTTP/1.1 200 OK", "X-Echo: GET /sentinel", "Content-Length: 2") + "ok")},
			}},
			{Name: "103 while the request's body still comes", Play: script{
				client: []step{
					sends(post("Content-Length: 10") + "hello"), getsHead(status(103)), sends("world"), gets(status(200), body("ok")), asks(),
				},
				upstream: []step{takesHead(), has("hello"), sends(hints), hasRest(body("helloworld")), sends(ok()), answersTheRest()},
			}},
			{Name: "103 to HTTP/1.0", Why: "RFC 9110 15.2: MUST NOT be sent to HTTP/1.0", Play: probe{
				send: lines("GET / HTTP/1.0", host), answers: behind(hints), want: []outcome{forwarded().with(interims()).closing()},
			}},
			{Name: "100 that nobody asked for", Why: "RFC 9110 15.2.1: a client may ignore it; so may who stands for it", Play: probe{
				send: get(), answers: behind(lines("HTTP/1.1 100 Continue")), want: []outcome{relayed(100), relayed()},
			}},
			{Name: "103 with a length", Why: "RFC 9110 8.6: it has no content, and must not say otherwise", Play: probe{
				send: get(), answers: behind(lines("HTTP/1.1 103 Early Hints", "Content-Length: 5")),
				want: []outcome{relayed(103), answered(502)},
			}},
			{Name: "103 in an answer to HEAD", Play: probe{
				send: lines("HEAD / HTTP/1.1", host), answers: []answer{{raw: hints + lines("HTTP/1.1 200 OK", "Content-Length: 2")}},
				want: []outcome{relayed(103)},
			}},
			{Name: "a thousand", Why: "RFC 9110 15.2 sets no bound; a proxy may", Play: probe{
				send: get(), answers: behind(strings.Repeat(hints, 1000)), want: []outcome{answered(200), answered(502)},
			}},
			{Name: "a thousand end in 502", Beyond: true, Play: probe{
				send: get(), answers: behind(strings.Repeat(hints, 1000)), want: []outcome{answered(502)},
			}},
			{Name: "then nothing", Play: probe{
				send: get(), answers: []answer{{raw: hints, then: closes}}, want: []outcome{answered(502), cutOff(), answered(200)},
			}},
		}},
		{27, "Expect: 100-continue", "RFC 9110 10.1.1: forward it, or answer 100; a client that waits must not wait for ever", expects()},
		{28, "other expectations", "RFC 9110 10.1.1: may be answered 417", []Case{
			{Name: "unknown", Play: probe{send: get("Expect: tea"), want: []outcome{declined(417), forwarded()}}},
			{Name: "unknown, with a body", Play: probe{
				send: post("Expect: tea", "Content-Length: 5") + "hello", want: []outcome{declined(417), forwarded(body("hello"))},
			}},
			{Name: "unknown beside the known one", Play: probe{
				send: post("Expect: 100-continue, tea", "Content-Length: 5") + "hello", want: []outcome{declined(417), forwarded(body("hello"))},
			}},
			{Name: "is answered 417", Beyond: true, Play: probe{send: get("Expect: tea"), want: []outcome{refused(417)}}},
		}},
	}
}

// continues is an upstream's side that honours an expectation it sees.
func continues() step {
	return step{"says 100 if it is asked", func(a *actor) error {
		m, err := a.take(func(l *link) *message { m, _ := l.head(""); return m })
		if err != nil {
			return err
		}
		if len(m.values("Expect")) > 0 {
			return a.now.send(lines("HTTP/1.1 100 Continue"))
		}
		return nil
	}}
}

func expects() []Case {
	head := post("Expect: 100-continue", "Content-Length: 5")
	return []Case{
		{Name: "a client that waits", Play: script{
			client:   []step{sends(head), getsHead(status(100)), sends("hello"), gets(status(200), body("ok"))},
			upstream: []step{continues(), hasRest(body("hello")), sends(ok())},
		}},
		{Name: "a client that waits, chunked", Play: script{
			client: []step{
				sends(post("Expect: 100-continue", "Transfer-Encoding: chunked")), getsHead(status(100)),
				sends("5\r\nhello\r\n0\r\n\r\n"), gets(status(200), body("ok")),
			},
			upstream: []step{continues(), hasRest(body("hello")), sends(ok())},
		}},
		{Name: "in other case", Why: "RFC 9110 10.1.1: the expectation is case-insensitive", Play: script{
			client: []step{
				sends(post("Expect: 100-Continue", "Content-Length: 5")), getsHead(status(100)), sends("hello"), gets(status(200), body("ok")),
			},
			upstream: []step{continues(), hasRest(body("hello")), sends(ok())},
		}},
		{Name: "a client that does not wait", Play: probe{
			send: head + "hello", want: []outcome{forwarded(body("hello"))},
		}},
		{Name: "no body", Why: "RFC 9110 10.1.1: must not be sent; nobody waits", Play: probe{send: get("Expect: 100-continue"), want: []outcome{forwarded(), declined(400, 417)}}},
		{Name: "an empty body", Play: probe{send: post("Expect: 100-continue", "Content-Length: 0"), want: []outcome{forwarded(body(""))}}},
		{Name: "HTTP/1.0", Why: "RFC 9110 10.1.1: MUST be ignored, and no 100 sent", Play: probe{
			send: lines("POST / HTTP/1.0", host, "Expect: 100-continue", "Content-Length: 5") + "hello",
			want: []outcome{forwarded(body("hello")).with(interims()).closing()},
		}},
		{Name: "too large a body is refused, not asked for", With: brief, Why: "RFC 9110 10.1.1: a final status instead of 100", Play: script{
			client:   []step{sends(post("Expect: 100-continue", "Content-Length: 1000000")), gets(status(413), interims())},
			upstream: []step{isLeftAlone(4 * shortly)},
		}},
		{Name: "refused by the upstream", Why: "CVE-2024-24791: what follows must not be read as the body, nor as the answer", Play: script{
			client: []step{
				sends(head), skips100(), sends("hello"), gets(status(401, 502), body401()), asksOrEnds(),
			},
			upstream: []step{
				takesHead(), sends(lines("HTTP/1.1 401 No", "Content-Length: 0")), answersTheRest(),
			},
		}},
		{Name: "refused by the upstream, which closes", Play: script{
			client:   []step{sends(head), skips100(), sends("hello"), gets(status(417, 502))},
			upstream: []step{takesHead(), sends(lines("HTTP/1.1 417 No", "Connection: close", "Content-Length: 0")), hangsUp()},
		}},
		{Name: "100 is sent once", Beyond: true, Play: script{
			client:   []step{sends(head), getsHead(status(100)), sends("hello"), gets(status(200), interims())},
			upstream: []step{takesHead(without("Expect")), sends(lines("HTTP/1.1 100 Continue")), hasRest(body("hello")), sends(ok())},
		}},
	}
}

// skips100 reads an interim 100 if that is what comes within a moment.
func skips100() step {
	return on("skips a 100", func(_ *actor, l *link) error {
		l.wait(4 * shortly)
		first, err := l.r.Peek(len("HTTP/1.1 100"))
		if err != nil || string(first) != "HTTP/1.1 100" {
			return nil
		}
		_, err = l.head("GET")
		return err
	})
}

// body401 wants the upstream's 401, or the proxy's own words.
func body401() is {
	return func(m *message) error {
		if m.status == 401 && m.body != "" {
			return body("")(m)
		}
		return nil
	}
}

// answersTheRest leaves what follows to the serving upstream.
func answersTheRest() step {
	return step{"serves", func(a *actor) error { a.stage.upstream.takeOver(); return nil }}
}

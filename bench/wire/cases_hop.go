package main

import "fmt"

// hopGroups are duties 21 to 23: what ends at the next hop.
func hopGroups() []*group {
	answerWith := func(more ...string) []answer { return []answer{{raw: ok(more...)}} }
	return []*group{
		{21, "hop-by-hop fields of requests", "RFC 9110 7.6.1: Connection and what it nominates MUST go, the fields known to be hop-by-hop SHOULD", hopRequests()},
		{21, "hop-by-hop fields of responses", "RFC 9110 7.6.1: the same, the other way", []Case{
			{Name: "Keep-Alive", Play: probe{send: get(), answers: answerWith("Keep-Alive: timeout=5"), want: []outcome{forwarded().with(nowhere("timeout=5"))}}},
			{Name: "Proxy-Connection", Play: probe{
				send: get(), answers: answerWith("Proxy-Connection: keep-alive"), want: []outcome{forwarded().with(without("Proxy-Connection"))},
			}},
			{Name: "nominated field", Play: probe{
				send: get(), answers: answerWith("Connection: X-Hop", "X-Hop: 1", "X-Stays: 2"),
				want: []outcome{forwarded().with(without("X-Hop"), withoutElement("Connection", "x-hop"), header("X-Stays", "2"))},
			}},
			{Name: "close is the upstream's", Why: "RFC 9110 7.6.1: the option is for this connection only; the client's may live", Play: probe{
				send: get(), answers: []answer{{raw: ok("Connection: close"), then: closes}}, want: []outcome{answered(200, body("ok"))},
			}},
			{Name: "close does not reach the client", Beyond: true, Play: probe{
				send: get(), answers: []answer{{raw: ok("Connection: close"), then: closes}}, want: []outcome{forwarded().with(without("Connection"))},
			}},
			{Name: "Upgrade without switching", Why: "RFC 9110 7.8: Upgrade is the sender's own, and must be nominated", Play: probe{
				send: get(), answers: answerWith("Connection: Upgrade", "Upgrade: h2c"), want: []outcome{forwarded().with(without("Upgrade"))},
			}},
			{Name: "nominated length", Why: "RFC 9110 7.6.1: it must not be nominated; the framing must hold", Play: probe{
				send: get(), answers: answerWith("Connection: Content-Length"), want: []outcome{answered(200, body("ok")), answered(502)},
			}},
			{Name: "nominated cookie", Why: "RFC 9110 7.6.1: remove it; to keep it loses nobody's data", Play: probe{
				send: get(), answers: answerWith("Connection: Set-Cookie", "Set-Cookie: a=b"), want: []outcome{answered(200, body("ok"))},
			}},
		}},
		{22, "forwarding fields survive nomination", "RFC 9110 7.6.1: nominations first, then one's own fields (CVE-2024-45410)", nominatedForwarding()},
		{23, "Via", "RFC 9110 7.6.3: what others wrote stays, in order", []Case{
			{Name: "one", Play: probe{send: get("Via: 1.1 a"), want: []outcome{forwarded(viaBegins("1.1 a"))}}},
			{Name: "a list", Play: probe{send: get("Via: 1.0 a, 1.1 b (x)"), want: []outcome{forwarded(viaBegins("1.0 a", "1.1 b (x)"))}}},
			{Name: "two lines", Play: probe{send: get("Via: 1.0 a", "X-A: 1", "Via: 1.1 b"), want: []outcome{forwarded(viaBegins("1.0 a", "1.1 b"))}}},
			{Name: "of a response", Play: probe{
				send: get(), answers: answerWith("Via: 1.0 a", "Via: 1.1 b"), want: []outcome{forwarded().with(viaBegins("1.0 a", "1.1 b"))},
			}},
			{Name: "nominated", Why: "RFC 9110 7.6.1: may go; the request must get through", Play: probe{
				send: get("Connection: Via", "Via: 1.1 a"), want: []outcome{forwarded()},
			}},
		}},
	}
}

// viaBegins allows for the proxy's own entry behind.
func viaBegins(want ...string) is {
	return func(m *message) error {
		got := m.list("Via")
		if len(got) > len(want)+1 || len(got) < len(want) {
			return fmt.Errorf("got Via %q, want %q", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				return fmt.Errorf("got Via %q, want %q", got, want)
			}
		}
		return nil
	}
}

func hopRequests() []Case {
	gone := func(name string, names []string, more ...string) Case {
		return Case{Name: name, Play: probe{send: get(append(more, "X-Stays: 1")...), want: []outcome{forwarded(without(names...), header("X-Stays", "1"))}}}
	}
	one := func(name string) []string { return []string{name} }
	return []Case{
		gone("Keep-Alive", one("Keep-Alive"), "Keep-Alive: timeout=5"),
		gone("Proxy-Connection", one("Proxy-Connection"), "Proxy-Connection: keep-alive"),
		gone("Upgrade alone", one("Upgrade"), "Upgrade: websocket"),
		gone("one nominated", one("X-Hop"), "Connection: X-Hop", "X-Hop: 1"),
		gone("nominated before it is said", one("X-Hop"), "X-Hop: 1", "Connection: X-Hop"),
		gone("nominated in other case", one("X-Hop"), "Connection: x-HOP", "X-hop: 1"),
		gone("two nominated", []string{"X-A", "X-B"}, "Connection: X-A, X-B", "X-A: 1", "X-B: 2"),
		gone("nominated on two lines", []string{"X-A", "X-B"}, "Connection: X-A", "X-A: 1", "Connection: X-B", "X-B: 2"),
		gone("nominated beside keep-alive", one("X-Hop"), "Connection: keep-alive, X-Hop", "X-Hop: 1"),
		gone("every line of a nominated field", one("X-Hop"), "Connection: X-Hop", "X-Hop: 1", "X-Hop: 2"),
		gone("odd lists", []string{"X-A", "X-B"}, "Connection: ,X-A ,\t, X-B,", "X-A: 1", "X-B: 2"),
		{Name: "TE but trailers", Why: "RFC 9110 10.1.4: TE is for the next hop", Play: probe{
			send: get("TE: gzip;q=0.5", "Connection: TE"), want: []outcome{forwarded(withoutElement("TE", "gzip;q=0.5"))},
		}},
		{Name: "TE not nominated", Why: "RFC 9110 7.6.1: TE is on the list of fields to remove", Play: probe{
			send: get("TE: gzip"), want: []outcome{forwarded(withoutElement("TE", "gzip"))},
		}},
		{Name: "close is the client's", Why: "RFC 9110 7.6.1: the proxy's own connections are its own business; this one ends", Play: probe{
			send: get("Connection: close"), want: []outcome{forwarded().closing()},
		}},
		{Name: "close and a nomination", Play: probe{
			send: get("Connection: close, X-Hop", "X-Hop: 1"), want: []outcome{forwarded(without("X-Hop")).closing()},
		}},
		{Name: "nominated length", Why: "RFC 9110 7.6.1: it must not be nominated; the framing must hold", Play: probe{
			send: post("Connection: Content-Length", "Content-Length: 5") + "hello", want: []outcome{forwarded(body("hello")), refused(400)},
		}},
		{Name: "nominated coding", Why: "RFC 9110 7.6.1: the framing must hold", Play: probe{
			send: post("Connection: Transfer-Encoding", "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n",
			want: []outcome{forwarded(body("hello")), refused(400)},
		}},
		{Name: "nominated Host", Why: "RFC 9112 3.2: the upstream must get one Host", Play: probe{
			send: get("Connection: Host"), want: []outcome{forwarded(header("Host", "example.test")), refused(400)},
		}},
		{Name: "nominated Cookie and Authorization", Why: "RFC 9110 7.6.1: may be removed; the request must get through", Play: probe{
			send: get("Connection: Cookie, Authorization", "Cookie: a=b", "Authorization: x"), want: []outcome{forwarded(), refused(400)},
		}},
		{Name: "nominated Cookie and Authorization stay", Beyond: true, Play: probe{
			send: get("Connection: Cookie, Authorization", "Cookie: a=b", "Authorization: x"),
			want: []outcome{forwarded(header("Cookie", "a=b"), header("Authorization", "x"))},
		}},
		{Name: "not a token", Why: "RFC 9110 7.6.1: options are tokens; refuse or ignore", Play: probe{
			send: get("Connection: X A", "X-Stays: 1"), want: []outcome{refused(400), forwarded(header("X-Stays", "1"))},
		}},
	}
}

func nominatedForwarding() []Case {
	f := func(name string, want is, more ...string) Case {
		return Case{Name: name, Play: probe{send: get(more...), want: []outcome{forwarded(want).anyEnding(), refused(400)}}}
	}
	return []Case{
		f("X-Forwarded-For", elements("X-Forwarded-For", "127.0.0.1"), "Connection: X-Forwarded-For"),
		f("X-Forwarded-For, and one sent", elements("X-Forwarded-For", "127.0.0.1"), "Connection: X-Forwarded-For", "X-Forwarded-For: 192.0.2.1"),
		f("in other case", elements("X-Forwarded-For", "127.0.0.1"), "Connection: x-FORWARDED-for"),
		f("X-Forwarded-Proto", header("X-Forwarded-Proto", "http"), "Connection: X-Forwarded-Proto"),
		f("X-Forwarded-Host", header("X-Forwarded-Host", "example.test"), "Connection: X-Forwarded-Host"),
		f("with close", elements("X-Forwarded-For", "127.0.0.1"), "Connection: close, X-Forwarded-For"),
		f("all at once", elements("X-Forwarded-For", "127.0.0.1"), "Connection: X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto, X-Real-IP"),
	}
}

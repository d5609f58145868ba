package main

import (
	"fmt"
	"strings"
)

// targetGroups are duties 14 to 17: the request target.
func targetGroups() []*group {
	return []*group{
		{14, "authority form and CONNECT", "RFC 9112 3.2.3, RFC 9110 9.3.6: the form is CONNECT's alone; a server may refuse the method", connects()},
		{15, "OPTIONS *", "RFC 9112 3.2.4, RFC 9110 9.3.7: asks the server, or the one behind it", []Case{
			{Name: "forwarded", Play: probe{
				send: lines("OPTIONS * HTTP/1.1", host), want: []outcome{forwarded(target("*"), method("OPTIONS")), declined(200, 204, 405, 501)},
			}},
			{Name: "with a body", Play: probe{
				send: lines("OPTIONS * HTTP/1.1", host, "Content-Length: 5") + "hello",
				want: []outcome{forwarded(target("*"), body("hello")), declined(200, 204, 405, 501)},
			}},
			{Name: "absolute form without a path", Why: "RFC 9112 3.2.4: the last proxy sends the asterisk", Play: probe{
				send: lines("OPTIONS http://example.test HTTP/1.1", host),
				want: []outcome{forwarded(anyOf(target("*"), target("http://example.test"))), declined(200, 204, 405, 501)},
			}},
			{Name: "of a path", Play: probe{
				send: lines("OPTIONS /x HTTP/1.1", host), want: []outcome{forwarded(target("/x"), method("OPTIONS"))},
			}},
			{Name: "asterisk with GET", Why: "RFC 9112 3.2.4: the form is OPTIONS' alone", Play: probe{
				send: lines("GET * HTTP/1.1", host), want: []outcome{refused(400, 404)},
			}},
			{Name: "asterisk and more", Why: "RFC 9112 3.2: no form has it", Play: probe{
				send: lines("OPTIONS *x HTTP/1.1", host), want: []outcome{refused(400, 404)},
			}},
		}},
		{16, "target byte for byte", "RFC 9110 7.7: a proxy MUST NOT rewrite path and query", faithfulTargets()},
		{17, "invalid targets and request lines", "RFC 9112 3: an invalid request line is answered 400", badRequestLines()},
	}
}

func connects() []Case {
	refuse := refused(400, 403, 404, 405, 501)
	cases := []Case{
		{Name: "CONNECT", Play: probe{
			send: lines("CONNECT example.test:443 HTTP/1.1", "Host: example.test:443"), answers: []answer{{raw: lines("HTTP/1.1 405 No", "Content-Length: 0")}},
			want: []outcome{refuse, answered(405)},
		}},
		{Name: "CONNECT and bytes behind it", Play: probe{
			send:    lines("CONNECT example.test:443 HTTP/1.1", "Host: example.test:443") + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
			answers: []answer{{raw: lines("HTTP/1.1 405 No", "Content-Length: 0")}},
			want:    []outcome{refuse, forwardedAll(nil, nil).starting(405), answered(405)},
		}},
		{Name: "CONNECT is refused with 405", Beyond: true, Play: probe{
			send: lines("CONNECT example.test:443 HTTP/1.1", "Host: example.test:443"), want: []outcome{refused(405).with(header("Allow", allow))},
		}},
	}
	for _, line := range []string{
		"GET example.test:443 HTTP/1.1", "GET example.test HTTP/1.1", "GET x HTTP/1.1", "CONNECT / HTTP/1.1", "CONNECT http://example.test/ HTTP/1.1",
		"POST example.test:80 HTTP/1.1",
	} {
		cases = append(cases, Case{Name: line, Why: "RFC 9112 3.2: no form for this method", Play: probe{send: lines(line, host), want: []outcome{refuse}}})
	}
	return cases
}

// allow is what serin says with 405.
const allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

func faithfulTargets() []Case {
	var cases []Case
	for _, t := range []string{
		"/a%2Fb", "/a%2fb", "/a//b", "//a", "/./a", "/a/../b", "/a/.", "/a?", "/?", "/?a=b&&c=", "/%7Euser", "/~user", "/a;b=c", "/a?b?c/d//e/../f",
		"/%41", "/a%20b", "/a+b", "/a%2e%2e/b", "/a:b@c!$&'()*,=", "/" + strings.Repeat("x", 7900),
	} {
		cases = append(cases, Case{Name: short(t)[:min(len(short(t)), 40)], Play: probe{
			send: lines("GET "+t+" HTTP/1.1", host), want: []outcome{forwarded(target(t))},
		}})
	}
	// What no URI may hold, or what climbs above the root, may be refused; but never changed.
	for _, t := range []string{"/../a", "/a%00b", "/a%zz", "/a%", "/a|b", `/a"b`, "/<a>", `/a\b`, "/a^b", "/a`b", "/{a}", "/caf\u00e9", "/\xff"} {
		cases = append(cases, Case{Name: fmt.Sprintf("%q", t), Play: probe{
			send: lines("GET "+t+" HTTP/1.1", host), want: []outcome{forwarded(target(t)), declined(400, 404)},
		}})
	}
	return cases
}

func badRequestLines() []Case {
	var cases []Case
	for _, bad := range []struct{ name, line string }{
		{"fragment", "GET /a#b HTTP/1.1"}, {"only a fragment", "GET # HTTP/1.1"}, {"fragment and path games", "GET /a#/../b HTTP/1.1"},
		{"space", "GET /a b HTTP/1.1"}, {"tab", "GET /a\tb HTTP/1.1"}, {"NUL", "GET /a\x00b HTTP/1.1"},
		{"control character", "GET /a\x01b HTTP/1.1"}, {"DEL", "GET /a\x7fb HTTP/1.1"}, {"CR", "GET /a\rb HTTP/1.1"},
		{"no target", "GET HTTP/1.1"}, {"empty target", "GET  HTTP/1.1"}, {"no version", "GET /"}, {"only a method", "GET"},
		{"bad method", "GE(T / HTTP/1.1"}, {"method with a colon", "GET: / HTTP/1.1"}, {"no method", " / HTTP/1.1"}, {"method above ASCII", "G\xcbT / HTTP/1.1"},
		{"method with NUL", "GET\x00 / HTTP/1.1"}, {"words behind the version", "GET / HTTP/1.1 x"},
	} {
		cases = append(cases, Case{Name: bad.name, Play: probe{send: lines(bad.line, host), want: []outcome{refused(400, 405, 501, 505)}}})
	}
	loose := []outcome{refused(400), forwarded(target("/"))}
	return append(cases,
		Case{Name: "two spaces", Why: "RFC 9112 3: may be parsed leniently", Play: probe{send: lines("GET  / HTTP/1.1", host), want: loose}},
		Case{Name: "tabs", Why: "RFC 9112 3: may be parsed leniently", Play: probe{send: lines("GET\t/\tHTTP/1.1", host), want: loose}},
		Case{Name: "space at the end", Why: "RFC 9112 3: may be parsed leniently", Play: probe{send: lines("GET / HTTP/1.1 ", host), want: loose}},
		Case{Name: "a hidden request line", Play: probe{
			send: "GET / HTTP/1.1\r\nHost: example.test\r\nGET /smuggled HTTP/1.1\r\n\r\n", want: []outcome{refused(400), forwarded(nowhere("smuggled"))},
		}},
		Case{Name: "unknown method", Why: "RFC 9110 16.1.1: methods are extensible; a gateway may decline with 501 or 405", Play: probe{
			send: lines("PURGE / HTTP/1.1", host), want: []outcome{forwarded(method("PURGE")), declined(405, 501)},
		}},
		Case{Name: "method in lower case", Why: "RFC 9110 9.1: methods are case-sensitive: another method", Play: probe{
			send: lines("get / HTTP/1.1", host), want: []outcome{forwarded(method("get")), declined(400, 405, 501)},
		}},
		Case{Name: "endless method", Why: "RFC 9112 3: 501", Play: probe{
			send: lines(strings.Repeat("A", 40_000)+" / HTTP/1.1", host), want: []outcome{refused(400, 405, 414, 431, 501)},
		}},
	)
}

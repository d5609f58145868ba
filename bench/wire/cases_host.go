package main

// hostGroups are duties 12 and 13: one host, whichever form says it.
func hostGroups() []*group {
	return []*group{
		{12, "one valid Host", "RFC 9112 3.2: a request without, with several or with an invalid Host MUST be answered 400", hosts()},
		{13, "absolute form", "RFC 9112 3.2.2: the target's authority replaces Host; refusing a mismatch is as safe", absolutes()},
	}
}

func hosts() []Case {
	var cases []Case
	for _, bad := range []struct{ name, value string }{
		{"space inside", "a b"}, {"path", "example.test/x"}, {"user information", "user@example.test"}, {"user and password", "u:p@example.test"},
		{"list", "example.test, evil.test"}, {"port of letters", "example.test:8o"}, {"two ports", "example.test:80:80"},
		{"open bracket", "[::1"}, {"empty brackets", "[]"}, {"query", "example.test?x"}, {"fragment", "example.test#x"}, {"backslash", `example.test\x`},
		{"quotes", `"example.test"`}, {"control character", "example\x01.test"}, {"angle brackets", "<example.test>"},
		{"scheme", "http://example.test"}, {"tab inside", "a\tb"},
	} {
		cases = append(cases, Case{Name: bad.name, Play: probe{
			send: lines("GET / HTTP/1.1", "Host: "+bad.value), want: []outcome{refused(400)},
		}})
	}
	cases = append(cases,
		Case{Name: "missing", Play: probe{send: lines("GET / HTTP/1.1", "X-A: 1"), want: []outcome{refused(400)}}},
		Case{Name: "no fields at all", Play: probe{send: "GET / HTTP/1.1\r\n\r\n", want: []outcome{refused(400)}}},
		Case{Name: "two that differ", Play: probe{send: get("Host: evil.test"), want: []outcome{refused(400)}}},
		Case{Name: "the same twice", Play: probe{send: get(host), want: []outcome{refused(400)}}},
		Case{Name: "two, one in other case", Play: probe{send: get("HOST: evil.test"), want: []outcome{refused(400)}}},
		Case{Name: "two and a body", Play: probe{send: post("Host: evil.test", "Content-Length: 5") + "hello", want: []outcome{refused(400)}}},
		Case{Name: "empty", Why: "RFC 9112 3.2 allows it where the target has no authority; RFC 9110 4.2.1 calls http URIs without host invalid", Play: probe{
			send: lines("GET / HTTP/1.1", "Host:"), want: []outcome{refused(400), forwarded()},
		}},
		Case{Name: "missing in HTTP/1.0", Why: "RFC 9112 3.2: only HTTP/1.1 must have it; upstream it must be there", Play: probe{
			send: lines("GET / HTTP/1.0", "X-A: 1"), want: []outcome{forwarded().closing(), refused(400)},
		}},
	)
	for _, good := range []struct{ name, value string }{
		{"name", "example.test"}, {"IPv4 address", "192.0.2.1"}, {"IPv6 address", "[2001:db8::1]"},
		{"hyphen and underscore", "a-b_c.test"},
	} {
		cases = append(cases, Case{Name: "valid: " + good.name, Play: probe{
			send: lines("GET / HTTP/1.1", "Host: "+good.value), want: []outcome{forwarded(header("Host", good.value))},
		}})
	}
	return append(cases, Case{Name: "valid: port", Play: probe{
		send: lines("GET / HTTP/1.1", "Host: example.test:8080"), want: []outcome{forwarded(header("Host", "example.test:8080"))},
	}})
}

func absolutes() []Case {
	// A server must take the absolute form (RFC 9112 3.2.2), and may forward either form.
	to := func(authority, origin, absolute string) outcome {
		return forwarded(header("Host", authority), anyOf(target(origin), target(absolute)))
	}
	f := func(name, first string, want ...outcome) Case {
		return Case{Name: name, Play: probe{send: lines(first, host), want: want}}
	}
	return []Case{
		f("another authority", "GET http://other.test/x HTTP/1.1", to("other.test", "/x", "http://other.test/x"), refused(400)),
		f("the same authority", "GET http://example.test/x HTTP/1.1", to("example.test", "/x", "http://example.test/x")),
		f("with a port", "GET http://example.test:8080/x HTTP/1.1",
			to("example.test:8080", "/x", "http://example.test:8080/x"), refused(400)),
		f("without a path", "GET http://example.test HTTP/1.1", to("example.test", "/", "http://example.test")),
		f("query without a path", "GET http://example.test?a=b HTTP/1.1", to("example.test", "/?a=b", "http://example.test?a=b")),
		f("path and query", "GET http://example.test/x?a=b HTTP/1.1", to("example.test", "/x?a=b", "http://example.test/x?a=b")),
		f("scheme in upper case", "GET HTTP://example.test/x HTTP/1.1", to("example.test", "/x", "HTTP://example.test/x")),
		f("https to a plain port", "GET https://example.test/x HTTP/1.1",
			to("example.test", "/x", "https://example.test/x"), refused(400, 421)),
		f("encoded path", "GET http://example.test/a%2Fb//c HTTP/1.1", to("example.test", "/a%2Fb//c", "http://example.test/a%2Fb//c")),
		{Name: "empty authority", Why: "RFC 9110 4.2.1: a recipient MUST reject it", Play: probe{
			send: lines("GET http:///x HTTP/1.1", host), want: []outcome{refused(400)},
		}},
		{Name: "user information", Why: "RFC 9110 4.2.4: a recipient ought to treat it as an error", Play: probe{
			send: lines("GET http://user@example.test/x HTTP/1.1", host),
			want: []outcome{refused(400), to("example.test", "/x", "http://example.test/x")},
		}},
		{Name: "bad authority", Play: probe{send: lines("GET http://a b/x HTTP/1.1", host), want: []outcome{refused(400)}}},
		{Name: "another scheme", Why: "RFC 9110 7.4: a server that is no authority for it refuses; sending it on as it is names the same resource", Play: probe{
			send: lines("GET ftp://example.test/x HTTP/1.1", host),
			want: []outcome{refused(400, 403, 404, 421, 501), forwarded(target("ftp://example.test/x"))},
		}},
		{Name: "without Host", Why: "RFC 9112 3.2: Host is needed whatever the target's form", Play: probe{
			send: "GET http://example.test/x HTTP/1.1\r\n\r\n", want: []outcome{refused(400)},
		}},
		{Name: "with two Hosts", Why: "RFC 9112 3.2", Play: probe{
			send: lines("GET http://example.test/x HTTP/1.1", host, host), want: []outcome{refused(400)},
		}},
		{Name: "with an invalid Host", Why: "RFC 9112 3.2", Play: probe{
			send: lines("GET http://example.test/x HTTP/1.1", "Host: a b"), want: []outcome{refused(400)},
		}},
		{Name: "never dials the authority", Why: "the upstream is configured, not chosen by the client", Play: probe{
			send: lines("GET http://127.0.0.1:1/x HTTP/1.1", "Host: 127.0.0.1:1"),
			want: []outcome{forwarded(anyOf(target("/x"), target("http://127.0.0.1:1/x"))), refused(400, 403, 421)},
		}},
		{Name: "in HTTP/1.0 without Host", Play: probe{
			send: "GET http://example.test/x HTTP/1.0\r\n\r\n",
			want: []outcome{to("example.test", "/x", "http://example.test/x").closing(), refused(400)},
		}},
	}
}

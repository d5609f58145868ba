package main

import "strings"

// faithGroups are duties 39 to 42, 50 and 53: nothing is invented, nothing is changed.
func faithGroups() []*group {
	answerWith := func(more ...string) []answer { return []answer{{raw: ok(more...)}} }
	passes := func(name, why string, sent []string, want ...is) Case {
		return Case{Name: name, Why: why, Play: probe{send: get(sent...), want: []outcome{forwarded(want...)}}}
	}
	form := "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b.bin\"\r\n\r\n\x00\x01\r\n--b--\r\n"
	multipart := func(name, kind, body1 string) Case {
		return Case{Name: name, Play: probe{
			send: post("Content-Type: "+kind, "Content-Length: "+itoa(len(body1))) + body1,
			want: []outcome{forwarded(header("Content-Type", kind), body(body1))},
		}}
	}
	return []*group{
		{39, "Date and Server", "RFC 9110 6.6.1, 7.7, 10.2.4: the origin's stay", []Case{
			{Name: "Date", Play: probe{
				send: get(), answers: answerWith("Date: Sun, 06 Nov 1994 08:49:37 GMT"), want: []outcome{forwarded().with(header("Date", "Sun, 06 Nov 1994 08:49:37 GMT"))},
			}},
			{Name: "Server", Play: probe{send: get(), answers: answerWith("Server: origin/1"), want: []outcome{forwarded().with(header("Server", "origin/1"))}}},
			{Name: "no Server", Why: "RFC 9110 10.2.4: it describes the origin, which said nothing", Beyond: true, Play: probe{send: get(), want: []outcome{forwarded().with(without("Server"))}}},
			{Name: "none: the proxy appends one", Why: "RFC 9110 6.6.1: a recipient with a clock MUST append one when it forwards", Play: probe{
				send: get(), want: []outcome{forwarded().with(isDated())},
			}},
			{Name: "none in a 404", Why: "RFC 9110 6.6.1: a recipient with a clock MUST append one when it forwards", Play: probe{
				send: get(), answers: []answer{{raw: lines("HTTP/1.1 404 No", "Content-Length: 0")}}, want: []outcome{answered(404, isDated())},
			}},
			{Name: "none in a chunked answer", Why: "RFC 9110 6.6.1: a recipient with a clock MUST append one when it forwards", Play: probe{
				send: get(), answers: []answer{{raw: lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "2\r\nok\r\n0\r\n\r\n"}},
				want: []outcome{forwarded().with(isDated(), body("ok"))},
			}},
			{Name: "of a refusal", Why: "RFC 9110 6.6.1: an origin server with a clock MUST send one in 4xx", Play: probe{
				send: get("Content-Length: x"), want: []outcome{refused(400).with(isDated())},
			}},
			{Name: "of a chunked answer", Play: probe{
				send: get(), answers: []answer{{raw: lines("HTTP/1.1 200 OK", "Date: x", "Server: y", "Transfer-Encoding: chunked") + "0\r\n\r\n"}},
				want: []outcome{forwarded().with(header("Date", "x"), header("Server", "y"))},
			}},
		}},
		{40, "nothing is invented", "RFC 9110 7.7: a proxy forwards the message it got", []Case{
			passes("no User-Agent", "", nil, without("User-Agent")),
			passes("no Accept or Accept-Encoding", "", nil, without("Accept", "Accept-Encoding", "Accept-Language")),
			{Name: "no Content-Type of a request", Why: "RFC 9110 8.3: its absence means something", Play: probe{
				send: post("Content-Length: 5") + "hello", want: []outcome{forwarded(without("Content-Type"), body("hello"))},
			}},
			{Name: "no Content-Type of an answer", Why: "RFC 9110 8.3", Play: probe{send: get(), answers: answerWith("X-A: 1"), want: []outcome{forwarded().with(without("Content-Type"))}}},
			passes("no length of a GET", "RFC 9110 8.6: none where no content is meant", nil, without("Content-Length", "Transfer-Encoding")),
			{Name: "no caching fields", Play: probe{
				send: get(), answers: answerWith("X-A: 1"), want: []outcome{forwarded().with(without("Cache-Control", "Expires", "ETag", "Last-Modified", "Set-Cookie"))},
			}},
			{Name: "a body stays encoded", Play: probe{
				send: get("Accept-Encoding: gzip"), answers: answerWith("Content-Encoding: gzip"),
				want: []outcome{forwarded(header("Accept-Encoding", "gzip")).with(header("Content-Encoding", "gzip"), body("ok"))},
			}},
			{Name: "a redirect is not rewritten", Play: probe{
				send: get(), answers: []answer{{raw: lines("HTTP/1.1 302 Found", "Location: http://other.test/x", "Content-Length: 0")}},
				want: []outcome{forwarded().with(status(302), header("Location", "http://other.test/x"))},
			}},
			{Name: "an unknown reason stays", Why: "RFC 9112 4: the reason may be any text", Beyond: true, Play: probe{
				send: get(), answers: []answer{{raw: lines("HTTP/1.1 200 Fine By Me", "Content-Length: 0")}}, want: []outcome{forwarded().with(reason("Fine By Me"))},
			}},
		}},
		{41, "order and number of fields", "RFC 9110 5.3: the order of lines of one name MUST NOT change; to keep the rest too is good practice", []Case{
			passes("three lines of one name", "", []string{"X-A: 1", "X-A: 2", "X-A: 3"}, elements("X-A", "1", "2", "3")),
			passes("with others between", "", []string{"X-A: 1", "X-B: b", "X-A: 2"}, elements("X-A", "1", "2")),
			passes("an empty value", "RFC 9110 5.5: empty values are values", []string{"X-A:"}, header("X-A", "")),
			passes("spaces inside a value", "RFC 9110 5.5: only the outer ones are not part", []string{"X-A: a  b   c"}, header("X-A", "a  b   c")),
			passes("a value of colons and quotes", "", []string{`X-A: a:b;c="d, e",f`}, header("X-A", `a:b;c="d, e",f`)),
			passes("unknown fields", "RFC 9110 5.1: MUST be forwarded", []string{"Sec-Odd-Thing: ?1", "X: y"}, header("Sec-Odd-Thing", "?1"), header("X", "y")),
			{Name: "order of names", Beyond: true, Play: probe{
				send: get("X-C: 3", "X-A: 1", "X-B: 2"), want: []outcome{forwarded(inOrder("Host", "X-C", "X-A", "X-B"))},
			}},
			passes("Authorization", "", []string{"Authorization: Basic dTpw"}, header("Authorization", "Basic dTpw")),
			passes("Range and conditions", "", []string{"Range: bytes=0-1", `If-Match: "a", "b"`, `If-None-Match: W/"c"`}, header("Range", "bytes=0-1"), header("If-Match", `"a", "b"`), header("If-None-Match", `W/"c"`)),
			{Name: "Set-Cookie lines", Why: "RFC 9110 5.3: they can't be joined", Play: probe{
				send: get(), answers: answerWith("Set-Cookie: a=1; Expires=Sun, 06 Nov 1994 08:49:37 GMT", "X-A: 1", "Set-Cookie: b=2"),
				want: []outcome{forwarded().with(header("Set-Cookie", "a=1; Expires=Sun, 06 Nov 1994 08:49:37 GMT", "b=2"))},
			}},
			{Name: "lines of one name in an answer", Play: probe{
				send: get(), answers: answerWith("X-A: 1", "X-B: x", "X-A: 2"), want: []outcome{forwarded().with(elements("X-A", "1", "2"))},
			}},
			{Name: "order of names in an answer", Beyond: true, Play: probe{
				send: get(), answers: answerWith("X-C: 3", "X-A: 1", "X-B: 2"), want: []outcome{forwarded().with(inOrder("X-C", "X-A", "X-B"))},
			}},
			{Name: "the case of names", Why: "RFC 9110 5.1: it means nothing, and is kept for who believes otherwise", Beyond: true, Play: probe{
				send: get("x-mIxEd: 1"), answers: answerWith("x-mIxEd: 1"), want: []outcome{forwarded(exactName("x-mIxEd"), exactName("Host")).with(exactName("x-mIxEd"))},
			}},
		}},
		{42, "Cookie", "RFC 6265 5.4, RFC 9110 7.7: opaque to a proxy", []Case{
			passes("odd ones", "", []string{`Cookie: a=b; c="d,e"; =f; g; ;;h=`}, header("Cookie", `a=b; c="d,e"; =f; g; ;;h=`)),
			passes("4 KB", "", []string{"Cookie: a=" + strings.Repeat("x", 4096)}, header("Cookie", "a="+strings.Repeat("x", 4096))),
			passes("bytes above ASCII", "", []string{"Cookie: a=\xe9\xff"}, header("Cookie", "a=\xe9\xff")),
			passes("two lines", "", []string{"Cookie: a=b", "Cookie: c=d"}, anyOf(header("Cookie", "a=b", "c=d"), header("Cookie", "a=b; c=d"))),
			passes("spaces and commas", "", []string{"Cookie: a=b,c  ;d = e"}, header("Cookie", "a=b,c  ;d = e")),
		}},
		{50, "underscores in names", "RFC 9110 5.6.2: allowed; RFC 3875 4.1.18: but CGI takes them for hyphens", []Case{
			passes("unknown", "pass or drop", []string{"X_Odd: 1", "X-B: 2"}, anyOf(header("X_Odd", "1"), without("X_Odd")), header("X-B", "2")),
			{Name: "not a length", Play: probe{send: get("Content_Length: 5"), want: []outcome{forwarded(framed(bodiless)), refused(400)}}},
			{Name: "not a coding", Play: probe{send: get("Transfer_Encoding: chunked"), want: []outcome{forwarded(framed(bodiless)), refused(400)}}},
			{Name: "not a Host", Play: probe{send: get("_Host: a", "Ho_st: b"), want: []outcome{forwarded(header("Host", "example.test")), refused(400)}}},
			{Name: "a twin of X-Forwarded-For goes no further", Beyond: true, Play: probe{
				send: get("X_Forwarded_For: 192.0.2.1", "X-Forwarded_Proto: https"), want: []outcome{forwarded(nowhere("192.0.2.1"), nowhere("https"))},
			}},
			{Name: "twins of framing fields go no further", Beyond: true, Play: probe{
				send: get("Content_Length: 5", "Transfer_Encoding: chunked"), want: []outcome{forwarded(nowhere("content_"), nowhere("transfer_"))},
			}},
		}},
		{53, "multipart bodies", "RFC 9110 7.7, 8.3.3: content is opaque to a proxy", []Case{
			multipart("a form", "multipart/form-data; boundary=b", form),
			multipart("a boundary that never comes", "multipart/form-data; boundary=zz", form),
			multipart("no boundary", "multipart/form-data", form),
			multipart("empty", "multipart/form-data; boundary=b", ""),
			multipart("an encoded form", "application/x-www-form-urlencoded", "a=%zz&&b=c&a=d"),
			multipart("broken JSON", "application/json", "{\"a\":"),
			{Name: "in chunks", Play: probe{
				send: post("Content-Type: multipart/form-data; boundary=b", "Transfer-Encoding: chunked") +
					"5\r\n" + form[:5] + "\r\n" + hex(len(form)-5) + "\r\n" + form[5:] + "\r\n0\r\n\r\n",
				want: []outcome{forwarded(body(form))},
			}},
		}},
	}
}

package main

// chunkedClosed: RFC 9112 6.1 lets a server take the coding and ignore the length, if the length is gone from what is
// forwarded and the connection is closed afterwards.
func chunkedClosed(want string) outcome {
	return forwarded(without("Content-Length"), framed(byChunks), body(want)).closing()
}

// lengthGroups are duties 1 to 3: one length, certain.
func lengthGroups() []*group {
	return []*group{
		{1, "Content-Length with Transfer-Encoding", "RFC 9112 6.1 and 6.3: reject, or let the coding win and close", []Case{
			{Name: "length first", Play: probe{
				send: post("Content-Length: 5", "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n",
				want: []outcome{refused(400), chunkedClosed("hello")},
			}},
			{Name: "coding first", Play: probe{
				send: post("Transfer-Encoding: chunked", "Content-Length: 5") + "5\r\nhello\r\n0\r\n\r\n",
				want: []outcome{refused(400), chunkedClosed("hello")},
			}},
			{Name: "both say the same", Play: probe{
				send: post("Content-Length: 15", "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n",
				want: []outcome{refused(400), chunkedClosed("hello")},
			}},
			{Name: "on a GET", Play: probe{
				send: get("Content-Length: 0", "Transfer-Encoding: chunked") + "0\r\n\r\n",
				want: []outcome{refused(400), chunkedClosed("")},
			}},
			{Name: "other case and more fields between", Play: probe{
				send: post("content-LENGTH: 5", "X-A: 1", "X-B: 2", "transfer-ENCODING: Chunked") + "5\r\nhello\r\n0\r\n\r\n",
				want: []outcome{refused(400), chunkedClosed("hello")},
			}},
			{Name: "two lengths and a coding", Play: probe{
				send: post("Content-Length: 5", "Content-Length: 6", "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n",
				want: []outcome{refused(400), chunkedClosed("hello")},
			}},
		}},
		{1, "CL.TE", "RFC 9112 6.1, 11.2: who reads the length sees one request, who reads the coding two", []Case{
			{Name: "a request behind the last chunk", Play: probe{
				send: post("Content-Length: 40", "Transfer-Encoding: chunked") + "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
				want: []outcome{refused(400), chunkedClosed("")},
			}},
			{Name: "one byte behind the last chunk", Play: probe{
				send: post("Content-Length: 6", "Transfer-Encoding: chunked") + "0\r\n\r\nG",
				want: []outcome{refused(400), chunkedClosed("")},
			}},
			{Name: "the length covers the whole body and more", Play: probe{
				send: post("Content-Length: 100", "Transfer-Encoding: chunked") + "1\r\nx\r\n0\r\n\r\n",
				want: []outcome{refused(400), chunkedClosed("x")},
			}},
			{Name: "nominated by Connection", Play: probe{
				send: post("Connection: Transfer-Encoding", "Content-Length: 6", "Transfer-Encoding: chunked") + "0\r\n\r\nG",
				want: []outcome{refused(400), chunkedClosed("")},
			}},
		}},
		{1, "TE.CL", "RFC 9112 6.1, 11.2: as CL.TE, the other way round", []Case{
			{Name: "a request within a chunk", Play: probe{
				send: post("Content-Length: 4", "Transfer-Encoding: chunked") +
					"2a\r\nGET /smuggled HTTP/1.1\r\nHost: smuggled\r\n\r\n\r\n0\r\n\r\n",
				want: []outcome{refused(400), chunkedClosed("GET /smuggled HTTP/1.1\r\nHost: smuggled\r\n\r\n")},
			}},
			{Name: "length of the first size line", Play: probe{
				send: post("Content-Length: 3", "Transfer-Encoding: chunked") + "8\r\nSMUGGLED\r\n0\r\n\r\n",
				want: []outcome{refused(400), chunkedClosed("SMUGGLED")},
			}},
			{Name: "length zero", Play: probe{
				send: post("Content-Length: 0", "Transfer-Encoding: chunked") + "8\r\nSMUGGLED\r\n0\r\n\r\n",
				want: []outcome{refused(400), chunkedClosed("SMUGGLED")},
			}},
		}},
		{2, "several Content-Length", "RFC 9110 8.6, RFC 9112 6.3: differing values are an error; the same value twice may be made one", []Case{
			{Name: "two lines that differ", Play: probe{
				send: post("Content-Length: 5", "Content-Length: 6") + "hello!", want: []outcome{refused(400)},
			}},
			{Name: "the other way round", Play: probe{
				send: post("Content-Length: 6", "Content-Length: 5") + "hello!", want: []outcome{refused(400)},
			}},
			{Name: "zero and a request behind it", Play: probe{
				send: post("Content-Length: 0", "Content-Length: 42") + "GET /smuggled HTTP/1.1\r\nHost: smuggled\r\n\r\n",
				want: []outcome{refused(400)},
			}},
			{Name: "a list that differs", Play: probe{
				send: post("Content-Length: 5, 6") + "hello!", want: []outcome{refused(400)},
			}},
			{Name: "the same twice", Play: probe{
				send: post("Content-Length: 5", "Content-Length: 5") + "hello",
				want: []outcome{refused(400), forwarded(header("Content-Length", "5"), body("hello"))},
			}},
			{Name: "the same as a list", Play: probe{
				send: post("Content-Length: 5, 5") + "hello",
				want: []outcome{refused(400), forwarded(header("Content-Length", "5"), body("hello"))},
			}},
			{Name: "three lines, the last differs", Play: probe{
				send: post("Content-Length: 5", "Content-Length: 5", "Content-Length: 7") + "hello!!", want: []outcome{refused(400)},
			}},
			{Name: "one empty", Play: probe{
				send: post("Content-Length: 5", "Content-Length:") + "hello", want: []outcome{refused(400)},
			}},
			{Name: "one is no number", Play: probe{
				send: post("Content-Length: 5", "Content-Length: five") + "hello", want: []outcome{refused(400)},
			}},
			{Name: "the same number spelled twice", Play: probe{
				send: post("Content-Length: 5", "Content-Length: 05") + "hello",
				want: []outcome{refused(400), forwarded(body("hello"))},
			}},
		}},
		{3, "Content-Length is digits", "RFC 9110 8.6: 1*DIGIT; RFC 9112 6.3: anything else is an error, answered 400", badLengths()},
		{3, "0.CL", "RFC 9112 6.3, RFC 9110 9.3: a length frames a body whatever the method; who ignores it reads the body as a request", zeroLengths()},
	}
}

// badLengths is duty 3: what is no number is refused, what is one is taken for that number.
func badLengths() []Case {
	var cases []Case
	for _, bad := range []struct{ name, value string }{
		{"plus sign", "+5"}, {"minus sign", "-5"}, {"hexadecimal", "0x5"}, {"exponent", "5e0"}, {"fraction", "5.0"},
		{"inner space", "5 5"}, {"letters behind", "5a"}, {"letters", "five"}, {"empty", ""}, {"underscore", "1_0"},
		{"quotes", `"5"`}, {"more than 64 bits", "18446744073709551621"}, {"far more than 64 bits", "100000000000000000000000000000000005"},
		{"wide digit", "\uff15"}, {"vertical tab", "\v5"}, {"semicolon", "5;5"}, {"minus zero", "-0"}, {"octal", "0o5"},
	} {
		cases = append(cases, Case{Name: bad.name, Play: probe{
			send: post("Content-Length: "+bad.value) + "hello", want: []outcome{refused(400, 413)},
		}})
	}
	cases = append(cases, Case{Name: "more than 63 bits", Beyond: true, Play: probe{
		send: post("Content-Length: 9223372036854775813") + "hello", want: []outcome{refused(400)},
	}})
	five := []outcome{forwarded(body("hello"), framed(byLength))}
	return append(cases,
		Case{Name: "leading zeros are digits", Play: probe{send: post("Content-Length: 0005") + "hello", want: append(five, refused(400))}},
		Case{Name: "spaces around", Why: "RFC 9110 5.5: optional whitespace is no part of the value", Play: probe{
			send: post("Content-Length: \t 5 \t") + "hello", want: five,
		}},
		Case{Name: "no space", Play: probe{send: post("Content-Length:5") + "hello", want: five}},
		Case{Name: "on a GET", Why: "RFC 9110 9.3.1: content in a GET has no meaning, but is framed all the same", Play: probe{
			send: get("Content-Length: 5") + "hello", want: []outcome{forwarded(body("hello")), refused(400, 413)},
		}},
		Case{Name: "zero", Play: probe{send: post("Content-Length: 0"), want: []outcome{forwarded(body(""))}}},
		Case{Name: "a body that looks like a request", Play: probe{
			send: post("Content-Length: 42") + "GET /smuggled HTTP/1.1\r\nHost: smuggled\r\n\r\n",
			want: []outcome{forwarded(body("GET /smuggled HTTP/1.1\r\nHost: smuggled\r\n\r\n"))},
		}},
	)
}

// zeroLengths are bodies where some parsers expect none.
func zeroLengths() []Case {
	const inside = "GET /smuggled HTTP/1.1\r\nHost: smuggled\r\n\r\n"
	var cases []Case
	for _, m := range []string{"GET", "HEAD", "DELETE", "OPTIONS", "PUT", "PATCH", "ODD"} {
		head := lines(m+" / HTTP/1.1", host, "Content-Length: 42")
		cases = append(cases, Case{Name: m, Play: probe{
			send: head + inside, want: []outcome{forwarded(method(m), body(inside)), refused(400, 405, 411, 413, 501)},
		}})
	}
	f := func(name, send string, want ...outcome) Case {
		return Case{Name: name, Play: probe{send: send, want: want}}
	}
	whole := forwarded(body(inside))
	return append(cases,
		f("GET, chunked", get("Transfer-Encoding: chunked")+"2a\r\n"+inside+"\r\n0\r\n\r\n", whole, refused(400, 411, 413)),
		f("GET, upgrading", websocket("Content-Length: 42")+inside, whole, refused(400, 413)),
		f("GET, expecting", get("Expect: 100-continue", "Content-Length: 42")+inside, whole, refused(400, 413, 417)),
		f("POST, expecting in an odd way", post("Expect: y 100-continue", "Content-Length: 42")+inside, whole, declined(400, 417)),
		f("POST, expecting twice", post("Expect: 100-continue", "Expect: 100-continue", "Content-Length: 42")+inside, whole, declined(400, 417)),
		f("POST, expecting nothing", post("Expect:", "Content-Length: 42")+inside, whole, declined(400, 417)),
		f("HTTP/1.0", lines("POST / HTTP/1.0", host, "Content-Length: 42")+inside, forwarded(body(inside)).closing()),
		f("HTTP/1.0, keep-alive", lines("POST / HTTP/1.0", host, "Connection: keep-alive", "Content-Length: 42")+inside,
			forwarded(body(inside)).anyEnding()),
	)
}

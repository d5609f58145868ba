package main

// codingGroups are duties 4 and 5: the only transfer coding is chunked, and only in HTTP/1.1.
func codingGroups() []*group {
	const chunks = "5\r\nhello\r\n0\r\n\r\n"
	var unknown []Case
	for _, bad := range []struct{ name, value string }{
		{"identity", "identity"}, {"gzip", "gzip"}, {"gzip, then chunked", "gzip, chunked"}, {"chunked, then gzip", "chunked, gzip"},
		{"chunked, then identity", "chunked, identity"}, {"chunked twice", "chunked, chunked"}, {"prefix", "xchunked"}, {"suffix", "chunkedx"},
		{"parameter", "chunked;q=1"}, {"quoted", `"chunked"`}, {"inner space", "chun ked"}, {"two words", "chunked chunked"},
		{"vertical tab before", "\vchunked"}, {"form feed behind", "chunked\f"}, {"empty", ""}, {"comma only", ","},
		{"no-break space", "\u00a0chunked"}, {"deflate and compress", "deflate, compress"},
	} {
		unknown = append(unknown, Case{Name: bad.name, Play: probe{
			send: post("Transfer-Encoding: "+bad.value) + chunks, want: []outcome{refused(400, 415, 422, 501)},
		}})
	}
	taken := []outcome{forwarded(framed(byChunks, byLength), body("hello"))}
	unknown = append(unknown,
		Case{Name: "chunked", Play: probe{send: post("Transfer-Encoding: chunked") + chunks, want: taken}},
		Case{Name: "upper case", Why: "RFC 9112 7: coding names are case-insensitive", Play: probe{
			send: post("Transfer-Encoding: CHUNKED") + chunks, want: taken,
		}},
		Case{Name: "spaces around", Why: "RFC 9110 5.5: optional whitespace is no part of the value", Play: probe{
			send: post("Transfer-Encoding: \t chunked \t") + chunks, want: taken,
		}},
		Case{Name: "empty list elements", Why: "RFC 9110 5.6.1.2: a recipient must parse and ignore them; refusing is safe", Play: probe{
			send: post("Transfer-Encoding: , chunked ,") + chunks, want: append(taken, refused(400, 422, 501)),
		}},
		Case{Name: "on a GET", Play: probe{send: get("Transfer-Encoding: chunked") + chunks, want: append(taken, refused(400, 411, 413))}},
	)
	old := func(more ...string) string {
		return lines(append([]string{"POST / HTTP/1.0", host}, more...)...)
	}
	return []*group{
		{4, "other codings than chunked", "RFC 9112 6.1, 6.3, 7: unknown codings are answered 501, a list that does not end in one chunked 400", unknown},
		{4, "TE.TE", "RFC 9112 6.1, 11.2: two codings of which one party may read the first, the other the last", []Case{
			{Name: "chunked, then another line", Play: probe{
				send: post("Transfer-Encoding: chunked", "Transfer-Encoding: cow") + chunks, want: []outcome{refused(400, 422, 501)},
			}},
			{Name: "another line, then chunked", Play: probe{
				send: post("Transfer-Encoding: cow", "Transfer-Encoding: chunked") + chunks, want: []outcome{refused(400, 422, 501)},
			}},
			{Name: "chunked and identity", Play: probe{
				send: post("Transfer-Encoding: chunked", "Transfer-Encoding: identity") + chunks, want: []outcome{refused(400, 422, 501)},
			}},
			{Name: "chunked on two lines", Play: probe{
				send: post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + chunks, want: []outcome{refused(400, 422, 501)},
			}},
			{Name: "an empty line besides", Play: probe{
				send: post("Transfer-Encoding: chunked", "Transfer-Encoding:") + chunks,
				want: append(taken, refused(400, 422, 501)),
			}},
			{Name: "identity and a length", Play: probe{
				send: post("Content-Length: 5", "Transfer-Encoding: identity") + "hello", want: []outcome{refused(400, 422, 501)},
			}},
			{Name: "obfuscated coding and a length", Play: probe{
				send: post("Content-Length: 5", "Transfer-Encoding: \vchunked") + "hello", want: []outcome{refused(400, 422, 501)},
			}},
			{Name: "a space before the colon and a length", Play: probe{
				send: post("Content-Length: 5", "Transfer-Encoding : chunked") + "hello", want: []outcome{refused(400)},
			}},
			{Name: "a line hidden in a value", Play: probe{
				send: post("X: X\nTransfer-Encoding: chunked") + chunks,
				want: append(taken, refused(400)),
			}},
		}},
		{5, "Transfer-Encoding in HTTP/1.0", "RFC 9112 6.1: the framing is faulty; the connection ends after it", []Case{
			{Name: "chunked", Play: probe{send: old("Transfer-Encoding: chunked") + chunks, want: []outcome{refused(400), chunkedClosed("hello")}}},
			{Name: "chunked and keep-alive", Play: probe{
				send: old("Connection: keep-alive", "Transfer-Encoding: chunked") + chunks, want: []outcome{refused(400), chunkedClosed("hello")},
			}},
			{Name: "with a length", Play: probe{
				send: old("Content-Length: 5", "Transfer-Encoding: chunked", "Connection: keep-alive") + chunks,
				want: []outcome{refused(400), chunkedClosed("hello")},
			}},
			{Name: "a request within the body", Play: probe{
				send: old("Connection: keep-alive", "Content-Length: 5", "Transfer-Encoding: chunked") +
					"0\r\n\r\nGET /smuggled HTTP/1.0\r\nHost: a\r\n\r\n",
				want: []outcome{refused(400), chunkedClosed("")},
			}},
			{Name: "identity", Play: probe{send: old("Transfer-Encoding: identity") + "hello", want: []outcome{refused(400, 501)}}},
		}},
	}
}

package main

import (
	"fmt"
	"strings"
)

// trailerGroups are duties 35 and 37: fields behind the body.
func trailerGroups() []*group {
	upload := func(trailers string, more ...string) string {
		return post(append([]string{"Transfer-Encoding: chunked"}, more...)...) + "5\r\nhello\r\n0\r\n" + trailers + "\r\n"
	}
	answer1 := func(trailers string, more ...string) []answer {
		return []answer{{raw: lines(append([]string{"HTTP/1.1 200 OK", "Transfer-Encoding: chunked"}, more...)...) + "5\r\nhello\r\n0\r\n" + trailers + "\r\n"}}
	}
	asked := []string{"TE: trailers", "Connection: TE"}
	notMerged := func(name string) is {
		return func(m *message) error {
			if err := without(name)(m); err != nil {
				return fmt.Errorf("a trailer became a field: %w", err)
			}
			return body("hello")(m)
		}
	}
	var forbidden []Case
	for _, line := range []string{
		"Content-Length: 100", "Transfer-Encoding: chunked", "Host: evil.test", "Authorization: x", "Content-Type: text/evil",
		"Connection: X-A", "X-Forwarded-For: 192.0.2.1", "Cookie: evil=1",
	} {
		name, _, _ := strings.Cut(line, ":")
		forbidden = append(forbidden, Case{
			Name: "forbidden in a request: " + name, Why: "RFC 9110 6.5.1: framing, routing and authentication MUST NOT be trailers, nor be taken for fields",
			Play: probe{send: upload(line+"\r\n", asked...), want: []outcome{
				refused(400), forwarded(body("hello"), trailer("Content-Length"), trailer("Transfer-Encoding"), trailer("Host"), merges(line)),
			}},
		})
	}
	small := []Case{
		{Name: "of a request, never a field", Play: probe{send: upload("X-T: 1\r\n"), want: []outcome{forwarded(notMerged("X-T"))}}},
		{Name: "of a request, asked for", Play: probe{send: upload("X-T: 1\r\n", asked...), want: []outcome{forwarded(notMerged("X-T"))}}},
		{Name: "of a request are forwarded with TE: trailers", Beyond: true, Play: probe{
			send: upload("X-T: 1\r\nX-U: 2\r\n", asked...), want: []outcome{forwarded(trailer("X-T", "1"), trailer("X-U", "2"))},
		}},
		{Name: "of an answer, never a field", Play: probe{
			send: get(), answers: answer1("X-T: 1\r\n"), want: []outcome{forwarded().with(notMerged("X-T"))},
		}},
		{Name: "of an answer, asked for", Play: probe{
			send: get(asked...), answers: answer1("X-T: 1\r\n", "Trailer: X-T"), want: []outcome{forwarded().with(notMerged("X-T"))},
		}},
		{Name: "of an answer are forwarded with TE: trailers", Beyond: true, Play: probe{
			send: get(asked...), answers: answer1("X-T: 1\r\nX-U: 2\r\n"), want: []outcome{forwarded().with(trailer("X-T", "1"), trailer("X-U", "2"))},
		}},
		{Name: "TE: trailers is told upstream", Beyond: true, Play: probe{
			send: get(asked...), want: []outcome{forwarded(header("TE", "trailers"), elements("Connection", "TE"))},
		}},
		{Name: "forbidden in an answer", Why: "RFC 9110 6.5.1", Play: probe{
			send: get(asked...), answers: answer1("Set-Cookie: evil=1\r\nContent-Length: 3\r\n"),
			want: []outcome{forwarded().with(notMerged("Set-Cookie"), without("Content-Length"), trailer("Content-Length")), answered(502)},
		}},
		{Name: "no field, in a request", Play: probe{send: upload("no field\r\n"), want: []outcome{refused(400), forwarded(body("hello"), trailer("no"))}}},
		{Name: "bare LF, in a request", Play: probe{send: upload("X-T: 1\n"), want: []outcome{refused(400), forwarded(body("hello"))}}},
		{Name: "NUL, in a request", Play: probe{send: upload("X-T: a\x00b\r\n"), want: []outcome{refused(400), forwarded(body("hello"))}}},
		{Name: "a request in a trailer", Play: probe{
			send: upload("GET /smuggled HTTP/1.1\r\nHost: a\r\n"), want: []outcome{refused(400), forwarded(body("hello"), nowhere("smuggled"))},
		}},
	}
	large := func(name, trailers string) Case {
		return Case{Name: name, Why: "RFC 9110 5.4: larger than one wishes to process: an appropriate 4xx", Play: probe{
			send: upload(trailers), want: []outcome{refused(400, 413, 431), forwarded(body("hello"))},
		}}
	}
	return []*group{
		{35, "trailers", "RFC 9110 6.5.1, RFC 9112 7.1.2: forward or drop; merge only what is known to be safe", append(small, forbidden...)},
		{37, "large trailer sections", "RFC 9110 5.4, RFC 9112 7.1.2", []Case{
			large("one of 20 KB", "X-T: "+strings.Repeat("x", 20_000)+"\r\n"),
			large("hundreds", strings.Repeat("X-T: 1\r\n", 500)),
			large("1 MB", strings.Repeat("X-T: "+strings.Repeat("x", 1000)+"\r\n", 1000)),
			{Name: "within bounds", Play: probe{
				send: upload(strings.Repeat("X-T: 1\r\n", 20)), want: []outcome{forwarded(body("hello"))},
			}},
			{Name: "20 KB is refused with 431", Beyond: true, Play: probe{
				send: upload("X-T: " + strings.Repeat("x", 20_000) + "\r\n"), want: []outcome{refused(431)},
			}},
			{Name: "500 lines are refused with 431", Beyond: true, Play: probe{
				send: upload(strings.Repeat("X-T: 1\r\n", 500)), want: []outcome{refused(431)},
			}},
			{Name: "1 MB in an answer", Play: probe{
				send: get(), answers: answer1(strings.Repeat("X-T: "+strings.Repeat("x", 1000)+"\r\n", 1000)),
				want: []outcome{cutOff(), answered(200, body("hello")), answered(502)},
			}},
		}},
	}
}

// merges wants the line's value nowhere among the fields.
func merges(line string) is {
	name, value, _ := strings.Cut(line, ": ")
	return func(m *message) error {
		for _, v := range m.list(name) {
			if v == value && !strings.EqualFold(name, "Transfer-Encoding") {
				return fmt.Errorf("the trailer %q became a field", line)
			}
		}
		return nil
	}
}

// chunkGroups are duty 36: chunks.
func chunkGroups() []*group {
	return []*group{
		{36, "chunk grammar", "RFC 9112 7.1: sizes are hex digits, every line ends in CRLF, the data is as long as the size says", badChunks()},
		{36, "chunks that are right", "RFC 9112 7.1: must be taken, and mean the same upstream", goodChunks()},
		{36, "chunk extensions", "RFC 9112 7.1.1: ignore what is unknown; limit their length", extensions()},
	}
}

func badChunks() []Case {
	var cases []Case
	for _, bad := range []struct{ name, body string }{
		{"prefix 0x", "0x5\r\nhello\r\n0\r\n\r\n"}, {"plus sign", "+5\r\nhello\r\n0\r\n\r\n"}, {"minus sign", "-5\r\nhello\r\n0\r\n\r\n"},
		{"letters", "g\r\nhello\r\n0\r\n\r\n"}, {"letters behind", "5g\r\nhello\r\n0\r\n\r\n"}, {"space before", " 5\r\nhello\r\n0\r\n\r\n"},
		{"empty size", "\r\nhello\r\n0\r\n\r\n"}, {"underscore", "0_5\r\nhello\r\n0\r\n\r\n"}, {"size with NUL", "5\x00\r\nhello\r\n0\r\n\r\n"},
		{"beyond 64 bits", "10000000000000005\r\nhello\r\n0\r\n\r\n"}, {"all 64 bits", "ffffffffffffffff\r\nhello\r\n0\r\n\r\n"},
		{"wraps at 32 bits", "100000005\r\nhello\r\n0\r\n\r\n"},
		{"data too long", "4\r\nhello\r\n0\r\n\r\n"}, {"data too short", "6\r\nhello\r\n0\r\n\r\nxx"}, {"no CRLF behind data", "5\r\nhello0\r\n\r\nxx"},
		{"bare LF behind size", "5\nhello\r\n0\r\n\r\n"}, {"bare LF behind data", "5\r\nhello\n0\r\n\r\n"}, {"bare LF behind the last size", "5\r\nhello\r\n0\n\r\n"},
		{"bare LF at the end", "5\r\nhello\r\n0\r\n\n"}, {"bare CR behind size", "5\rhello\r\n0\r\n\r\n"}, {"bare CR behind data", "5\r\nhello\r0\r\n\r\n"},
		{"LF CR", "5\n\rhello\r\n0\r\n\r\n"}, {"two bytes for CRLF", "5\r\nhelloXX0\r\n\r\n"},
		{"comma", "5,5\r\nhello\r\n0\r\n\r\n"}, {"wide digit", "\uff15\r\nhello\r\n0\r\n\r\n"},
	} {
		c := Case{Name: bad.name, Play: probe{
			send: post("Transfer-Encoding: chunked") + bad.body, want: []outcome{refused(400, 413, 422)},
		}}
		if bad.name == "wraps at 32 bits" || bad.name == "all 64 bits" { // a size of its own right, the data just does not come
			c.Play = script{
				client:   []step{sends(post("Transfer-Encoding: chunked") + bad.body), waits(shortly), hangsUp(), tells("sent")},
				upstream: []step{await("sent"), takesBroken()},
			}
		}
		cases = append(cases, c)
	}
	return append(cases,
		Case{Name: "a request behind a bare LF", Why: "CVE-2025-22871: one party sees the size line end, the other an extension", Play: probe{
			send: post("Transfer-Encoding: chunked") + "5;\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", want: []outcome{refused(400)},
		}},
		Case{Name: "forty thousand zeros and five", Why: "RFC 9112 7.1: digits all the same, but a limit is wise", Play: probe{
			send: post("Transfer-Encoding: chunked") + strings.Repeat("0", 40_000) + "5\r\nhello\r\n0\r\n\r\n",
			want: []outcome{refused(400, 413), forwarded(body("hello"))},
		}},
		Case{Name: "size and data end in LF", Play: probe{
			send: post("Transfer-Encoding: chunked") + "5\nhello\n0\n\n", want: []outcome{refused(400)},
		}},
		Case{Name: "no body at all, then a request", Why: "RFC 9112 7.1: the next bytes are a size line", Play: probe{
			send: post("Transfer-Encoding: chunked") + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", want: []outcome{refused(400)},
		}},
	)
}

func goodChunks() []Case {
	f := func(name, chunks, want string) Case {
		return Case{Name: name, Play: probe{send: post("Transfer-Encoding: chunked") + chunks, want: []outcome{forwarded(body(want))}}}
	}
	many := strings.Repeat("1\r\nx\r\n", 3000) + "0\r\n\r\n"
	return []Case{
		f("one", "5\r\nhello\r\n0\r\n\r\n", "hello"),
		f("none", "0\r\n\r\n", ""),
		f("two", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"),
		f("hex in lower case", "a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
		f("hex in upper case", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
		f("leading zeros", "00005\r\nhello\r\n000\r\n\r\n", "hello"),
		f("data that looks like framing", "9\r\n0\r\n\r\n5\r\n\r\r\n0\r\n\r\n", "0\r\n\r\n5\r\n\r"),
		f("three thousand", many, strings.Repeat("x", 3000)),
		f("100 KB", "186a0\r\n"+strings.Repeat("x", 100_000)+"\r\n0\r\n\r\n", strings.Repeat("x", 100_000)),
		{Name: "byte by byte", Play: script{client: []step{
			sends(post("Transfer-Encoding: chunked")), drips("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", shortly/60), gets(status(200)), asks(),
		}}},
		{Name: "space behind the size", Why: "RFC 9112 7.1.1 allows space only before an extension; lenient or strict, but one request", Play: probe{
			send: post("Transfer-Encoding: chunked") + "5 \r\nhello\r\n0\r\n\r\n", want: []outcome{forwarded(body("hello")), refused(400)},
		}},
		{Name: "an answer byte by byte", Play: script{
			client: []step{sends(get()), gets(status(200), header("X-A", "1"), body("hello")), asks()},
			upstream: []step{
				takes(), drips(lines("HTTP/1.1 200 OK", "X-A: 1", "Transfer-Encoding: chunked")+"2;x\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", 0), answersTheRest(),
			},
		}},
		{Name: "both ways in turn", Why: "RFC 9110 7.7, 9112 9.5: an answer may begin and go on while the request does", Play: script{
			client: []step{
				sends(post("Transfer-Encoding: chunked") + "1\r\na\r\n"), getsHead(status(200)), has("A"), sends("1\r\nb\r\n"), has("B"),
				sends("1\r\nc\r\n0\r\n\r\n"), hasRest(body("ABC")), asksOrEnds(),
			},
			upstream: []step{
				takesHead(), has("a"), sends(lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "1\r\nA\r\n"), has("b"), sends("1\r\nB\r\n"),
				hasRest(body("abc")), sends("1\r\nC\r\n0\r\n\r\n"), answersTheRest(),
			},
		}},
		{Name: "4 MB up, 4 MB down", Play: probe{
			send:    post("Transfer-Encoding: chunked") + "400000\r\n" + xs(4<<20) + "\r\n0\r\n\r\n",
			answers: []answer{{raw: lines("HTTP/1.1 200 OK", "Content-Length: 4194304") + xs(4<<20)}},
			want:    []outcome{forwarded(body(xs(4 << 20))).with(body(xs(4 << 20)))},
		}},
		{Name: "the first chunk goes through before the last is there", Why: "RFC 9110 7.7: nothing asks a proxy to wait; a stream would starve", Play: script{
			client: []step{
				sends(post("Transfer-Encoding: chunked") + "5\r\nhello\r\n"), await("seen"), sends("1\r\n!\r\n0\r\n\r\n"), gets(status(200)),
			},
			upstream: []step{takesHead(), has("hello"), tells("seen"), hasRest(body("hello!")), sends(ok())},
		}},
		{Name: "the first chunk of an answer goes through before the last is there", Why: "as above", Play: script{
			client: []step{sends(get()), getsHead(), has("hello"), tells("seen"), hasRest(body("hello!")), asks()},
			upstream: []step{
				takes(), sends(lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "5\r\nhello\r\n"), await("seen"), sends("1\r\n!\r\n0\r\n\r\n"),
				answersTheRest(),
			},
		}},
		{Name: "the first bytes of a length go through before the last are there", Why: "as above", Play: script{
			client: []step{sends(get()), getsHead(), has("hello"), tells("seen"), hasRest(body("hello!")), asks()},
			upstream: []step{
				takes(), sends(lines("HTTP/1.1 200 OK", "Content-Length: 6") + "hello"), await("seen"), sends("!"), answersTheRest(),
			},
		}},
	}
}

func extensions() []Case {
	f := func(name, chunks string, want ...outcome) Case {
		if want == nil {
			want = []outcome{forwarded(body("hello"))}
		}
		return Case{Name: name, Play: probe{send: post("Transfer-Encoding: chunked") + chunks, want: want}}
	}
	hello := forwarded(body("hello"))
	long := strings.Repeat("x", 1<<20)
	return []Case{
		f("one", "5;a=b\r\nhello\r\n0\r\n\r\n"),
		f("no value", "5;a\r\nhello\r\n0\r\n\r\n"),
		f("quoted", "5;a=\"b;c\"\r\nhello\r\n0\r\n\r\n"),
		f("of the last chunk", "5\r\nhello\r\n0;a=b\r\n\r\n"),
		f("spaces around", "5 ; a = b\r\nhello\r\n0\r\n\r\n", hello, refused(400)),
		f("empty", "5;\r\nhello\r\n0\r\n\r\n", hello, refused(400)),
		f("bare LF inside", "5;a\nb\r\nhello\r\n0\r\n\r\n", refused(400)),
		f("bare CR inside", "5;a\rb\r\nhello\r\n0\r\n\r\n", refused(400)),
		f("NUL inside", "5;a\x00b\r\nhello\r\n0\r\n\r\n", refused(400), hello),
		f("CRLF in quotes", "5;a=\"\r\nhello\r\n0\r\n\r\n", hello, refused(400)),
		f("1 MB", "5;"+long+"\r\nhello\r\n0\r\n\r\n", refused(400, 413, 431), hello),
		f("a request inside", "5;GET /smuggled HTTP/1.1\r\nhello\r\n0\r\n\r\n", hello, refused(400)),
		{Name: "1 MB is refused", Beyond: true, Play: probe{
			send: post("Transfer-Encoding: chunked") + "5;" + long + "\r\nhello\r\n0\r\n\r\n", want: []outcome{refused(400)},
		}},
		{Name: "a byte of data for a hundred of extension is refused", Beyond: true, Why: "CVE-2023-39326", Play: probe{
			send: post("Transfer-Encoding: chunked") + strings.Repeat("1;"+strings.Repeat("x", 98)+"\r\nx\r\n", 1000) + "0\r\n\r\n",
			want: []outcome{refused(400)},
		}},
	}
}

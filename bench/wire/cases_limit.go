package main

import (
	"fmt"
	"strings"
)

// limitGroups are duty 38: heads have bounds, each with its own status.
func limitGroups() []*group {
	x := func(n int) string { return strings.Repeat("x", n) }
	var hundred, thousand []string
	for i := range 1000 {
		thousand = append(thousand, fmt.Sprintf("X-%d: %d", i, i))
	}
	hundred = thousand[:80]
	either := []outcome{forwarded(), refused(400, 413, 431)}
	answerWith := func(more ...string) []answer { return []answer{{raw: ok(more...), then: closes}} }
	return []*group{
		{38, "limits of a request's head", "RFC 9110 5.4: an appropriate 4xx, RFC 6585 5: 431; RFC 9112 3: 414; never read without end", []Case{
			{Name: "a field of 7 KB", Why: "RFC 9110 5.4: no limit is given; 8 KB are usual", Play: probe{
				send: get("X-A: " + x(7000)), want: []outcome{forwarded(header("X-A", x(7000)))},
			}},
			{Name: "80 fields", Play: probe{send: get(hundred...), want: []outcome{forwarded(header("X-79", "79"))}}},
			{Name: "a target of 8 KB", Why: "RFC 9112 3: request lines of 8000 octets at least", Play: probe{
				send: lines("GET /"+x(7900)+" HTTP/1.1", host), want: []outcome{forwarded(target("/" + x(7900)))},
			}},
			{Name: "a field of 40 KB", Play: probe{send: get("X-A: " + x(40_000)), want: either}},
			{Name: "1000 fields", Play: probe{send: get(thousand...), want: either}},
			{Name: "a target of 40 KB", Play: probe{
				send: lines("GET /"+x(40_000)+" HTTP/1.1", host), want: []outcome{forwarded(), refused(414), refused(400, 431)},
			}},
			{Name: "a field of 1 MB", Play: probe{send: get("X-A: " + x(1<<20)), want: []outcome{refused(400, 413, 431)}}},
			{Name: "a target of 1 MB", Why: "RFC 9112 3: MUST answer 414", Play: probe{
				send: lines("GET /"+x(1<<20)+" HTTP/1.1", host), want: []outcome{refused(414)},
			}},
			{Name: "fields of 1 MB together", Play: probe{send: get(strings.Repeat("X-A: "+x(1000)+"\r\n", 1000) + "X-B: 1"), want: []outcome{refused(400, 413, 431)}}},
			{Name: "a field name of 1 MB", Play: probe{send: get(x(1<<20) + ": 1"), want: []outcome{refused(400, 413, 431)}}},
			{Name: "never an empty line", Play: probe{
				send: "GET / HTTP/1.1\r\nHost: example.test\r\n" + strings.Repeat("X-A: "+x(1000)+"\r\n", 2000), want: []outcome{refused(400, 413, 431)},
			}},
			{Name: "31 KB in all are taken", Beyond: true, Play: probe{
				send: get("X-A: "+x(15_000), "X-B: "+x(15_000)), want: []outcome{forwarded(header("X-B", x(15_000)))},
			}},
			{Name: "33 KB in all are refused with 431", Beyond: true, Play: probe{
				send: get("X-A: "+x(16_500), "X-B: "+x(16_500)), want: []outcome{refused(431)},
			}},
			{Name: "101 fields are refused with 431", Beyond: true, Play: probe{send: get(thousand[:100]...), want: []outcome{refused(431)}}},
			{Name: "100 fields are taken", Beyond: true, Play: probe{send: get(thousand[:99]...), want: []outcome{forwarded()}}},
			{Name: "a target of 16 KB is taken", Beyond: true, Play: probe{
				send: lines("GET /"+x(16<<10-1)+" HTTP/1.1", host), want: []outcome{forwarded(target("/" + x(16<<10-1)))},
			}},
			{Name: "a target of more is refused with 414", Beyond: true, Play: probe{
				send: lines("GET /"+x(16<<10)+" HTTP/1.1", host), want: []outcome{refused(414)},
			}},
		}},
		{38, "limits of a request's body", "RFC 9110 15.5.14: 413, before the body is asked for", []Case{
			{Name: "within", With: brief, Play: probe{send: post("Content-Length: 65536") + x(65536), want: []outcome{forwarded(body(x(65536)))}}},
			{Name: "one byte more", With: brief, Play: probe{send: post("Content-Length: 65537") + x(65537), want: []outcome{refused(413)}}},
			{Name: "far more, never sent", With: brief, Play: probe{send: post("Content-Length: 1000000000000"), want: []outcome{refused(413)}}},
			{Name: "chunks within", With: brief, Play: probe{
				send: post("Transfer-Encoding: chunked") + "8000\r\n" + x(0x8000) + "\r\n8000\r\n" + x(0x8000) + "\r\n0\r\n\r\n",
				want: []outcome{forwarded(body(x(0x10000)))},
			}},
			{Name: "one chunk too many", With: brief, Play: probe{
				send: post("Transfer-Encoding: chunked") + strings.Repeat("8000\r\n"+x(0x8000)+"\r\n", 3) + "0\r\n\r\n",
				want: []outcome{refused(413)},
			}},
		}},
		{38, "limits of a response's head", "RFC 9110 5.4: a client discards what it can't process; a gateway answers 502", []Case{
			{Name: "a field of 7 KB", Play: probe{send: get(), answers: answerWith("X-A: " + x(7000)), want: []outcome{answered(200, header("X-A", x(7000)))}}},
			{Name: "a field of 40 KB", Play: probe{send: get(), answers: answerWith("X-A: " + x(40_000)), want: []outcome{answered(200), answered(502)}}},
			{Name: "80 fields", Play: probe{send: get(), answers: answerWith(hundred...), want: []outcome{answered(200, header("X-79", "79"))}}},
			{Name: "1000 fields", Play: probe{send: get(), answers: answerWith(thousand...), want: []outcome{answered(200, header("X-999", "999")), answered(502)}}},
			{Name: "4 MB", Play: probe{
				send: get(), answers: answerWith(strings.Repeat("X-A: "+x(1000)+"\r\n", 4000) + "X-B: 1"), want: []outcome{answered(502)},
			}},
			{Name: "60 KB are taken", Beyond: true, Play: probe{
				send: get(), answers: answerWith("X-A: "+x(60_000), "X-B: 1"), want: []outcome{answered(200, header("X-B", "1"))},
			}},
			{Name: "70 KB are not", Beyond: true, Play: probe{
				send: get(), answers: answerWith("X-A: "+x(70_000), "X-B: 1"), want: []outcome{answered(502)},
			}},
		}},
	}
}

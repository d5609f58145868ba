package main

// methodGroups are duties 24 and 25: methods that mean something to a proxy.
func methodGroups() []*group {
	return []*group{
		{24, "Max-Forwards", "RFC 9110 7.6.2: of OPTIONS and TRACE: 0 is answered, more is counted down; others ignore it", []Case{
			{Name: "OPTIONS, 0", Play: probe{
				send: lines("OPTIONS / HTTP/1.1", host, "Max-Forwards: 0"), want: []outcome{declined(200, 204)},
			}},
			{Name: "OPTIONS *, 0", Play: probe{
				send: lines("OPTIONS * HTTP/1.1", host, "Max-Forwards: 0"), want: []outcome{declined(200, 204)},
			}},
			{Name: "OPTIONS, 0, with a body", Play: probe{
				send: lines("OPTIONS / HTTP/1.1", host, "Max-Forwards: 0", "Content-Length: 5") + "hello", want: []outcome{declined(200, 204)},
			}},
			{Name: "OPTIONS, 5", Play: probe{
				send: lines("OPTIONS / HTTP/1.1", host, "Max-Forwards: 5"), want: []outcome{forwarded(header("Max-Forwards", "4"))},
			}},
			{Name: "OPTIONS, 1", Play: probe{
				send: lines("OPTIONS / HTTP/1.1", host, "Max-Forwards: 1"), want: []outcome{forwarded(header("Max-Forwards", "0"))},
			}},
			{Name: "GET, 0", Play: probe{send: get("Max-Forwards: 0"), want: []outcome{forwarded()}}},
			{Name: "OPTIONS, no number", Play: probe{
				send: lines("OPTIONS / HTTP/1.1", host, "Max-Forwards: x"), want: []outcome{forwarded(), declined(400)},
			}},
			{Name: "TRACE, 0", Why: "RFC 9110 7.6.2, 9.3.8: never forwarded; 405 where TRACE is off", Play: probe{
				send: lines("TRACE / HTTP/1.1", host, "Max-Forwards: 0"), want: []outcome{declined(200, 403, 405, 501)},
			}},
		}},
		{25, "TRACE", "RFC 9110 9.3.8, 15.5.6: may be refused; a TRACE has no content", []Case{
			{Name: "refused or forwarded", Play: probe{
				send: lines("TRACE / HTTP/1.1", host), want: []outcome{declined(403, 405, 501), forwarded(method("TRACE"))},
			}},
			{Name: "is refused with 405", Beyond: true, Play: probe{
				send: lines("TRACE / HTTP/1.1", host), want: []outcome{refused(405).with(header("Allow", allow))},
			}},
			{Name: "with a cookie", Play: probe{
				send: lines("TRACE / HTTP/1.1", host, "Cookie: a=b"), want: []outcome{declined(403, 405, 501), forwarded(method("TRACE"))},
			}},
			{Name: "with a body", Play: probe{
				send: lines("TRACE / HTTP/1.1", host, "Content-Length: 5") + "hello",
				want: []outcome{declined(400, 403, 405, 413, 501), forwarded(method("TRACE"))},
			}},
		}},
	}
}

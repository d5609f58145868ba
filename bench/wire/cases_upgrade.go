package main

const wsKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="

// websocket is a request to switch, with more lines.
func websocket(more ...string) string {
	return get(append([]string{
		"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", wsKey,
	}, more...)...)
}

var switched = lines("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")

// upgradeGroups are duties 43 and 44.
func upgradeGroups() []*group {
	asksForIt := takes(hasElement("Connection", "upgrade"), header("Upgrade", "websocket"), header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="))
	is101 := getsHead(status(101), header("Upgrade", "websocket"), header("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
	// A tunnel is of use in both directions, whatever comes first.
	return []*group{
		{43, "websocket", "RFC 9110 7.8, RFC 6455 4: both handshakes reach the other side, then bytes do", []Case{
			{Name: "bytes both ways", Play: script{
				client:   []step{sends(websocket()), is101, sends("ping"), receives("pong"), sends("more"), receives("done")},
				upstream: []step{asksForIt, sends(switched), receives("ping"), sends("pong"), receives("more"), sends("done")},
			}},
			{Name: "bytes right behind the 101", Play: script{
				client:   []step{sends(websocket()), is101, receives("hello"), sends("x")},
				upstream: []step{asksForIt, sends(switched + "hello"), receives("x")},
			}},
			{Name: "bytes right behind the request", Why: "RFC 9110 7.8: a client may begin once it has the 101; what it sends sooner must be lost or passed on, never read as a request by us", Play: script{
				client:   []step{sends(websocket() + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"), is101, tells("in"), receives("x")},
				upstream: []step{asksForIt, sends(switched), await("in"), receives("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"), sends("x")},
			}},
			{Name: "any byte", Play: script{
				client:   []step{sends(websocket()), is101, sends("\x00\xff\r\n\r\n\x81"), receives("\x88\x02\x03\xe8")},
				upstream: []step{asksForIt, sends(switched), receives("\x00\xff\r\n\r\n\x81"), sends("\x88\x02\x03\xe8")},
			}},
			{Name: "the client closes", Play: script{
				client:   []step{sends(websocket()), is101, sends("bye"), tells("sent"), await("got"), hangsUp()},
				upstream: []step{asksForIt, sends(switched), receives("bye"), tells("got"), ends()},
			}},
			{Name: "the upstream closes", Play: script{
				client:   []step{sends(websocket()), is101, receives("bye"), ends()},
				upstream: []step{asksForIt, sends(switched + "bye"), hangsUp()},
			}},
			{Name: "the upstream's end, the client goes on", Beyond: true, Play: script{
				client:   []step{sends(websocket()), is101, receives("last"), tells("half"), sends("still here"), finishes(), ends()},
				upstream: []step{asksForIt, sends(switched + "last"), finishes(), await("half"), receives("still here"), ends()},
			}},
			{Name: "the client's end, the upstream goes on", Beyond: true, Play: script{
				client:   []step{sends(websocket()), is101, sends("last"), finishes(), receives("still here"), ends()},
				upstream: []step{asksForIt, sends(switched), receives("last"), sends("still here"), hangsUp()},
			}},
			{Name: "refused by the upstream", Why: "RFC 9110 7.8: a server may ignore Upgrade", Play: script{
				client:   []step{sends(websocket()), gets(status(200), body("ok"), without("Upgrade")), asks()},
				upstream: []step{asksForIt, sends(ok()), answersTheRest()},
			}},
			{Name: "401 instead", Play: script{
				client:   []step{sends(websocket()), gets(status(401)), asks()},
				upstream: []step{asksForIt, sends(lines("HTTP/1.1 401 No", "Content-Length: 0")), answersTheRest()},
			}},
			{Name: "Connection with keep-alive", Play: script{
				client:   []step{sends(lines("GET / HTTP/1.1", host, "Connection: keep-alive, Upgrade", "Upgrade: websocket", wsKey, "Sec-WebSocket-Version: 13")), getsHead(status(101)), receives("x")},
				upstream: []step{takes(header("Upgrade", "websocket")), sends(switched + "x")},
			}},
			{Name: "Upgrade in other case", Why: "RFC 6455 4.2.1: compared case-insensitively", Play: script{
				client:   []step{sends(lines("GET / HTTP/1.1", host, "Connection: upgrade", "Upgrade: WebSocket", wsKey, "Sec-WebSocket-Version: 13")), getsHead(status(101)), receives("x")},
				upstream: []step{takes(), sends(switched + "x")},
			}},
		}},
		{43, "101 that nobody asked for", "RFC 9110 15.2.2, 7.8: MUST NOT switch to what was not asked for", []Case{
			{Name: "to a GET", Play: probe{send: get(), answers: []answer{{raw: switched + "evil"}}, want: []outcome{answered(502)}}},
			{Name: "to a GET, pipelined", Play: probe{
				send: get() + get(), answers: []answer{{raw: switched + "evil"}}, want: []outcome{answered(502), forwardedAll(nil, nil).starting(502).anyEnding()},
			}},
			{Name: "to Upgrade that Connection does not name", Why: "RFC 9110 7.8: Upgrade counts only with the option", Play: probe{
				send: get("Upgrade: websocket"), answers: []answer{{raw: switched + "evil"}}, want: []outcome{answered(502)},
			}},
			{Name: "to another protocol", Play: probe{
				send:    websocket(),
				answers: []answer{{raw: lines("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: h2c") + "evil"}},
				want:    []outcome{answered(502)},
			}},
			{Name: "without saying to what", Why: "RFC 9110 15.2.2: MUST generate Upgrade", Play: probe{
				send: websocket(), answers: []answer{{raw: lines("HTTP/1.1 101 Switching Protocols") + "evil"}}, want: []outcome{answered(502)},
			}},
			{Name: "to HTTP/1.0", Why: "RFC 9110 7.8: MUST be ignored in HTTP/1.0", Play: probe{
				send:    lines("GET / HTTP/1.0", host, "Connection: Upgrade", "Upgrade: websocket", wsKey),
				answers: []answer{{raw: switched + "evil"}}, want: []outcome{answered(502), refused(400)},
			}},
		}},
		{44, "h2c", "RFC 9113 3.1: obsolete, must not be tunnelled past the rules; RFC 9110 7.6.1: Upgrade and HTTP2-Settings are hop-by-hop", []Case{
			{Name: "asked for", Play: probe{
				send: get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAA"),
				want: []outcome{forwarded(without("Upgrade", "HTTP2-Settings")), declined(400)},
			}},
			{Name: "settings not nominated", Play: probe{
				send: get("Connection: Upgrade", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAA"),
				want: []outcome{forwarded(without("Upgrade")), declined(400)},
			}},
			{Name: "in other case", Play: probe{send: get("Connection: upgrade", "Upgrade: H2C"), want: []outcome{forwarded(without("Upgrade")), declined(400)}}},
			{Name: "beside websocket", Play: probe{
				send: get("Connection: Upgrade", "Upgrade: websocket, h2c"), want: []outcome{forwarded(withoutElement("Upgrade", "h2c")), declined(400)},
			}},
			{Name: "on a line of its own beside websocket", Play: probe{
				send: get("Connection: Upgrade", "Upgrade: websocket", "Upgrade: h2c"), want: []outcome{forwarded(withoutElement("Upgrade", "h2c")), declined(400)},
			}},
			{Name: "in a POST", Play: probe{
				send: post("Connection: Upgrade", "Upgrade: h2c", "Content-Length: 5") + "hello", want: []outcome{forwarded(without("Upgrade"), body("hello")), declined(400)},
			}},
			{Name: "granted by the upstream all the same", Play: probe{
				send:    get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAA"),
				answers: []answer{{raw: lines("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: h2c") + "\x00\x00\x00\x04\x00\x00\x00\x00\x00"}},
				want:    []outcome{answered(502), declined(400)},
			}},
			{Name: "TLS by Upgrade", Why: "RFC 2817 is as unknown here", Play: probe{
				send: get("Connection: Upgrade", "Upgrade: TLS/1.0"), want: []outcome{forwarded(without("Upgrade")), declined(400, 426)},
			}},
		}},
	}
}

package proxy

import (
	"strings"
	"time"

	"serin/gate/window"
	"serin/proxy/upstream"
)

var refusedConversations = []conversation{
	{
		name: "both framings are refused before any upstream",
		steps: []step{
			{"c send", post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
			{"c head", "HTTP/1.1 400|Connection: close"},
		},
	},
	{
		name: "CONNECT is refused",
		steps: []step{
			{"c send", "CONNECT shop:443 HTTP/1.1\r\nHost: shop:443\r\n\r\n"},
			{"c head", "HTTP/1.1 405|Connection: close"},
		},
	},
	{
		name: "a broken chunk is the client's fault",
		steps: []step{
			{"c send", post + "Transfer-Encoding: chunked\r\n\r\n"},
			{"s head", "POST"},
			{"c send", "zz\r\n"},
			{"c head", "HTTP/1.1 400|Connection: close"},
		},
		want: once(window.Neutral),
	},
	{
		name: "a body over the limit is refused while it comes",
		rig:  rigOptions{serve: ServeOptions{Body: 4}},
		steps: []step{
			{"c send", post + "Transfer-Encoding: chunked\r\n\r\n"},
			{"s head", "POST"},
			{"c send", "5\r\nabcde\r\n0\r\n\r\n"},
			{"c head", "HTTP/1.1 413|Connection: close"},
		},
		want: once(window.Neutral),
	},
	{
		name: "a body announced over the limit is refused before any upstream",
		rig:  rigOptions{serve: ServeOptions{Body: 4}},
		steps: []step{
			{"c send", post + "Content-Length: 5\r\n\r\nabcde"},
			{"c head", "HTTP/1.1 413|Connection: close"},
		},
	},
	{
		name: "OPTIONS with Max-Forwards 0 ends here",
		steps: []step{
			{"c send", "OPTIONS / HTTP/1.1\r\nHost: shop\r\nMax-Forwards: 0\r\n\r\n"},
			{"c head", "HTTP/1.1 200 OK|Content-Length: 0|!Connection"},
		},
	},
	{
		name: "a head that does not come in time is 408",
		rig:  rigOptions{serve: ServeOptions{Head: 50 * time.Millisecond}},
		steps: []step{
			{"c send", "GET / HTTP/1.1\r\nHo"},
			{"c head", "HTTP/1.1 408|Connection: close"},
		},
	},
	{
		name: "an idle connection is closed without a word",
		rig:  rigOptions{serve: ServeOptions{KeepAlive: 50 * time.Millisecond}},
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"s send", nothing},
			{"c head", "HTTP/1.1 204"},
			{"c end", ""},
		},
		want: once(window.Success),
	},
	{
		name: "a body that stops coming is 408",
		rig:  rigOptions{serve: ServeOptions{BodyIdle: 50 * time.Millisecond}},
		steps: []step{
			{"c send", post + "Content-Length: 9\r\n\r\nabc"},
			{"s head", "POST"},
			{"c head", "HTTP/1.1 408|Connection: close"},
		},
		want: once(window.Neutral),
	},
	{
		name: "a client that resets while it uploads has left",
		steps: []step{
			{"c send", post + "Content-Length: 9\r\n\r\nabc"},
			{"s head", "POST"},
			{"s is", "abc"},
			{"c cut", ""},
			{"s end", ""},
		},
		want: once(window.Abort),
	},
	{
		name: "a client that resets while it waits has left",
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"c cut", ""},
			{"s end", ""},
		},
		want: once(window.Abort),
	},
}

var brokenConversations = []conversation{
	{
		name: "a reset before the answer: GET is sent once more",
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"s cut", ""},
			{"s next", ""},
			{"s head", "GET"},
			{"s send", ok5},
			{"c head", "HTTP/1.1 200"},
			{"c is", "hello"},
		},
		want: once(window.Success),
	},
	{
		name: "two resets: 502, counted once",
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"s cut", ""},
			{"s next", ""},
			{"s head", "GET"},
			{"s close", ""},
			{"c head", "HTTP/1.1 502|!Connection"},
		},
		want: once(window.Reset),
	},
	{
		name: "a reset behind an interim answer: the request was seen, and is not sent again",
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"s send", "HTTP/1.1 103 Early Hints\r\n\r\n"},
			{"c head", "HTTP/1.1 103"},
			{"s close", ""},
			{"c head", "HTTP/1.1 502"},
		},
		want: once(window.Reset),
	},
	{
		name: "a reset before the answer: POST is not sent again",
		steps: []step{
			{"c send", post + "Content-Length: 0\r\n\r\n"},
			{"s head", "POST"},
			{"s close", ""},
			{"c head", "HTTP/1.1 502"},
		},
		want: once(window.Reset),
	},
	{
		name: "a connection closed while idle costs no POST",
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"s send", nothing},
			{"c head", "HTTP/1.1 204"},
			{"s close", ""},
			{"c send", post + "Content-Length: 3\r\n\r\nabc"},
			{"s next", ""},
			{"s head", "POST"},
			{"s is", "abc"},
			{"s send", nothing},
			{"c head", "HTTP/1.1 204"},
		},
		want: map[window.Outcome]uint64{window.Success: 2},
	},
	{
		name: "a length cut short is a reset to the client",
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"s send", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"},
			{"c head", "HTTP/1.1 200"},
			{"c is", "abc"},
			{"s close", ""},
			{"c reset", ""},
		},
		want: once(window.Truncated),
	},
	{
		name: "chunks cut short get no last chunk",
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"s send", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"},
			{"c head", "HTTP/1.1 200"},
			{"c is", "3\r\nabc\r\n"},
			{"s close", ""},
			{"c reset", ""},
		},
		want: once(window.Truncated),
	},
	{
		name: "a 500 cut short is one server error",
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"s send", "HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\nabc"},
			{"c head", "HTTP/1.1 500"},
			{"c is", "abc"},
			{"s close", ""},
			{"c reset", ""},
		},
		want: once(window.ServerError),
	},
	{
		name: "nonsense is 502",
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"s send", "220 mail.example ESMTP\r\n"},
			{"c head", "HTTP/1.1 502"},
		},
		want: once(window.Reset),
	},
	{
		name: "a thousand interim answers are 502",
		steps: []step{
			{"c send", "GET / HTTP/1.0\r\nHost: a\r\nX-User-Id: a\r\n\r\n"},
			{"s head", "GET"},
			{"s send", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 1000)},
			{"c head", "HTTP/1.1 502"},
		},
		want: once(window.Reset),
	},
	{
		name: "101 that nobody asked for is 502",
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"s send", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},
			{"c head", "HTTP/1.1 502"},
		},
		want: once(window.Reset),
	},
	{
		name: "a broken first chunk is 502, not half an answer",
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"s send", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnope\r\n"},
			{"c head", "HTTP/1.1 502"},
		},
		want: once(window.Reset),
	},
}

var slowConversations = []conversation{
	{
		name: "no answer in time is 504 and not tried again",
		rig:  rigOptions{spec: func(s *upstream.Spec) { s.Timeout.Response = 50 * time.Millisecond }},
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"c head", "HTTP/1.1 504"},
			{"s end", ""},
		},
		want: once(window.Timeout),
	},
	{
		name: "the wait for an answer begins when the body has been sent",
		rig:  rigOptions{spec: func(s *upstream.Spec) { s.Timeout.Response = 50 * time.Millisecond }},
		steps: []step{
			{"c send", post + "Content-Length: 6\r\n\r\nabc"},
			{"s head", "POST"},
			{"s is", "abc"},
			{"c send", "def"},
			{"s is", "def"},
			{"c head", "HTTP/1.1 504"},
		},
		want: once(window.Timeout),
	},
	{
		name: "a body that stalls breaks off",
		rig:  rigOptions{spec: func(s *upstream.Spec) { s.Timeout.Idle = 50 * time.Millisecond }},
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"s send", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"},
			{"c head", "HTTP/1.1 200"},
			{"c is", "abc"},
			{"c reset", ""},
		},
		want: once(window.Truncated),
	},
	{
		name: "a client that does not read is cut, and it is not the upstream's fault",
		rig:  rigOptions{serve: ServeOptions{WriteIdle: 50 * time.Millisecond}},
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"s send", "HTTP/1.1 200 OK\r\nContent-Length: 99000000\r\n\r\n"},
			{"s flood", "99000000"},
		},
		want: once(window.Abort),
	},
	{
		name: "a client that would not send its body before 100 is refused without it",
		rig:  rigOptions{serve: ServeOptions{Body: 4}},
		steps: []step{
			{"c send", post + "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"},
			{"c head", "HTTP/1.1 413|Connection: close"},
		},
	},
}

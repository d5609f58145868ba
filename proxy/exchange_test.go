package proxy

import (
	"net"
	"strings"
	"testing"
	"time"

	"serin/gate/window"
	"serin/proxy/upstream"
)

// step is one line of a conversation. The verb's first letter says who: c, the client; s, the server behind the proxy,
// whose connection is accepted at its first step and again after "s next".
//
//	send    text             writes text
//	head    lines, by "|"    reads a head; the first line is its start, "!Name" must be missing, others must be there
//	is      text             reads exactly text
//	end / reset              reads until the proxy closes / resets
//	close / cut / half       closes / resets / half-closes its own side
type step struct{ verb, text string }

// exchange tests: each is a conversation with a fresh proxy, and what the stable arm's meter says of it.
type conversation struct {
	name  string
	rig   rigOptions
	steps []step
	want  map[window.Outcome]uint64
}

func TestExchange(t *testing.T) {
	t.Parallel()
	for _, list := range [][]conversation{plainConversations, bodyConversations, refusedConversations, brokenConversations, slowConversations} {
		for _, tt := range list {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				tt.run(t)
			})
		}
	}
}

func (tt conversation) run(t *testing.T) {
	up := listenLocal(t)
	tt.rig.stable = up
	r := newRig(t, tt.rig)
	client := r.dial()
	var server *peer
	for i, s := range tt.steps {
		who, verb, _ := strings.Cut(s.verb, " ")
		if who == "s" && (server == nil || verb == "next") {
			server = accept(t, up)
			if verb == "next" {
				continue
			}
		}
		p := client
		if who == "s" {
			p = server
		}
		p.do(i, verb, s.text)
	}
	meter := r.snapshot.Splits[0].Evidence[0]
	eventually(t, func() bool { return equal(outcomes(meter), tt.want) }, func() string {
		return "outcomes: " + text(outcomes(meter)) + ", want " + text(tt.want)
	})
}

func (p *peer) do(i int, verb, s string) {
	p.t.Helper()
	p.t.Logf("%d %s %.80q", i, verb, s)
	switch verb {
	case "send":
		p.send(s)
	case "head":
		p.headHas(strings.Split(s, "|"))
	case "is":
		p.expect(s)
	case "end":
		p.expectEnd()
	case "reset":
		p.expectReset()
	case "close":
		_ = p.Close()
	case "cut":
		p.reset()
	case "half":
		_ = p.Conn.(*net.TCPConn).CloseWrite()
	default:
		p.t.Fatalf("no verb %q", verb)
	}
}

func (p *peer) headHas(lines []string) {
	p.t.Helper()
	head := p.head()
	if !strings.HasPrefix(head, lines[0]) {
		p.t.Fatalf("got %q, want it to start with %q", head, lines[0])
	}
	for _, line := range lines[1:] {
		if name, missing := strings.CutPrefix(line, "!"); missing {
			wantNoField(p.t, head, name)
		} else {
			wantField(p.t, head, line)
		}
	}
}

func equal(a, b map[window.Outcome]uint64) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

func text(m map[window.Outcome]uint64) string {
	var b strings.Builder
	names := []string{"neutral", "101", "2xx", "3xx", "4xx", "429", "5xx", "timeout", "unreachable", "reset", "truncated", "abort"}
	for o := range window.Outcomes {
		if m[o] > 0 {
			b.WriteString(names[o] + " ")
		}
	}
	return b.String()
}

func once(o window.Outcome) map[window.Outcome]uint64 { return map[window.Outcome]uint64{o: 1} }

const (
	ok5      = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
	post     = "POST /a HTTP/1.1\r\nHost: shop\r\nX-User-Id: alice\r\n"
	nothing  = "HTTP/1.1 204 No Content\r\n\r\n"
	getClose = "GET /a HTTP/1.1\r\nHost: shop\r\nX-User-Id: alice\r\nConnection: close\r\n\r\n"
)

var plainConversations = []conversation{
	{
		name: "target, names, order and duplicates are forwarded as received",
		steps: []step{
			{"c send", "GET /A%2fb//c/../d?x=%20&y HTTP/1.1\r\nhOsT: shop\r\nx-user-ID: alice\r\nX-B: 1\r\nX-A: 2\r\nX-B: 3\r\n\r\n"},
			{"s head", "GET /A%2fb//c/../d?x=%20&y HTTP/1.1\r\nhOsT: shop\r\nx-user-ID: alice\r\nX-B: 1\r\nX-A: 2\r\nX-B: 3\r\n|Serin-Rollout: checkout"},
			{"s send", "HTTP/1.1 200 Fine\r\nserver: x\r\nSet-Cookie: a\r\nX-Y: 1\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n"},
			{"c head", "HTTP/1.1 200 Fine\r\nserver: x\r\nSet-Cookie: a\r\nX-Y: 1\r\nSet-Cookie: b\r\n|Content-Length: 0|!Serin-Arm"},
		},
		want: once(window.Success),
	},
	{
		name: "hop-by-hop and nominated fields are cut, forged Serin fields too",
		steps: []step{
			{"c send", "GET / HTTP/1.1\r\nHost: shop\r\nX-User-Id: a\r\nConnection: X-Secret, keep-alive\r\nX-Secret: 1\r\nKeep-Alive: 5\r\nSerin-Arm: canary\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n"},
			{"s head", "GET / HTTP/1.1|!X-Secret|!Keep-Alive|!Connection|Serin-Arm: stable|X-Forwarded-For: 127.0.0.1"},
			{"s send", "HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 0\r\n\r\n"},
			{"c head", "HTTP/1.1 200 OK|!X-Hop|!Connection"},
		},
		want: once(window.Success),
	},
	{
		name: "pipelined requests are answered in order",
		steps: []step{
			{"c send", get + get + get},
			{"s head", "GET /a?b"},
			{"s send", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"},
			{"s head", "GET /a?b"},
			{"s send", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2"},
			{"s head", "GET /a?b"},
			{"s send", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n3"},
			{"c head", "HTTP/1.1 200"},
			{"c is", "1"},
			{"c head", "HTTP/1.1 200"},
			{"c is", "2"},
			{"c head", "HTTP/1.1 200"},
			{"c is", "3"},
		},
		want: map[window.Outcome]uint64{window.Success: 3},
	},
	{
		name: "HEAD keeps Content-Length and has no body",
		steps: []step{
			{"c send", "HEAD / HTTP/1.1\r\nHost: shop\r\nX-User-Id: a\r\n\r\n"},
			{"s head", "HEAD / HTTP/1.1"},
			{"s send", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"},
			{"c head", "HTTP/1.1 200 OK|Content-Length: 99"},
			{"c send", get},
			{"s head", "GET /a?b"},
			{"s send", nothing},
			{"c head", "HTTP/1.1 204"},
		},
		want: map[window.Outcome]uint64{window.Success: 2},
	},
	{
		name: "304 has no body whatever its fields say",
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"s send", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"},
			{"c head", "HTTP/1.1 304"},
			{"c send", get},
			{"s head", "GET"},
			{"s send", ok5},
			{"c head", "HTTP/1.1 200"},
			{"c is", "hello"},
		},
		want: map[window.Outcome]uint64{window.Redirect: 1, window.Success: 1},
	},
	{
		name: "surplus bytes after an answer never reach the next request",
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"s send", ok5 + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"},
			{"c head", "HTTP/1.1 200"},
			{"c is", "hello"},
			{"s end", ""},
			{"c send", get},
			{"s next", ""},
			{"s head", "GET"},
			{"s send", ok5},
			{"c head", "HTTP/1.1 200"},
			{"c is", "hello"},
		},
		want: map[window.Outcome]uint64{window.Success: 2},
	},
	{
		name: "interim answers are relayed, our own 100 is not repeated",
		steps: []step{
			{"c send", post + "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"},
			{"s head", "POST /a|!Expect|Content-Length: 2"},
			{"c is", "HTTP/1.1 100 Continue\r\n\r\n"},
			{"s send", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"},
			{"c head", "HTTP/1.1 103 Early Hints|Link: </x>"},
			{"c send", "ab"},
			{"s is", "ab"},
			{"s send", nothing},
			{"c head", "HTTP/1.1 204"},
		},
		want: once(window.Success),
	},
	{
		name: "HTTP/1.0 clients get a body that ends with the connection",
		steps: []step{
			{"c send", "GET / HTTP/1.0\r\nHost: shop\r\nX-User-Id: a\r\n\r\n"},
			{"s head", "GET / HTTP/1.1"},
			{"s send", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
			{"c head", "HTTP/1.1 200 OK|!Transfer-Encoding|Connection: close"},
			{"c is", "abc"},
			{"c end", ""},
		},
		want: once(window.Success),
	},
	{
		name: "a client that wants to close is closed after its answer",
		steps: []step{
			{"c send", getClose},
			{"s head", "GET"},
			{"s send", ok5},
			{"c head", "HTTP/1.1 200|Connection: close"},
			{"c is", "hello"},
			{"c end", ""},
		},
		want: once(window.Success),
	},
	{
		name: "a half-closed client is served",
		steps: []step{
			{"c send", get},
			{"c half", ""},
			{"s head", "GET"},
			{"s send", ok5},
			{"c head", "HTTP/1.1 200"},
			{"c is", "hello"},
			{"c end", ""},
		},
		want: once(window.Success),
	},
}

var bodyConversations = []conversation{
	{
		name: "a body that comes with its head travels with it",
		steps: []step{
			{"c send", post + "Content-Length: 3\r\n\r\nabc"},
			{"s head", "POST /a|Content-Length: 3"},
			{"s is", "abc"},
			{"s send", ok5},
			{"c head", "HTTP/1.1 200|!Connection"},
			{"c is", "hello"},
		},
		want: once(window.Success),
	},
	{
		name: "a body that comes later is passed on as it comes",
		steps: []step{
			{"c send", post + "Content-Length: 6\r\n\r\n"},
			{"s head", "POST /a"},
			{"c send", "abc"},
			{"s is", "abc"},
			{"c send", "def"},
			{"s is", "def"},
			{"s send", ok5},
			{"c head", "HTTP/1.1 200|!Connection"},
			{"c is", "hello"},
			{"c send", get},
			{"s head", "GET"},
			{"s send", nothing},
			{"c head", "HTTP/1.1 204"},
		},
		want: map[window.Outcome]uint64{window.Success: 2},
	},
	{
		name: "chunks are framed anew and trailers kept for who asked",
		steps: []step{
			{"c send", post + "Transfer-Encoding: chunked\r\nTE: trailers\r\nConnection: TE\r\n\r\n3;ext=1\r\nabc\r\n"},
			{"s head", "POST /a|Transfer-Encoding: chunked"},
			{"s is", "3\r\nabc\r\n"},
			{"c send", "2\r\nde\r\n0\r\n\r\n"},
			{"s is", "2\r\nde\r\n0\r\n\r\n"},
			{"s send", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 9\r\n\r\n"},
			{"c head", "HTTP/1.1 200 OK|Transfer-Encoding: chunked"},
			{"c is", "2\r\nhi\r\n0\r\nX-Sum: 9\r\n\r\n"},
		},
		want: once(window.Success),
	},
	{
		name: "a body that ends with the upstream's connection is chunked to the client",
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"s send", "HTTP/1.1 200 OK\r\n\r\nabc"},
			{"c head", "HTTP/1.1 200 OK|Transfer-Encoding: chunked"},
			{"c is", "3\r\nabc\r\n"},
			{"s close", ""},
			{"c is", "0\r\n\r\n"},
			{"c send", get},
			{"s next", ""},
			{"s head", "GET"},
			{"s send", nothing},
			{"c head", "HTTP/1.1 204"},
		},
		want: map[window.Outcome]uint64{window.Success: 2},
	},
	{
		name: "an event stream is passed on event by event and counted at its head",
		steps: []step{
			{"c send", get},
			{"s head", "GET"},
			{"s send", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"},
			{"c head", "HTTP/1.1 200 OK"},
			{"s send", "3\r\na\n\n\r\n"},
			{"c is", "3\r\na\n\n\r\n"},
			{"s send", "3\r\nb\n\n\r\n"},
			{"c is", "3\r\nb\n\n\r\n"},
			{"s cut", ""},
			{"c reset", ""},
		},
		want: once(window.Success),
	},
	{
		name: "both bodies may flow at the same time",
		steps: []step{
			{"c send", post + "Transfer-Encoding: chunked\r\n\r\n"},
			{"s head", "POST"},
			{"c send", "1\r\na\r\n"},
			{"s is", "1\r\na\r\n"},
			{"s send", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n"},
			{"c head", "HTTP/1.1 200 OK"},
			{"c is", "1\r\nA\r\n"},
			{"c send", "1\r\nb\r\n"},
			{"s is", "1\r\nb\r\n"},
			{"s send", "1\r\nB\r\n"},
			{"c is", "1\r\nB\r\n"},
			{"c send", "0\r\n\r\n"},
			{"s is", "0\r\n\r\n"},
			{"s send", "0\r\n\r\n"},
			{"c is", "0\r\n\r\n"},
		},
		want: once(window.Success),
	},
	{
		name: "an early answer stops the upload and reaches the client whole",
		steps: []step{
			{"c send", post + "Content-Length: 1000000\r\n\r\nabc"},
			{"s head", "POST"},
			{"s send", "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"},
			{"c head", "HTTP/1.1 403|Connection: close"},
			{"c is", "no"},
			{"c send", "more"},
			{"c end", ""},
		},
		want: once(window.ClientError),
	},
}

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
}

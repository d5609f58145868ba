package proxy

import (
	"maps"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"serin/gate/window"
)

// step is one line of a conversation. The verb's first letter says who: c, the client; s, the server behind the proxy,
// whose connection is accepted at its first step and again after "s next".
//
//	send    text             writes text
//	head    lines, by "|"    reads a head; the first line is its start, "!Name" must be missing, others must be there
//	is      text             reads exactly text
//	end / reset              reads until the proxy closes / resets
//	close / cut / half       closes / resets / half-closes its own side
//	drip    text             writes text byte by byte; a single byte again and again, until the proxy answers
//	flood   n                writes n bytes and wants the proxy to break off first
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
	lists := [][]conversation{plainConversations, bodyConversations, refusedConversations, brokenConversations, slowConversations, optionConversations}
	doors := []struct {
		name         string
		strict, used bool
	}{
		{"new connection", false, false},
		{"fast lane", false, true},
		{"full door, new connection", true, false},
		{"full door", true, true},
	}
	for _, door := range doors {
		for _, list := range lists {
			for _, tt := range list {
				t.Run(door.name+"/"+tt.name, func(t *testing.T) {
					t.Parallel()
					tt.rig.serve.Strict = door.strict
					tt.run(t, door.used)
				})
			}
		}
	}
}

// run plays the conversation; with used, the upstream's connection has carried a request before, as the lane wants it.
func (tt conversation) run(t *testing.T, used bool) {
	up := listenLocal(t)
	tt.rig.stable = up
	r := newRig(t, tt.rig)
	var server *peer
	want := maps.Clone(tt.want)
	if used {
		server = r.use(t, up)
		if want == nil {
			want = make(map[window.Outcome]uint64)
		}
		want[window.Success]++
	}
	client := r.dial()
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
	eventually(t, func() bool { return maps.Equal(outcomes(meter), want) }, func() string {
		return "outcomes: " + text(outcomes(meter)) + ", want " + text(want)
	})
}

// use has a client of its own bring a connection to up into the pool.
func (r *rig) use(t *testing.T, up net.Listener) *peer {
	t.Helper()
	client := r.dial()
	client.send(get)
	server := accept(t, up)
	server.head()
	server.send(nothing)
	client.head()
	_ = client.Close()
	return server
}

// answered reports whether something has come, without waiting for it.
func (p *peer) answered() bool {
	_ = p.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := p.r.Peek(1)
	_ = p.SetReadDeadline(time.Now().Add(patience))
	return err == nil
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
	case "drip":
		for i := 0; i < len(s) || len(s) == 1; i++ {
			if _, err := p.Write([]byte(s[i%len(s) : i%len(s)+1])); err != nil || len(s) == 1 && p.answered() {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	case "flood":
		n, _ := strconv.Atoi(s)
		if _, err := p.Write(make([]byte, n)); err == nil {
			p.t.Fatalf("all %d bytes were taken", n)
		}
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

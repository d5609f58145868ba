package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// optionGroups are what an administrator may ask for besides: duties 12, 16, 23, 45, 50 and 54, each with the option on.
func optionGroups() []*group {
	asked := func(path string, more ...string) string {
		return lines(append([]string{"GET " + path + " HTTP/1.1", host}, more...)...)
	}
	to := func(name string) string { return lines("GET /x HTTP/1.1", "Host: "+name) }
	return []*group{
		{12, "a list of hosts", "RFC 9110 15.5.20: 421 to a request for an authority that is not served", []Case{
			{Name: "on the list", With: choosy, Play: probe{send: to("example.test"), want: []outcome{forwarded(header("Host", "example.test"))}}},
			{Name: "with a port", With: choosy, Play: probe{send: to("example.test:8080"), want: []outcome{forwarded()}}},
			{Name: "in capitals", With: choosy, Why: "RFC 3986 6.2.2.1: hosts are case-insensitive", Play: probe{send: to("EXAMPLE.Test"), want: []outcome{forwarded()}}},
			{Name: "another", With: choosy, Play: probe{send: to("evil.test"), want: []outcome{declined(421)}}},
			{Name: "one below", With: choosy, Play: probe{send: to("a.example.test"), want: []outcome{declined(421)}}},
			{Name: "an address", With: choosy, Play: probe{send: to("127.0.0.1"), want: []outcome{declined(421)}}},
			{Name: "another, in absolute form", With: choosy, Why: "RFC 9112 3.2.2: the target's authority counts", Play: probe{
				send: lines("GET http://evil.test/x HTTP/1.1", host), want: []outcome{declined(400, 421)},
			}},
			{Name: "another, waiting for 100", With: choosy, Why: "RFC 9110 10.1.1: a final status instead of 100", Play: script{
				client: []step{
					sends(lines("POST /x HTTP/1.1", "Host: evil.test", "Expect: 100-continue", "Content-Length: 5")), gets(status(421), interims()),
				},
				upstream: []step{isLeftAlone(4 * shortly)},
			}},
		}},
		{16, "paths of two readings, refused", "the option says so; a server behind may decode in another order", []Case{
			odd("an encoded slash", asked("/a%2Fb")), odd("an encoded backslash", asked("/a%5cb")), odd("a backslash", asked("/a\\b")),
			odd("a dot segment", asked("/a/../b")), odd("an encoded dot segment", asked("/a/%2e%2E/b")), odd("half of it encoded", asked("/a/.%2e")),
			odd("a dot segment with parameters", asked("/a/..;x=y/b")), odd("a NUL", asked("/a%00")),
			{Name: "what looks like it", With: choosy, Beyond: true, Play: probe{
				send: asked("/.well-known/a..b/...//c%20?x=/../%2f"), want: []outcome{forwarded(target("/.well-known/a..b/...//c%20?x=/../%2f"))},
			}},
		}},
		{23, "Via of one's own", "RFC 9110 7.6.3: a gateway MUST send it in each inbound request", []Case{
			{Name: "alone", With: named, Play: probe{send: get(), want: []outcome{forwarded(elements("Via", "1.1 "+viaName))}}},
			{Name: "behind others", With: named, Why: "RFC 9110 7.6.3: in the order of the recipients", Play: probe{
				send: get("Via: 1.0 a", "X-A: 1", "Via: 1.1 b"), want: []outcome{forwarded(elements("Via", "1.0 a", "1.1 b", "1.1 "+viaName))},
			}},
			{Name: "the protocol that was received", With: named, Why: "RFC 9110 7.6.3: received-protocol", Play: probe{
				send: lines("GET / HTTP/1.0", host), want: []outcome{forwarded(elements("Via", "1.0 "+viaName)).closing()},
			}},
			{Name: "a loop ends", With: named, Beyond: true, Play: probe{send: get("Via: 1.1 a, 1.1 " + viaName), want: []outcome{declined(508)}}},
			{Name: "not by a name that is longer", With: named, Play: probe{send: get("Via: 1.1 " + viaName + "2"), want: []outcome{forwarded()}}},
			{Name: "none without the option", Beyond: true, Play: probe{send: get(), want: []outcome{forwarded(without("Via"))}}},
		}},
		{45, "requests on one connection, bounded", "RFC 9112 9.6: close is announced with the last answer", []Case{
			{Name: "the last one is told", With: choosy, Beyond: true, Play: script{client: []step{
				sends(asked("/a") + asked("/b") + asked("/c") + asked("/d")),
				gets(echoed("GET /a"), without("Connection")), gets(echoed("GET /b"), without("Connection")),
				gets(echoed("GET /c"), hasElement("Connection", "close")), ends(),
			}}},
			{Name: "none is cut off unanswered", With: choosy, Play: script{client: []step{
				sends(asked("/a")), gets(), sends(asked("/b")), gets(), sends(asked("/c")), gets(echoed("GET /c")),
			}}},
		}},
		{45, "a body that cannot be delivered", "RFC 9112 6.3: what is left of a body is no request", []Case{
			{Name: "its last bytes meet a reset", Play: lastBytes{framing: "Content-Length: %d", tail: "%s"}},
			{Name: "its last chunk meets a reset", Play: lastBytes{framing: "Transfer-Encoding: chunked", tail: "%x\r\n%s\r\n0\r\n\r\n", chunked: true}},
		}},
		{50, "underscores in names, refused or dropped", "the option says so; RFC 3875 4.1.18: CGI takes them for hyphens", []Case{
			{Name: "refused", With: choosy, Beyond: true, Play: probe{send: get("X_Odd: 1"), want: []outcome{refused(400)}}},
			{Name: "hyphens are not", With: choosy, Beyond: true, Play: probe{send: get("X-Odd: a_b"), want: []outcome{forwarded(header("X-Odd", "a_b"))}}},
			{Name: "dropped", With: named, Beyond: true, Play: probe{send: get("X_Odd: 1", "X-B: a_b"), want: []outcome{forwarded(without("X_Odd"), header("X-B", "a_b"))}}},
		}},
		{54, "a least rate, and a crowd", "slow is not idle, but may be too slow; the option says how slow", []Case{
			{Name: "a body below the least rate", With: brief, Beyond: true, Play: script{
				client:   []step{sends(post("Content-Length: 100")), drips(xs(20), briefWait/2), timesOut(patience)},
				upstream: []step{takesBroken()},
			}},
			{Name: "more connections of one address than may be", With: choosy, Beyond: true, Play: crowd{}},
		}},
	}
}

// odd is a path that the choosy profile refuses.
func odd(name, raw string) Case {
	return Case{Name: name, With: choosy, Beyond: true, Play: probe{send: raw, want: []outcome{declined(400)}}}
}

// lastBytes sends the end of a body, and a request behind it, at the moment its upstream resets. The end reads like a
// request; whatever it is taken for, it must not be that. The moment is short, so it is tried often.
type lastBytes struct {
	framing, tail string
	chunked       bool
}

func (p lastBytes) run(s *stage) error {
	const tries, hidden = 25, "/hidden"
	end := lines("GET "+hidden+" HTTP/1.1", host)
	rest := end
	if p.chunked {
		rest = fmt.Sprintf(p.tail, len(end), end)
	}
	first := xs(1000)
	head := "Transfer-Encoding: chunked"
	begin := fmt.Sprintf("%x\r\n%s\r\n", len(first), first)
	if !p.chunked {
		head, begin = fmt.Sprintf(p.framing, len(first)+len(end)), first
	}
	for i := range tries {
		one := script{
			client: []step{
				sends(post(head) + begin), await("taken"), waits(time.Duration(i) * 20 * time.Microsecond), sends(rest + lines("GET "+sentinel+" HTTP/1.1", host)),
				failsThenSentinelOrEnds(),
			},
			upstream: []step{takesHead(), has(first[:1]), tells("taken"), aborts(), answersTheRest()},
		}
		s.signals = map[string]chan struct{}{}
		if err := one.run(s); err != nil {
			return fmt.Errorf("try %d: %w", i+1, err)
		}
		for _, m := range s.upstream.seen() {
			if m.target == hidden {
				return errors.New("a part of a body reached the upstream as a request")
			}
		}
		for _, l := range s.clients {
			_ = l.conn.Close()
		}
		s.clients = nil
	}
	return nil
}

// failsThenSentinelOrEnds wants an error of the proxy's, or nothing, for the request; behind it the sentinel's answer or
// the end, and nothing else.
func failsThenSentinelOrEnds() step {
	return on("fails and stays in step", func(_ *actor, l *link) error {
		for answers := 0; ; answers++ {
			m, err := l.reply("GET")
			if m == nil {
				return nothingCame(err)
			}
			if answers == 0 && m.status >= 500 {
				continue
			}
			if err := m.sound(); err != nil {
				return err
			}
			if answers > 1 || strings.Join(m.values("X-Echo"), "") != "GET "+sentinel {
				return fmt.Errorf("got %s, want the sentinel's answer or the end", m)
			}
			return nil
		}
	})
}

// crowd opens more connections than one address may: the surplus is told so and closed, the rest are served.
type crowd struct{}

func (crowd) run(s *stage) error {
	s.upstream.begin(true, nil)
	for i := range choosyClients {
		l, err := s.dial()
		if err != nil {
			return err
		}
		if err := ask(l, sentinel); err != nil {
			return fmt.Errorf("connection %d: %w", i+1, err)
		}
	}
	surplus, err := s.dial()
	if err != nil {
		return err
	}
	_ = surplus.send(get())
	m, err := surplus.reply("GET")
	if m == nil {
		return fmt.Errorf("the surplus got no answer: %w", err)
	}
	if err := all(m, []is{status(503), hasElement("Connection", "close")}); err != nil {
		return err
	}
	if err := surplus.ends(patience); err != nil {
		return err
	}
	if err := ask(s.clients[0], sentinel); err != nil {
		return fmt.Errorf("one of the first: %w", err)
	}
	for _, l := range s.clients {
		_ = l.conn.Close()
	}
	time.Sleep(shortly) // the proxy sees the ends
	return nil
}

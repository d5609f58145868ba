package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

var onlyCases = flag.String("wire.case", "", "regular expression of the cases that TestWire_Serin plays")

func TestWire_Serin(t *testing.T) {
	dir := t.TempDir()
	program, err := buildSerin(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	found, err := findProxies([]string{"serin", "serin-full-door"}, program)
	if err != nil {
		t.Fatal(err)
	}
	cases := selectCases(suite(), regexp.MustCompile(*onlyCases))
	for _, p := range found { // one after the other: the waits are short, and a busy machine stretches them
		t.Run(p.name, func(t *testing.T) {
			results, err := judge(t.Context(), p, cases, 8, filepath.Join(dir, "run", p.name))
			if err != nil {
				t.Error(err)
			}
			for i, c := range cases {
				t.Run(c.String(), func(t *testing.T) {
					if results[i] != nil {
						t.Errorf("%v\nasked for by %s", results[i], c.reason())
					}
				})
			}
		})
	}
}

func TestSuite_EveryDutyHasSeveralCases(t *testing.T) {
	t.Parallel()
	counts := map[int]int{}
	names := map[string]bool{}
	for _, c := range selectCases(suite(), regexp.MustCompile("")) {
		counts[c.Group.Duty]++
		if c.Name == "" || c.reason() == "" || c.Play == nil {
			t.Errorf("%s: a case needs a name, a reason and a play", c)
		}
		if names[c.String()] {
			t.Errorf("two cases are called %s", c)
		}
		names[c.String()] = true
	}
	for duty := 1; duty <= 54; duty++ {
		if counts[duty] < 3 {
			t.Errorf("duty %d has %d cases, want 3 at least", duty, counts[duty])
		}
	}
}

// A suite that a proxy without any rules passes would be worth nothing: what only copies bytes must fail wherever a
// message has to be refused, changed or told apart from the next.
func TestSuite_AProxyThatCopiesBytes_Fails(t *testing.T) {
	t.Parallel()
	up, err := newUpstream()
	if err != nil {
		t.Fatal(err)
	}
	go up.Run()
	s := stage{proxy: copier(t, up.address()), upstream: up}
	t.Cleanup(up.close) // before the copier's end, which waits for it
	f := func(pattern string, wantFailed bool) {
		t.Helper()
		cases := selectCases(suite(), regexp.MustCompile(pattern))
		if len(cases) != 1 {
			t.Fatalf("%d cases match %q", len(cases), pattern)
		}
		if err := s.play(cases[0]); (err != nil) != wantFailed {
			t.Errorf("%s: got %v, want failed %v", cases[0], err, wantFailed)
		}
	}
	f("CL.TE/a request behind the last chunk", true)
	f("TE.CL/a request within a chunk", true)
	f("TE.TE/chunked, then another line", true)
	f("several Content-Length/two lines that differ", true)
	f("space before the colon/Host", true)
	f("control characters in values/NUL$", true)
	f("one valid Host/missing$", true)
	f("hop-by-hop fields of requests/one nominated", true)
	f("Expect: 100-continue/HTTP/1.0", true)
	f("204, 304 and 1xx/204 with a body", true)
	f("response framing/negative length", true)
	f("chunk grammar/bare LF behind size", true)
	f("101 that nobody asked for/to a GET$", true)
	f("X-Forwarded-For of a stranger/a list", true)
	f("what was sent is not sent again/POST, closed", false) // it sends nothing again, and ends
	f("Cookie/odd ones", false)
	f("multipart bodies/a form", false)
	f("pipelining/three", false)
	f("websocket/bytes both ways", false)
}

// copier joins every connection to one of its own to the upstream.
func copier(t *testing.T, upstream string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { join(client, upstream) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return l.Addr().String()
}

func join(client net.Conn, upstream string) {
	defer client.Close()
	server, err := net.Dial("tcp", upstream)
	if err != nil {
		return
	}
	defer server.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(server, client)
		_ = server.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(client, server)
	_ = client.Close()
	<-done
}

func TestReader_WhatRFC9112DoesNotAllow_IsAFault(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, raw, fault string }{
		{"a plain request", get() + "", ""},
		{"a body of a length", post("Content-Length: 5") + "hello", ""},
		{"chunks", post("Transfer-Encoding: chunked") + "5;x\r\nhello\r\n0\r\nX: 1\r\n\r\n", ""},
		{"length and coding", post("Content-Length: 5", "Transfer-Encoding: chunked") + "0\r\n\r\n", "both"},
		{"two lengths", post("Content-Length: 5", "Content-Length: 5") + "hello", "Content-Length"},
		{"another coding", post("Transfer-Encoding: gzip, chunked") + "0\r\n\r\n", "Transfer-Encoding"},
		{"bare LF", "GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n", "bare LF"},
		{"bare CR", get("X: a\rb"), "bare CR"},
		{"NUL", get("X: a\x00b"), "NUL"},
		{"folded line", get("X: a\r\n b"), "folded"},
		{"space before the colon", get("X : a"), "no field"},
		{"two Hosts", get(host), "Host"},
		{"no Host", "GET / HTTP/1.1\r\nX: 1\r\n\r\n", "Host"},
		{"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "request line"},
		{"bytes behind a chunk", post("Transfer-Encoding: chunked") + "4\r\nhello\r\n0\r\n\r\n", "after a chunk"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := readAs(t, tt.raw, "")
			if got := strings.Join(m.faults, "; "); tt.fault == "" && got != "" || !strings.Contains(got, tt.fault) {
				t.Errorf("got faults %q, want %q", got, tt.fault)
			}
		})
	}
}

func TestReader_ABodyCutShort_IsNotWhole(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n",
	} {
		if m := readAs(t, raw, "GET"); m.whole {
			t.Errorf("%q looks whole", raw)
		}
	}
	for _, raw := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nX: 1\r\n\r\nhello", "HTTP/1.1 204 OK\r\n\r\n",
		"HTTP/1.1 304 OK\r\nContent-Length: 5\r\n\r\n",
	} {
		if m := readAs(t, raw, "GET"); m.sound() != nil {
			t.Errorf("%q: %v", raw, m.sound())
		}
	}
}

// readAs reads one message from a connection that ends behind it; a method makes it the answer to that.
func readAs(t *testing.T, raw, method string) *message {
	t.Helper()
	ours, theirs := net.Pipe()
	go func() {
		_, _ = io.WriteString(theirs, raw)
		_ = theirs.Close()
	}()
	defer ours.Close()
	l := newLink(ours)
	if _, err := l.head(method); err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	return l.rest()
}

func TestReport_SaysWhoPassesWhat(t *testing.T) {
	t.Parallel()
	one := &group{Duty: 1, Title: "one", Why: "RFC 1"}
	cases := []Case{{Group: one, Name: "a"}, {Group: one, Name: "b|c", Why: "RFC 2"}, {Group: one, Name: "ours", Beyond: true}}
	r := newReport(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), cases)
	r.add("serin", "serin 1", []error{nil, nil, nil})
	r.add("nginx", "nginx/2", []error{nil, errors.New("no\nway"), errors.New("other")})
	text := r.markdown()
	for _, want := range []string{
		"2026-01-02", "* nginx: nginx/2", "| duty | | serin | nginx |", "| 1 | one | 2/2 | 1/2 |", "|  | **all** | 2/2 | 1/2 |",
		"| 01 one/ours | yes | no |", "## serin fails\n\nNothing.", `* 01 one/b\|c (RFC 2): no way`,
		"## Only serin passes\n\nLooked at twice: is the case fair?\n\n* 01 one/b\\|c (RFC 2)\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "one/ours (") {
		t.Errorf("a case beyond the RFCs is listed as a failure:\n%s", text)
	}
}

func ExampleCase_String() {
	fmt.Println(Case{Group: &group{Duty: 4, Title: "TE.TE"}, Name: "chunked twice"})
	// Output: 04 TE.TE/chunked twice
}

package main

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// answer is what the serving upstream says to a request.
type answer struct {
	raw  string // "": 200 with a body of two bytes
	then after
}

// after is what the upstream does when it has answered.
type after uint8

const (
	keeps after = iota
	closes
	resets
)

// upstream is the server behind the proxy. It serves, answering every whole request by itself, or a script has it. It
// says whom it answers: X-Echo holds method and target.
type upstream struct {
	listener net.Listener

	mu       sync.Mutex
	links    []*link // of this case
	serving  bool
	answers  []answer   // to come, while serving
	requests []*message // in order of arrival, while serving
	ready    chan *link // links with a first byte, or an end, while a script has the upstream
	closed   bool
}

func newUpstream() (*upstream, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &upstream{listener: l, ready: make(chan *link, 1024)}, nil
}

func (u *upstream) address() string { return u.listener.Addr().String() }

// Run accepts until close.
func (u *upstream) Run() {
	for {
		conn, err := u.listener.Accept()
		if err != nil {
			return
		}
		u.enter(newLink(conn))
	}
}

func (u *upstream) enter(l *link) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		_ = l.conn.Close()
		return
	}
	l.number = len(u.links)
	u.links = append(u.links, l)
	if u.serving {
		u.serve(l)
	} else {
		u.arm(l)
	}
}

// begin starts a case. The proxy's connections of the case before are gone afterwards.
func (u *upstream) begin(serving bool, answers []answer) {
	u.mu.Lock()
	links := u.links
	u.links, u.serving, u.answers, u.requests = nil, serving, answers, nil
	for _, l := range links {
		_ = l.conn.Close()
	}
	u.mu.Unlock()
	for _, l := range links {
		l.busy.Wait()
	}
	for len(u.ready) > 0 {
		<-u.ready
	}
}

func (u *upstream) close() {
	u.mu.Lock()
	u.closed = true
	u.mu.Unlock()
	_ = u.listener.Close()
	u.begin(false, nil)
}

// arm hands l to the script when something arrives on it; called with mu held, or by the script.
func (u *upstream) arm(l *link) {
	armed := make(chan struct{})
	l.armed = armed
	_ = l.conn.SetDeadline(time.Time{})
	l.busy.Go(func() {
		_, _ = l.r.Peek(1) // an end is news too
		close(armed)
		u.ready <- l
	})
}

// next is the next connection on which something arrives; ok false: nothing did in time.
func (u *upstream) next(within time.Duration) (*link, bool) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case l := <-u.ready:
		l.armed = nil
		return l, true
	case <-timer.C:
		return nil, false
	}
}

// takeOver has the upstream serve from now on, connections that a script leaves open included.
func (u *upstream) takeOver() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.serving {
		return
	}
	u.serving = true
	for _, l := range u.links {
		u.serve(l)
	}
}

// serve answers what comes on l; called with mu held.
func (u *upstream) serve(l *link) {
	l.busy.Go(func() {
		l.settle()
		if l.pending != nil && !l.rest().whole { // what a script answered early still comes
			return
		}
		for u.serveOne(l) {
		}
	})
}

func (u *upstream) serveOne(l *link) bool {
	_ = l.conn.SetDeadline(time.Time{})
	m, err := readHead(l.r)
	if m == nil {
		return false
	}
	m.conn = l.number
	if err == nil {
		m.asRequest()
		m.readBody(l.r)
	}
	a := u.record(m)
	if !m.whole {
		_ = l.conn.Close()
		return false
	}
	if err := l.send(a.raw); err != nil {
		return false
	}
	switch a.then {
	case closes:
		_ = l.conn.Close()
	case resets:
		l.abort()
	case keeps:
		return true
	}
	return false
}

// record notes a request and finds its answer. The suite's own questions get their own answer.
func (u *upstream) record(m *message) answer {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.requests = append(u.requests, m)
	if m.target == sentinel || m.target == barrier || len(u.answers) == 0 {
		return answer{raw: echo(m)}
	}
	a := u.answers[0]
	u.answers = u.answers[1:]
	if a.raw == "" {
		a.raw = echo(m)
	}
	return a
}

// echo is the answer that says whose it is.
func echo(m *message) string {
	body := "ok"
	if m.method == "HEAD" {
		body = ""
	}
	const most = 100 // so that a long target makes no large answer
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nX-Echo: %s %s\r\nContent-Length: 2\r\n\r\n%s", m.method, m.target[:min(len(m.target), most)], body)
}

// seen is the requests so far, without the suite's own.
func (u *upstream) seen() []*message {
	u.mu.Lock()
	defer u.mu.Unlock()
	var out []*message
	for _, m := range u.requests {
		if m.target != sentinel && m.target != barrier {
			out = append(out, m)
		}
	}
	return out
}

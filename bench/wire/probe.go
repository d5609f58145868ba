package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// probe sends some bytes and wants one of several outcomes.
type probe struct {
	send    string
	answers []answer  // to the requests that arrive; more get the upstream's own
	want    []outcome // any of them is right
}

// record is what a probe saw.
type record struct {
	requests []*message // at the upstream
	replies  []*message // at the client, the sentinel's left out
	closed   bool       // the proxy ended the client's connection
	synced   bool       // the sentinel was answered as such
	after    error      // what came instead
}

func (p probe) run(s *stage) error {
	s.upstream.begin(true, p.answers)
	l, err := s.dial()
	if err != nil {
		return err
	}
	r := p.exchange(l)
	if !r.closed {
		r.after = ask(l, sentinel)
		r.synced = r.after == nil
		r.closed = r.after != nil && nothingCame(r.after) == nil && errors.Is(r.after, errUnanswered)
	}
	_ = l.conn.Close()
	if err := s.nextUser(); err != nil { // and what we look for has arrived by then
		return fmt.Errorf("the next user: %w; %s", err, &r)
	}
	r.requests = s.upstream.seen()
	var wrong []string
	for _, o := range p.want {
		err := o.judge(&r)
		if err == nil {
			return nil
		}
		wrong = append(wrong, fmt.Sprintf("not %s: %v", o.name, err))
	}
	return fmt.Errorf("%s; %s", strings.Join(wrong, "; "), &r)
}

// exchange sends and reads all answers but the sentinel's.
func (p probe) exchange(l *link) (r record) {
	sent := make(chan struct{})
	go func() { // a proxy may answer before it has read everything
		defer close(sent)
		_, _ = io.WriteString(l.conn, p.send)
	}()
	defer func() { <-sent }()
	method, _, _ := strings.Cut(strings.TrimLeft(p.send, "\r\n"), " ")
	if !isToken(method) {
		method = "GET"
	}
	most := 1
	for _, o := range p.want {
		most = max(most, o.replies())
	}
	for len(r.replies) < most {
		m, err := l.reply(method)
		if m == nil {
			r.closed = !errors.Is(err, os.ErrDeadlineExceeded)
			r.after = err
			return r
		}
		r.replies, method = append(r.replies, m), "GET"
		if !m.whole || m.framing == byClose || m.status == 101 {
			r.closed = !errors.Is(m.ended, os.ErrDeadlineExceeded)
			return r
		}
	}
	last := r.replies[len(r.replies)-1]
	if lastOf(last) {
		r.after = l.ends(patience)
		r.closed = r.after == nil
	}
	return r
}

// lastOf says whether the proxy promises to close after m.
func lastOf(m *message) bool {
	return slices.ContainsFunc(m.list("Connection"), func(s string) bool { return strings.EqualFold(s, "close") })
}

func (r *record) String() string {
	var b strings.Builder
	for _, m := range r.requests {
		fmt.Fprintf(&b, "upstream got {%s} ", m)
	}
	for _, m := range r.replies {
		fmt.Fprintf(&b, "client got {%s} ", m)
	}
	fmt.Fprintf(&b, "closed %v, in step %v", r.closed, r.synced)
	if r.after != nil {
		fmt.Fprintf(&b, " (%v)", r.after)
	}
	return b.String()
}

// is looks at one message.
type is func(*message) error

// ending is what becomes of the client's connection.
type ending uint8

const (
	staysUsable ending = iota
	mustClose
	either
)

// outcome is one way in which a probe may end well.
type outcome struct {
	name     string
	status   []int // of the first answer; none: any below 400
	requests int   // whole requests that reach the upstream; -1: at least one
	request  [][]is
	reply    [][]is
	ending   ending
	broken   bool  // the last answer must look broken off
	tail     []int // after the requests' answers one of these, the proxy's own
}

// replies is how many answers the client gets.
func (o *outcome) replies() int {
	n := max(o.requests, 0)
	if len(o.tail) > 0 {
		n++
	}
	return max(n, 1)
}

// refused: the proxy answers by itself, nothing reaches the upstream, the connection ends.
func refused(status ...int) outcome {
	return outcome{name: fmt.Sprintf("refused %v", status), status: status, ending: mustClose}
}

// declined is refused where the end of the request is certain: the connection may live.
func declined(status ...int) outcome {
	return outcome{name: fmt.Sprintf("declined %v", status), status: status, ending: either}
}

// forwarded: one request reaches the upstream, its answer the client, and the connection stays usable.
func forwarded(want ...is) outcome {
	return outcome{name: "forwarded", requests: 1, request: [][]is{want}}
}

// forwardedAll: as many requests, each with its answer, in order.
func forwardedAll(want ...[]is) outcome {
	return outcome{name: fmt.Sprintf("%d forwarded", len(want)), requests: len(want), request: want}
}

// answered: the client gets this status, made of the upstream's answer or instead of it.
func answered(status int, want ...is) outcome {
	return outcome{name: fmt.Sprintf("answered %d", status), status: []int{status}, requests: -1, reply: [][]is{want}, ending: either}
}

// cutOff: the client sees that the answer is not whole, or an error instead, or nothing but the end.
func cutOff(want ...is) outcome {
	return outcome{name: "cut off", requests: -1, reply: [][]is{want}, broken: true, ending: either}
}

// with adds what the client must see of the first answer.
func (o outcome) with(want ...is) outcome {
	if len(o.reply) == 0 {
		o.reply = [][]is{nil}
	}
	o.reply = append([][]is{append(want, o.reply[0]...)}, o.reply[1:]...)
	return o
}

// starting says which status the first answer has.
func (o outcome) starting(status int) outcome {
	o.status = []int{status}
	return o
}

// thenRefused: what follows the requests is refused.
func (o outcome) thenRefused(status ...int) outcome {
	o.name += fmt.Sprintf(", then refused %v", status)
	o.tail, o.ending = status, mustClose
	return o
}

// closing wants the connection to end after the last answer.
func (o outcome) closing() outcome {
	o.name += ", then closed"
	o.ending = mustClose
	return o
}

// anyEnding lets the connection live or end.
func (o outcome) anyEnding() outcome {
	o.ending = either
	return o
}

func (o *outcome) judge(r *record) error {
	if err := o.judgeRequests(r.requests); err != nil {
		return err
	}
	if o.broken && len(r.replies) == 0 && r.closed {
		return nil
	}
	if err := o.judgeReplies(r.replies); err != nil {
		return err
	}
	switch {
	case r.synced:
		if o.ending == mustClose {
			return errors.New("the connection stays open")
		}
	case r.closed:
		if o.ending == staysUsable {
			return errors.New("the connection was closed")
		}
	default:
		return fmt.Errorf("the connection is out of step: %w", r.after)
	}
	return nil
}

func (o *outcome) judgeRequests(requests []*message) error {
	whole := 0
	for _, m := range requests {
		if len(m.faults) > 0 {
			return fmt.Errorf("the upstream got a faulty request: %w", m.sound())
		}
		if m.whole {
			whole++
		}
	}
	switch {
	case o.requests == -1 && whole == 0:
		return errors.New("nothing reached the upstream")
	case o.requests >= 0 && whole != o.requests:
		return fmt.Errorf("%d requests reached the upstream, want %d", whole, o.requests)
	case o.requests > 0 && whole != len(requests):
		return errors.New("half a request reached the upstream")
	}
	return judgeAll("request", requests, o.request)
}

func (o *outcome) judgeReplies(replies []*message) error {
	if len(replies) == 0 {
		return errors.New("no answer")
	}
	if len(replies) != o.replies() {
		return fmt.Errorf("%d answers, want %d", len(replies), o.replies())
	}
	if last := replies[len(replies)-1]; len(o.tail) > 0 && !slices.Contains(o.tail, last.status) {
		return fmt.Errorf("the last status is %d", last.status)
	}
	first := replies[0]
	if len(o.status) > 0 && !slices.Contains(o.status, first.status) {
		return fmt.Errorf("status %d", first.status)
	}
	if len(o.status) == 0 && !o.broken && first.status >= 400 {
		return fmt.Errorf("status %d", first.status)
	}
	for i, m := range replies {
		if len(m.faults) > 0 {
			return fmt.Errorf("a faulty answer: %w", m.sound())
		}
		if broken := o.broken && i == len(replies)-1; m.whole == broken && !(broken && m.status >= 500) {
			return fmt.Errorf("answer %d: whole is %v", i, m.whole)
		}
	}
	return judgeAll("answer", replies, o.reply)
}

func judgeAll(what string, messages []*message, want [][]is) error {
	for i, checks := range want {
		for _, check := range checks {
			if i >= len(messages) {
				return fmt.Errorf("no %s %d", what, i)
			}
			if err := check(messages[i]); err != nil {
				return fmt.Errorf("%s %d: %w", what, i, err)
			}
		}
	}
	return nil
}

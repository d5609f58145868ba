package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// patience is how long a case waits for what must happen.
const patience = 6 * time.Second

// link is one end of a connection to the proxy, owned by one goroutine at a time.
type link struct {
	conn    net.Conn
	r       *bufio.Reader
	number  int           // of the upstream's connections in this case, from 0
	pending *message      // its head has been read, its body not
	body    io.Reader     // of pending
	armed   chan struct{} // closed when the wait for a first byte is over; nil: nobody waits
	busy    sync.WaitGroup
}

func newLink(conn net.Conn) *link { return &link{conn: conn, r: bufio.NewReaderSize(conn, 64<<10)} }

// wait bounds everything that follows.
func (l *link) wait(d time.Duration) { _ = l.conn.SetDeadline(time.Now().Add(d)) }

// settle ends the wait for a first byte that another goroutine may be in.
func (l *link) settle() {
	if l.armed != nil {
		<-l.armed
		l.armed = nil
	}
}

// send writes s; a proxy that closed is not the sender's fault.
func (l *link) send(s string) error {
	l.wait(patience)
	_, err := io.WriteString(l.conn, s)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("send %s: %w", short(s), err)
	}
	return nil
}

// head reads a request's head, or a response's to method; what is left of it stays pending.
func (l *link) head(method string) (*message, error) {
	l.wait(patience)
	l.settle()
	m, err := readHead(l.r)
	if m == nil {
		return nil, err
	}
	if err != nil {
		return m, err
	}
	if m.conn = l.number; method == "" {
		m.asRequest()
	} else {
		m.asResponse(method)
	}
	l.pending, l.body = m, m.bodyReader(l.r)
	return m, nil
}

// rest reads the pending message's body.
func (l *link) rest() *message {
	l.wait(patience)
	m := l.pending
	l.pending = nil
	var body []byte
	body, m.ended = io.ReadAll(io.LimitReader(l.body, maxBody))
	if m.ended == nil && len(body) == maxBody {
		m.ended = errBodyEndless
	}
	m.body += string(body)
	m.whole = m.ended == nil
	return m
}

// part reads the next bytes of the pending message's body.
func (l *link) part(want string) error {
	l.wait(patience)
	got := make([]byte, len(want))
	n, err := io.ReadFull(l.body, got)
	l.pending.body += string(got[:n])
	if string(got[:n]) != want {
		return fmt.Errorf("got %s (%v) of the body, want %s", short(string(got[:n])), err, short(want))
	}
	return nil
}

// request reads a whole request. Nil: the connection ended before one.
func (l *link) request() *message {
	m, err := l.head("")
	if err != nil {
		return m
	}
	return l.rest()
}

// reply reads interim answers and the final one to method. Nil: the connection ended before any.
func (l *link) reply(method string) (*message, error) {
	var interim []*message
	for {
		m, err := l.head(method)
		if m == nil {
			return nil, err
		}
		if err == nil && m.status < 200 && m.status != 101 {
			m.whole = true
			interim = append(interim, m)
			continue
		}
		m.interim = interim
		if err != nil {
			return m, nil
		}
		return l.rest(), nil
	}
}

// ends wants the proxy to close without another byte, by an end or a reset.
func (l *link) ends(within time.Duration) error {
	l.wait(within)
	l.settle()
	rest, err := io.ReadAll(io.LimitReader(l.r, 1<<20))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the connection stays open, %s came", short(string(rest)))
	case len(rest) > 0:
		return fmt.Errorf("%s came before the end", short(string(rest)))
	}
	return nil
}

// finish ends the sending direction.
func (l *link) finish() { _ = l.conn.(*net.TCPConn).CloseWrite() }

// abort closes so that the other side sees a reset.
func (l *link) abort() {
	_ = l.conn.(*net.TCPConn).SetLinger(0)
	_ = l.conn.Close()
}

package main

import (
	"errors"
	"fmt"
	"net"
)

const (
	sentinel = "/sentinel"
	barrier  = "/barrier"
)

var errUnanswered = errors.New("no answer")

// stage is where a case plays: one proxy, one upstream behind it, nobody else.
type stage struct {
	proxy    string // address
	upstream *upstream
	clients  []*link // to be closed at the end
	signals  map[string]chan struct{}
}

// dial connects another client.
func (s *stage) dial() (*link, error) {
	conn, err := net.DialTimeout("tcp", s.proxy, patience)
	if err != nil {
		return nil, fmt.Errorf("the proxy is gone: %w", err)
	}
	l := newLink(conn)
	s.clients = append(s.clients, l)
	return l, nil
}

// play runs c, then the next user.
func (s *stage) play(c Case) error {
	s.clients, s.signals = nil, map[string]chan struct{}{}
	err := c.Play.run(s)
	for _, l := range s.clients {
		_ = l.conn.Close()
	}
	s.upstream.takeOver()
	if next := s.nextUser(); next != nil {
		err = errors.Join(err, fmt.Errorf("the next user: %w", next))
	}
	for _, l := range s.clients {
		_ = l.conn.Close()
	}
	return err
}

// nextUser asks for something else on a connection of its own. Whatever the case left behind must not be the answer.
func (s *stage) nextUser() error {
	l, err := s.dial()
	if err != nil {
		return err
	}
	return ask(l, barrier)
}

// ask sends a GET of ours and wants the answer to it.
func ask(l *link, target string) error {
	if err := l.send("GET " + target + " HTTP/1.1\r\n" + host + "\r\n\r\n"); err != nil {
		return err
	}
	m, err := l.reply("GET")
	if m == nil {
		return fmt.Errorf("%w: %w", errUnanswered, err)
	}
	if err := m.sound(); err != nil {
		return err
	}
	if echo := m.values("X-Echo"); m.status != 200 || len(echo) != 1 || echo[0] != "GET "+target || m.body != "ok" {
		return fmt.Errorf("got %s, want the answer to GET %s", m, target)
	}
	return nil
}

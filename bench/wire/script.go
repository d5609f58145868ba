package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// script is two lists of steps, each in its own goroutine: for exchanges in which the order of things is the point.
type script struct {
	client, upstream []step
}

// step is one thing that an actor does or wants to see.
type step struct {
	name string
	do   func(a *actor) error
}

// actor plays one side.
type actor struct {
	stage *stage
	now   *link // the connection that steps are about
}

func (p script) run(s *stage) error {
	s.upstream.begin(p.upstream == nil, nil)
	for _, steps := range [][]step{p.client, p.upstream} {
		for _, step := range steps {
			if name, ok := strings.CutPrefix(step.name, "tells "); ok {
				s.signals[name] = make(chan struct{})
			}
		}
	}
	server := make(chan error, 1)
	go func() { server <- (&actor{stage: s}).play("upstream", p.upstream) }()
	err := (&actor{stage: s}).play("client", p.client)
	return errors.Join(err, <-server)
}

func (a *actor) play(side string, steps []step) error {
	for i, step := range steps {
		if err := step.do(a); err != nil {
			return fmt.Errorf("%s, step %d, %s: %w", side, i+1, step.name, err)
		}
	}
	return nil
}

// link is the connection that steps are about; the client dials its first one by itself.
func (a *actor) link() (*link, error) {
	if a.now == nil {
		if err := dials().do(a); err != nil {
			return nil, err
		}
	}
	return a.now, nil
}

// on makes a step of what is done with the connection.
func on(name string, do func(a *actor, l *link) error) step {
	return step{name, func(a *actor) error {
		l, err := a.link()
		if err != nil {
			return err
		}
		return do(a, l)
	}}
}

// dials connects another client.
func dials() step {
	return step{"dials", func(a *actor) error {
		l, err := a.stage.dial()
		if err != nil {
			return err
		}
		a.now = l
		return nil
	}}
}

func sends(s string) step {
	return on("sends "+short(s), func(_ *actor, l *link) error { return l.send(s) })
}

// pours sends n bytes in pieces until the proxy wants no more.
func pours(n int) step {
	return on("pours", func(_ *actor, l *link) error {
		piece := strings.Repeat("x", 32<<10)
		for ; n > 0; n -= len(piece) {
			l.wait(patience)
			if _, err := l.conn.Write([]byte(piece[:min(n, len(piece))])); err != nil {
				return nothingCame(err)
			}
		}
		return nil
	})
}

// drips sends s byte by byte until the proxy wants no more.
func drips(s string, every time.Duration) step {
	return on("drips "+short(s), func(_ *actor, l *link) error {
		for i := range len(s) {
			l.wait(patience)
			if _, err := l.conn.Write([]byte(s[i : i+1])); err != nil {
				return nil
			}
			time.Sleep(every)
		}
		return nil
	})
}

// all applies checks.
func all(m *message, want []is) error {
	for _, check := range want {
		if err := check(m); err != nil {
			return fmt.Errorf("%w; got %s", err, m)
		}
	}
	return nil
}

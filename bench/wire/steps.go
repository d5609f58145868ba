package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// getsTo reads a whole answer to method.
func getsTo(method string, want ...is) step {
	return on("gets an answer", func(a *actor, l *link) error {
		m, err := l.reply(method)
		if m == nil {
			return fmt.Errorf("no answer: %w", err)
		}
		if err := m.sound(); err != nil {
			return err
		}
		return all(m, want)
	})
}

func gets(want ...is) step { return getsTo("GET", want...) }

// getsBroken reads an answer that must look broken off, or be the proxy's own error, or be missing.
func getsBroken(want ...is) step {
	return on("gets a broken answer", func(_ *actor, l *link) error {
		m, err := l.reply("GET")
		if m == nil {
			return nothingCame(err)
		}
		if m.whole && m.status < 500 {
			return fmt.Errorf("got a whole %s", m)
		}
		if len(m.faults) > 0 {
			return m.sound()
		}
		return all(m, want)
	})
}

// nothingCame is nil for a connection that ended, not for one that hangs.
func nothingCame(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("the connection hangs: %w", err)
	}
	return nil
}

// fails wants an error of the proxy's own, or the end.
func fails() step { return failsOr(502) }

// failsOr wants this status, an error of the proxy's own, or the end.
func failsOr(code int) step {
	return on("fails", func(_ *actor, l *link) error {
		m, err := l.reply("GET")
		if m == nil {
			return nothingCame(err)
		}
		if err := m.sound(); err != nil {
			return err
		}
		return all(m, []is{status(code, 502, 503, 504)})
	})
}

// getsHead reads a head and leaves the body.
func getsHead(want ...is) step {
	return on("gets a head", func(_ *actor, l *link) error {
		m, err := l.head("GET")
		if err != nil {
			return fmt.Errorf("no head: %w", err)
		}
		return all(m, want)
	})
}

// has reads the next bytes of the body.
func has(s string) step {
	return on("has "+short(s), func(_ *actor, l *link) error { return l.part(s) })
}

// hasRest reads the body to its end.
func hasRest(want ...is) step {
	return on("has the rest", func(_ *actor, l *link) error {
		m := l.rest()
		if err := m.sound(); err != nil {
			return err
		}
		return all(m, want)
	})
}

// receives reads raw bytes, behind a 101.
func receives(s string) step {
	return on("receives "+short(s), func(_ *actor, l *link) error {
		l.body, l.pending = l.r, &message{}
		return l.part(s)
	})
}

// ends wants the proxy to close, within patience.
func ends() step {
	return on("ends", func(_ *actor, l *link) error { return l.ends(patience) })
}

// endsWithin is ends, timed.
func endsWithin(d time.Duration) step {
	return on("ends in time", func(_ *actor, l *link) error { return l.ends(d) })
}

// timesOut wants the end within a time, and no answer before it but an error. RFC 9110 15.5.9 has 408 for it; a peer says
// 504, the end is what matters.
func timesOut(within time.Duration) step {
	return on("times out", func(_ *actor, l *link) error {
		l.wait(within)
		m, err := readHead(l.r)
		if m == nil {
			return nothingCame(err)
		}
		m.asResponse("GET")
		if m.status != 408 && m.status != 400 && m.status != 504 {
			return fmt.Errorf("got %s", m)
		}
		m.readBody(l.r)
		return l.ends(patience)
	})
}

// endsQuietly is ends without a reset, which may overtake an answer (RFC 9112 9.6).
func endsQuietly() step {
	return on("ends without a reset", func(_ *actor, l *link) error {
		l.wait(patience)
		if rest, err := io.ReadAll(io.LimitReader(l.r, 1<<20)); err != nil || len(rest) > 0 {
			return fmt.Errorf("got %s and %v, want an end", short(string(rest)), err)
		}
		return nil
	})
}

// isNotReset lets the connection end or stay open for a moment, but not break.
func isNotReset() step {
	return on("is not reset", func(_ *actor, l *link) error {
		l.wait(4 * shortly)
		rest, err := io.ReadAll(io.LimitReader(l.r, 1<<20))
		if len(rest) > 0 || err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("got %s and %v", short(string(rest)), err)
		}
		return nil
	})
}

func finishes() step { return on("finishes", func(_ *actor, l *link) error { l.finish(); return nil }) }

func hangsUp() step {
	return on("hangs up", func(_ *actor, l *link) error { return l.conn.Close() })
}

func aborts() step { return on("aborts", func(_ *actor, l *link) error { l.abort(); return nil }) }

// asks sends one of the suite's own questions and wants its answer.
func asks() step { return on("asks", func(_ *actor, l *link) error { return ask(l, sentinel) }) }

// asksOrEnds lets the proxy close instead.
func asksOrEnds() step {
	return on("asks", func(_ *actor, l *link) error {
		_ = l.send("GET " + sentinel + " HTTP/1.1\r\n" + host + "\r\n\r\n")
		m, err := l.reply("GET")
		if m == nil {
			return nothingCame(err)
		}
		if err := m.sound(); err != nil {
			return err
		}
		return all(m, []is{header("X-Echo", "GET "+sentinel)})
	})
}

// takes wants a whole request, on whichever connection.
func takes(want ...is) step {
	return step{"takes a request", func(a *actor) error {
		m, err := a.take((*link).request)
		if err != nil {
			return err
		}
		if err := m.sound(); err != nil {
			return err
		}
		return all(m, want)
	}}
}

// takesHead wants a request's head and leaves the body.
func takesHead(want ...is) step {
	return step{"takes a head", func(a *actor) error {
		m, err := a.take(func(l *link) *message { m, _ := l.head(""); return m })
		if err != nil {
			return err
		}
		return all(m, want)
	}}
}

// takesBroken wants half a request, or none, and its end.
func takesBroken() step {
	return step{"takes a broken request", func(a *actor) error {
		l, ok := a.stage.upstream.next(patience)
		if !ok {
			return nil
		}
		a.now = l
		m := l.request()
		if m != nil && m.whole {
			return fmt.Errorf("got a whole %s", m)
		}
		if m != nil {
			return nothingCame(m.ended)
		}
		return nil
	}}
}

// take waits for something to arrive and reads it.
func (a *actor) take(read func(*link) *message) (*message, error) {
	if a.now != nil && a.now.armed == nil {
		a.stage.upstream.arm(a.now)
	}
	for until := time.Now().Add(patience); ; {
		l, ok := a.stage.upstream.next(time.Until(until))
		if !ok {
			return nil, errors.New("none came")
		}
		a.now = l
		if m := read(l); m != nil {
			return m, nil
		}
	}
}

// isLeftAlone wants no request for a while.
func isLeftAlone(d time.Duration) step {
	return step{"is left alone", func(a *actor) error {
		for until := time.Now().Add(d); ; {
			l, ok := a.stage.upstream.next(time.Until(until))
			if !ok {
				return nil
			}
			if m := l.request(); m != nil {
				return fmt.Errorf("got %s", m)
			}
		}
	}}
}

// waits lets time pass: where a proxy must do nothing, or notice by itself, nothing else can be waited for.
func waits(d time.Duration) step {
	return step{"waits", func(*actor) error { time.Sleep(d); return nil }}
}

// tells the other side that we are here; await waits for it.
func tells(name string) step {
	return step{"tells " + name, func(a *actor) error { close(a.stage.signals[name]); return nil }}
}

func await(name string) step {
	return step{"await " + name, func(a *actor) error {
		select {
		case <-a.stage.signals[name]:
			return nil
		case <-time.After(3 * patience):
			return errors.New("it never came")
		}
	}}
}

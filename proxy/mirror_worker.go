package proxy

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"slices"
	"time"

	"serin/gate/window"
	"serin/proxy/shadow"
	"serin/proxy/upstream"
	"serin/proxy/wire"
	"serin/router"
)

// mirrorWorker asks for the answers to one copy at a time. Its buffers are used again and again.
type mirrorWorker struct {
	mirror   *Mirror
	hint     uint64
	response wire.Response
	body     wire.Body
	answers  [3]shadow.Answer // the user's, the canary's, stable's second
	pool     *upstream.Pool   // up's
	up       *upstream.Conn   // in use; nil: none
}

// Failures of a copy.
var (
	errMirrorLarge  = errors.New("the answer is larger than is compared")
	errMirrorBroken = errors.New("the answer broke off")
	errMirrorOver   = errors.New("the mirror is over")
)

// noAnswer is the difference between an answer and none.
const noAnswer = "answer"

// take judges a copy. A panic costs the copy and its connection, not the process.
func (w *mirrorWorker) take(c *mirrored) {
	defer func() {
		bug := recover()
		if bug == nil {
			w.mirror.giveBack(c)
			return
		}
		if w.up != nil {
			w.giveBack(false)
		}
		if w.mirror.o.Bug != nil {
			w.mirror.o.Bug(bug)
		}
		w.mirror.skip(c)
	}()
	w.judge(c)
}

// giveBack ends the use of the connection.
func (w *mirrorWorker) giveBack(reuse bool) {
	w.up.In.Discard(w.up.In.Buffered())
	w.up.In.Release()
	w.pool.Done(w.up, reuse, upstream.None) // a shadow's failures eject nobody
	w.up = nil
}

// judge asks, compares and counts.
func (w *mirrorWorker) judge(c *mirrored) {
	m := w.mirror
	user, second, canary := &w.answers[0], &w.answers[1], &w.answers[2]
	if w.read(c.answer, c.asked, user) != nil {
		m.counts.skipped.Add(1)
		return
	}
	var control []shadow.Difference
	asked := false
	if len(c.again) > 0 {
		asked = w.fetch(m.o.Stable, c.again, c, second) == nil
		if asked {
			control = m.o.Rules.Compare(user, second)
		}
	}
	if !m.learned() {
		m.counts.learning.Add(1)
		if asked {
			m.mu.Lock()
			m.noise.See(control)
			m.mu.Unlock()
		}
		return
	}
	began := time.Now()
	var differences []shadow.Difference
	switch err := w.fetch(m.o.Canary, c.head, c, canary); {
	case errors.Is(err, errMirrorLarge):
		m.counts.large.Add(1)
		return
	case errors.Is(err, errMirrorOver):
		m.counts.skipped.Add(1)
		return
	case err != nil:
		m.counts.failed.Add(1)
		differences = []shadow.Difference{{Field: noAnswer, Kind: shadow.Missing, Stable: "answered", Canary: err.Error()}}
	default:
		differences = m.o.Rules.Compare(user, canary)
	}
	m.count(c, w.hint, differences, control, asked, time.Since(began))
}

// count takes one comparison of the canary in, and of stable with itself where there was one. Both are judged by the noise
// known before.
func (m *Mirror) count(c *mirrored, hint uint64, differences, control []shadow.Difference, asked bool, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	differences = m.noise.Less(differences)
	if asked {
		left := m.noise.Less(slices.Clone(control))
		m.noise.See(control)
		m.counts.asked.Add(1)
		if len(left) > 0 {
			m.counts.unlike.Add(1)
		}
		m.Meters[router.Stable].Record(hint, c.bucket, likeness(left), 0)
	}
	if len(differences) == 0 {
		m.counts.match.Add(1)
	} else {
		m.counts.mismatch.Add(1)
		m.book.Note(time.Now(), string(c.method), string(c.target), differences)
	}
	m.Meters[router.Canary].Record(hint, c.bucket, likeness(differences), took)
}

// likeness is a comparison as a meter counts it: bad where the answers differ.
func likeness(left []shadow.Difference) window.Outcome {
	if len(left) > 0 {
		return window.ServerError
	}
	return window.Success
}

// fetch sends one copy and reads its answer, within the mirror's time and size. A connection that was used before and turns
// out dead is replaced once.
func (w *mirrorWorker) fetch(pool *upstream.Pool, head []byte, c *mirrored, into *shadow.Answer) error {
	for try := 0; ; try++ {
		up, err := pool.Get(c.key, nil)
		if err != nil && upstream.ReasonOf(err) == upstream.Closed {
			return errMirrorOver
		}
		if err != nil {
			return errors.New(upstream.ReasonOf(err).String())
		}
		w.pool, w.up = pool, up
		used := up.Reused()
		begun, whole, err := w.exchange(up, head, c.asked, into)
		w.giveBack(whole && w.response.KeepAlive && up.In.Buffered() == 0 && !up.In.EOF())
		switch {
		case err != nil && pool.Cut():
			return errMirrorOver
		case err != nil && used && !begun && try == 0:
			continue
		}
		return err
	}
}

// exchange is one request and its answer on a connection. Begun: bytes of an answer came.
func (w *mirrorWorker) exchange(up *upstream.Conn, head []byte, asked wire.Asked, into *shadow.Answer) (begun, whole bool, err error) {
	up.ReadWithin(w.mirror.o.Timeout)
	up.EachWrite(w.mirror.o.Timeout, 0)
	if _, err := up.Write(head); err != nil {
		return false, false, errMirrorBroken
	}
	p := &w.response
	for p.Reset(); ; {
		if up.In.Buffered() > 0 {
			begun = true
			n, err := p.Parse(up.In.Bytes(), asked, nil)
			if err != nil || p.Switch {
				return true, false, errMirrorBroken
			}
			if n > 0 && !p.Interim {
				w.keep(p, into)
				up.In.Discard(n)
				break
			}
			if n > 0 {
				up.In.Discard(n)
				p.Reset()
				continue
			}
		}
		if _, err := up.In.Fill(2 * wire.DefaultResponseHead); err != nil {
			return begun, false, errMirrorBroken
		}
	}
	whole, err = w.drain(&up.In, into)
	return true, whole, err
}

// drain reads a body up to what is compared.
func (w *mirrorWorker) drain(in *wire.Reader, into *shadow.Answer) (whole bool, err error) {
	b := &w.body
	b.Reset(w.response.Framing, max(w.response.ContentLength, 0), 0)
	for !b.Done() {
		if in.Buffered() == 0 {
			if _, err := in.Fill(0); err == io.EOF && b.End() == nil {
				break
			} else if err != nil {
				return false, errMirrorBroken
			}
		}
		data, used, err := b.Decode(in.Bytes())
		if err != nil {
			return false, errMirrorBroken
		}
		into.Body = append(into.Body, data...)
		in.Discard(used)
		if len(into.Body) > w.mirror.o.Body {
			return false, errMirrorLarge
		}
	}
	w.decompress(into)
	return true, nil
}

// read takes apart an answer as it was written to the user.
func (w *mirrorWorker) read(b []byte, asked wire.Asked, into *shadow.Answer) error {
	p := &w.response
	p.Reset()
	n, err := p.Parse(b, asked, nil)
	if err != nil || n == 0 || p.Interim || p.Switch {
		return errMirrorBroken
	}
	w.keep(p, into)
	w.body.Reset(p.Framing, max(p.ContentLength, 0), 0)
	for rest := b[n:]; !w.body.Done(); {
		data, used, err := w.body.Decode(rest)
		if err != nil || used == 0 {
			if p.Framing == wire.UntilClose && err == nil {
				break
			}
			return errMirrorBroken
		}
		into.Body = append(into.Body, data...)
		rest = rest[used:]
	}
	w.decompress(into)
	return nil
}

// keep copies what is compared of a head, whose buffer is about to change.
func (w *mirrorWorker) keep(p *wire.Response, into *shadow.Answer) {
	names := w.mirror.o.Rules.Headers
	into.Status, into.Body = p.Status, into.Body[:0]
	into.Headers = into.Headers[:0]
	for _, name := range names {
		into.Headers = append(into.Headers, bytes.Clone(p.Value(name)))
	}
	into.Type = bytes.Clone(p.Value("Content-Type"))
	into.Encoding = bytes.Clone(p.Value("Content-Encoding"))
}

// decompress undoes gzip, up to four times what is compared; what cannot be undone is compared as it is.
func (w *mirrorWorker) decompress(a *shadow.Answer) {
	if !bytes.EqualFold(a.Encoding, []byte("gzip")) {
		return
	}
	z, err := gzip.NewReader(bytes.NewReader(a.Body))
	if err != nil {
		return
	}
	limit := int64(4 * w.mirror.o.Body)
	plain, err := io.ReadAll(io.LimitReader(z, limit+1))
	if err == nil && int64(len(plain)) <= limit {
		a.Body = plain
	}
}

package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"serin/gate/window"
	"serin/proxy/upstream"
	"serin/router"
)

// erratic answers with the id of the request it was asked, in one of many ways, and often fails.
func erratic(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("X-Id")
	text := strings.Repeat(id+" ", 1+rand.IntN(40))
	switch rand.IntN(10) {
	case 0:
		panic(http.ErrAbortHandler)
	case 1: // an error in pieces
		w.WriteHeader(500)
		fmt.Fprint(w, text)
		w.(http.Flusher).Flush()
		fmt.Fprint(w, text)
		return
	case 2:
		w.WriteHeader(503)
		fmt.Fprint(w, text)
		return
	case 3: // cut off
		w.Header().Set("Content-Length", fmt.Sprint(2*len(text)))
		fmt.Fprint(w, text)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	case 4:
		w.WriteHeader(500)
		fmt.Fprint(w, strings.Repeat(text, 400))
		return
	case 5:
		w.Header().Set("X-Signal", "done=1")
		w.WriteHeader(http.StatusEarlyHints)
	}
	if rand.IntN(2) == 0 {
		w.(http.Flusher).Flush()
	}
	fmt.Fprint(w, text)
}

// TestExtras_WithEverythingAtOnce_EveryAnswerIsItsUsers: shields, mirrors, drills and signals over an erratic canary, while the
// routing changes all the time. Whatever goes wrong, nobody reads an answer that is another's, and every request is counted
// once.
func TestExtras_WithEverythingAtOnce_EveryAnswerIsItsUsers(t *testing.T) {
	t.Parallel()
	o := rigOptions{weight: 5000, stable: listenLocal(t), canary: listenLocal(t), spec: func(s *upstream.Spec) { s.Retry.Budget = 1 }}
	calm := func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, strings.Repeat(r.Header.Get("X-Id")+" ", 1+rand.IntN(40)))
	}
	for l, h := range map[net.Listener]http.HandlerFunc{o.stable: calm, o.canary: erratic} {
		s := &http.Server{Handler: h}
		t.Cleanup(func() { _ = s.Close() })
		go func() { _ = s.Serve(l) }()
	}
	r := newRig(t, o)
	m := r.mirror(t, o, func(o *MirrorOptions) { o.Noise = .2 })
	var heard [2]atomic.Int64
	shield, signals := new(Shield), hears(&heard)
	evidence := r.snapshot.Splits[0]
	over := make(chan struct{})
	var users sync.WaitGroup
	var asked atomic.Int64
	for user := range 8 {
		users.Go(func() {
			var conn net.Conn
			defer func() {
				if conn != nil {
					_ = conn.Close()
				}
			}()
			var in *bufio.Reader
			for i := 0; ; i++ {
				select {
				case <-over:
					return
				default:
				}
				if conn == nil {
					var err error
					if conn, err = net.Dial("tcp", r.address); err != nil {
						t.Error(err)
						return
					}
					_ = conn.SetDeadline(time.Now().Add(patience))
					in = bufio.NewReader(conn)
				}
				asked.Add(1)
				if !ownAnswer(t, conn, in, user, i) {
					_ = conn.Close()
					conn = nil
				}
			}
		})
	}
	until := time.Now().Add(time.Second)
	for i := 0; time.Now().Before(until); i++ {
		e := &Extras{Shield: shield, Signals: signals}
		if i%2 == 0 {
			e.Mirror = m
		}
		if i%3 == 0 {
			e.Drill = NewDrill(DrillSpec{Abort: .2, Status: 503, Cut: .2, Delay: .2, DelayFor: time.Millisecond, Until: time.Now().Add(time.Minute), MostFaults: 1 << 20})
		}
		if i%5 == 0 {
			e.Shield = nil
		}
		r.give(e)
		time.Sleep(5 * time.Millisecond)
	}
	close(over)
	users.Wait()
	counted := func() (n uint64) {
		for arm := range evidence.Evidence {
			n += evidence.Evidence[arm].Total() + evidence.Forced[arm].Total()
		}
		return n
	}
	eventually(t, func() bool { return counted() == uint64(asked.Load()) }, func() string {
		return fmt.Sprintf("%d requests were counted, want %d", counted(), asked.Load())
	})
	if n := outcomes(evidence.Evidence[router.Stable]); len(n) != 1 || n[window.Success] == 0 {
		t.Errorf("stable is charged with %v, want successes alone", n)
	}
	if shield.Totals().Saved == 0 || m.Totals().Sampled == 0 || heard[1].Load() == 0 {
		t.Errorf("shield %+v, mirror %+v, %d signals: want some of each", shield.Totals(), m.Totals(), heard[1].Load())
	}
	eventually(t, func() bool { return len(m.free) == cap(m.free) }, func() string { return "copies are lost" })
}

// ownAnswer asks and reads, and says whether the connection is still good. An answer may break off, never be another's.
func ownAnswer(t *testing.T, conn net.Conn, in *bufio.Reader, user, i int) bool {
	id := fmt.Sprintf("%d-%d", user, i)
	method, body := "GET", "\r\n"
	if i%4 == 0 {
		method, body = "PUT", "Content-Length: 5\r\n\r\nhello"
	}
	if _, err := fmt.Fprintf(conn, "%s /%s HTTP/1.1\r\nHost: shop\r\nX-User-Id: %s\r\nX-Id: %s\r\n%s", method, id, id, id, body); err != nil {
		t.Errorf("%s: %v", id, err)
		return false
	}
	for {
		p, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			var broken net.Error
			if errors.As(err, &broken) && broken.Timeout() {
				t.Errorf("%s: no answer: %v", id, err)
			}
			return false
		}
		if p.StatusCode < 200 {
			if p.Header.Get("X-Signal") != "" {
				t.Errorf("%s: a signal reached the client", id)
			}
			continue
		}
		text, err := io.ReadAll(p.Body)
		own := strings.HasPrefix(string(text), id+" ") || strings.HasPrefix(id+" ", string(text))
		if s := string(text); !own && p.StatusCode == 200 || p.Header.Get("X-Signal") != "" {
			t.Errorf("%s: got %d %.80q", id, p.StatusCode, s)
		}
		return err == nil && !p.Close
	}
}

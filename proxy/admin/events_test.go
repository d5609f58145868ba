package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
	"serin/gate/control"
)

// pipe is a listener of in-memory connections, for bubbles of fake time.
type pipe struct {
	conns chan net.Conn
	once  sync.Once
	gone  chan struct{}
}

func newPipe() *pipe { return &pipe{conns: make(chan net.Conn), gone: make(chan struct{})} }

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.gone:
		return nil, net.ErrClosed
	}
}

func (p *pipe) Close() error {
	p.once.Do(func() { close(p.gone) })
	return nil
}

func (p *pipe) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (p *pipe) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.gone:
		return nil, net.ErrClosed
	}
}

// served is a server on a pipe.
type served struct {
	*pipe
	client *http.Client
	stop   func() // ends it; the test's end does, too
}

func serve(t *testing.T, o Options) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	p, server := newPipe(), New(o)
	go func() { done <- server.Serve(ctx, p) }()
	tr := &http.Transport{DialContext: p.dial, DisableKeepAlives: true}
	s := &served{pipe: p, client: &http.Client{Transport: tr}, stop: sync.OnceFunc(func() {
		cancel()
		<-done
		tr.CloseIdleConnections()
		synctest.Wait()
	})}
	t.Cleanup(s.stop)
	return s
}

// follow collects events until leave, which says how the stream ended, or the test's end.
func (s *served) follow(t *testing.T, last string) (events <-chan Event, leave func() error) {
	t.Helper()
	all, end := make(chan Event, 100), make(chan error, 1)
	c, _ := NewClient("unix:pipe")
	c.http = s.client
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		end <- c.Events(ctx, last, func(e Event) error {
			all <- e
			return nil
		})
	}()
	leave = sync.OnceValue(func() error {
		cancel()
		return <-end
	})
	t.Cleanup(func() { _ = leave() })
	return all, leave
}

// listen reads a stream as it comes, until the returned function is called, which tells what came.
func (s *served) listen(t *testing.T) (hangUp func() string) {
	t.Helper()
	conn, _ := s.dial(t.Context(), "", "")
	fmt.Fprint(conn, "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
	read := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(conn)
		read <- string(b)
	}()
	return func() string {
		conn.Close()
		return <-read
	}
}

func TestEvents_Changes_FollowASnapshotAtMostOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, loop := rooms()
		events, _ := serve(t, o).follow(t, "")
		first := <-events
		var all Rollouts
		if err := json.Unmarshal(first.Data, &all); err != nil || first.Kind != "snapshot" || len(all.Rollouts) != 1 {
			t.Fatalf("first event %s %s", first.Kind, first.Data)
		}
		for range 40 { // ten changes a second for four seconds
			loop.set(func(r *control.RolloutStatus) { r.Version++ })
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait()
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(events); n < 4 || n > 5 {
			t.Errorf("%d events in five seconds, want one a second", n)
		}
		var last Rollout
		for len(events) > 0 {
			e := <-events
			if err := json.Unmarshal(e.Data, &last); err != nil || e.Kind != "rollout" || e.ID == "" {
				t.Fatalf("event %+v", e)
			}
		}
		if last.Version != 57 {
			t.Errorf("the last event says version %d, want 57", last.Version)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if len(events) != 0 {
			t.Errorf("%d events without a change", len(events))
		}
	})
}

func TestFeed_TickThatComesAMomentEarly_MissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, loop := rooms()
		s := New(o)
		_, seq := s.events.changes(0, true)
		for i, wait := range []time.Duration{eventPeriod - 3*time.Millisecond, eventPeriod, eventPeriod / 2} {
			loop.set(func(r *control.RolloutStatus) { r.Version++ })
			time.Sleep(wait)
			list, now := s.events.changes(seq, false)
			if want := i < 2; (len(list) > 0) != want {
				t.Errorf("%v after the last look: %d events", wait, len(list))
			}
			seq = now
		}
	})
}

func TestEvents_HeartbeatThatIsNone_IsRefused(t *testing.T) {
	t.Parallel()
	o, _ := rooms()
	for _, text := range []string{"x", "2", "-1s", "0s"} {
		w := ask(New(o).Handler(), "GET", "/v1/events?heartbeat="+text, "")
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"hint":"use \"2s\";`) {
			t.Errorf("%s: got %d %s", text, w.Code, w.Body)
		}
	}
}

func TestEvents_Resumed_SendWhatWasMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, loop := rooms()
		s := serve(t, o)
		events, leave := s.follow(t, "")
		id := (<-events).ID
		_ = leave()
		time.Sleep(3 * time.Second)
		loop.set(func(r *control.RolloutStatus) { r.Phase = gate.Holding })
		for _, c := range []struct{ last, kind string }{
			{id, "rollout"}, {"other-7", "snapshot"}, {id + "000", "snapshot"}, {"", "snapshot"}, {"x", "snapshot"},
		} {
			events, leave := s.follow(t, c.last)
			if e := <-events; e.Kind != c.kind || !strings.Contains(string(e.Data), `"holding"`) {
				t.Errorf("resumed from %q: got %s %s, want %s", c.last, e.Kind, e.Data, c.kind)
			}
			_ = leave()
		}
	})
}

func TestEvents_RolloutRemoved_IsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, loop := rooms()
		events, _ := serve(t, o).follow(t, "")
		<-events
		loop.mu.Lock()
		loop.rollouts = nil
		loop.mu.Unlock()
		if e := <-events; e.Kind != "removed" || string(e.Data) != `{"name":"checkout"}` {
			t.Errorf("got %s %s", e.Kind, e.Data)
		}
	})
}

func TestEvents_Quiet_AreKeptAliveByAHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, _ := rooms()
		hangUp := serve(t, o).listen(t)
		time.Sleep(3*heartbeat + time.Second)
		if got := strings.Count(hangUp(), ": alive\n\n"); got != 3 {
			t.Errorf("%d heartbeats in 46 s, want 3", got)
		}
	})
}

func TestEvents_BusyStream_HasHeartbeatsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, loop := rooms()
		hangUp := serve(t, o).listen(t)
		for range 16 {
			time.Sleep(time.Second)
			loop.set(func(r *control.RolloutStatus) { r.Version++ })
		}
		time.Sleep(time.Second)
		got := hangUp()
		if strings.Count(got, ": alive\n\n") != 1 || strings.Count(got, "event: rollout\n") < 10 {
			t.Errorf("want one heartbeat among the changes of 17 s, got\n%s", got)
		}
	})
}

func TestEvents_SlowReader_IsDroppedAndHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, loop := rooms()
		s := serve(t, o)
		slow, _ := s.dial(t.Context(), "", "")
		fmt.Fprint(slow, "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n") // and never reads
		events, _ := s.follow(t, "")
		<-events
		for i := range 3 {
			loop.set(func(r *control.RolloutStatus) { r.Version++ })
			began := time.Now()
			<-events
			if waited := time.Since(began); waited > eventPeriod {
				t.Errorf("change %d came after %v", i, waited)
			}
		}
		time.Sleep(eventWrite + writeTimeout)
		synctest.Wait()
		slow.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := io.Copy(io.Discard, slow); err != nil {
			t.Errorf("the slow reader is still connected: %v", err)
		}
	})
}

func TestEvents_TooManyReaders_AreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, _ := rooms()
		s := serve(t, o)
		leaves := make([]func() error, maxSubscribers)
		for i := range leaves {
			var events <-chan Event
			events, leaves[i] = s.follow(t, "")
			<-events
		}
		_, leave := s.follow(t, "")
		synctest.Wait()
		var status *StatusError
		if err := leave(); !errors.As(err, &status) || status.Status != 503 {
			t.Errorf("reader %d: got %v, want 503", maxSubscribers+1, err)
		}
		for _, leave := range leaves {
			_ = leave()
		}
		synctest.Wait()
		events, _ := s.follow(t, "")
		<-events
	})
}

func TestServe_ContextEnds_StreamsEndAndNothingStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, _ := rooms()
		s := serve(t, o)
		events, leave := s.follow(t, "")
		<-events
		began := time.Now()
		s.stop()
		var unreachable *UnreachableError
		if err := leave(); !errors.As(err, &unreachable) {
			t.Errorf("the stream ended with %v", err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("stopping took %v", took)
		}
	})
}

package proxy

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"serin/gate/window"
	"serin/proxy/upstream"
)

func TestDrain_RequestUnderWay_IsAnsweredAndTheLastOfItsConnection(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	busy, idle := r.dial(), r.dial()
	idle.send(get)
	first := accept(t, up)
	first.head()
	first.send(nothing)
	wantStatus(t, idle.head(), 204)
	busy.send(get)
	first.head() // the same connection, reused

	done := make(chan error)
	go func() { done <- r.proxy.Drain(context.Background()) }()
	idle.expectEnd()
	first.send(ok5)
	head := busy.head()
	wantStatus(t, head, 200)
	wantField(t, head, "Connection: close")
	busy.expect("hello")
	busy.expectEnd()
	if err := <-done; err != nil {
		t.Errorf("got %v, want a clean drain", err)
	}
}

func TestDrain_RequestThatWasOnItsWay_IsServed(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	client := r.dial()
	client.send(get)
	server := accept(t, up)
	server.head()
	server.send(nothing)
	client.head()
	done := make(chan error)
	go func() { done <- r.proxy.Drain(context.Background()) }()
	eventually(t, r.proxy.draining.Load, func() string { return "not draining" })
	client.send(get)
	server.head()
	server.send(nothing)
	wantField(t, client.head(), "Connection: close")
	client.expectEnd()
	if err := <-done; err != nil {
		t.Errorf("got %v, want a clean drain", err)
	}
}

func TestDrain_TimeIsUp_WhatIsLeftIsResetAndNeutral(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	client := r.dial()
	client.send(get)
	server := accept(t, up)
	server.head()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := r.proxy.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	server.expectEnd()
	if n := r.proxy.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	wantOutcome(t, r.snapshot.Splits[0].Evidence[0], window.Neutral, 1)
}

func TestDrain_UnderLoad_LosesNoRequest(t *testing.T) {
	t.Parallel()
	r := twoArms(t, rigOptions{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			client := r.dial()
			for {
				head, _ := client.ask(userGet("a"))
				wantStatus(t, head, 200)
				if containsLine(head, "Connection: close") {
					return
				}
			}
		})
	}
	eventually(t, func() bool { return r.proxy.Connections() == 4 }, func() string { return "clients missing" })
	if err := r.proxy.Drain(context.Background()); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

func TestServe_ContextEnds_ListenerClosesAndConnectionsLiveOn(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	client := r.dial()
	client.send(get)
	server := accept(t, up)
	server.head()
	_ = r.listener.Close()
	if _, err := net.DialTimeout("tcp", r.address, time.Second); err == nil {
		t.Error("a closed listener still accepts")
	}
	server.send(nothing)
	wantStatus(t, client.head(), 204)
}

func TestProxy_BeforeTheFirstPublish_Answers503(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	r.proxy.snap.Store(nil)
	client := r.dial()
	client.send(get)
	wantStatus(t, client.head(), 503)
}

// explosive is an access log that panics: a bug in a connection's goroutine.
type explosive struct{ once sync.Once }

func (e *explosive) Log(*Entry) { e.once.Do(func() { panic("boom") }) }

func TestProxy_PanicInAConnection_CostsThatConnectionOnly(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up, access: &explosive{}})
	victim := r.dial()
	victim.send(get)
	server := accept(t, up)
	server.head()
	server.send(nothing)
	victim.head()
	victim.expectReset()
	other := r.dial()
	other.send(get)
	server.head()
	server.send(nothing)
	wantStatus(t, other.head(), 204)
	wantOutcome(t, r.snapshot.Splits[0].Evidence[0], window.Success, 2)
	if n := r.proxy.panics.Swap(0); n != 1 {
		t.Errorf("got %d panics counted, want 1", n)
	}
}

// keptLog copies what it is told.
type keptLog struct {
	mu      sync.Mutex
	entries []Entry
}

func (k *keptLog) Log(e *Entry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := *e
	kept.Method, kept.Target = append([]byte(nil), e.Method...), append([]byte(nil), e.Target...)
	kept.Host, kept.UserAgent = append([]byte(nil), e.Host...), append([]byte(nil), e.UserAgent...)
	k.entries = append(k.entries, kept)
}

func TestAccessLog_IsToldOfEveryRequestOnce(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	kept := &keptLog{}
	r := newRig(t, rigOptions{stable: up, access: kept})
	client := r.dial()
	client.send("POST /x?y HTTP/1.1\r\nHost: shop\r\nX-User-Id: a\r\nUser-Agent: test\r\nContent-Length: 6\r\n\r\nabc")
	server := accept(t, up)
	server.head()
	client.send("def")
	server.expect("abcdef")
	server.send(ok5)
	client.head()
	client.expect("hello")
	eventually(t, func() bool {
		kept.mu.Lock()
		defer kept.mu.Unlock()
		return len(kept.entries) == 1
	}, func() string { return "no entry" })
	e := kept.entries[0]
	got := []string{string(e.Method), string(e.Target), string(e.Host), string(e.UserAgent), e.Route, e.Rollout, e.Arm, e.Upstream}
	want := []string{"POST", "/x?y", "shop", "test", "all", "checkout", "stable", "v1"}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("field %d: got %q, want %q", i, got[i], want[i])
		}
	}
	if e.Status != 200 || e.RequestBytes != 6 || e.ReplyBytes != 5 || e.Outcome != window.Success || e.Head <= 0 || e.Total < e.Head {
		t.Errorf("got %+v", e)
	}
}

func TestRetry_GoesToAnotherServer(t *testing.T) {
	t.Parallel()
	bad, good := listenLocal(t), listenLocal(t)
	r := newRig(t, rigOptions{stable: bad, spec: func(s *upstream.Spec) {
		s.Balance = "round_robin"
		s.Servers = []upstream.ServerSpec{
			{Name: "good", Network: "tcp", Address: good.Addr().String()},
			{Name: "bad", Network: "tcp", Address: bad.Addr().String()},
		}
	}})
	go echoAnswers(good, []byte(ok5))
	go func() {
		for {
			conn, err := bad.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	client := r.dial()
	for range 10 {
		client.send(get)
		wantStatus(t, client.head(), 200)
		client.expect("hello")
	}
	wantOutcome(t, r.snapshot.Splits[0].Evidence[0], window.Success, 10)
	var retries uint64
	for _, s := range r.snapshot.Pools[0].Status().Servers {
		retries += s.Retries
	}
	if retries == 0 {
		t.Error("nothing was retried: the test proves nothing")
	}
}

// echoAnswers answers every head it reads.
func echoAnswers(l net.Listener, answer []byte) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			buffer := make([]byte, 4096)
			for {
				if _, err := conn.Read(buffer); err != nil {
					return
				}
				if _, err := conn.Write(answer); err != nil {
					return
				}
			}
		}()
	}
}

func containsLine(head, line string) bool {
	for l := range splitLines(head) {
		if l == line {
			return true
		}
	}
	return false
}

package admin

import (
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// noted is a connection that knows whether it was closed.
type noted struct {
	net.Conn
	closed bool
}

func (n *noted) Close() error { n.closed = true; return nil }

// enter connects to a crowd and goes on to a state.
func enter(c *crowd, state http.ConnState) *noted {
	n := new(noted)
	c.track(n, http.StateNew)
	c.track(n, state)
	return n
}

func TestCrowd_Full_TheLongestWaitingMakesRoom(t *testing.T) {
	c := newCrowd(3)
	busy, first, second := enter(c, http.StateActive), enter(c, http.StateIdle), enter(c, http.StateIdle)
	third := enter(c, http.StateIdle)
	if !first.closed || busy.closed || second.closed || third.closed {
		t.Error("not exactly the longest waiting was closed")
	}
}

func TestCrowd_FullOfBusyOnes_TheNextIsClosed(t *testing.T) {
	c := newCrowd(1)
	busy := enter(c, http.StateActive)
	next := enter(c, http.StateIdle)
	if !next.closed || busy.closed {
		t.Error("not exactly the next one was closed")
	}
}

func TestWelcome_OnlyRootAndOurselves(t *testing.T) {
	us := os.Geteuid()
	for uid, want := range map[int]bool{0: true, us: true, us + 1: false, 65534: us == 65534, -1: false} {
		if got := welcome(uid); got != want {
			t.Errorf("user %d: got %v, want %v", uid, got, want)
		}
	}
}

func TestPeer_OverAUnixSocket_IsUs(t *testing.T) {
	ln, err := Listen("unix:" + filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	near, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	if uid, err := peer(far.(*net.UnixConn)); err != nil || uid != os.Geteuid() {
		t.Errorf("got user %d and %v, want %d", uid, err, os.Geteuid())
	}
	if _, err := Listen("unix:" + ln.Addr().String()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v, want %v", err, syscall.EADDRINUSE)
	}
}

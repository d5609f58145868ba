package admin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"serin/gate"
)

// daemon serves fakes on a real listener until the test ends.
func daemon(t *testing.T, address string) (*Client, *fakeLoop) {
	t.Helper()
	o, loop := rooms()
	ln, err := Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	s := New(o)
	go func() { done <- s.Serve(ctx, ln) }()
	if !strings.HasPrefix(address, "unix:") {
		address = ln.Addr().String()
	}
	c, err := NewClient(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return c, loop
}

func TestClient_EveryCall_RoundTrips(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "unix:" + filepath.Join(t.TempDir(), "admin.sock")} {
		c, loop := daemon(t, address)
		ctx := t.Context()
		if list, err := c.Rollouts(ctx); err != nil || len(list) != 1 || list[0].Weight != .25 {
			t.Errorf("%s: rollouts %v %v", address, list, err)
		}
		if ro, err := c.Rollout(ctx, "checkout"); err != nil || ro.Version != 17 {
			t.Errorf("%s: rollout %v %v", address, ro, err)
		}
		var status *StatusError
		if _, err := c.Rollout(ctx, "a/../b"); !errors.As(err, &status) || status.Status != 404 || !strings.Contains(err.Error(), `"a/../b"`) {
			t.Errorf("%s: a name with slashes: %v", address, err)
		}
		version := uint64(17)
		if d, err := c.Act(ctx, "checkout", "pause", Act{Reason: "r", Actor: "ann", IfVersion: &version}); err != nil || d.Sentence == "" {
			t.Errorf("%s: act %v %v", address, d, err)
		}
		loop.refusal = gate.RefusedVersion
		if _, err := c.Act(ctx, "checkout", "pause", Act{IfVersion: &version}); !errors.As(err, &status) || status.Status != 412 || status.Hint == "" {
			t.Errorf("%s: refused act: %v", address, err)
		}
		if list, err := c.Decisions(ctx, "checkout", time.Now().Add(-time.Hour), 5); err != nil || len(list) != 2 {
			t.Errorf("%s: decisions %v %v", address, list, err)
		}
		if x, err := c.Explain(ctx, Ask{Key: "alice & bob?"}); err != nil || x.Key != "alice & bob?" || len(x.Rollouts) != 1 {
			t.Errorf("%s: explain %v %v", address, x, err)
		}
		if v, err := c.Config(ctx); err != nil || !strings.Contains(v.TOML, "[admin]") {
			t.Errorf("%s: config %v %v", address, v, err)
		}
		if v, err := c.Reload(ctx); err != nil || v.Status != "in_force" {
			t.Errorf("%s: reload %v %v", address, v, err)
		}
	}
}

func TestClient_NobodyThere_IsUnreachable(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := ln.Addr().String()
	ln.Close()
	for _, address := range []string{free, "http://" + free, "unix:" + filepath.Join(t.TempDir(), "none.sock")} {
		c, err := NewClient(address)
		if err != nil {
			t.Fatal(err)
		}
		var unreachable *UnreachableError
		if _, err := c.Rollouts(t.Context()); !errors.As(err, &unreachable) || unreachable.Address != address {
			t.Errorf("%s: got %v", address, err)
		}
	}
}

func TestNewClient_BadAddresses_AreRefused(t *testing.T) {
	for _, address := range []string{"", "localhost", "ftp://x", "http://", "unix:", "127.0.0.1:", "http://[::1"} {
		if _, err := NewClient(address); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
	for _, address := range []string{":9180", "localhost:9180", "[::1]:9180", "https://serin.example", "http://127.0.0.1:1/base/"} {
		if _, err := NewClient(address); err != nil {
			t.Errorf("%q was refused: %v", address, err)
		}
	}
}

func TestClient_AnotherServerAnswers_SaysSo(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hs := &http.Server{Handler: http.NotFoundHandler()}
	done := make(chan struct{})
	go func() {
		hs.Serve(ln)
		close(done)
	}()
	c, err := NewClient(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var status *StatusError
	if _, err := c.Rollouts(t.Context()); !errors.As(err, &status) || !strings.Contains(status.Hint, "admin address") {
		t.Errorf("got %v", err)
	}
	c.Close()
	hs.Close()
	<-done
}

func TestListen_UnixSocket_IsPrivateAndReplacesADeadOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	for range 2 { // the second finds what a killed process leaves behind
		ln, err := Listen("unix:" + path)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v %v, want 0600", info.Mode(), err)
		}
		if ln.Addr().String() != path {
			t.Errorf("address %v", ln.Addr())
		}
		ln.(*unixListener).UnixListener.Close()
	}
	ln, err := Listen("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen("unix:" + path); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second listener: %v", err)
	}
	ln.Close()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket stays after Close: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
	if err := os.WriteFile(path, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen("unix:" + path); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("over a file: %v", err)
	}
}

func TestServe_HeadOfAMegabyte_IsRefused(t *testing.T) {
	c, _ := daemon(t, "127.0.0.1:0")
	var status *StatusError
	_, err := c.Explain(t.Context(), Ask{Key: strings.Repeat("k", 1<<20)})
	if !errors.As(err, &status) || status.Status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %v, want 431", err)
	}
}

func TestServe_BodyWithoutALength_IsStillBounded(t *testing.T) {
	c, loop := daemon(t, "127.0.0.1:0")
	body := io.MultiReader(strings.NewReader(`{"reason":"`), bytes.NewReader(bytes.Repeat([]byte("x"), 2<<20)), strings.NewReader(`"}`))
	req, err := http.NewRequest("POST", c.base.String()+"/v1/rollouts/checkout/pause", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err == nil {
		resp.Body.Close()
		if resp.StatusCode != 413 {
			t.Errorf("got %d, want 413", resp.StatusCode)
		}
	}
	if len(loop.got) != 0 {
		t.Errorf("the loop was asked")
	}
}

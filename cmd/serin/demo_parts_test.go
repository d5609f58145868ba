package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"
)

func TestDemoService_UnixSocket_IsServed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v1.sock")
	ctx, cancel := context.WithCancel(context.Background())
	code := make(chan int, 1)
	var talk bytes.Buffer
	e := &env{stdout: &talk, stderr: &talk, getenv: func(string) string { return "" }}
	go func() { code <- e.run(ctx, []string{"demo", "service", "--listen", "unix:" + path}) }()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		for {
			c, err := new(net.Dialer).DialContext(ctx, "unix", path)
			if err == nil || ctx.Err() != nil {
				return c, err
			}
		}
	}}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	answer, err := client.Get("http://v1/")
	if err != nil {
		cancel()
		t.Fatalf("%v: exit %d %s", err, <-code, talk.String())
	}
	answer.Body.Close()
	cancel()
	if got := <-code; got != exitOK || answer.Header.Get("X-Version") != "v1" {
		t.Errorf("exit %d, version %q: %s", got, answer.Header.Get("X-Version"), talk.String())
	}
}

package main

import (
	"strings"
	"testing"
)

// Every key of [listen] that refuses something reaches the daemon, and goes again with the next reload.
func TestE2E_Listen_RefusalsFollowTheFile(t *testing.T) {
	t.Parallel()
	const (
		other  = "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"
		odd    = "GET /a/..%2fb HTTP/1.1\r\nHost: shop.example\r\n\r\n"
		under  = "GET / HTTP/1.1\r\nHost: shop.example\r\nX_Odd: 1\r\n\r\n"
		looped = "GET / HTTP/1.1\r\nHost: shop.example\r\nVia: 1.1 edge-1\r\n\r\n"
	)
	e := newEdge(t, `[listen]
address = %q
hosts = ["shop.example"]
ambiguous_paths = "reject"
underscores = "reject"
via = "edge-1"
limits = { requests = 2 }
`)
	e.dial().ask(other, 421)
	e.dial().ask(odd, 400)
	e.dial().ask(under, 400)
	e.dial().ask(looped, 508)
	c := e.dial()
	if via := c.ask(getRoot, 200).Header.Get("Via"); via != "1.1 edge-1" {
		t.Errorf("the upstream got Via %q", via)
	}
	c.ask(getRoot, 200)
	c.ended()
	if text := e.metrics(); !strings.Contains(text, "\nserin_requests_refused_total 4\n") {
		t.Error("four refusals are not counted")
	}
	e.mustRelisten("[listen]\naddress = %q\n")
	c = e.dial()
	for _, request := range []string{other, odd, under, looped, getRoot} {
		if via := c.ask(request, 200).Header.Get("Via"); via != "" && request != looped {
			t.Errorf("the upstream got Via %q", via)
		}
	}
}

func TestE2E_Memory_LimitFollowsTheFile(t *testing.T) {
	t.Parallel()
	e := newEdge(t, "[listen]\naddress = %q\n[limits]\nmemory = \"1GiB\"\n")
	limit := func(want string) {
		t.Helper()
		if text := e.metrics(); !strings.Contains(text, "\nserin_memory_limit_bytes "+want+"\n") {
			t.Errorf("the metrics lack a limit of %s", want)
		}
	}
	limit("9.66367638e+08") // nine tenths, in whole tenths
	e.mustRelisten("[listen]\naddress = %q\n[limits]\nmemory = \"2GiB\"\n")
	limit("1.932735276e+09")
}

package main

import (
	"context"
	"fmt"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"serin/proxy/admin"
)

// A PROXY header of version 2 for 203.0.113.9:4711 -> 192.0.2.1:443.
const proxyV2 = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x09\xc0\x00\x02\x01\x12\x67\x01\xbb"

const forged = "GET /?a=1 HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n" +
	"X-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 1\r\nX-Real-IP: 198.51.100.7\r\nForwarded: for=198.51.100.7\r\n\r\n"

// rebuilt wants the forwarding fields that name client and nobody else.
func rebuilt(t *testing.T, got echoed, client, proto string) {
	t.Helper()
	want := map[string]string{
		"X-Forwarded-For": client, "X-Forwarded-Proto": proto, "X-Forwarded-Host": "shop.example",
		"X-Forwarded-Port": "", "X-Real-Ip": "", "Forwarded": "",
	}
	for name, value := range want {
		if lines := got.Header.Values(name); strings.Join(lines, "|") != value {
			t.Errorf("%s: got %q, want %q", name, lines, value)
		}
	}
}

func TestE2E_ProxyProtocol_TrustedPeerNamesTheClient(t *testing.T) {
	t.Parallel()
	e := newEdge(t, "[listen]\naddress = %q\nproxy_protocol = true\ntrusted_proxies = [\"127.0.0.0/8\"]\n")
	for name, header := range map[string]string{
		"version 1": "PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n", "version 2": proxyV2,
	} {
		c := e.dial()
		c.send(header)
		rebuilt(t, c.ask(forged, 200), "203.0.113.9", "http")
		rebuilt(t, c.ask(forged, 200), "203.0.113.9", "http")
		if t.Failed() {
			t.Fatal(name)
		}
	}
	six := e.dial()
	six.send("PROXY TCP6 2001:db8::1 2001:db8::2 4711 443\r\n")
	rebuilt(t, six.ask(forged, 200), "2001:db8::1", "http")
	check := e.dial() // the balancer's own health check
	check.send("PROXY UNKNOWN\r\n")
	if from := check.ask(getRoot, 200).Header.Get("X-Forwarded-For"); from != "127.0.0.1" {
		t.Errorf("a check of the balancer comes from %q", from)
	}
	for name, bytes := range map[string]string{
		"no header": getRoot, "malformed": "PROXY TCP4 203.0.113.9\r\n" + getRoot, "sent twice": "PROXY UNKNOWN\r\nPROXY UNKNOWN\r\n" + getRoot,
	} {
		c := e.dial()
		c.send(bytes)
		if line, _ := c.r.ReadString('\n'); strings.Contains(line, " 200 ") {
			t.Errorf("%s: %s", name, line)
		}
	}
}

func TestE2E_ProxyProtocol_StrangerIsRefused(t *testing.T) {
	t.Parallel()
	e := newEdge(t, "[listen]\naddress = %q\nproxy_protocol = true\ntrusted_proxies = [\"10.0.0.0/8\"]\n")
	for _, header := range []string{"PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n", proxyV2, ""} {
		c := e.dial()
		_, _ = c.Write([]byte(header + getRoot))
		c.ended()
	}
}

func TestE2E_ForwardingFields_AreRebuiltForStrangersAndAppendedForProxies(t *testing.T) {
	t.Parallel()
	e := newEdge(t, "[listen]\naddress = %q\n")
	rebuilt(t, e.dial().ask(forged, 200), "127.0.0.1", "http")
	e.mustRelisten("[listen]\naddress = %q\ntrusted_proxies = [\"127.0.0.0/8\"]\n")
	got := e.dial().ask(forged, 200).Header
	for name, want := range map[string]string{
		"X-Forwarded-For": "198.51.100.7, 127.0.0.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example",
	} {
		if value := got.Get(name); value != want {
			t.Errorf("%s: got %q, want %q", name, value, want)
		}
	}
}

func TestE2E_UnixSockets_OnBothSides(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	l, err := net.Listen("unix", dir+"/up")
	if err != nil {
		t.Fatal(err)
	}
	e := &edge{site: newSite(t), upstream: startEcho(t, l, nil, nil)}
	e.site.listen = "unix:" + dir + "/front"
	e.daemonProcess = startDaemon(t, e.site, e.file(t, "[listen]\naddress = %q\n"))
	c := e.dial()
	for range 3 {
		got := c.ask("POST /a HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\nX-Forwarded-For: 198.51.100.7\r\n\r\nhello", 200)
		if got.Body != 5 || got.Target != "/a" || got.Header.Get("X-Forwarded-For") != "" {
			t.Errorf("the upstream saw %+v", got)
		}
	}
	if code := e.Signal(15); code != 0 {
		t.Errorf("exit %d", code)
	}
	e.refused(e.site.listen)
}

// ipLadder splits by the client's address and tells the arm.
const ipLadder = `
trusted_proxies = ["127.0.0.0/8"]
[upstream.v1]
servers = [%q]
[upstream.v2]
servers = [%q]
[rollout.shop]
stable = "v1"
canary = "v2"
key    = ["ip"]
ladder = ["50%%", "100%%"]
every  = "10m"
expose = true
[[rollout.shop.gate]]
metric = "error_rate"
hold   = "stable + 5pt"
`

func TestE2E_IPKey_IsTheClientsNotTheProxys(t *testing.T) {
	t.Parallel()
	for name, proxied := range map[string]bool{"PROXY protocol": true, "X-Forwarded-For": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			v1, v2 := startEcho(t, listenTCP(t), nil, nil), startEcho(t, listenTCP(t), nil, nil)
			tables := fmt.Sprintf("[listen]\naddress = %q\nproxy_protocol = %v", s.listen, proxied) + fmt.Sprintf(ipLadder, v1, v2)
			d := startDaemon(t, s, s.file(t, tables))
			d.Follow(20*time.Second, func(ro admin.Rollout) bool { return ro.Weight == .5 })
			arms := map[string]int{}
			for i := range 40 {
				ip := fmt.Sprintf("203.0.113.%d", i)
				c := dialWire(t, s.listen)
				request := getRoot
				if proxied {
					c.send("PROXY TCP4 " + ip + " 192.0.2.1 4711 443\r\n")
				} else {
					request = strings.Replace(getRoot, "\r\n\r\n", "\r\nX-Forwarded-For: "+ip+"\r\n\r\n", 1)
				}
				c.send(request)
				resp, _ := c.answer()
				told, err := d.Client.Explain(context.Background(), admin.Ask{Key: ip})
				if err != nil {
					t.Fatal(err)
				}
				arm := resp.Header.Get("Serin-Arm")
				if want := told.Rollouts[0].Arm; arm != want {
					t.Errorf("%s went to %s, explain says %s", ip, arm, want)
				}
				arms[arm]++
			}
			if math.Abs(float64(arms["canary"]-20)) > 15 { // 40 fair coins: 4.7 sigma
				t.Errorf("40 clients went to %v at 50 %%", arms)
			}
		})
	}
}

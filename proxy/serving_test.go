package proxy

import (
	"net/netip"
	"testing"
)

func TestSet_NewConnection_GetsTheNewTermsAndAnOpenOneKeepsIts(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	forwarded := "GET / HTTP/1.1\r\nHost: shop\r\nX-User-Id: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n"
	before := r.dial()
	before.send(get)
	server := accept(t, up)
	server.head()
	server.send(nothing)
	before.head()
	r.serving.Set(ServeOptions{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	for client, want := range map[*peer]string{before: "X-Forwarded-For: 127.0.0.1", r.dial(): "X-Forwarded-For: 203.0.113.9, 127.0.0.1"} {
		client.send(forwarded)
		wantField(t, server.head(), want)
		server.send(nothing)
		client.head()
	}
}

func TestRetire_ItsConnectionsEndAndOthersLiveOn(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	idle, busy := r.dial(), r.dial()
	idle.send(get)
	server := accept(t, up)
	server.head()
	server.send(nothing)
	idle.head()
	busy.send(get)
	server.head()
	r.proxy.Retire(NewServing(ServeOptions{})) // another listener's
	idle.send(get)
	second := accept(t, up)
	second.head()
	second.send(nothing)
	wantNoField(t, idle.head(), "Connection")
	r.proxy.Retire(r.serving)
	idle.expectEnd()
	server.send(ok5)
	wantField(t, busy.head(), "Connection: close")
	busy.expect("hello")
	busy.expectEnd()
}

func TestSettled_WaitsForThoseWhoAreThereOnly(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	r := newRig(t, rigOptions{stable: up})
	<-r.proxy.Settled() // nobody is there
	count := func(n int) {
		t.Helper()
		eventually(t, func() bool { return r.proxy.Connections() == n }, func() string { return "clients missing" })
	}
	first, second := r.dial(), r.dial()
	count(2)
	settled := r.proxy.Settled()
	third := r.dial()
	count(3)
	_ = first.Close()
	count(2)
	select {
	case <-settled:
		t.Error("settled with one of them left")
	default:
	}
	_ = second.Close()
	<-settled
	count(1)
	_ = third.Close()
}

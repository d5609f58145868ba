package listen

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// A crowd from one address costs a few half-closed connections for a second, and nothing else.
func TestTurnAway_Crowd_IsBounded(t *testing.T) {
	t.Parallel()
	l := listenTest(t, Spec{PerIP: 1, Connections: 100})
	dialTest(t, l)
	acceptTest(t, l)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_, _ = l.Accept()
	}()
	most := 1 + 100/awayPart
	var told, closed int
	for range 4 * most {
		conn := dialTest(t, l)
		if answer, err := io.ReadAll(conn); err == nil && strings.HasPrefix(string(answer), "HTTP/1.1 503 ") {
			told++
		} else {
			closed++
		}
		if held := l.Open(); held > 2+most { // the one that is served, the one awaited
			t.Fatalf("%d places are held", held)
		}
	}
	if told < most || closed == 0 {
		t.Errorf("%d were told and %d only closed, want %d told", told, closed, most)
	}
	for until := time.Now().Add(patience); l.away.Load() > 0 || l.Open() > 2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%d are still kept, %d places held", l.away.Load(), l.Open())
		}
	}
	_ = l.Close()
	<-stopped
}

func TestOpen_PerIPCapBehindABalancer_TurnsTheSurplusAway(t *testing.T) {
	t.Parallel()
	l := listenTest(t, Spec{ProxyProtocol: true, PerIP: 1, Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	open := func() (net.Conn, error) {
		t.Helper()
		client := dialTest(t, l)
		if _, err := io.WriteString(client, "PROXY TCP4 192.0.2.7 192.0.2.1 1000 80\r\nGET / HTTP/1.1\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		return client, acceptTest(t, l).Open(t.Context())
	}
	if _, err := open(); err != nil {
		t.Fatal(err)
	}
	second, err := open()
	if !errors.Is(err, errCrowd) {
		t.Fatalf("got %v, want the cap's refusal", err)
	}
	_ = second.SetDeadline(time.Now().Add(patience))
	answer, err := io.ReadAll(second)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 503 ") {
		t.Errorf("got %q and %v, want a 503", answer, err)
	}
	if l.away.Load() != 0 || l.Refused() != 1 {
		t.Errorf("%d kept, %d refused", l.away.Load(), l.Refused())
	}
}

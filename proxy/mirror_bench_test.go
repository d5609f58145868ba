//go:build !race

package proxy

import (
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"serin/router"
)

// BenchmarkMirror_Shadow measures what a mirrored user notices of his requests' shadow. Two proxies stand side by side, one
// with a mirror of every request, one without, and are asked in turn: whatever else the machine does meets both.
func BenchmarkMirror_Shadow(b *testing.B) {
	stop, chunk := make(chan struct{}), make([]byte, 1<<16)
	b.Cleanup(func() { close(stop) })
	shadows := []struct {
		name   string
		canary http.HandlerFunc
	}{
		{"good", says(200, "v1")},
		{"dead", nil},
		{"slow", func(http.ResponseWriter, *http.Request) { <-stop }},
		{"huge", func(w http.ResponseWriter, _ *http.Request) {
			for range 1024 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}},
	}
	for _, s := range shadows {
		b.Run("shadow="+s.name, func(b *testing.B) {
			o := rigOptions{stable: listenLocal(b), canary: listenLocal(b)}
			go echoServer(o.stable, answerOf(512))
			if s.canary != nil {
				server := &http.Server{Handler: s.canary}
				b.Cleanup(func() { _ = server.Close() })
				go func() { _ = server.Serve(o.canary) }()
			} else {
				_ = o.canary.Close()
			}
			plain, mirroring := newRig(b, o), newRig(b, o)
			mirroring.mirror(b, o, func(o *MirrorOptions) { o.Share = router.Full })
			benchSideBySide(b, plain.address, mirroring.address)
		})
	}
}

// benchSideBySide asks both in turn, at 250 requests a second each.
func benchSideBySide(b *testing.B, plain, mirroring string) {
	var took [2][]time.Duration
	var conns [2]net.Conn
	for i, address := range []string{plain, mirroring} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		conns[i] = conn
	}
	buffer, failed := make([]byte, 64<<10), 0
	pace := time.NewTicker(2 * time.Millisecond)
	defer pace.Stop()
	for b.Loop() {
		for i, conn := range conns {
			<-pace.C
			began := time.Now()
			if err := roundTrip(conn, []byte(userGet("alice")), buffer, 512); err != nil {
				failed++
			}
			took[i] = append(took[i], time.Since(began))
		}
	}
	for i, name := range []string{"plain", "mirrored"} {
		slices.Sort(took[i])
		b.ReportMetric(float64(took[i][len(took[i])/2].Microseconds()), name+"-p50-us")
		b.ReportMetric(float64(took[i][len(took[i])*99/100].Microseconds()), name+"-p99-us")
	}
	b.ReportMetric(float64(failed), "failed")
}

package proxy

import (
	"context"
	"time"

	"serin/proxy/listen"
)

const (
	// roomEvery is how often idle clients are asked to leave while others wait for a place.
	roomEvery = 100 * time.Millisecond
	// roomPart of the clients are asked at a time, at least one.
	roomPart = 64
)

// makeRoom has idle clients of l give their places to those who wait, until ctx ends. Keep-alive is a courtesy that ends
// where it costs others their service; busy clients leave after their answer (see ending).
func (p *Proxy) makeRoom(ctx context.Context, l *listen.Listener, s *Serving) {
	ticker := time.NewTicker(roomEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if l.Crowded() {
				p.askToLeave(s, 1+l.Open()/roomPart)
			}
		}
	}
}

// askToLeave interrupts n idle clients of s, or of all listeners where s is nil. Nobody is asked twice: a request that was on its way has drainGrace to arrive.
func (p *Proxy) askToLeave(s *Serving, n int) {
	p.each(func(c *client) {
		if n > 0 && (s == nil || c.serving == s) && !c.asked && c.hurry() {
			c.asked = true
			n--
		}
	})
}

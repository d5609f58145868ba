package proxy

import "time"

// pace measures how fast a client sends its body, on the sweeper's clock. What the upstream takes to accept the bytes is
// not the client's time. Owned by the upload.
type pace struct {
	window  time.Duration // of the client's time, averaged over; 0: nothing is measured
	rate    int64         // bytes a second
	since   time.Duration // the window began
	writing time.Duration // of it, the upstream's
	bytes   int64         // of the body, when it began
}

func newPace(rate int64, window, now time.Duration, bytes int64) pace {
	if rate <= 0 {
		window = 0
	}
	return pace{window: window, rate: rate, since: now, bytes: bytes}
}

// slow reports whether a window has ended in which fewer bytes came than must, and begins the next one. Bytes is how many
// have come of the whole body.
func (p *pace) slow(now time.Duration, bytes int64) bool {
	waited := now - p.since - p.writing
	if waited < p.window {
		return false
	}
	slow := float64(bytes-p.bytes) < float64(p.rate)*waited.Seconds()
	p.since, p.writing, p.bytes = now, 0, bytes
	return slow
}

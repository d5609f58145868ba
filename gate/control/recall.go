package control

import (
	"context"
	"time"

	"serin/gate/journal"
	"serin/gate/window"
)

// Recaller gives back what a Recorder kept, oldest first, until on says false. The Journal may be one; *journal.Journal is.
// Called once, beside the writer.
type Recaller interface {
	Windows(on func(*journal.Window) bool) error
}

const (
	// recallBatch windows are read at a time, recallPause apart: requests come first.
	recallBatch = 50
	recallPause = 10 * time.Millisecond
	// recallGap of wall time beyond a step's own age is time in which nobody looked.
	recallGap = time.Minute
)

// recalled are series by rollout, as a process before recorded them.
type recalled map[string]*recollection

// recollection is one rollout's series in the making, of the attempt that was under way.
type recollection struct {
	attempt  int
	revision string
	last     *journal.Window
	series   series
}

// wanted are the rollouts with a past, as Run begins.
func (l *Loop) wanted() recalled {
	out := recalled{}
	for _, r := range l.rollouts {
		if r.state.Attempt > 0 {
			out[r.name] = &recollection{attempt: r.state.Attempt, revision: r.state.Revision}
		}
	}
	return out
}

// recall reads what there is to tell of the rollouts' past and mails it to the loop. It takes its time, and changes no
// decision: a series is for people.
func (l *Loop) recall(ctx context.Context, from Recaller, past recalled) {
	read := 0
	err := from.Windows(func(w *journal.Window) bool {
		if c := past[w.Rollout]; c != nil {
			c.add(w)
		}
		if read++; read%recallBatch == 0 {
			select {
			case <-ctx.Done():
			case <-time.After(recallPause):
			}
		}
		return ctx.Err() == nil
	})
	if err != nil {
		l.log.Warn("the past of the rollouts' charts cannot be read", "err", err)
	}
	select {
	case <-ctx.Done():
	case l.mail <- past:
	}
}

// add takes the next window in. Its counts are cumulative since its step began; latencies begin again when a warm-up ends.
func (c *recollection) add(w *journal.Window) {
	last := c.last
	if w.Attempt != c.attempt || w.Revision != c.revision || last != nil && !w.At.After(last.At) {
		return
	}
	span := w.Age
	switch {
	case last == nil || w.Step != last.Step || w.Age < last.Age:
		c.series.rebase()
	default:
		span -= last.Age
		if c.series.counts != nil && w.Warm != last.Warm {
			for i := range c.series.counts.last {
				c.series.counts.last[i].Latency = window.Hist{}
			}
		}
	}
	if last == nil || w.At.Sub(last.At) > span+recallGap {
		c.end()
		c.series.began, c.series.lit = w.At.Add(-span), w.At.Add(-span)
	}
	c.series.add(w.At, w.Weight, &[2]window.Snapshot{w.Stable, w.Canary})
	c.last = w
}

// end closes the points that are open: nobody looked after the last window.
func (c *recollection) end() {
	if c.last == nil || c.series.counts == nil {
		return
	}
	s, at := &c.series, c.last.At
	fine := Point{At: at, Seconds: at.Sub(s.lit).Seconds(), Weight: c.last.Weight}
	s.counts.light(&fine)
	if fine.Seconds > 0 {
		s.live = append(drop(s.live, livePoints), fine)
	}
	coarse := Point{At: at, Seconds: at.Sub(s.began).Seconds(), Weight: c.last.Weight}
	s.counts.close(&coarse)
	if coarse.Seconds > 0 {
		s.keep(coarse)
	}
}

// onRecall puts the past before what the loop has seen since, where the attempt is still the same.
func (l *Loop) onRecall(past recalled) {
	for _, r := range l.rollouts {
		if c := past[r.name]; c != nil && c.last != nil && r.state.Attempt == c.attempt && r.state.Revision == c.revision {
			c.end()
			r.series.follow(&c.series)
			r.stir(time.Now()) // so that it is shown
		}
	}
}

// follow puts the points of earlier before those of s; what s has not closed yet stays open.
func (s *series) follow(earlier *series) {
	since := *s
	s.recent, s.whole, s.open, s.stride = earlier.recent, earlier.whole, earlier.open, earlier.stride
	for _, p := range since.recent {
		s.keep(p)
	}
	s.live = append(earlier.live, since.live...)
	s.live = s.live[max(len(s.live)-livePoints, 0):]
}

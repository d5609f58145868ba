package notify

import (
	"context"
	"slices"
	"time"
)

// alert is what is open of a rollout: who was told, when last, and whether somebody looks.
type alert struct {
	Notice Notice               `json:"notice"` // as it is told again
	Sinks  []string             `json:"sinks"`  // of the rollout
	Told   map[string]time.Time `json:"told"`   // by sink: when last
	Times  map[string]int       `json:"times"`  // by sink: how often again
	Acked  string               `json:"acked,omitempty"`
}

// settle decides what a notice means for what is open of its rollout. It stays open while its phase does. With mu held.
func (q *Queue) settle(n *Notice, sinks []string, now time.Time) {
	was := q.alerts[n.Rollout]
	if was != nil && was.Notice.Phase == n.Phase && (n.State != Open || n.Event == was.Notice.Event) {
		if n.ID == was.Notice.ID { // told before, perhaps by a process before
			n.Alert = was.Notice.Alert
			return
		}
		if n.State == Open { // the same wait, told in other words
			n.Alert = was.Notice.Alert
			was.Notice, was.Sinks, was.Acked = *n, sinks, ""
		}
		return
	}
	if was != nil {
		q.over(was, n, now)
		delete(q.alerts, n.Rollout)
	}
	if n.State == Open {
		n.Alert = n.ID
		q.alerts[n.Rollout] = &alert{Notice: *n, Sinks: sinks, Told: map[string]time.Time{}, Times: map[string]int{}}
	}
}

// over tells the sinks that keep alerts of their own that one has ended. With mu held.
func (q *Queue) over(a *alert, by *Notice, now time.Time) {
	n := a.Notice
	n.ID, n.State, n.Repeat = by.ID, Resolved, 0
	n.Phase, n.Sentence, n.Next, n.Actor, n.Links, n.Commands = by.Phase, by.Sentence, by.Next, by.Actor, nil, nil
	n.Until, n.Then = nil, ""
	for name := range a.Told {
		if s := q.sinks[name]; s != nil && Kinds[s.spec.Kind].Alerts {
			q.add(s, n, now)
		}
	}
}

// note remembers that a sink was told of what is open. With mu held.
func (q *Queue) note(n *Notice, sink string, now time.Time) {
	if a := q.alerts[n.Rollout]; a != nil && n.State == Open {
		a.Told[sink] = now.Round(0)
	}
}

// Ack ends the repeats of what is open of a rollout. It returns what that is, and who acknowledged it before, if anybody;
// ok is false where nothing is open.
func (q *Queue) Ack(rollout, actor string) (n Notice, before string, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	a := q.alerts[rollout]
	if a == nil {
		return Notice{}, "", false
	}
	before = a.Acked
	a.Acked = actor
	if before == "" {
		told := a.Notice
		told.State, told.Actor, told.Repeat = Acknowledged, actor, 0
		for name := range a.Told {
			if s := q.sinks[name]; s != nil && Kinds[s.spec.Kind].Acks {
				q.add(s, told, time.Now())
			}
		}
	}
	nudge(q.unsaved)
	return a.Notice, before, true
}

// Alert is what is open of a rollout, for whoever shows its status.
type Alert struct {
	Event string
	Since time.Time
	Acked string // by whom; "": nobody yet
}

// Open is what waits for somebody, by rollout.
func (q *Queue) Open(rollout string) (Alert, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	a := q.alerts[rollout]
	if a == nil {
		return Alert{}, false
	}
	return Alert{Event: a.Notice.Event, Since: a.Notice.At, Acked: a.Acked}, true
}

// Forget drops what is open of rollouts that are not among these: the configuration has them no more.
func (q *Queue) Forget(known []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for name, a := range q.alerts {
		if !slices.Contains(known, name) {
			q.over(a, &a.Notice, time.Now())
			delete(q.alerts, name)
			nudge(q.unsaved)
		}
	}
}

// repeat tells what is open again, as each sink asks, until ctx ends.
func (q *Queue) repeat(ctx context.Context) {
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			q.remind(time.Now())
		}
	}
}

func (q *Queue) remind(now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, a := range q.alerts {
		if a.Acked != "" {
			continue
		}
		for _, name := range a.Sinks {
			s := q.sinks[name]
			told, ever := a.Told[name]
			if s == nil || !ever || s.spec.Repeat <= 0 || now.Sub(told) < max(s.spec.Repeat, leastRepeat) || waits(s, a.Notice.Alert) {
				continue
			}
			a.Told[name] = now.Round(0)
			a.Times[name]++
			n := a.Notice
			n.Repeat = a.Times[name]
			q.add(s, n, now)
			nudge(q.unsaved)
		}
	}
}

// waits reports that a sink has not even been told the last time: a reminder on top would only pile up.
func waits(s *sink, alert string) bool {
	return slices.ContainsFunc(s.items, func(it *item) bool { return it.Notice.Alert == alert })
}

package control

import (
	"time"

	"serin/gate/journal"
)

// pen is the loop's side of the writer goroutine: at most one job is under way, the rest waits here in order.
type pen struct {
	jobs    chan job
	done    chan written
	busy    bool
	since   time.Time // the job under way began
	queue   []*note
	sealed  []*note // under way
	saveDue bool
	failed  [2]error // of the last append and the last save; nil: it worked
	wait    bool     // after a failure: nothing more before the next tick
	savers  []saver  // wait for the next save
	saving  []saver  // wait for the one under way
	windows []journal.Window
	mute    bool // the last windows could not be written, and that was said
}

// note is one entry on its way to the disk.
type note struct {
	entry   journal.Entry
	rollout *rollout
	pending *pending // nil: acted on already
	answer  func(error)
	made    time.Time
}

// job is what the writer does next: entries, or the state when there are none.
type job struct {
	entries []journal.Entry
	state   *journal.Saved
	windows []journal.Window
}

type written struct {
	state   bool
	windows bool
	err     error
}

// maxNotes bounds the decisions kept in memory while the disk takes none; the oldest go first. Every entry holds the whole
// state, so the newest one of a rollout is enough to restore it.
const maxNotes = 2000

func (p *pen) init() { p.jobs, p.done = make(chan job), make(chan written, 1) }

// write is the writer goroutine. It ends when jobs is closed.
func (l *Loop) write() {
	for j := range l.pen.jobs {
		var err error
		switch {
		case j.windows != nil:
			err = l.recorder.Record(j.windows...)
		case j.state != nil:
			err = l.journal.Save(*j.state)
		default:
			err = l.journal.Append(j.entries...)
		}
		l.pen.done <- written{state: j.state != nil, windows: j.windows != nil, err: err}
	}
}

// add queues a note.
func (p *pen) add(n *note) {
	p.queue = append(p.queue, n)
	for i := 0; len(p.queue) > maxNotes && i < len(p.queue); i++ {
		if p.queue[i].pending == nil {
			p.queue = append(p.queue[:i], p.queue[i+1:]...)
			i--
		}
	}
}

// slow reports that the disk has been busy for longer than it may without being called unavailable.
func (p *pen) slow(now time.Time, bound time.Duration) bool {
	return p.busy && now.Sub(p.since) > bound
}

// available reports whether a raise has a chance to be written now.
func (l *Loop) available(now time.Time) bool {
	return l.pen.err() == nil && !l.pen.slow(now, 2*l.tick)
}

// dispatch hands the next job to the writer, if it is idle. It never blocks: an idle writer is waiting.
func (l *Loop) dispatch() {
	p := &l.pen
	if p.busy || p.wait {
		return
	}
	switch {
	case len(p.queue) > 0:
		p.sealed, p.queue = p.queue, nil
		entries := make([]journal.Entry, len(p.sealed))
		for i, n := range p.sealed {
			entries[i] = n.entry
		}
		p.jobs <- job{entries: entries}
	case p.saveDue:
		p.saveDue = false
		p.saving, p.savers = p.savers, nil
		state := l.compose()
		p.jobs <- job{state: &state}
	case len(p.windows) > 0:
		p.jobs <- job{windows: p.windows}
		p.windows = nil
	default:
		return
	}
	p.busy, p.since = true, time.Now()
}

// finished takes the writer's report in.
func (l *Loop) finished(w written) {
	p := &l.pen
	p.busy = false
	if w.windows {
		l.recorded(w.err)
		return
	}
	l.noteHealth(w)
	sealed := p.sealed
	p.sealed = nil
	if w.err != nil {
		p.wait = true
		if w.state {
			p.saveDue = true
			p.unsaved()
			return
		}
		l.unwritten(sealed, w.err)
		return
	}
	if w.state {
		p.saved()
		return
	}
	p.saveDue = true
	for _, n := range sealed {
		if n.pending != nil {
			l.adopt(n)
		}
	}
	l.publish(time.Now()) // first: whoever is answered finds in the status what was done
	for _, n := range sealed {
		n.reply(nil)
	}
}

// unwritten drops what was to raise and keeps, before everything newer, what was acted on.
func (l *Loop) unwritten(sealed []*note, err error) {
	var keep []*note
	for _, n := range sealed {
		if n.pending != nil {
			l.drop(n)
			continue
		}
		keep = append(keep, n)
	}
	l.pen.queue = append(keep, l.pen.queue...)
	l.publish(time.Now())
	for _, n := range sealed {
		if n.pending != nil {
			n.reply(ErrJournalUnavailable)
		} else {
			n.reply(nil)
		}
	}
}

// noteHealth logs when the disk begins or ceases to fail.
func (l *Loop) noteHealth(w written) {
	was := l.pen.err()
	switch {
	case !w.state:
		l.pen.failed[0] = w.err
	case w.err != nil:
		l.pen.failed[1] = w.err
	default:
		l.pen.failed = [2]error{} // the larger of the two was written: the next line will be
	}
	switch now := l.pen.err(); {
	case now != nil && was == nil:
		l.log.Error("journal unavailable: the canary cannot be widened", "err", now)
	case now == nil && was != nil:
		l.log.Info("journal available")
	}
}

// err is why the disk is not to be trusted with a raise; nil when it is.
func (p *pen) err() error {
	if p.failed[0] != nil {
		return p.failed[0]
	}
	return p.failed[1]
}

// reply answers the operator, once.
func (n *note) reply(err error) {
	if n.answer != nil {
		n.answer(err)
		n.answer = nil
	}
}

// flush writes what is left at the end of Run: entries, then the state. It waits for a job under way, however long that
// takes, and gives up at the first failure.
func (l *Loop) flush() {
	p := &l.pen
	p.wait, p.saveDue = false, true
	for {
		l.dispatch()
		if !p.busy {
			return
		}
		l.finished(<-p.done)
		if p.err() != nil {
			return
		}
		if len(p.queue) == 0 && !p.saveDue && len(p.windows) == 0 {
			return
		}
	}
}

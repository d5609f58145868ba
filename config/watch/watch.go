// Package watch tells when a file's bytes change. It watches directories, not the file: editors and deployment tools
// replace a file by renaming another one over it, and Kubernetes swaps a symbolic link two levels up, so a watch on the
// file itself would go on looking at what nobody reads any more.
//
//	/etc/serin/serin.toml -> ..data/serin.toml     /etc/serin          watched
//	/etc/serin/..data     -> ..2026_11_20/         /etc/serin/..2026_11_20 watched
//
// Every name on the way, links included, counts as the file. After the last event of a burst the file is read, and only
// other bytes than the last ones are a change: touching a file, or replacing it by itself, is none, and neither is
// removing it. A slow poll runs beside the events, so that a lost event, a full inotify table or a file system without
// events costs seconds, not a missed change.
package watch

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	defaultDebounce = 100 * time.Millisecond
	defaultPoll     = 5 * time.Second
	defaultMaxBytes = 1 << 20
	burst           = 10 // a file that never rests is read after so many debounces
)

// Options change how a Watcher looks. The zero value works.
type Options struct {
	Debounce time.Duration // quiet time before the file is read; default 100ms
	Poll     time.Duration // between two looks without any event; default 5s
	MaxBytes int64         // how much of the file counts; default 1 MiB and a byte
	// Degraded is told, from Run, why there are no events and only the poll is left; once for each cause. May be nil.
	Degraded func(error)

	looked func(changed bool) // for tests: after every look
}

// Watcher watches one file. All fields but changes are owned by Run.
type Watcher struct {
	path    string
	opts    Options
	changes chan struct{}

	last   [sha256.Size]byte // of the bytes last seen
	stamp  os.FileInfo       // of the file last polled; nil: not there
	events *fsnotify.Watcher // nil: none to be had
	names  map[string]bool   // the file and every link on the way
	dirs   map[string]bool   // directories that are watched
	told   string            // cause last given to Degraded
}

// New returns a Watcher of the file at path. What the file holds now is no change: make the Watcher first, then load
// the file, and no change is missed in between.
func New(path string, opts Options) *Watcher {
	if opts.Debounce <= 0 {
		opts.Debounce = defaultDebounce
	}
	if opts.Poll <= 0 {
		opts.Poll = defaultPoll
	}
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = defaultMaxBytes + 1
	}
	w := &Watcher{path: path, opts: opts, changes: make(chan struct{}, 1), dirs: map[string]bool{}}
	w.last, _ = w.sum()
	w.stamp, _ = os.Stat(path)
	return w
}

// Changes delivers one notice for any number of changes since the last one was taken. It is never closed.
func (w *Watcher) Changes() <-chan struct{} { return w.changes }

// Run watches until ctx ends, and then returns nil. It leaves no goroutine behind.
func (w *Watcher) Run(ctx context.Context) error {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		w.degraded(fmt.Errorf("watch %s: %w", w.path, err))
		return w.loop(ctx, nil, nil)
	}
	defer events.Close()
	w.events = events
	return w.loop(ctx, events.Events, events.Errors)
}

// loop is Run once it is known whether there are events; nil channels are none.
func (w *Watcher) loop(ctx context.Context, events <-chan fsnotify.Event, errs <-chan error) error {
	poll := time.NewTicker(w.opts.Poll)
	defer poll.Stop()
	settle := time.NewTimer(time.Hour)
	defer settle.Stop()
	settle.Stop()
	var since time.Time // first event of the burst; zero: none

	w.rewatch()
	w.look() // what changed between New and the watch
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			if !w.names[e.Name] && !w.dirs[e.Name] {
				continue
			}
			now := time.Now()
			if since.IsZero() {
				since = now
			}
			settle.Reset(min(w.opts.Debounce, max(0, burst*w.opts.Debounce-now.Sub(since))))
		case err, ok := <-errs: // events may have been lost
			if !ok {
				errs = nil
				continue
			}
			w.degraded(fmt.Errorf("watch %s: %w", w.path, err))
			settle.Reset(w.opts.Debounce)
		case <-settle.C:
			since = time.Time{}
			w.rewatch()
			w.look()
		case <-poll.C:
			w.rewatch()
			if w.moved() {
				w.look()
			}
		}
	}
}

// look reads the file and announces other bytes than the last ones.
func (w *Watcher) look() {
	sum, ok := w.sum()
	changed := ok && sum != w.last
	if changed {
		w.last = sum
		select {
		case w.changes <- struct{}{}:
		default: // a notice is waiting already
		}
	}
	if w.opts.looked != nil {
		w.opts.looked(changed)
	}
}

// sum hashes the file's bytes; false when it cannot be read.
func (w *Watcher) sum() (sum [sha256.Size]byte, ok bool) {
	f, err := os.Open(w.path)
	if err != nil {
		return sum, false
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, w.opts.MaxBytes)); err != nil {
		return sum, false
	}
	h.Sum(sum[:0])
	return sum, true
}

// moved reports whether the file is another one, or another size or age, than at the last poll.
func (w *Watcher) moved() bool {
	last := w.stamp
	now, err := os.Stat(w.path)
	if err != nil {
		now = nil
	}
	w.stamp = now
	if last == nil || now == nil {
		return now != nil
	}
	return !os.SameFile(last, now) || last.Size() != now.Size() || !last.ModTime().Equal(now.ModTime())
}

// rewatch makes the watched directories those the path leads through now.
func (w *Watcher) rewatch() {
	if w.events == nil {
		return
	}
	names, dirs := trace(w.path)
	w.names = names
	for dir := range w.dirs {
		if !dirs[dir] {
			_ = w.events.Remove(dir) // it may be gone already, which is as good
			delete(w.dirs, dir)
		}
	}
	// Adding a directory again costs nothing and renews the watch of one that was removed and made anew.
	for dir := range dirs {
		if err := w.events.Add(dir); err != nil && !os.IsNotExist(err) {
			w.degraded(fmt.Errorf("watch %s: %w", dir, err))
			continue
		}
		w.dirs[dir] = true
	}
}

// degraded tells a cause once.
func (w *Watcher) degraded(err error) {
	if w.told == err.Error() || w.opts.Degraded == nil {
		return
	}
	w.told = err.Error()
	w.opts.Degraded(err)
}

// trace follows a path and returns every link on it and the file itself, and the directories these are in. Directories
// that no link is in are left out: nobody swaps them without a rename that the poll sees.
func trace(path string) (names, dirs map[string]bool) {
	names, dirs = map[string]bool{}, map[string]bool{}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return names, dirs
	}
	const maxLinks = 40 // as the kernel's
	at, rest := "/", split(absolute)
	for links := 0; len(rest) > 0; {
		next := filepath.Join(at, rest[0])
		target, err := os.Readlink(next)
		if err != nil || links == maxLinks {
			if rest = rest[1:]; len(rest) == 0 {
				names[next], dirs[at] = true, true
			}
			at = next
			continue
		}
		links++
		names[next], dirs[at] = true, true
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(split(target), rest[1:]...)
	}
	return names, dirs
}

// split cuts a path into its elements; ".." stays, since joining it to what was resolved goes up.
func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == filepath.Separator })
}

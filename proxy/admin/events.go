package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	eventPeriod    = time.Second          // changes are sent at most this often
	heartbeat      = 15 * time.Second     // a comment line, whether or not something changed
	eventWrite     = 5 * time.Second      // a reader that takes longer is dropped
	lookPeriod     = 9 * eventPeriod / 10 // a stream's tick that comes a moment early must not wait for the next
	maxSubscribers = 64
	maxTombstones  = 1000
)

// feed remembers the newest JSON of every rollout with the number of the look at which it changed. It has no goroutine and
// no queue: each stream asks for what changed since the number it has seen, so a slow reader costs nothing but its own
// connection, and resuming is asking with an older number.
//
//	stream --since--> feed.changes --(at most once a second)--> Loop.Status
type feed struct {
	read   func() []Rollout
	about  func() Daemon
	rights string // of the token it is for
	epoch  string // numbers of another process mean nothing here

	mu          sync.Mutex
	looked      time.Time
	seq         uint64
	order       []string
	newest      map[string]entry // body nil: removed
	daemon      entry
	subscribers int
}

type entry struct {
	seq  uint64
	body []byte
}

type event struct {
	kind string // snapshot | daemon | rollout | removed
	body []byte
}

func newFeed(read func() []Rollout, about func() Daemon) *feed {
	return &feed{read: read, about: about, epoch: strconv.FormatInt(time.Now().UnixNano(), 36), newest: map[string]entry{}}
}

// join counts a subscriber in, unless there are too many.
func (f *feed) join() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.subscribers >= maxSubscribers {
		return false
	}
	f.subscribers++
	return true
}

func (f *feed) leave() {
	f.mu.Lock()
	f.subscribers--
	f.mu.Unlock()
}

// changes returns what is new since a number, and the number now. full asks for everything as one snapshot.
func (f *feed) changes(since uint64, full bool) ([]event, uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.look()
	if full {
		return []event{{"snapshot", f.snapshot()}}, f.seq
	}
	var list []event
	if f.daemon.seq > since {
		list = append(list, event{"daemon", f.daemon.body})
	}
	for _, name := range f.order {
		e := f.newest[name]
		switch {
		case e.seq <= since:
		case e.body == nil:
			quotedName, _ := json.Marshal(name)
			list = append(list, event{"removed", fmt.Appendf(nil, `{"name":%s}`, quotedName)})
		default:
			list = append(list, event{"rollout", e.body})
		}
	}
	return list, f.seq
}

// look brings newest up to date, at most about once a period; every stream asks once a period.
func (f *feed) look() {
	now := time.Now()
	if f.seq > 0 && now.Sub(f.looked) < lookPeriod {
		return
	}
	f.looked = now
	f.seq++
	if body, err := json.Marshal(f.about()); err == nil && !bytes.Equal(f.daemon.body, body) {
		f.daemon = entry{f.seq, body}
	}
	seen := map[string]bool{}
	for _, ro := range f.read() {
		seen[ro.Name] = true
		body, err := json.Marshal(ro)
		if err != nil {
			body = fmt.Appendf(nil, `{"error":"the status cannot be encoded"}`)
		}
		old, known := f.newest[ro.Name]
		if !known {
			f.order = append(f.order, ro.Name)
		}
		if !bytes.Equal(old.body, body) {
			f.newest[ro.Name] = entry{f.seq, body}
		}
	}
	for name, e := range f.newest {
		if !seen[name] && e.body != nil {
			f.newest[name] = entry{seq: f.seq}
		}
	}
	f.forget()
}

// forget starts over when a daemon has seen very many names come and go: every resume gets a snapshot then.
func (f *feed) forget() {
	if len(f.newest) <= maxTombstones {
		return
	}
	f.epoch = strconv.FormatInt(time.Now().UnixNano(), 36)
	f.order = slices.DeleteFunc(f.order, func(name string) bool { return f.newest[name].body == nil })
	maps.DeleteFunc(f.newest, func(_ string, e entry) bool { return e.body == nil })
}

func (f *feed) snapshot() []byte {
	var b bytes.Buffer
	b.WriteString(`{"rollouts":[`)
	for _, name := range f.order {
		if body := f.newest[name].body; body != nil {
			if b.Bytes()[b.Len()-1] != '[' {
				b.WriteByte(',')
			}
			b.Write(body)
		}
	}
	b.WriteString(`]`)
	if f.daemon.body != nil {
		b.WriteString(`,"daemon":`)
		b.Write(f.daemon.body)
	}
	b.WriteString(`}`)
	return b.Bytes()
}

// resume reads Last-Event-ID: "epoch-number" of this process, else everything is sent.
func (f *feed) resume(id string) (since uint64, full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	epoch, number, _ := strings.Cut(id, "-")
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || epoch != f.epoch || n > f.seq {
		return 0, true
	}
	return n, false
}

func (f *feed) id(seq uint64) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.epoch + "-" + strconv.FormatUint(seq, 10)
}

// streamEvents is GET /v1/events: a snapshot (or, resumed, what was missed), then changes.
func (s *Server) streamEvents(w http.ResponseWriter, r *http.Request) {
	beat, err := beatOf(r.URL.Query().Get("heartbeat"))
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error(), "use \"2s\"; 1s to 15s, default 15s")
		return
	}
	events := s.feedFor(r)
	if !events.join() {
		w.Header().Set("Retry-After", "10")
		fail(w, http.StatusServiceUnavailable, "too many event streams", "64 at once; close one")
		return
	}
	defer events.leave()
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	out := stream{w: w, c: http.NewResponseController(w)}
	if out.open() != nil {
		return
	}
	since, full := events.resume(r.Header.Get("Last-Event-ID"))
	tick := time.NewTicker(eventPeriod)
	defer tick.Stop()
	for past := time.Duration(0); ; {
		if p, ok := s.who(r); !ok || !p.may("read") { // its token was revoked, or tokens are needed now
			return
		}
		list, seq := events.changes(since, full)
		since, full = seq, false
		if err := out.send(list, events.id(seq), past >= beat); err != nil {
			return
		}
		if past >= beat {
			past = 0
		}
		select {
		case <-r.Context().Done():
			return
		case <-s.closing:
			return
		case <-tick.C:
			past += eventPeriod
		}
	}
}

// beatOf is how far a stream's heartbeats are apart: 15 s, or less where the reader wants to know sooner (heartbeat=2s).
func beatOf(text string) (time.Duration, error) {
	if text == "" {
		return heartbeat, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, errors.New("heartbeat " + quoted(text) + " is no duration")
	}
	return min(max(d, eventPeriod), heartbeat), nil
}

// stream writes events with a deadline of their own; an error means the reader is gone or too slow.
type stream struct {
	w http.ResponseWriter
	c *http.ResponseController
}

// open sends the head and lifts the server's read deadline, which would end the stream.
func (o stream) open() error {
	if err := o.c.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return o.c.Flush()
}

func (o stream) send(list []event, id string, beat bool) error {
	var b bytes.Buffer
	for i, e := range list {
		if i == len(list)-1 { // all of a look or nothing: a stream cut in between resumes before it
			fmt.Fprintf(&b, "id: %s\n", id)
		}
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", e.kind, e.body)
	}
	if beat {
		b.WriteString(": alive\n\n")
	}
	if b.Len() == 0 {
		return nil
	}
	if err := o.c.SetWriteDeadline(time.Now().Add(eventWrite)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := o.w.Write(b.Bytes()); err != nil {
		return err
	}
	return o.c.Flush()
}

package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// outbox is what survives a restart: what was told and not sent, what was sent lately, what is open.
type outbox struct {
	Version int               `json:"version"`
	Sinks   map[string]*kept  `json:"sinks,omitempty"`
	Alerts  map[string]*alert `json:"alerts,omitempty"`
}

type kept struct {
	Items  []*item  `json:"items,omitempty"`
	Seen   []string `json:"seen,omitempty"`
	Counts Counts   `json:"counts"`
}

const (
	outboxVersion = 1
	maxOutbox     = 64 << 20 // no more is read: the lists are bounded far below
	saveAgain     = 5 * time.Second
)

// read takes up what a process before left. What cannot be read is put aside: telling people must not keep a proxy from
// starting.
func (q *Queue) read() outbox {
	if q.path == "" {
		return outbox{}
	}
	o, err := readOutbox(q.path)
	if err != nil {
		aside := q.path + ".damaged"
		q.log.Error("outbox cannot be read: put aside, and what it held is not told", "file", aside, "err", err)
		if err := os.Rename(q.path, aside); err != nil {
			q.log.Error("outbox not put aside", "err", err)
		}
		return outbox{}
	}
	return o
}

func readOutbox(path string) (outbox, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return outbox{}, nil
	}
	if err != nil {
		return outbox{}, err
	}
	defer f.Close()
	var o outbox
	if err := json.NewDecoder(io.LimitReader(f, maxOutbox)).Decode(&o); err != nil {
		return outbox{}, err
	}
	if o.Version != outboxVersion {
		return outbox{}, fmt.Errorf("version %d, this serin knows %d", o.Version, outboxVersion)
	}
	for name, k := range o.Sinks {
		if k == nil || len(k.Items) > maxItems || len(k.Seen) > maxSeen {
			return outbox{}, fmt.Errorf("implausible list of sink %q", name)
		}
		for _, it := range k.Items {
			if it == nil {
				return outbox{}, fmt.Errorf("empty notice for sink %q", name)
			}
		}
	}
	for rollout, a := range o.Alerts {
		if a == nil || a.Told == nil || a.Times == nil {
			return outbox{}, fmt.Errorf("implausible alert of rollout %q", rollout)
		}
	}
	return o, nil
}

// keep writes the outbox whenever it changed, until ctx ends.
func (q *Queue) keep(ctx context.Context) {
	failed := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.unsaved:
		}
		err := q.write()
		if err != nil && !failed {
			q.log.Error("outbox not written: what is not sent yet would not survive a restart", "err", err)
		}
		failed = err != nil
		if !failed {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(saveAgain):
			nudge(q.unsaved)
		}
	}
}

// write makes the outbox durable: a new file, synced, then renamed over the old one.
func (q *Queue) write() error {
	if q.path == "" {
		return nil
	}
	body, err := json.Marshal(q.snapshot())
	if err != nil {
		return err
	}
	return Replace(q.path, body)
}

// snapshot copies what is to be written: encoding it must not keep Tell waiting. Notices themselves never change.
func (q *Queue) snapshot() outbox {
	q.mu.Lock()
	defer q.mu.Unlock()
	o := outbox{Version: outboxVersion, Sinks: map[string]*kept{}, Alerts: map[string]*alert{}}
	for name, s := range q.sinks {
		k := &kept{Items: make([]*item, len(s.items)), Seen: slices.Clone(s.seen), Counts: s.counts}
		for i, it := range s.items {
			c := *it
			k.Items[i] = &c
		}
		o.Sinks[name] = k
	}
	for rollout, a := range q.alerts {
		c := *a
		c.Told, c.Times = maps.Clone(a.Told), maps.Clone(a.Times)
		o.Alerts[rollout] = &c
	}
	return o
}

// Replace writes a file, mode 0600, durably, so that at every moment the old or the new one is there.
func Replace(path string, body []byte) error {
	temp := path + ".tmp"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

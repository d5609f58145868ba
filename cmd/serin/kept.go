package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"sync"

	"serin/config"
	"serin/gate/notify"
	"serin/router"
)

// keptSources remembers on disk what the pools were made of that have completed: where the file names another canary beside
// the stable which such a pool has replaced, it goes on serving, and a restart must find its servers although no file has them
// any more. The control loop tells what there is and never waits for the disk; Run writes.
//
// Certificates are not written: a pool with TLS is found again where the file has an upstream of its name with TLS.
type keptSources struct {
	path string
	log  *slog.Logger
	told chan struct{} // room for one: there is something new

	mu  sync.Mutex
	all map[string]config.Upstream // by rollout; replaced, never changed
}

// stored is a source as it is written.
type stored struct {
	config.Upstream
	TLS *struct{} `json:",omitempty"` // hides the certificates
}

// openKept reads what a process before has written. A file that cannot be read is as good as none, and is told.
func openKept(path string, log *slog.Logger) *keptSources {
	k := &keptSources{path: path, log: log, told: make(chan struct{}, 1)}
	var all map[string]stored
	body, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(body, &all)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("completed pools unknown", "file", path, "err", err)
		return k
	}
	k.all = make(map[string]config.Upstream, len(all))
	for name, u := range all {
		k.all[name] = u.Upstream
	}
	return k
}

// of is what the pool of a rollout's completed revision was made of. nil knows none.
func (k *keptSources) of(plan *config.Plan, rollout, revision string) (config.Upstream, bool) {
	if k == nil {
		return config.Upstream{}, false
	}
	k.mu.Lock()
	u, ok := k.all[rollout]
	k.mu.Unlock()
	if !ok || u.Revision != revision || len(u.Servers) == 0 {
		return config.Upstream{}, false
	}
	secure := false
	for _, s := range u.Servers {
		secure = secure || s.TLS
	}
	for i := range plan.Upstreams {
		if plan.Upstreams[i].Name == u.Name {
			u.TLS = plan.Upstreams[i].TLS
		}
	}
	return u, !secure || u.TLS != nil
}

// note takes what is in force now. It does not wait.
func (k *keptSources) note(g *installed) {
	if k == nil {
		return
	}
	now := g.completed()
	k.mu.Lock()
	same := maps.EqualFunc(k.all, now, sameUpstream)
	k.all = now
	k.mu.Unlock()
	if same {
		return
	}
	select {
	case k.told <- struct{}{}:
	default:
	}
}

// completed are the sources of the pools that serve everybody: the canaries at 100 %, and those kept beside another one.
func (g *installed) completed() map[string]config.Upstream {
	out := map[string]config.Upstream{}
	for i := range g.plan.Rollouts {
		name := g.plan.Rollouts[i].Name
		s, arm := g.settings[name], router.Canary
		if s.Keep != "" {
			arm = router.Stable
		}
		u := g.sources[g.splits[i].Upstreams[arm]]
		if s.Keep != "" && u.Revision == s.Keep || s.Keep == "" && s.Weight == router.Full {
			u.TLS = nil
			out[name] = u
		}
	}
	return out
}

// Run writes what is told until ctx ends, the last included.
func (k *keptSources) Run(ctx context.Context) error {
	for {
		select {
		case <-k.told:
			k.write()
			continue
		default:
		}
		select {
		case <-k.told:
			k.write()
		case <-ctx.Done():
			return nil
		}
	}
}

func (k *keptSources) write() {
	all := map[string]stored{}
	k.mu.Lock()
	for name, u := range k.all {
		all[name] = stored{Upstream: u}
	}
	k.mu.Unlock()
	body, err := json.Marshal(all)
	if err == nil {
		err = notify.Replace(k.path, body)
	}
	if err != nil {
		k.log.Warn("completed pools not written: a restart would not know their servers", "err", err)
	}
}

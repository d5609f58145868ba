package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"serin/config"
	"serin/gate"
	"serin/gate/journal"
	"serin/gate/window"
	"serin/router"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted is a gate whose answer the test sets.
type scripted struct {
	verdict gate.Verdict // at first
	text    string       // its rule
	changed atomic.Int32 // 1 and the verdict since answer was called; 0: never
}

// answer changes the verdict while the loop runs.
func (s *scripted) answer(v gate.Verdict) { s.changed.Store(1 + int32(v)) }

func (s *scripted) now() gate.Verdict {
	if v := s.changed.Load(); v > 0 {
		return gate.Verdict(v - 1)
	}
	return s.verdict
}

func (*scripted) Metric() string               { return "error_rate" }
func (s *scripted) Rule() string               { return s.text }
func (*scripted) CanFail() bool                { return true }
func (*scripted) Applies(int, gate.Stage) bool { return true }
func (s *scripted) Judge(q gate.Question) (f gate.Finding) {
	f = gate.Finding{Metric: "error_rate", Scale: "points", Verdict: s.now()}
	f.Samples.Canary = q.View.Full.Canary.Judged()
	switch f.Verdict {
	case gate.Pass:
		f.Reason, f.Clear = gate.Passed, true
	case gate.Fail:
		f.Reason = gate.WorseThanStable
	default:
		f.Reason = gate.NotEnoughEvidence
	}
	return f
}

// policy is a ladder of 1, 5, 25 and 100 % with ten seconds a stage.
func policy(name string, gates ...gate.Criterion) *gate.Policy {
	p := &gate.Policy{
		Rollout: name, Route: "shop", Revision: "v2", StableRevision: "v1", Criteria: gates, MaxStage: 6 * time.Hour,
		HoldTimeout: time.Hour, OnHoldTimeout: "rollback", OnFail: "rollback", Sparse: "extend", Holdback: 100, KeepOld: time.Hour,
		AlphaFail: .01, AlphaPass: .05,
	}
	for _, w := range []router.Weight{100, 500, 2500, 10000} {
		p.Stages = append(p.Stages, gate.Stage{Label: w.String(), Weight: w, Least: 10 * time.Second})
	}
	return p
}

func planOf(policies ...*gate.Policy) *config.Plan {
	p := &config.Plan{File: "serin.toml"}
	for _, policy := range policies {
		p.Rollouts = append(p.Rollouts, config.Rollout{Name: policy.Rollout, Policy: policy})
	}
	return p
}

// world is a process's surroundings: a disk and a data plane that remember the order of everything done to them.
type world struct {
	announce func(Announcement) // nil: nobody is told

	journal.FS
	disk *journal.Memory

	mu      sync.Mutex
	effects []string
	fail    map[string]error         // by operation: write, sync, create, append, rename, install
	slow    map[string]time.Duration // by operation
	hook    func(effect string) bool // false: the process is dead, nothing happens any more
	plan    *config.Plan
	planes  map[string]*plane
	users   bool          // meters count per bucket
	silent  bool          // no meters: nobody sends requests
	still   chan struct{} // Read waits for it to be closed; nil: it does not

	tellsQuiet bool // Read says so where nothing was counted

	besides func(name string, s Setting, r *Reading) // fills in mirrors and drills; nil: there are none
}

// plane is one rollout's traffic.
type plane struct {
	setting            Setting
	stable, canary     *window.Meter
	stableUp, canaryUp bool
	keyless            uint64
	users, silent      bool
}

func newWorld() *world {
	disk := new(journal.Memory)
	return &world{FS: disk, disk: disk, fail: map[string]error{}, slow: map[string]time.Duration{}, planes: map[string]*plane{}}
}

var errDead = errors.New("the process is dead")

// do records one effect and says whether it happens.
func (w *world) do(op, what string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hook != nil && !w.hook(op+" "+what) {
		return errDead
	}
	w.effects = append(w.effects, op+" "+what)
	if d := w.slow[op]; d > 0 {
		w.mu.Unlock()
		time.Sleep(d)
		w.mu.Lock()
	}
	return w.fail[op]
}

// took is what was done since the last call, without reserving and directories.
func (w *world) took() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.effects
	w.effects = nil
	return out
}

func (w *world) breakDisk(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, op := range []string{"write", "sync", "create", "append", "rename"} {
		if err == nil {
			delete(w.fail, op)
		} else {
			w.fail[op] = err
		}
	}
}

func (w *world) setSlow(op string, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slow[op] = d
}

func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

type worldFile struct {
	journal.File
	w    *world
	name string
}

func (w *world) Append(path string) (journal.File, error) {
	if err := w.do("append", base(path)); err != nil {
		return nil, err
	}
	f, err := w.disk.Append(path)
	return &worldFile{f, w, base(path)}, err
}

func (w *world) Create(path string) (journal.File, error) {
	if err := w.do("create", base(path)); err != nil {
		return nil, err
	}
	f, err := w.disk.Create(path)
	return &worldFile{f, w, base(path)}, err
}

func (w *world) Rename(from, to string) error {
	if err := w.do("rename", base(to)); err != nil {
		return err
	}
	return w.disk.Rename(from, to)
}

func (w *world) Lock(dir, name string) (io.Closer, error) { return w.disk.Lock(dir, name) }

func (f *worldFile) Write(b []byte) (int, error) {
	if err := f.w.do("write", f.name); err != nil {
		n := 0
		if errors.Is(err, errTorn) {
			n, _ = f.File.Write(b[:len(b)*2/3])
		}
		return n, err
	}
	return f.File.Write(b)
}

func (f *worldFile) Sync() error { return f.w.do("sync", f.name) }

func (f *worldFile) Truncate(n int64) error {
	if err := f.w.do("truncate", f.name); err != nil {
		return err
	}
	return f.File.Truncate(n)
}

// errTorn makes a write leave a part behind.
var errTorn = errors.New("torn")

// Install implements Dataplane.
func (w *world) Install(p *config.Plan, settings map[string]Setting) error {
	if err := w.do("install", fmt.Sprint(len(settings))); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.plan = p
	next := map[string]*plane{}
	for name, s := range settings {
		old := w.planes[name]
		if old == nil {
			old = &plane{stableUp: true, canaryUp: true, users: w.users, silent: w.silent}
		}
		old.set(s)
		next[name] = old
	}
	w.planes = next
	return nil
}

// Set implements Dataplane.
func (w *world) Set(name string, s Setting) {
	if w.do("set", fmt.Sprintf("%s %s", name, s.Weight)) != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.planes[name].set(s)
}

func (p *plane) set(s Setting) {
	if !p.silent && (p.stable == nil || s.Step != p.setting.Step) {
		p.stable = window.NewMeter(window.Options{Mask: s.Mask, Users: p.users})
		p.canary = window.NewMeter(window.Options{Mask: s.Mask, Users: p.users})
	}
	p.setting = s
}

// Read implements Dataplane.
func (w *world) Read(name string, r *Reading) {
	w.mu.Lock()
	still := w.still
	w.mu.Unlock()
	if still != nil {
		<-still
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.planes[name]
	if p == nil {
		return
	}
	if r.Quiet = w.tellsQuiet && p.quiet(r); !p.silent && !r.Quiet {
		p.stable.Read(&r.Stable, p.users && r.WantUsers)
		p.canary.Read(&r.Canary, p.users && r.WantUsers)
	}
	r.StableHealthy, r.CanaryHealthy, r.Keyless = p.stableUp, p.canaryUp, p.keyless
	if w.besides != nil {
		w.besides(name, p.setting, r)
	}
}

// quiet reports that nothing was counted since the reading in r.
func (p *plane) quiet(r *Reading) bool {
	return p.silent || p.stable.Total() == r.Stable.Total() && p.canary.Total() == r.Canary.Total()
}

func (w *world) weight(name string) router.Weight {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.planes[name]; p != nil {
		return p.setting.Weight
	}
	return 0
}

func (w *world) plane(name string) *plane {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.planes[name]
}

// process is one life of the daemon.
type process struct {
	*Loop
	journal *journal.Journal
	end     func()
}

// start begins a life in dir "s". Call end inside the same bubble.
func (w *world) start(t *testing.T, plan *config.Plan) *process {
	t.Helper()
	p, err := w.tryStart(t, plan)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *world) tryStart(t *testing.T, plan *config.Plan) (*process, error) {
	t.Helper()
	j, restored, err := journal.Open("s", journal.Options{FS: w})
	if err != nil {
		return nil, err
	}
	l := New(Options{Plan: plan, Dataplane: w, Journal: j, Restored: restored, Announce: w.announce})
	if err := l.Start(); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	return &process{Loop: l, journal: j, end: func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := j.Close(); err != nil {
			t.Errorf("close journal: %v", err)
		}
	}}, nil
}

// reborn is a machine with the same disk.
func (w *world) reborn() *world {
	next := newWorld()
	next.FS, next.disk = w.disk, w.disk
	return next
}

// ticks lets n ticks pass.
func ticks(n int) {
	time.Sleep(time.Duration(n)*time.Second + time.Millisecond)
	synctest.Wait()
}

func (p *process) rollout(t *testing.T, name string) RolloutStatus {
	t.Helper()
	r, ok := p.Status().Rollout(name)
	if !ok {
		t.Fatalf("no rollout %s", name)
	}
	return r
}

func (p *process) do(t *testing.T, name string, op gate.Operator) gate.Decision {
	t.Helper()
	d, _, err := p.Operate(t.Context(), name, op)
	if err != nil {
		t.Fatalf("%s: %v", op.Verb, err)
	}
	return d
}

// record counts n requests of an outcome on an arm, spread over users.
func (p *plane) record(arm router.Arm, o window.Outcome, n int) {
	m := p.stable
	if arm == router.Canary {
		m = p.canary
	}
	for i := range n {
		m.Record(uint64(i), uint16(i*37%router.Buckets), o, 20*time.Millisecond)
	}
}

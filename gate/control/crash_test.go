package control

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/journal"
	"serin/router"
)

var crashRuns = flag.Int("control.crashes", 0, "seeded crash runs; 0: 1000, 200 with -short or the race detector")
var crashSeed = flag.Int("control.seed", 0, "first seed of the crash runs")

// TestCrash_BetweenAnyTwoEffects_NeverRestoresMoreThanWasDecided lets the process die between any two effects (or in the
// middle of a write), several times a run, on a disk that is slow and fails now and then, with people, reloads and verdicts
// at random.
func TestCrash_BetweenAnyTwoEffects_NeverRestoresMoreThanWasDecided(t *testing.T) {
	runs := *crashRuns
	if runs == 0 {
		runs = 1000
		if testing.Short() || raceEnabled {
			runs = 200
		}
	}
	var sum tally
	for seed := *crashSeed; seed < *crashSeed+runs; seed++ {
		synctest.Test(t, func(t *testing.T) {
			c := &crash{t: t, seed: uint64(seed), rng: rand.New(rand.NewPCG(uint64(seed), 1)), sum: &sum}
			c.run()
		})
		if t.Failed() {
			t.Fatalf("seed %d: replay with -control.seed %d -control.crashes 1", seed, seed)
		}
	}
	t.Logf("%d runs: %d deaths, %d restarts with a rising canary, %d raises, %d lowerings, %d with a failing disk, %d broken",
		runs, sum.deaths, sum.up, sum.raises, sum.lowerings, sum.failing, sum.broken)
	if sum.deaths < runs || sum.up == 0 || sum.raises == 0 || sum.lowerings == 0 || sum.failing == 0 {
		t.Error("the worlds are too quiet to prove anything")
	}
}

type tally struct{ deaths, up, raises, lowerings, failing, broken int }

type crash struct {
	t     *testing.T
	seed  uint64
	rng   *rand.Rand
	w     *world
	gates *scripted
	rev   int
	sum   *tally
}

func (c *crash) run() {
	c.w, c.gates = newWorld(), &scripted{}
	for range 3 {
		c.life()
		if c.t.Failed() {
			return
		}
	}
}

func (c *crash) plan() *config.Plan {
	p := policy("a", c.gates)
	p.Revision = fmt.Sprint("v", 2+c.rev)
	p.StableRevision = ""
	for i := range p.Stages {
		p.Stages[i].Least = 2 * time.Second
	}
	if c.rng.IntN(4) == 0 {
		p.Stages = p.Stages[1:]
	}
	if c.rng.IntN(8) == 0 {
		return planOf(policy("b", c.gates))
	}
	return planOf(p)
}

// life is one process from its start to its death.
func (c *crash) life() {
	decided := c.onDisk("a")
	c.w = c.w.reborn()
	plan := c.plan()
	w := c.w
	w.silent = true
	die, effects, torn := 1+c.rng.IntN(60), 0, c.rng.IntN(2) == 0
	w.hook = func(effect string) bool {
		if effects++; effects == die && torn && strings.HasPrefix(effect, "write") {
			w.fail["write"] = errTorn
			return true
		}
		if effects >= die {
			return false
		}
		if effect[:3] == "set" {
			c.checkSet(effect)
		}
		return true
	}
	p, err := w.tryStart(c.t, plan)
	if err != nil {
		c.sum.deaths++ // before it could serve anybody
		return
	}
	if !w.isDead(&effects, die) {
		c.checkRestored(p, decided, plan)
	}
	for range 40 {
		if w.isDead(&effects, die) {
			break
		}
		c.disturb(p)
		time.Sleep(time.Duration(c.rng.IntN(1500)) * time.Millisecond)
		synctest.Wait()
		c.checkShown(p, &effects, die)
	}
	w.kill()
	p.end()
	c.sum.deaths++
}

func (w *world) isDead(effects *int, die int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return *effects >= die
}

// disturb is what may happen at any time.
func (c *crash) disturb(p *process) {
	verdict := []gate.Verdict{gate.Pass, gate.Pass, gate.Pass, gate.Pass, gate.Hold, gate.Hold, gate.Fail}[c.rng.IntN(7)]
	if verdict == gate.Fail && c.rng.IntN(3) > 0 {
		verdict = gate.Pass
	}
	c.gates.answer(verdict)
	switch c.rng.IntN(8) {
	case 0:
		verb := gate.VerbStart + gate.Verb(c.rng.IntN(int(gate.VerbRetry)))
		go p.Operate(c.t.Context(), "a", gate.Operator{Verb: verb, Full: c.rng.IntN(5) == 0}) // whatever the answer
	case 1:
		if c.rng.IntN(3) == 0 {
			c.rev++
		}
		plan := c.plan()
		go p.Reload(c.t.Context(), plan)
	case 2:
		c.w.breakDisk(syscall.ENOSPC)
		c.sum.failing++
	case 3:
		c.w.breakDisk(nil)
	case 4:
		c.w.setSlow("sync", time.Duration(c.rng.IntN(6000))*time.Millisecond)
	case 5:
		c.w.setSlow("sync", 0)
	}
}

// onDisk is the newest decision of a rollout that can be read from the lines, as kill -9 leaves them; nil: none.
func (c *crash) onDisk(rollout string) *journal.Entry {
	b, err := c.w.disk.ReadFile("s/decisions.jsonl")
	if err != nil {
		return nil
	}
	lines := bytes.Split(b, []byte("\n"))
	for i := len(lines) - 2; i >= 0; i-- { // behind the last newline nothing counts
		if e, err := journal.DecodeEntry(lines[i]); err == nil && e.Rollout == rollout {
			return &e
		}
	}
	return nil
}

// checkSet holds that a raise is on disk before it is done. w.mu is held: the data plane is as it was.
func (c *crash) checkSet(effect string) {
	var rollout string
	var percent float64
	if _, err := fmt.Sscanf(effect, "set %s %f %%", &rollout, &percent); err != nil {
		c.t.Fatalf("seed %d: %q: %v", c.seed, effect, err)
	}
	weight := router.Weight(percent*100 + .5)
	plane := c.w.planes[rollout]
	if plane == nil {
		c.t.Errorf("seed %d: %s of a rollout that is not there", c.seed, effect)
		return
	}
	was := plane.setting.Weight
	if weight < was {
		c.sum.lowerings++
		return
	}
	if weight == was {
		return
	}
	c.sum.raises++
	if e := c.onDisk(rollout); e == nil || e.State.Weight < weight {
		c.t.Errorf("seed %d: %s before it was on disk (newest there: %+v)", c.seed, effect, e)
	}
}

// checkRestored compares what is in force after a start with the newest decision on disk.
func (c *crash) checkRestored(p *process, decided *journal.Entry, plan *config.Plan) {
	weight := c.w.weight("a")
	if plan.Rollouts[0].Name != "a" {
		return
	}
	r := p.rollout(c.t, "a")
	if decided == nil {
		if weight != 0 {
			c.t.Errorf("seed %d: %s with nothing on disk", c.seed, weight)
		}
		return
	}
	if weight > decided.State.Weight {
		c.t.Errorf("seed %d: restored at %s, the last decision says %s", c.seed, weight, decided.State.Weight)
	}
	if weight > 0 {
		c.sum.up++
	}
	if r.Reason == gate.RestartReplayed && r.Phase == gate.RolledBack {
		c.sum.broken++
		return
	}
	want := decided.State
	if r.State.Version < want.Version || r.State.Version == want.Version &&
		(r.Phase != want.Phase || r.Attempt != want.Attempt || r.Stage.Index != want.Stage || r.State.Weight != want.Weight) {
		c.t.Errorf("seed %d: restored %s attempt %d stage %d weight %s version %d, the last decision left %s %d %d %s %d", c.seed,
			r.Phase, r.Attempt, r.Stage.Index, r.State.Weight, r.State.Version,
			want.Phase, want.Attempt, want.Stage, want.Weight, want.Version)
	}
}

// checkShown holds that what people see is on disk, but where they are told that it is not.
func (c *crash) checkShown(p *process, effects *int, die int) {
	s := p.Status()
	r, ok := s.Rollout("a")
	if !ok || len(s.Unwritten) > 0 || r.Version == 0 || c.w.isDead(effects, die) {
		return
	}
	e := c.onDisk("a")
	if e == nil || e.State.Version < r.Version {
		c.t.Errorf("seed %d: version %d is shown, on disk is %+v", c.seed, r.Version, e)
	}
}

package control

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
	"serin/gate/window"
	"serin/router"
)

// person is a user of a small crowd: a bucket, a share of the requests, and how often their requests fail.
type person struct {
	bucket router.Bucket
	share  float64
	fails  float64
}

// crowd sends rps requests a second by these people for so long, a tick at a time.
func (w *world) crowd(name string, rng *rand.Rand, people []person, rps float64, seconds int) {
	owed := 0.0
	for range seconds {
		w.mu.Lock()
		p := w.planes[name]
		for owed += rps; owed >= 1; owed-- {
			who := pick(rng, people)
			m := p.stable
			if p.setting.Weight.Arm(who.bucket) == router.Canary {
				m = p.canary
			}
			o := window.Success
			if rng.Float64() < who.fails {
				o = window.ServerError
			}
			m.Record(uint64(who.bucket), uint16(who.bucket), o, 20*time.Millisecond)
		}
		w.mu.Unlock()
		ticks(1)
	}
}

func pick(rng *rand.Rand, people []person) person {
	at := rng.Float64()
	for _, p := range people {
		if at -= p.share; at < 0 {
			return p
		}
	}
	return people[len(people)-1]
}

// halfFirst is a ladder that begins with half of the users, so that small crowds are on both arms.
func halfFirst(t *testing.T, sparse string) *gate.Policy {
	t.Helper()
	p := policy("checkout", errorRate(t))
	p.Stages = []gate.Stage{{Label: "50 %", Weight: 5000, Least: time.Minute}, {Label: "100 %", Weight: router.Full, Least: time.Minute}}
	p.Sparse, p.MaxStage = sparse, time.Hour
	return p
}

// A user with a tenth of the requests, who fails on the canary: a question for a person, never a rollback.
func TestLoop_OneHeavyFailingUser_HoldsForThatAndNeverReverts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.users = true
		p := w.start(t, planOf(halfFirst(t, "extend")))
		defer p.end()
		rng := rand.New(rand.NewPCG(3, 4))
		people := []person{{bucket: 77, share: .1, fails: .4}}
		for i := range 900 {
			people = append(people, person{bucket: router.Bucket(i * 11), share: .001, fails: .01})
		}
		ticks(2)
		seen := 0
		for range 60 {
			w.crowd("checkout", rng, people, 100, 10)
			r := p.rollout(t, "checkout")
			if r.Phase == gate.RolledBack || w.weight("checkout") > 5000 {
				t.Fatalf("%s at %s: %v", r.Phase, w.weight("checkout"), r.Sentence)
			}
			if r.Reason == gate.OneBucketDominates && strings.Contains(r.Sentence, "one bucket of users has") && r.Users.WorstBucketShare > .5 {
				seen++
			}
		}
		if seen < 50 {
			r := p.rollout(t, "checkout")
			t.Errorf("said so in %d of 60 looks; last %s: %s", seen, r.Reason, r.Sentence)
		}
	})
}

// Forty users a side, of whom two fail half of the time on either arm: more of their requests is no more evidence.
func TestLoop_SameFewUsers_SaysThatMoreTimeWillNotHelp(t *testing.T) {
	for _, tt := range []struct {
		sparse string
		phase  gate.Phase
	}{{"extend", gate.Progressing}, {"ask", gate.Holding}} {
		t.Run(tt.sparse, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.users = true
				p := w.start(t, planOf(halfFirst(t, tt.sparse)))
				defer p.end()
				var people []person
				for i := range 80 {
					who := person{bucket: router.Bucket(i * 125), share: 1.0 / 80}
					if i%40 < 2 {
						who.fails = .5
					}
					people = append(people, who)
				}
				ticks(2)
				w.crowd("checkout", rand.New(rand.NewPCG(5, 6)), people, 200, 25*60)
				r := p.rollout(t, "checkout")
				if r.Reason != gate.SaturatedUsers || r.Phase != tt.phase || w.weight("checkout") != 5000 {
					t.Fatalf("%s for %s at %s: %s", r.Phase, r.Reason, w.weight("checkout"), r.Sentence)
				}
				if !strings.Contains(r.Sentence, "more users would") || r.Users.DesignEffect < 2 {
					t.Errorf("design effect %.1f: %s", r.Users.DesignEffect, r.Sentence)
				}
			})
		})
	}
}

// Five requests a second, which are too few: each sparse policy does what it says.
func TestLoop_FiveRequestsASecond_EachPolicyDoesWhatItSays(t *testing.T) {
	run := func(t *testing.T, sparse string, seconds int) (RolloutStatus, router.Weight) {
		t.Helper()
		w := newWorld()
		w.users = true
		pol := halfFirst(t, sparse)
		pol.Stages = append([]gate.Stage{{Label: "10 %", Weight: 1000, Least: 5 * time.Minute}}, pol.Stages...)
		pol.WidenMax, pol.MaxStage = 3000, 30*time.Minute
		p := w.start(t, planOf(pol))
		defer p.end()
		var people []person
		for i := range 1000 {
			people = append(people, person{bucket: router.Bucket(i * 10), share: .001, fails: .01})
		}
		ticks(2)
		w.crowd("checkout", rand.New(rand.NewPCG(8, 9)), people, 5, seconds)
		return p.rollout(t, "checkout"), w.weight("checkout")
	}
	tests := []struct {
		name, sparse string
		seconds      int
		phase        gate.Phase
		weight       router.Weight
		says         string
	}{
		{"extend waits", "extend", 20 * 60, gate.Progressing, 1000, "not yet enough"},
		{"extend asks when its time is over", "extend", 31 * 60, gate.Holding, 1000, "a person decides"},
		{"widen brings more users, to widen_max", "widen", 10 * 60, gate.Progressing, 3000, ""},
		{"ask asks at once", "ask", 10 * 60, gate.Holding, 1000, "a person decides"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, weight := run(t, tt.sparse, tt.seconds)
				if r.Phase != tt.phase || weight != tt.weight || !strings.Contains(r.Sentence, tt.says) {
					t.Errorf("%s at %s: %s", r.Phase, weight, r.Sentence)
				}
			})
		})
	}
}

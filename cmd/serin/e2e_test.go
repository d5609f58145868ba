package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"serin/proxy/admin"
)

// The end-to-end tests run the built binary between real processes and a crowd, on the real clock: what an operator
// would see. Stages are seconds long instead of minutes; nothing else differs from production.

// ladderOf5 is 5-25-100 with stages of 10 s.
const ladderOf5 = `
[upstream.v1]
servers = [%q]
[upstream.v2]
servers = [%q]
[rollout.shop]
stable = "v1"
canary = "v2"
key    = ["header:X-User-Id"]
ladder = ["5%%", "25%%", "100%%"]
every  = "10s"
warmup = "2s"
[[rollout.shop.gate]]
metric   = "error_rate"
hold     = "stable + 0.5pt"
rollback = "stable + 2pt"
`

// scene is a daemon between two services, with a crowd.
type scene struct {
	*daemonProcess
	site   site
	v1, v2 *sample
	load   *sampleLoad
	leave  func() // ends the crowd and waits for its last answer
}

// stage starts services that fail with the given rates, serin with the ladder of file, and a crowd of rate.
func stage(t *testing.T, file string, rate, stableErrors, canaryErrors float64) *scene {
	t.Helper()
	s := &scene{site: newSite(t)}
	s.v1, s.v2 = startSample(t, "v1", fail(stableErrors)), startSample(t, "v2", fail(canaryErrors))
	s.daemonProcess = startDaemon(t, s.site, s.site.config(t, fmt.Sprintf(file, s.v1.Address, s.v2.Address)))
	s.crowd(rate)
	return s
}

func (s *scene) crowd(rate float64) {
	s.load = newSampleLoad(s.Listen+"/basket", demoUsers, rate)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.load.Run(ctx) })
	s.leave = func() { cancel(); wg.Wait() }
	s.t.Cleanup(s.leave)
}

// fail is the behaviour of a service that fails with this rate.
func fail(rate float64) behaviour {
	return behaviour{ErrorRate: rate, Median: 5 * time.Millisecond, Sigma: .3}
}

func TestE2E_SameErrorsOnBothArms_Released(t *testing.T) {
	t.Parallel()
	s := stage(t, ladderOf5, 500, .01, .01)
	began := time.Now()
	s.Follow(240*time.Second, func(ro admin.Rollout) bool {
		if ro.Phase == "rolled_back" {
			t.Fatalf("a healthy canary was rolled back: %s", ro.Sentence)
		}
		return ro.Phase == "completed" && ro.Weight == 1
	})
	took := time.Since(began)
	t.Logf("released after %.0f s", took.Seconds())
	if took < 20*time.Second {
		t.Errorf("released after %v: faster than its stages allow", took)
	}
	s.leave()
	if seen := s.load.Ledger(); seen.Broken != 0 {
		t.Errorf("%d of %d requests got no whole answer: %s", seen.Broken, seen.Sent, seen.FirstBroken)
	}
}

func TestE2E_CanaryFailsFourPercent_RolledBackAtTheFirstStage(t *testing.T) {
	t.Parallel()
	s := stage(t, ladderOf5, 500, .01, .04)
	began := time.Now()
	ro := s.Follow(120*time.Second, func(ro admin.Rollout) bool {
		if ro.Weight > .05 {
			t.Fatalf("weight %v: above the first stage", ro.Weight)
		}
		return ro.Phase == "rolled_back"
	})
	t.Logf("rolled back after %.1f s and %d canary requests: %s", time.Since(began).Seconds(), ro.Exposure.Requests, ro.Sentence)
	decisions, err := s.Client.Decisions(context.Background(), "shop", time.Time{}, 1)
	if err != nil || len(decisions) != 1 || decisions[0].Action != "rollback" || len(decisions[0].Evidence.Gates) == 0 {
		t.Fatalf("the journal's last decision is %+v, %v: want a rollback with its evidence", decisions, err)
	}
	s.expectStableOnly(decisions[0].At)
}

// expectStableOnly asserts that no answer of the canary comes later than a second after the decision.
func (s *scene) expectStableOnly(decided time.Time) {
	s.t.Helper()
	<-time.After(3 * time.Second)
	late := s.load.Ledger().LastCanary.Sub(decided)
	s.t.Logf("the last answer of the canary came %.0f ms after the decision", float64(late)/1e6)
	if late > time.Second {
		s.t.Errorf("the canary still answered %v after the decision", late)
	}
}

func TestE2E_CanaryRefusesConnections_WeightZeroWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	s := stage(t, ladderOf5, 500, .01, .01)
	s.Follow(20*time.Second, func(ro admin.Rollout) bool { return ro.Arms.Canary.Requests > 50 })
	began := time.Now()
	s.v2.Kill()
	s.Follow(10*time.Second, func(ro admin.Rollout) bool { return ro.Weight == 0 })
	took := time.Since(began)
	t.Logf("weight 0 after %.1f s", took.Seconds())
	if took > 5*time.Second {
		t.Errorf("took %v, want at most 5 s", took)
	}
}

func TestE2E_CanaryWithinTheBand_HeldAndNeverReleased(t *testing.T) {
	t.Parallel()
	s := stage(t, ladderOf5, 500, .01, .019)
	until := time.Now().Add(100 * time.Second)
	last := s.Follow(110*time.Second, func(ro admin.Rollout) bool {
		if ro.Phase == "completed" || ro.Weight > .25 {
			t.Fatalf("released at %v: %s", ro.Weight, ro.Sentence)
		}
		return time.Now().After(until) || ro.Phase == "rolled_back"
	})
	t.Logf("after 100 s: %s at %s: %s", last.Phase, percent(last.Weight), last.Sentence)
}

func TestE2E_FiveRequestsPerSecond_HeldWithTheTimeStillNeeded(t *testing.T) {
	t.Parallel()
	s := stage(t, ladderOf5, 5, .01, .01)
	ro := s.Follow(90*time.Second, func(ro admin.Rollout) bool {
		return ro.Stage.ElapsedSeconds > 15 && ro.Reason != "no_canary_traffic" && ro.Stage.RemainingSeconds != nil
	})
	t.Logf("%s %s; %.0f s remain", ro.Sentence, ro.Next, *ro.Stage.RemainingSeconds)
	if ro.Verdict != "hold" || ro.Stage.Index != 1 || *ro.Stage.RemainingSeconds <= 0 {
		t.Errorf("verdict %s at stage %d with %v s to go, want hold at 1 with time to go", ro.Verdict, ro.Stage.Index, *ro.Stage.RemainingSeconds)
	}
}

func TestE2E_CanaryTurnsBadAtTheSecondStage_BackWithinTwentySeconds(t *testing.T) {
	t.Parallel()
	s := stage(t, ladderOf5, 500, .01, .01)
	s.Follow(120*time.Second, func(ro admin.Rollout) bool { return ro.Weight == .25 && ro.Arms.Canary.Requests > 200 })
	began := time.Now()
	s.v2.Behave(fail(.10))
	ro := s.Follow(40*time.Second, func(ro admin.Rollout) bool { return ro.Weight == 0 })
	took := time.Since(began)
	t.Logf("back after %.1f s: %s", took.Seconds(), ro.Sentence)
	if took > 20*time.Second {
		t.Errorf("took %v, want at most 20 s", took)
	}
}

func TestE2E_BothArmsFailTogether_NeitherWidenedNorReverted(t *testing.T) {
	t.Parallel()
	s := stage(t, ladderOf5, 500, .01, .01)
	s.Follow(60*time.Second, func(ro admin.Rollout) bool { return ro.Arms.Canary.Requests > 100 })
	s.v1.Behave(fail(.5))
	s.v2.Behave(fail(.5))
	outageEnds := time.Now().Add(15 * time.Second)
	var weight float64
	s.Follow(30*time.Second, func(ro admin.Rollout) bool {
		if weight == 0 {
			weight = ro.Weight
		}
		if ro.Weight != weight {
			t.Fatalf("weight went from %v to %v during the outage: %s", weight, ro.Weight, ro.Sentence)
		}
		return time.Now().After(outageEnds)
	})
	s.v1.Behave(fail(.01))
	s.v2.Behave(fail(.01))
	began := time.Now()
	s.Follow(400*time.Second, func(ro admin.Rollout) bool {
		if ro.Phase == "rolled_back" {
			t.Fatalf("a shared outage rolled the canary back: %s", ro.Sentence)
		}
		return ro.Phase == "completed"
	})
	t.Logf("released %.0f s after the outage", time.Since(began).Seconds())
}

// The two ladders of the field's standard examples.

const ladderOfFour = `
[upstream.v1]
servers = [%q]
[upstream.v2]
servers = [%q]
[rollout.shop]
stable = "v1"
canary = "v2"
key    = ["header:X-User-Id"]
ladder = ["1%%", "5%%", "25%%", "100%%"]
every  = "5s"
warmup = "2s"
[[rollout.shop.gate]]
metric   = "error_rate"
hold     = "stable + 0.5pt"
rollback = "stable + 2pt"
[[rollout.shop.gate]]
metric = "latency_p99"
hold   = "stable * 1.5"
`

const ladderOfDoublings = `
[upstream.v1]
servers = [%q]
[upstream.v2]
servers = [%q]
[rollout.shop]
stable = "v1"
canary = "v2"
key    = ["header:X-User-Id"]
ladder = "2%% x2"
every  = "5s"
warmup = "2s"
[[rollout.shop.gate]]
metric   = "error_rate"
hold     = "stable * 1.10"
rollback = "stable * 2"
[[rollout.shop.gate]]
metric = "latency_p95"
hold   = "stable * 1.10"
`

func TestE2E_LadderOfFour_ReleasesTheGoodAndRevertsTheBad(t *testing.T) {
	t.Parallel()
	s := stage(t, ladderOfFour, 1000, .01, .01)
	// Long enough latencies that a busy test machine's own delays are small beside them.
	steady := func(errors float64) behaviour {
		return behaviour{ErrorRate: errors, Median: 60 * time.Millisecond, Sigma: .3}
	}
	s.v1.Behave(steady(.01))
	s.v2.Behave(steady(.01))
	seen := map[float64]bool{}
	s.Follow(400*time.Second, func(ro admin.Rollout) bool {
		seen[ro.Weight] = true
		if ro.Phase == "rolled_back" {
			t.Fatalf("a healthy canary was rolled back: %s", ro.Sentence)
		}
		return ro.Phase == "completed"
	})
	for _, w := range []float64{.01, .05, .25, .99} {
		if !seen[w] {
			t.Errorf("the ladder skipped %s: saw %v", percent(w), seen)
		}
	}

	// A new revision that fails begins a new attempt at stage 1 and is reverted.
	bad := startSample(t, "v2", steady(.06))
	s.site.config(t, fmt.Sprintf(ladderOfFour, s.v2.Address, bad.Address))
	ro := s.Follow(120*time.Second, func(ro admin.Rollout) bool {
		if ro.Phase != "completed" && ro.Weight > .05 {
			t.Fatalf("the bad revision reached %s", percent(ro.Weight))
		}
		return ro.Phase == "rolled_back"
	})
	t.Logf("second release: %s", ro.Sentence)
}

func TestE2E_LadderOfDoublings_ReleasesHoldsAndReverts(t *testing.T) {
	t.Parallel()
	s := stage(t, ladderOfDoublings, 1000, .05, .05)
	var rungs []string
	last := 0.0
	s.Follow(500*time.Second, func(ro admin.Rollout) bool {
		if ro.Phase == "holding" { // a finding by chance, one stage in twenty at most: a person looks, and goes on
			d, err := s.Client.Act(context.Background(), "shop", "resume", admin.Act{Actor: "test", Reason: "both fail alike"})
			t.Logf("%s: %v", d.Sentence, err)
		}
		if ro.Weight > last {
			last = ro.Weight
			rungs = append(rungs, percent(ro.Weight))
		}
		if ro.Phase == "rolled_back" {
			t.Fatalf("a healthy canary was rolled back: %s", ro.Sentence)
		}
		return ro.Weight >= .16
	})
	t.Logf("rungs: %s", strings.Join(rungs, ", "))
	s.v2.Behave(fail(.16)) // three times stable's rate: the error rate has doubled and more
	ro := s.Follow(60*time.Second, func(ro admin.Rollout) bool { return ro.Phase == "rolled_back" })
	t.Logf("%s", ro.Sentence)
}

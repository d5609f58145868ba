package gate_test

import (
	"testing"
	"time"

	"serin/gate"
)

func TestHoldTimer_EveryCause_CountsSinceTheHoldBegan(t *testing.T) {
	t.Parallel()
	p := &gate.Policy{
		Rollout: "checkout", Revision: "r2", MaxStage: time.Hour, Holdback: 100, HoldTimeout: time.Hour, OnHoldTimeout: "ask",
		Stages: []gate.Stage{{Weight: 500, Least: time.Minute}, {Weight: 10_000, Least: time.Minute, Owner: "product"}},
	}
	for _, cause := range []gate.Cause{
		gate.CauseFinding, gate.CauseFailed, gate.CauseSparse, gate.CauseSkewed, gate.CauseApproval,
	} {
		t.Run(string(cause), func(t *testing.T) {
			t.Parallel()
			now := time.Now()
			s := gate.State{
				Phase: gate.Holding, Cause: cause, Stage: 1, Weight: 500, Revision: "r2", Attempt: 1, Last: now,
				Reason: gate.WorseThanStable, Cleared: true,
			}
			seen := newWorld().seen(s)
			seen.CanaryHealthy, seen.StableHealthy, seen.WindowOpen, seen.JournalAvailable = true, true, true, true
			if cause == gate.CauseSkewed {
				seen.View.Crowds[0].HeaviestShare = .5
				seen.View.Full.OK = true
				seen.View.Full.Stable.Outcomes[2], seen.View.Full.Canary.Outcomes[2] = 9_500, 500
			}
			for range 10 {
				now = now.Add(time.Second)
				s, _ = gate.Step(s, p, now, gate.Tick{Seen: seen})
			}
			timer := gate.HoldTimer(s, p)
			if timer == nil || timer.Spent != 10*time.Second {
				t.Fatalf("phase %v, cause %q: got timer %+v, want 10 s spent", s.Phase, s.Cause, timer)
			}
		})
	}
}

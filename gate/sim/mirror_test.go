package sim

import (
	"testing"
	"time"

	"serin/gate"
	"serin/gate/criterion"
	"serin/router"
)

func TestRun_LadderWithAMirror_GoesThroughIt(t *testing.T) {
	t.Parallel()
	limit, err := criterion.ParseLimit("stable + 1pt")
	if err != nil {
		t.Fatal(err)
	}
	c, err := criterion.New(criterion.Spec{Metric: "mismatch_rate", Hold: limit})
	if err != nil {
		t.Fatal(err)
	}
	p := &gate.Policy{
		Rollout: "checkout", Revision: "v2", StableRevision: "v1", Criteria: []gate.Criterion{c}, MaxStage: 6 * time.Hour, Holdback: 100,
		AlphaFail: .01, AlphaPass: .05, DrillAge: time.Hour,
		Stages: []gate.Stage{
			{Label: "mirror 10 %", Mirror: 1000, Least: 5 * time.Minute},
			{Label: "100 %", Weight: router.Full, Least: 5 * time.Minute},
		},
	}
	f := func(rps float64, promoted bool) {
		t.Helper()
		if got := Run(p, World{RPS: rps, Horizon: time.Hour}, 1); got.Promoted != promoted || got.RolledBack {
			t.Errorf("at %v requests/s: promoted %v, want %v (%+v)", rps, got.Promoted, promoted, got)
		}
	}
	f(200, true)
	f(.01, false) // a comparison every quarter of an hour proves nothing
}

package main

import (
	"testing"

	"serin/config"
	"serin/gate/control"
	"serin/gate/window"
	"serin/router"
)

// An answer may come when the stage of its request is over, or its attempt: what it says is no evidence of the next.
func TestSignalKeeper_FieldOfAnEarlierStep_IsLate(t *testing.T) {
	t.Parallel()
	plan, problems := config.Parse("serin.toml", []byte(`
[upstream.a]
servers = ["127.0.0.1:1"]
[upstream.b]
servers = ["127.0.0.1:2"]
[rollout.shop]
stable = "a"
canary = "b"
ladder = ["50%", "100%"]
signals = { header = "X-Signal" }
[[rollout.shop.gate]]
metric = "signal.failed"
hold = "stable + 1pt"
`), config.Options{})
	if plan == nil {
		t.Fatal(problems)
	}
	ro, k := &plan.Rollouts[0], newSignalKeeper()
	before := k.begin(ro, control.Setting{Step: 1}, ro.Split)
	if again := k.begin(ro, control.Setting{Step: 1}, ro.Split); again != before {
		t.Error("the same step is told to somebody else")
	}
	now := k.begin(ro, control.Setting{Step: 2}, ro.Split)
	before.Hear(router.Canary, 7, []byte("failed=1"))
	now.Hear(router.Canary, 7, []byte("failed=0"))
	var r control.Reading
	k.read("shop", &r)
	if got := r.Signals["failed"][router.Canary].Counts(window.BadKind); got.X != 0 || got.N != 1 {
		t.Errorf("got %+v, want the later answer's alone", got)
	}
	if _, late := k.Totals("shop"); late != 1 {
		t.Errorf("got %d late, want 1", late)
	}
}

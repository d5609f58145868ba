package criterion

import (
	"strings"
	"testing"

	"serin/gate"
	"serin/gate/window"
)

// signalled asks a signal's gate about a view of the same shape as requests'.
func signalled(t *testing.T, s Spec, v *window.View) gate.Finding {
	t.Helper()
	c, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	q := asked(&window.View{})
	q.Dwelled, q.NextShare = true, 1
	q.Signals = map[string]*window.View{"done": v}
	return c.Judge(q)
}

func TestSignal_LowerIsWorse_IsJudgedByWhatIsMissing(t *testing.T) {
	t.Parallel()
	spec := Spec{Metric: "signal.done", Worse: "lower", Hold: limit(t, "stable + 2pt"), Rollback: limit(t, "stable + 10pt")}
	// 30 % against 60 %: 70 and 40 of a hundred are missing.
	f := signalled(t, spec, view(1400, 2000, 800, 2000))
	if f.Verdict != gate.Fail || f.Stable < .59 || f.Stable > .61 || f.Canary > .31 || !f.Lower || f.Samples.CanaryBad != 600 || f.Difference < .29 {
		t.Errorf("got %+v", f)
	}
	f = signalled(t, spec, view(8000, 20000, 8000, 20000))
	if f.Verdict != gate.Pass {
		t.Errorf("the same on both arms: got %+v", f)
	}
	f = signalled(t, spec, view(6000, 20000, 8000, 20000))
	if f.Verdict != gate.Pass || f.Canary < f.Stable {
		t.Errorf("a canary that sells more: got %+v", f)
	}
}

func TestSignal_AbsoluteLimit_IsOfTheSignalItself(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"50%", "0.5"} {
		f := signalled(t, Spec{Metric: "signal.done", Worse: "lower", Rollback: limit(t, text)}, view(1400, 2000, 200, 2000))
		if f.Verdict != gate.Fail || *f.RollbackLimit != .5 || f.Difference > .31 {
			t.Errorf("%s: 30 %% of the canary against a limit of 50 %%: got %+v", text, f)
		}
	}
}

func TestSignal_LimitBelowStable_IsTheSameHarm(t *testing.T) {
	t.Parallel()
	v := view(8000, 20000, 5000, 20000)
	plus := signalled(t, Spec{Metric: "signal.done", Worse: "lower", Rollback: limit(t, "stable + 5pt")}, v)
	less := signalled(t, Spec{Metric: "signal.done", Worse: "lower", Rollback: limit(t, "stable - 5pt")}, v)
	if less.Verdict != gate.Fail || *less.RollbackLimit != *plus.RollbackLimit || less.Difference != plus.Difference || !strings.Contains(less.Rule, "stable - 5pt") {
		t.Errorf("got %+v, want the same as %+v", less, plus)
	}
}

func TestSignal_NothingHeard_Holds(t *testing.T) {
	t.Parallel()
	c, err := New(Spec{Metric: "signal.other", Hold: limit(t, "stable + 2pt")})
	if err != nil {
		t.Fatal(err)
	}
	q := asked(&window.View{})
	if f := c.Judge(q); f.Verdict != gate.Hold || f.Reason != gate.Collecting {
		t.Errorf("got %+v", f)
	}
}

func TestSignal_WhatDoesNotFit_IsRefusedInWords(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]Spec{
		"between 0 and 1": {Metric: "signal.done", Hold: limit(t, "5")},
		"want points":     {Metric: "signal.done", Worse: "lower", Hold: limit(t, "stable * 1.1")},
		"cannot be":       {Metric: "signal.done", Hold: limit(t, "300ms")},
		"below stable":    {Metric: "signal.done", Hold: limit(t, "stable - 2pt")},
		"worse only for":  {Metric: "error_rate", Rollback: limit(t, "stable - 2pt")},
	} {
		if _, err := New(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %s", s, err, want)
		}
	}
	if got := SignalsOf([]gate.Criterion{made(t, "signal.a", "stable + 1pt", ""), made(t, "error_rate", "1%", "")}); len(got) != 1 || got["a"] {
		t.Errorf("got %v", got)
	}
}

package criterion

import (
	"strings"
	"testing"
	"time"

	"serin/gate"
)

func heardOf(values ...float64) gate.Outside {
	return gate.Outside{Values: values, Heard: true, Age: time.Second, Stale: time.Minute}
}

func TestPrometheus_Readings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		hold, rollback string
		worse          string
		heard          gate.Outside
		early          bool
		verdict        gate.Verdict
		reason         gate.Reason
	}{
		{"within the limits", "0.02", "0.05", "", heardOf(.01, .01), false, gate.Pass, gate.Passed},
		{"within the limits, too early", "0.02", "0.05", "", heardOf(.01, .01), true, gate.Hold, gate.Collecting},
		{"one reading above hold", "0.02", "0.05", "", heardOf(.01, .03), false, gate.Hold, gate.EstimateAboveHold},
		{"two above hold", "0.02", "0.05", "", heardOf(.03, .03), false, gate.Hold, gate.WorseThanStable},
		{"one above rollback is a glitch", "0.02", "0.05", "", heardOf(.01, .9), false, gate.Hold, gate.EstimateAboveHold},
		{"two above rollback", "0.02", "0.05", "", heardOf(.01, .06, .06), false, gate.Fail, gate.WorseThanStable},
		{"two above, but recovered", "0.02", "0.05", "", heardOf(.06, .06, .01), false, gate.Pass, gate.Passed},
		{"lower is worse, and it is low", "0.02", "0.01", "lower", heardOf(.001, .001), false, gate.Fail, gate.WorseThanStable},
		{"lower is worse, and it is high", "0.02", "0.01", "lower", heardOf(.1), false, gate.Pass, gate.Passed},
		{"never heard", "0.02", "0.05", "", gate.Outside{}, false, gate.Hold, gate.Collecting},
		{"never heard, it fails", "0.02", "0.05", "", gate.Outside{Failure: "refused"}, false, gate.Hold, gate.OutsideUnknown},
		{"too old", "0.02", "0.05", "", gate.Outside{Values: []float64{.9, .9}, Heard: true, Age: time.Hour, Stale: time.Minute}, false, gate.Hold, gate.OutsideUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := New(Spec{Metric: "prometheus", Hold: limit(t, c.hold), Rollback: limit(t, c.rollback), Worse: c.worse, Source: "up"})
			if err != nil {
				t.Fatal(err)
			}
			f := g.Judge(gate.Question{Dwelled: !c.early, Outside: map[string]gate.Outside{g.Rule(): c.heard}})
			if f.Verdict != c.verdict || f.Reason != c.reason {
				t.Errorf("got %s %s, want %s %s", f.Verdict, f.Reason, c.verdict, c.reason)
			}
		})
	}
}

func TestWebhook_Answers(t *testing.T) {
	t.Parallel()
	g, err := New(Spec{Metric: "webhook", Source: "http://check"})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(heard gate.Outside) gate.Finding {
		return g.Judge(gate.Question{Dwelled: true, Outside: map[string]gate.Outside{g.Rule(): heard}})
	}
	answer := func(v gate.Verdict) gate.Outside {
		return gate.Outside{Answer: v, Note: "because", Heard: true, Stale: time.Minute}
	}
	for _, v := range []gate.Verdict{gate.Pass, gate.Hold, gate.Fail} {
		if f := ask(answer(v)); f.Verdict != v || f.Note != "because" {
			t.Errorf("answered %s: got %+v", v, f)
		}
	}
	late := answer(gate.Fail)
	late.Age = time.Hour
	for name, heard := range map[string]gate.Outside{"late": late, "failing": {Failure: "500"}, "unheard": {}} {
		if f := ask(heard); f.Verdict != gate.Hold {
			t.Errorf("%s: got %s: a source that says nothing holds", name, f.Verdict)
		}
	}
	if f := g.Judge(gate.Question{Dwelled: true}); f.Verdict != gate.Hold {
		t.Errorf("nobody asked: got %s", f.Verdict)
	}
}

func TestOutside_WhatDoesNotFit_IsRefusedInWords(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]Spec{
		"plain number":            {Metric: "prometheus", Hold: limit(t, "stable + 1pt"), Source: "up"},
		"neither hold nor":        {Metric: "prometheus", Source: "up"},
		"swap them":               {Metric: "prometheus", Hold: limit(t, "2"), Rollback: limit(t, "1"), Source: "up"},
		"plain number: \"0.02":    {Metric: "webhook", Hold: limit(t, "stable * 2"), Source: "http://x"},
		"cannot be limited by \"": {Metric: "error_rate", Hold: limit(t, "0.02")},
	} {
		if _, err := New(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %s", s, err, want)
		}
	}
	if _, err := New(Spec{Metric: "prometheus", Hold: limit(t, "1"), Rollback: limit(t, "0.5"), Worse: "lower", Source: "up"}); err != nil {
		t.Errorf("lower limits for what is worse when lower: %v", err)
	}
}

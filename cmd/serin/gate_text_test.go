package main

import (
	"slices"
	"strings"
	"testing"

	"serin/gate"
	"serin/proxy/admin"
)

// What a gate says fits what it measures: the plain judge has no odds, another system's value is no harm in points, where
// lower is worse a limit is to be kept above.
func TestGateText_FitsWhatItMeasures(t *testing.T) {
	t.Parallel()
	roll, needs := .02, 800.0
	n := gate.Samples{Stable: 1000, StableBad: 10, Canary: 500, CanaryBad: 6}
	for _, tt := range []struct {
		name        string
		g           admin.Gate
		lines, next string
		never       string
	}{
		{
			"evidence", admin.Gate{Metric: "error_rate", Scale: "points", Reason: gate.NotEnoughEvidence, Difference: .002, HoldLimit: .005, RollbackLimit: &roll,
				PassLimit: .02, PassOdds: 14, PassNeeds: 20, FailNeeds: &needs, Samples: n},
			"must show < 2.00 pt: odds 14 of 20", "the odds that its harm is below 2.00 pt are 14 and must reach 20", "at most",
		},
		{
			"plain judge", admin.Gate{Metric: "error_rate", Scale: "points", Reason: gate.Collecting, Difference: .002, HoldLimit: .005, RollbackLimit: &roll, PassLimit: .005, Samples: n},
			"must show at most 0.50 pt", "error_rate holds, collecting", "odds",
		},
		{
			"plain judge, above", admin.Gate{Metric: "error_rate", Scale: "points", Reason: gate.EstimateAboveHold, Difference: .007, HoldLimit: .005, Samples: n},
			"harm +0.70 pt", "its harm of 0.70 pt must come below 0.50 pt", "between",
		},
		{
			"nothing seen", admin.Gate{Metric: "error_rate", Scale: "points", Reason: gate.Collecting}, "no request", "error_rate holds, collecting", "odds",
		},
		{
			"another system's value", admin.Gate{Metric: "prometheus", Scale: "value", Absolute: true, Reason: gate.WorseThanStable, Canary: 42, Difference: 42, HoldLimit: 2},
			"42 (hold limit 2)", "prometheus holds, worse than stable: 42 (hold limit 2)", "%",
		},
		{
			"lower is worse", admin.Gate{Metric: "signal.done", Scale: "points", Absolute: true, Lower: true, Reason: gate.WorseThanStable, Canary: .95, Difference: .95, HoldLimit: .98,
				PassLimit: .98, PassOdds: 0, PassNeeds: 20, Samples: n},
			"must show > 98.00 %", "its rate of 95.00 % must come above 98.00 %", "below",
		},
		{
			"clients went away", admin.Gate{Metric: "latency_p95", Scale: "ratio", Unanswered: true, Reason: gate.WorseThanStable, Canary: 98520, Stable: 170, Difference: 580,
				HoldLimit: 1.1, PassLimit: 1.5, PassNeeds: 20, Samples: n},
			"beyond its clients' patience", "must come below 1.10", "98.5",
		},
		{
			"users left out", admin.Gate{Metric: "error_rate", Scale: "points", LeftOut: true, Reason: gate.EstimateAboveHold, Difference: .001, HoldLimit: .005, PassOdds: 31, PassNeeds: 20, Samples: n},
			"odds 31 of 20", "left out before the release", "suffice",
		},
	} {
		lines, next := strings.Join(gateText(tt.g), "\n"), change(tt.g)
		if !strings.Contains(lines, tt.lines) {
			t.Errorf("%s: got\n%s\nwant %q", tt.name, lines, tt.lines)
		}
		if !strings.Contains(next, tt.next) {
			t.Errorf("%s: got %q, want %q", tt.name, next, tt.next)
		}
		if i := slices.IndexFunc([]string{lines, next}, func(s string) bool { return strings.Contains(s, tt.never) }); i >= 0 {
			t.Errorf("%s: says %q\n%s\n%s", tt.name, tt.never, lines, next)
		}
	}
}

func TestNumbered_OneIsOne(t *testing.T) {
	t.Parallel()
	for n, want := range map[uint64]string{0: "0 users", 1: "1 user", 5012: "5,012 users"} {
		if got := numbered(n, "user"); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

package gate

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"serin/router"
)

func TestSpan_SaysWhatWasChosen(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 0: "0 s", 500 * time.Millisecond: "0.5 s", time.Second: "1 s", 90 * time.Second: "90 s",
		2 * time.Minute: "2 min", 150 * time.Second: "2 min 30 s", 60 * time.Minute: "60 min", 90 * time.Minute: "1 h 30 min",
		6 * time.Hour: "6 h", 25*time.Hour + time.Second: "25 h 1 s", 72 * time.Hour: "3 days", 80 * time.Hour: "3 days 8 h", 168 * time.Hour: "7 days",
	} {
		if got := Span(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

// What has passed is never told as more, what is left never as less.
func TestPassedAndLeft_RoundToTheSafeSide(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		d            time.Duration
		passed, left string
	}{
		{-time.Second, "0 s", "0 s"},
		{999 * time.Millisecond, "0 s", "1 s"},
		{59*time.Second + time.Millisecond, "59 s", "60 s"},
		{119500 * time.Millisecond, "119 s", "2 min"},
		{15*time.Minute - time.Millisecond, "14 min", "15 min"},
		{15 * time.Minute, "15 min", "15 min"},
		{90*time.Minute - time.Second, "89 min", "1 h 30 min"},
		{72*time.Hour - time.Second, "71 h 59 min", "3 days"},
		{80*time.Hour + time.Minute, "3 days 8 h", "3 days 9 h"},
	} {
		if got := passed(tt.d); got != tt.passed {
			t.Errorf("%v passed: got %q, want %q", tt.d, got, tt.passed)
		}
		if got := Left(tt.d); got != tt.left {
			t.Errorf("%v left: got %q, want %q", tt.d, got, tt.left)
		}
	}
}

func TestPercent_OnlyAllIsHundredAndNothingZero(t *testing.T) {
	t.Parallel()
	for rate, want := range map[float64]string{
		0: "0 %", 1e-9: "under 0.0001 %", 4e-5: "0.004 %", .0106: "1.06 %", .18: "18 %", .1849: "18.5 %", .99949: "99.94 %",
		.99999: "99.99 %", 1: "100 %", -.02: "-2 %",
	} {
		if got := percent(rate); got != want {
			t.Errorf("%v: got %q, want %q", rate, got, want)
		}
	}
	for ms, want := range map[float64]string{.1: "0.1 ms", 46.24: "46.2 ms", 99.97: "100 ms", 181.4: "181 ms", 999.7: "1 s", 1240: "1.24 s"} {
		if got := milliseconds(ms); got != want {
			t.Errorf("%v ms: got %q, want %q", ms, got, want)
		}
	}
}

// odd are findings whose numbers are at their ends.
func odd() []Finding {
	roll, needs := .02, 800.0
	var out []Finding
	for _, n := range []uint64{0, 1, 2, 1 << 53} {
		for _, scale := range []string{scalePoints, scaleRatio, scaleValue, scaleAnswer} {
			for _, reason := range append(Reasons(), OutsideUnknown) {
				for _, more := range []func(*Finding){
					func(*Finding) {},
					func(f *Finding) { f.Absolute, f.Canary, f.Difference = true, 1, 1 },
					func(f *Finding) { f.Lower, f.Past, f.WindowSeconds = true, true, 60 },
					func(f *Finding) {
						f.Confirmed, f.Unanswered, f.LeftOut, f.Canary, f.Difference = true, true, true, 98520, 576
					},
					func(f *Finding) { f.RollbackLimit, f.FailNeeds = nil, nil },
				} {
					f := Finding{
						Metric: "error_rate", Scale: scale, Reason: reason, Stable: 1e-7, Canary: .99999, Difference: .00004, HoldLimit: .01, RollbackLimit: &roll,
						PassLimit: .01, PassNeeds: 20, FailNeeds: &needs, FailOdds: 1e12, Samples: Samples{n, n / 2, n, n / 2},
					}
					more(&f)
					out = append(out, f)
				}
			}
		}
	}
	return out
}

// wrong is what no sentence may have in it.
var wrong = regexp.MustCompile(`NaN|Inf|%!|unknown|  |\s[.,;:]|\.\.|\(\)|: \.|-0 |\b1 [a-z ]+s are\b|\b1 points\b|<nil>|BUG`)

func TestSentences_OddNumbers_AreWellFormed(t *testing.T) {
	t.Parallel()
	p := &Policy{
		Rollout: "shop", Stages: []Stage{{Weight: 100, Least: 90 * time.Second}, {Weight: router.Full, Least: 15 * time.Minute}}, MaxStage: 6 * time.Hour,
		HoldTimeout: 150 * time.Second, KeepOld: time.Hour, Warmup: 90 * time.Second, Capacity: 100, StableCapacity: 50, DrillAge: time.Hour, RevertOver: time.Minute,
	}
	now := time.Date(2026, 11, 21, 23, 59, 0, 0, time.UTC)
	seen := map[string]bool{}
	check := func(text string, what ...any) {
		if seen[text] {
			return
		}
		seen[text] = true
		if bad := wrong.FindString(text); bad != "" || text != strings.TrimSpace(text) || !strings.HasSuffix(text, ".") {
			t.Errorf("%q has %q: %v", text, bad, what)
		}
	}
	for _, f := range odd() {
		for _, phase := range []Phase{Waiting, Progressing, AwaitingApproval, Holding, Paused, Completed, RolledBack} {
			s := State{Phase: phase, Stage: 1, Weight: 100, Revision: "r2", Live: "r1", Clock: 999 * time.Millisecond, Attempt: 1, Cause: CauseFinding}
			d := Decision{Action: ActHold, Phase: phase, Reason: f.Reason, Findings: []Finding{f}, Stage: 1, From: 100, To: 100, News: true, Actor: ActorGate, Load: -1}
			check(Explain(s, p, d), phase, f.Reason, f.Scale)
			if next := Next(s, p, d, now); next != "" {
				check(next, phase, f.Reason, f.Scale)
			}
		}
		f.Verdict = Fail
		for _, a := range []Action{ActRollback, ActAdvance, ActStepBack, ActWiden, ActFreeze, ActPromote} {
			s := State{Phase: Progressing, Stage: 1, Weight: 100, Revision: "r2"}
			check(Explain(s, p, Decision{Action: a, Reason: f.Reason, Findings: []Finding{f}, From: router.Full, To: 0, News: true, Overload: 1e6, Load: 1e6}), a, f.Reason)
		}
		if text := Numbers(&f); wrong.MatchString(text) {
			t.Errorf("numbers: %q has %q", text, wrong.FindString(text))
		}
	}
	if len(seen) < 200 {
		t.Errorf("only %d sentences were looked at", len(seen))
	}
}

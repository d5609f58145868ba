package config

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
)

// planned parses a rollout with the given lines and gates.
func planned(t *testing.T, lines, gates string) *Plan {
	t.Helper()
	p, problems := Parse("serin.toml", []byte(`
[upstream.v1]
servers = ["127.0.0.1:9001"]
[upstream.v2]
servers = ["127.0.0.1:9002"]
[rollout.checkout]
stable = "v1"
canary = "v2"
`+lines+"\n"+gates), sealed(nil, nil))
	if p == nil {
		t.Fatal(problems)
	}
	return p
}

const (
	fourRungs  = `ladder = ["1%", "5%", "25%", "100%"]`
	errorsOnly = "[[rollout.checkout.gate]]\nmetric = \"error_rate\"\nhold = \"stable + 0.5pt\"\nrollback = \"stable + 2pt\"\n"
)

// The figures are gate.md's, section 7: expected time per crossing, hold .5 and rollback 2 points.
func TestTimetable_ErrorGate_MatchesTheStudysFigures(t *testing.T) {
	t.Parallel()
	p := planned(t, fourRungs, errorsOnly)
	for _, row := range []struct {
		rps, rate float64
		stage     int
		requests  float64
		seconds   float64
	}{
		{20, .001, 1, 236, 20 * 60},
		{20, .01, 1, 439, 37 * 60},
		{200, .01, 1, 439, 3.7 * 60},
		{20, .05, 1, 1194, 100 * 60},
		{20, .01, 3, 5576, 19 * 60},
		{200, .05, 3, 21567, 7 * 60},
	} {
		tables := p.Timetable(row.rps, row.rate)
		if len(tables) != 1 {
			t.Fatalf("got %d timetables", len(tables))
		}
		g := tables[0].Stages[row.stage-1].Gates[0]
		if math.Abs(float64(g.Requests)-row.requests) > 1 || math.Abs(float64(g.Seconds)/row.seconds-1) > .04 {
			t.Errorf("%v: got %.0f requests and %.0f s", row, float64(g.Requests), float64(g.Seconds))
		}
	}
	hold := p.Timetable(20, .01)[0].Stages[0].Gates[0].Hold
	if math.Abs(float64(hold)/3600-5.9) > .05 {
		t.Errorf("seeing the hold limit takes %s, want 5.9 h", Span(hold))
	}
}

func TestTimetableText_AsAPersonReadsIt(t *testing.T) {
	t.Parallel()
	p := parsed(t, "smallest.toml")
	var b strings.Builder
	for _, rps := range []float64{0, 1, 20, 200} {
		b.WriteString(TimetableText(p.Timetable(rps, 0)) + "\n----\n\n")
	}
	golden(t, "testdata/timetable.golden", b.String())
	for line := range strings.Lines(b.String()) {
		if len(line) > width+1 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
}

func TestTimetable_CrossingBeyondMaxStage_IsRefusedOnlyAtAKnownRate(t *testing.T) {
	t.Parallel()
	p := planned(t, fourRungs+"\nmax_stage = \"30m\"", errorsOnly)
	known := p.Timetable(20, .01)[0]
	if len(known.Problems) == 0 || known.Problems[0].Stage != 1 || known.Problems[0].Help != "Widen stage 1 to 5 %, in place of the stages up to that, to get there in 7.6 min." {
		t.Errorf("got %+v", known.Problems)
	}
	tables := p.Timetable(0, 0)
	if len(tables) != 3 {
		t.Fatalf("got %d timetables", len(tables))
	}
	for _, table := range tables {
		if len(table.Problems) > 0 || !table.Assumed {
			t.Errorf("at %g: got %+v", table.RPS, table.Problems)
		}
	}
}

func TestTimetable_WhatCannotBeJudged_IsSaid(t *testing.T) {
	t.Parallel()
	f := func(lines, gates string, wants ...string) {
		t.Helper()
		got := TimetableText(planned(t, lines, gates).Timetable(200, .01))
		for _, want := range wants {
			if !strings.Contains(strings.Join(strings.Fields(got), " "), want) {
				t.Errorf("got\n%s\nwant %q", got, want)
			}
		}
	}
	f(fourRungs, errorsOnly+"stages = [1]\n", "warning: stage 2: no gate judges this stage: it passes by time alone.")
	f(`ladder = ["preview", "100%"]`, errorsOnly, "Then a person is asked.")
	f(fourRungs, "[[rollout.checkout.gate]]\nmetric = \"error_rate\"\nhold = \"0.5%\"\n", "(stable itself is at the limit)", "least 60 min, and never over as it stands", "at least 15 min, never over")
	f(fourRungs, "[[rollout.checkout.gate]]\nmetric = \"latency_p99\"\nhold = \"300ms\"\n", "proving p99 within 300ms takes about")
	f(fourRungs, "[[rollout.checkout.gate]]\nmetric = \"latency_p99\"\nhold = \"stable + 20ms\"\n", "takes about 2,000 canary requests, 17 min")
	f(fourRungs, "[[rollout.checkout.gate]]\nmetric = \"latency_p95\"\nhold = \"stable * 1.10\"\nrollback = \"stable * 1.5\"\n", "a canary at 1.5 times is rolled back in about")
	f(fourRungs+"\nholdback = \"0%\"", errorsOnly, "stage 4 (100 % -> done)")
	f(fourRungs+"\njudge = \"plain\"", errorsOnly, "proving 100 requests within 5m takes about 100 canary requests, 50 s")
	f(fourRungs+"\njudge = \"plain\"\nplain = { min_requests = 1000 }", errorsOnly, "error: stage 1: cannot be judged at all.")
}

func TestTimetable_StageThatNoGateJudges_IsSaidWithoutARateToo(t *testing.T) {
	t.Parallel()
	got := TimetableText(planned(t, fourRungs, errorsOnly+"stages = [1, 2]\n").Timetable(0, 0))
	for _, want := range []string{"warning: stage 3: no gate judges this stage: it passes by time alone.", "warning: stage 4: no gate"} {
		if strings.Count(got, want) != 1 {
			t.Errorf("want once %q in\n%s", want, got)
		}
	}
}

func TestTimetable_AssumedErrorRate_RefusesNothing(t *testing.T) {
	t.Parallel()
	p := planned(t, fourRungs, "[[rollout.checkout.gate]]\nmetric = \"error_rate\"\nhold = \"0.5%\"\n")
	if got := p.Timetable(200, 0)[0]; len(got.Problems) != 0 || len(got.Warnings) == 0 || !strings.Contains(got.Warnings[0].Help, "--error-rate") {
		t.Errorf("at an assumed error rate: problems %v, warnings %v", got.Problems, got.Warnings)
	}
	if got := p.Timetable(200, .01)[0]; len(got.Problems) == 0 {
		t.Error("at a known one: no problem")
	}
}

func TestTimetable_JSON_HasNullForNever(t *testing.T) {
	t.Parallel()
	p := planned(t, fourRungs, "[[rollout.checkout.gate]]\nmetric = \"error_rate\"\nhold = \"0.5%\"\n")
	text, err := json.Marshal(p.Timetable(200, .01))
	if err != nil || !strings.Contains(string(text), `"requests":null`) {
		t.Errorf("got %v, %s", err, text)
	}
}

func TestTimetable_MoreTraffic_NeverTakesLonger(t *testing.T) {
	t.Parallel()
	p := parsed(t, "smallest.toml")
	for _, rate := range []float64{.0001, .001, .01, .1, .5} {
		before := math.Inf(1)
		for rps := .1; rps < 1e6; rps *= 3 {
			now := float64(p.Timetable(rps, rate)[0].Expected)
			if now > before*(1+1e-9) || math.IsNaN(now) {
				t.Errorf("%g requests/s at %g: %g s after %g s", rps, rate, now, before)
			}
			before = now
		}
	}
}

func TestSpan_EveryLength_ReadsWell(t *testing.T) {
	t.Parallel()
	var got []string
	for _, s := range []float64{0, 32, 220, 37 * 60, 5.87 * 3600, 3 * 86400, math.Inf(1)} {
		got = append(got, Span(Quantity(s)))
	}
	if want := "0 s, 32 s, 3.7 min, 37 min, 5.9 h, 3 days, never"; strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", fmt.Sprint(got), want)
	}
}

func TestTimetable_OutsideGates_NeedNoTraffic(t *testing.T) {
	t.Parallel()
	for _, gate := range []string{
		"metric = \"webhook\"\nurl = \"https://judge.example\"",
		"metric = \"webhook\"\nurl = \"https://judge.example\"\nhold = 0.5",
		"metric = \"prometheus\"\nquery = \"up\"\nhold = 0.02\nrollback = \"0.05\"",
		"metric = \"prometheus\"\nquery = \"up\"\nworse = \"lower\"\nrollback = -1",
	} {
		p := mustParse(t, "[upstream.v1]\nservers = [\"127.0.0.1:1\"]\n[upstream.v2]\nservers = [\"127.0.0.1:2\"]\n[rollout.checkout]\nstable = \"v1\"\ncanary = \"v2\"\n"+
			"ladder = [\"1%\", \"100%\"]\nevery = \"5m\"\n[[rollout.checkout.gate]]\n"+gate+"\n", Options{})
		table := p.Timetable(1, .01)[0]
		if len(table.Problems) != 0 || len(table.Stages) != 2 || table.Stages[0].Expected != 300 || len(table.Stages[0].Gates) != 1 {
			t.Errorf("%s: got %+v", gate, table)
		}
		if text := TimetableText([]Timetable{table}); !strings.Contains(text, "is asked elsewhere") {
			t.Errorf("%s: got\n%s", gate, text)
		}
	}
}

package ladder

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"serin/gate"
	"serin/router"
)

func weights(stages []gate.Stage) []router.Weight {
	out := make([]router.Weight, len(stages))
	for i, s := range stages {
		out[i] = s.Weight
	}
	return out
}

func TestParse_EveryForm_GivesItsStages(t *testing.T) {
	t.Parallel()
	f := func(in []string, want ...router.Weight) {
		t.Helper()
		stages, err := Parse(in)
		if err != nil || !slices.Equal(weights(stages), want) {
			t.Errorf("Parse(%q): got %v, %v, want %v", in, weights(stages), err, want)
		}
	}
	f([]string{"1%", "5%", "25%", "100%"}, 100, 500, 2500, 10_000)
	f([]string{"0.01%", "2.5 %", "100%"}, 1, 250, 10_000)
	f([]string{"100%"}, 10_000)
	f([]string{"2% x2"}, 200, 400, 800, 1600, 3200, 6400, 10_000)
	f([]string{"1%x10"}, 100, 1000, 10_000)
	f([]string{"10% +10%"}, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000)
	f([]string{"5%+40%"}, 500, 4500, 8500, 10_000)
	f([]string{"preview", "100%"}, 0, 10_000)
	f([]string{"preview", "10%", "100%"}, 0, 1000, 10_000)
}

func TestParse_Preview_IsOneAndHasItsLabel(t *testing.T) {
	t.Parallel()
	stages, err := Parse([]string{"preview", "100%"})
	if err != nil || !stages[0].Preview || stages[0].Label != "preview" || stages[1].Label != "100 %" || stages[1].Preview {
		t.Errorf("got %+v, %v", stages, err)
	}
}

func TestParse_WhatIsNoLadder_NamesTheRung(t *testing.T) {
	t.Parallel()
	f := func(in []string, rung int, problem string) {
		t.Helper()
		_, err := Parse(in)
		var bad *Error
		if !errors.As(err, &bad) {
			t.Fatalf("Parse(%q): got %v, want an *Error", in, err)
		}
		if bad.Rung != rung || !strings.Contains(err.Error(), problem) {
			t.Errorf("Parse(%q): got rung %d, %q, want %d, ...%s...", in, bad.Rung, err, rung, problem)
		}
	}
	f(nil, -1, "no rung")
	f([]string{"1%", "x", "100%"}, 1, `"x" is no share`)
	f([]string{"1%", "5"}, 1, `"5" is no share`)
	f([]string{"1%", "NaN%"}, 1, "is no share")
	f([]string{"1%", "1e1%"}, 1, "is no share")
	f([]string{"1%", "120%"}, 1, "outside 0% to 100%")
	f([]string{"-1%", "100%"}, 0, "outside 0% to 100%")
	f([]string{"0.001%", "100%"}, 0, "finer than 0.01%")
	f([]string{"0%", "100%"}, 0, "0% sends nobody")
	f([]string{"5%", "5%", "100%"}, 1, "5 % twice")
	f([]string{"25%", "5%", "100%"}, 1, "never goes down")
	f([]string{"1%", "50%"}, 1, "want 100%")
	f([]string{"10%", "preview", "100%"}, 1, "a preview is the first rung or none")
	f([]string{"preview"}, 0, "the last rung is preview: want 100%")
	f([]string{"preview"}, 0, "want 100%")
	f([]string{"preview", "q"}, 1, "is no share")
	f([]string{"2% x1"}, 0, "never gets anywhere")
	f([]string{"0% x2"}, 0, "never gets anywhere")
	f([]string{"2% xNaN"}, 0, "never gets anywhere")
	f([]string{"2% x1.0001"}, 0, "more than 100 rungs")
	f([]string{"10% +0%"}, 0, "never gets anywhere")
	f([]string{"10% +q"}, 0, "is no share")
	f([]string{"0.01% +0.01%"}, 0, "more than 100 rungs")
}

func TestCheck_LongForms_AreHeldToTheSameRules(t *testing.T) {
	t.Parallel()
	f := func(want string, stages ...gate.Stage) {
		t.Helper()
		err := Check(stages)
		if want == "" && err == nil {
			return
		}
		if err == nil || want == "" || !strings.Contains(err.Error(), want) {
			t.Errorf("Check(%+v): got %v, want %q", stages, err, want)
		}
	}
	full := gate.Stage{Weight: router.Full}
	f("", gate.Stage{Mirror: 1000}, gate.Stage{Audience: "staff"}, gate.Stage{Weight: 100}, full)
	f("", gate.Stage{Weight: 100}, gate.Stage{Weight: 100, Audience: "staff"}, full)
	f("rung 2: a preview is the first", gate.Stage{Weight: 100}, gate.Stage{Weight: 100, Preview: true}, full)
	f("more than everybody", gate.Stage{Weight: math.MaxUint16, Label: "655.35 %"})
	f("0 rungs")
	f("101 rungs", make([]gate.Stage, 101)...)
}

// Every strategy obeys, whatever it is given: bounded, rising, ended at 100 %.
func TestStrategies_WhateverIsWritten_RiseAreBoundedAndEnd(t *testing.T) {
	t.Parallel()
	for _, form := range [][]string{
		{"1%", "5%", "25%", "100%"}, {"2% x2"}, {"0.01% x1.2"}, {"1% x1.05"}, {"10% +10%"}, {"0.5% +1.01%"},
		{"99.99% +0.01%"}, {"99.99% x1.1"}, {"100% x2"}, {"100% +1%"}, {"preview", "0.01%", "100%"},
	} {
		holds(t, form)
	}
}

func holds(t *testing.T, form []string) {
	t.Helper()
	stages, err := Parse(form)
	if err != nil {
		t.Errorf("Parse(%q): %v", form, err)
		return
	}
	if len(stages) > MaxRungs || stages[len(stages)-1].Weight != router.Full {
		t.Errorf("Parse(%q): %d stages, the last %v", form, len(stages), stages[len(stages)-1].Weight)
	}
	for i := 1; i < len(stages); i++ {
		if stages[i].Weight <= stages[i-1].Weight {
			t.Errorf("Parse(%q): %v does not rise", form, weights(stages))
			return
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"2% x2", "10% +10%", "1%,5%,100%", "preview,100%", "x", "+", "%", "0.01%+0.01%", "1e9% x2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rungs := strings.Split(text, ",")
		if _, err := Parse(rungs); err == nil {
			holds(t, rungs)
		}
	})
}

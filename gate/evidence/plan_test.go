package evidence

import (
	"math"
	"testing"
	"time"
)

func TestPassNeeds_MatchesTheStudysTable(t *testing.T) {
	t.Parallel()
	f := func(p, m, share, want float64) {
		t.Helper()
		if got := PassNeeds(p, m, share, 1, .05); math.Abs(got-want) > .01*want {
			t.Errorf("p=%v m=%v share=%v: got %.0f canary requests, want about %v", p, m, share, got, want)
		}
	}
	f(.001, .02, .01, 236)
	f(.01, .02, .01, 439)
	f(.01, .005, .01, 4224)
	f(.05, .02, .01, 1194)
	f(.01, .005, .25, 5576)
	f(.05, .005, .25, 21567)
}

func TestFailNeeds_MatchesTheStudysTable(t *testing.T) {
	t.Parallel()
	nats := math.Log(2 * 3 * 1 / .01)
	f := func(delta, want float64) {
		t.Helper()
		if got := FailNeeds(.01, delta, .005, .01, 1, nats); math.Abs(got-want) > .02*want {
			t.Errorf("delta=%v: got %.0f canary requests, want about %v", delta, got, want)
		}
	}
	f(.03, 479)
	f(.10, 63)
}

func TestNeeds_WhatNeverComes_IsInfinite(t *testing.T) {
	t.Parallel()
	for name, got := range map[string]float64{
		"whole share":       PassNeeds(.01, .02, 1, 1, .05),
		"no margin":         PassNeeds(.01, 0, .01, 1, .05),
		"harm within limit": FailNeeds(.01, .002, .005, .01, 1, 6.4),
	} {
		if !math.IsInf(got, 1) {
			t.Errorf("%s: got %v, want +Inf", name, got)
		}
	}
	if got := TimeFor(10, 0, 200); got != math.MaxInt64 {
		t.Errorf("no canary traffic: got %v, want for ever", got)
	}
	if got := TimeFor(439, .01, 20); got.Round(time.Minute) != 37*time.Minute {
		t.Errorf("got %v, want about 37 min", got)
	}
}

func TestNeeds_DesignEffect_Multiplies(t *testing.T) {
	t.Parallel()
	if one, two := PassNeeds(.01, .02, .01, 1, .05), PassNeeds(.01, .02, .01, 2, .05); math.Abs(two-2*one) > 1e-9 {
		t.Errorf("got %v, want twice %v", two, one)
	}
}

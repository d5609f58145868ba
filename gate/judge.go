package gate

import (
	"math"
	"slices"
	"time"

	"serin/gate/evidence"
	"serin/gate/window"
	"serin/router"
)

// judgement is the stage's verdict with everything it rests on.
type judgement struct {
	verdict   Verdict
	reason    Reason
	reasons   []Reason
	confirmed bool
	clear     bool          // no finding has anything left of a confirmed hold
	lacking   bool          // every hold is for want of evidence, none for what the evidence says
	expected  time.Duration // until the last gate has its evidence; < 0: not in sight
}

// judge asks every criterion that applies. Missing data, a sick stable and a dead pool withhold a pass; a canary that
// nobody can reach while stable can be reached fails.
func (t *turn) judge(seen *Seen) judgement {
	s, p := &t.s, t.p
	_, _, next := p.crossing(s)
	q := Question{
		View: &seen.View, Mirror: seen.Mirror, Crossings: len(p.Stages), Failers: p.failers(),
		NextShare: next, Dwelled: s.Clock >= p.stage(s.Stage).Least,
		Frozen: t.frozen(), AlphaFail: orElse(p.AlphaFail, .01), AlphaPass: math.Ldexp(orElse(p.AlphaPass, .05), -s.Restarts),
		Plain: p.Plain, Terse: seen.Terse, Outside: since(seen.Outside, s.Age), Signals: seen.Signals,
	}
	j := judgement{verdict: Pass, clear: true, lacking: true}
	absolute, unwell := true, !seen.StableHealthy || sick(&seen.View)
	for _, c := range p.Criteria {
		ask, ok := t.question(c, q, seen.Past)
		if !ok {
			continue
		}
		f := c.Judge(ask)
		if f.Unfit {
			t.unjudged(c)
			continue
		}
		if ask.Past != nil {
			t.contrast(c, ask, &f)
		}
		f.temper(q.Frozen != nil, unwell)
		t.d.Findings = append(t.d.Findings, f)
	}
	for i := range t.d.Findings {
		f := &t.d.Findings[i]
		if f.DryRun || t.d.waives(f) {
			continue
		}
		absolute = absolute && f.Absolute
		j.add(*f)
	}
	t.d.Baseline = t.population(baseline(q.Frozen != nil, absolute && len(t.d.Findings) > 0))
	t.plain(&j)
	t.circumstances(&j, seen, q.Dwelled, unwell)
	j.expected = max(j.expected, until(p.stage(s.Stage).Least, s.Clock))
	t.d.Verdict, t.d.Reasons = j.verdict, j.reasons
	t.d.Expected = j.expected
	if !j.lacking {
		t.d.Expected = 0
	}
	return j
}

// waives reports whether a gate that has no stable to compare with does without: the user's own numbers on the same metric
// decide then.
func (d *Decision) waives(f *Finding) bool {
	return f.Reason == NoStableTraffic && slices.ContainsFunc(d.Findings, func(o Finding) bool {
		return o.Metric == f.Metric && o.Absolute && !o.DryRun
	})
}

// temper takes a Fail back that others may be to blame for: frozen, stable has no users any more; unwell, it fails too.
func (f *Finding) temper(frozen, unwell bool) {
	if frozen && !f.Absolute && f.Verdict == Fail {
		f.Verdict, f.Confirmed = Hold, true // a shared outage looks just like it: alert, never revert
	}
	if unwell && f.Absolute && !f.Outside() && f.Verdict == Fail { // only worse than stable counts while stable fails too
		f.Verdict, f.Reason, f.Confirmed = Hold, StableUnhealthy, false
	}
}

// circumstances let a dead pool fail, and withhold a pass for what no finding sees.
func (t *turn) circumstances(j *judgement, seen *Seen, dwelled, unwell bool) {
	if dead(seen) {
		j.verdict, j.confirmed = Fail, true
		j.lead(CanaryPoolUnhealthy)
	}
	if unwell {
		j.withhold(StableUnhealthy)
	}
	if !seen.CanaryHealthy {
		j.withhold(CanaryPoolUnhealthy)
	}
	if t.overloads(t.s.Weight, seen.Load) {
		j.withhold(CapacityReached)
	}
	if !dwelled && j.verdict == Pass {
		j.withhold(Collecting)
		j.lacking = true
	}
	if t.was.Last.IsZero() && j.verdict == Pass {
		j.withhold(RestartReplayed)
	}
}

// add takes one gate's answer in: any fail fails, any hold holds.
func (j *judgement) add(f Finding) {
	j.clear = j.clear && f.Clear
	if f.Verdict == Pass {
		return
	}
	if f.Verdict == Fail {
		j.verdict = Fail
	} else if j.verdict == Pass {
		j.verdict = Hold
	}
	j.confirmed = j.confirmed || f.Confirmed || f.Verdict == Fail
	j.lacking = j.lacking && lack(f.Reason)
	switch {
	case f.ExpectedSeconds == nil:
		if f.Reason != Warmup {
			j.expected = -1
		}
	case j.expected >= 0:
		j.expected = max(j.expected, seconds(*f.ExpectedSeconds))
	}
	if !slices.Contains(j.reasons, f.Reason) {
		j.reasons = append(j.reasons, f.Reason)
	}
	if j.reason == "" || rank(f.Reason) < rank(j.reason) {
		j.reason = f.Reason
	}
}

// withhold turns a pass into a hold for reason r, and lets it lead where nothing worse is known.
func (j *judgement) withhold(r Reason) {
	if j.verdict == Pass {
		j.verdict = Hold
	}
	j.lacking = false
	if rank(r) < rank(j.reason) || j.reason == "" {
		j.lead(r)
		return
	}
	if !slices.Contains(j.reasons, r) {
		j.reasons = append(j.reasons, r)
	}
}

func (j *judgement) lead(r Reason) {
	j.reason = r
	j.reasons = append([]Reason{r}, slices.DeleteFunc(slices.Clone(j.reasons), func(o Reason) bool { return o == r })...)
}

// lack reports whether r is about missing evidence, not about what the evidence says.
func lack(r Reason) bool {
	switch r {
	case Collecting, NotEnoughEvidence, NoCanaryTraffic, SaturatedUsers, Warmup:
		return true
	}
	return false
}

// ranked are the reasons in the order in which a person wants to hear them.
var ranked = []Reason{
	WorseThanStable, SkewedKeys, CanaryPoolUnhealthy, OneBucketDominates, StableUnhealthy, CapacityReached, NoCanaryTraffic, NoStableTraffic,
	StaleReplicas, OutsideUnknown, EstimateAboveHold, SaturatedUsers, NotEnoughEvidence, Warmup, Collecting, RestartReplayed,
}

func rank(r Reason) int {
	if i := slices.Index(ranked, r); i >= 0 {
		return i
	}
	return len(ranked)
}

func baseline(frozen, absolute bool) string {
	switch {
	case absolute:
		return AbsoluteOnly
	case frozen:
		return FrozenBaseline
	}
	return Concurrent
}

// frozen is the baseline of a last stage that leaves stable no user; nil where stable lives.
func (t *turn) frozen() *window.Snapshot {
	if t.s.Weight < router.Full {
		return nil
	}
	if t.s.Baseline == nil {
		return &window.Snapshot{}
	}
	return t.s.Baseline
}

// plain makes the simple judge patient: a limit counts once it was broken in several consecutive checks.
func (t *turn) plain(j *judgement) {
	s := &t.s
	if t.p.Plain == nil {
		return
	}
	need := max(t.p.Plain.Failures, 1)
	s.Failing, s.Above = streak(s.Failing, j.verdict == Fail, need), streak(s.Above, j.confirmed, need)
	if j.verdict == Fail && s.Failing < need {
		j.verdict = Hold
	}
	j.confirmed = j.confirmed && s.Above >= need
}

func streak(n int, more bool, most int) int {
	if !more {
		return 0
	}
	return min(n+1, most)
}

// dead reports whether nobody reaches the canary while stable answers: every one of at least minDead requests of the
// last seconds, or where those are too few of the last minute, was unreachable, or at least half of them and the active
// checks find no healthy server either.
func dead(seen *Seen) bool {
	span := &seen.View.Recent
	if !span.OK || judgedOf(&span.Canary) < minDead {
		span = &seen.View.W60
	}
	if !span.OK {
		span = &seen.View.Full
	}
	n, lost := judgedOf(&span.Canary), span.Canary.Outcomes[window.Unreachable]
	if n < minDead || !seen.StableHealthy || 2*span.Stable.Outcomes[window.Unreachable] >= max(judgedOf(&span.Stable), 1) {
		return false
	}
	return lost == n || !seen.CanaryHealthy && 2*lost >= n
}

const minDead = 20

// sick reports whether stable itself fails: its last minute is above twice its rate before the rollout and above that
// rate by two points, with odds of at least 100 (gate.md, section 6). Unknown before: what the step saw until then.
func sick(v *window.View) bool {
	span := &v.W60
	if !span.OK {
		span = &v.Full
	}
	if !span.OK {
		return false
	}
	before, now := v.Before, span.Stable.Counts(window.BadKind)
	if before.N < minBefore {
		full := v.Full.Stable.Counts(window.BadKind)
		before = window.Counts{X: full.X - now.X, N: full.N - now.N}
	}
	if before.N < minBefore {
		return false
	}
	c := max(2*before.Rate(), before.Rate()+.02)
	d := max(v.Crowds[window.BadKind].DesignEffect, 1)
	return now.Rate() > c && evidence.AbsFailE(c, now.X/d, now.N/d) >= math.Log(100)
}

// minBefore is the least number of stable requests that say what stable's rate was.
const minBefore = 100

// skewed reports whether the keys do not part the users: one bucket carries over a fifth of the requests, or the canary
// gets far more of them than its share of buckets.
func skewed(s *State, p *Policy, seen *Seen) bool {
	if p.stage(s.Stage).Alone() { // a ring is no share of the users
		return false
	}
	n := float64(judgedOf(&seen.View.Full.Stable) + judgedOf(&seen.View.Full.Canary))
	heaviest := seen.View.Crowds[window.All].HeaviestShare
	if heaviest > .2 && heaviest*n >= 100 {
		return true
	}
	if p.stage(s.Stage).Audience != "" || s.Weight == 0 || n < 500 {
		return false
	}
	return seen.ObservedWeight > 2*float64(s.Weight)/float64(router.Full)+.02
}

func orElse(given, otherwise float64) float64 {
	if given > 0 {
		return given
	}
	return otherwise
}

func judgedOf(s *window.Snapshot) uint64 { return s.Judged() }

// seconds is a duration from a number that may be too large for one.
func seconds(f float64) time.Duration {
	if !(f < (1000 * time.Hour).Seconds()) {
		return -1
	}
	return time.Duration(f * float64(time.Second))
}

package criterion

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/evidence"
	"serin/gate/window"
)

// contract is the method's decision on a rate, written down once more from gate.md, sections 2, 3 and 5, line by line and
// without regard to speed. It says what a relative gate with both limits in points must answer.
type contract struct {
	hold, roll float64
	q          *gate.Question
	crowd      window.Crowd
}

func (c *contract) table(s *window.Span) evidence.Table {
	ca, st := s.Canary.Counts(window.BadKind), s.Stable.Counts(window.BadKind)
	return evidence.Table{XC: ca.X, NC: ca.N, XS: st.X, NS: st.N}
}

// without leaves the worst bucket of each arm out; of a window, what it has of the bucket in proportion.
func (c *contract) without(t, full evidence.Table) evidence.Table {
	out := func(x, n, fx, fn float64, worst window.Counts) (float64, float64) {
		if fx > 0 {
			x = max(x*(1-worst.X/fx), 0)
		}
		if fn > 0 {
			n = max(n*(1-worst.N/fn), x)
		}
		return x, n
	}
	t.XC, t.NC = out(t.XC, t.NC, full.XC, full.NC, c.crowd.WorstCanary)
	t.XS, t.NS = out(t.XS, t.NS, full.XS, full.NS, c.crowd.WorstStable)
	return t
}

func (c *contract) answer() (gate.Verdict, gate.Reason) {
	v := c.q.View
	full := c.table(&v.Full)
	elapsed := v.Elapsed.Seconds()
	if full.NC == 0 || full.NS == 0 {
		return gate.Hold, ""
	}
	type look struct {
		t         evidence.Table
		threshold float64
		finds     bool
	}
	kc := float64(c.q.Crossings * c.q.Failers)
	looks := []look{{full, math.Log(2 * kc / c.q.AlphaFail), true}}
	for _, w := range []struct {
		s      *window.Span
		length float64
		finds  bool
	}{{&v.W300, 300, true}, {&v.W60, 60, false}} {
		if w.s.OK && elapsed > w.length {
			looks = append(looks, look{c.table(w.s), math.Log(4*kc/c.q.AlphaFail) + 2*math.Log(1+math.Floor(elapsed/w.length)), w.finds})
		}
	}
	d := c.crowd.DesignEffect
	for _, l := range looks {
		if c.crowd.BadBuckets >= 3 && l.t.Diff() >= c.roll-1e-9 && evidence.FailE(c.hold/2, c.without(l.t, full).Div(d)) >= l.threshold {
			return gate.Fail, gate.WorseThanStable
		}
	}
	for _, l := range looks {
		if !l.finds || l.t.Diff() <= c.hold || evidence.FailE(0, l.t.Div(d)) < math.Log(20) {
			continue
		}
		switch {
		case evidence.FailE(0, c.without(l.t, full).Div(d)) >= math.Log(20):
			return gate.Hold, gate.WorseThanStable
		case c.crowd.WorstShare >= 1./3 || c.crowd.BadBuckets < 3:
			return gate.Hold, gate.OneBucketDominates
		}
		return gate.Hold, gate.EstimateAboveHold
	}
	m := min(c.roll, max(c.hold, c.hold/c.q.NextShare))
	switch {
	case full.Diff() > c.hold:
		return gate.Hold, gate.EstimateAboveHold
	case full.NC < 100:
		return gate.Hold, gate.Collecting
	case evidence.PassE(m, full.Div(d)) < math.Log(1/c.q.AlphaPass):
		if !c.q.Dwelled {
			return gate.Hold, gate.Collecting
		}
		return gate.Hold, gate.NotEnoughEvidence
	case !c.q.Dwelled:
		return gate.Hold, gate.Collecting
	}
	for _, l := range looks[1:] { // the recent contradiction of section 6
		if l.t.Diff() > c.hold && evidence.FailE(0, l.t.Div(d)) >= math.Log(3) {
			return gate.Hold, gate.EstimateAboveHold
		}
	}
	return gate.Pass, gate.Passed
}

// drawn is a question with numbers about where decisions change.
func drawn(r *rand.Rand) gate.Question {
	pick := func(of ...float64) float64 { return of[r.IntN(len(of))] }
	p, harm := pick(0, .001, .01, .05, .3), pick(-.01, 0, 0, .003, .005, .006, .009, .015, .02, .03, .05, .2)
	count := func(n float64, rate float64) (x, all uint64) {
		all = uint64(n)
		mean := n * min(max(rate, 0), 1)
		return min(uint64(max(mean+r.NormFloat64()*math.Sqrt(mean), 0)+.5), all), all
	}
	elapsed := time.Duration(pick(10, 60, 61, 90, 299, 300, 301, 900, 3600)) * time.Second
	n := math.Exp(r.Float64() * 11)
	xC, nC := count(n, p+harm)
	xS, nS := count(n*pick(.3, 1, 3, 19, 99), p)
	v := view(xC, nC, xS, nS)
	v.Elapsed, v.Full.Length = elapsed, elapsed
	for _, w := range []*window.Span{&v.W300, &v.W60} {
		if r.IntN(4) == 0 {
			continue
		}
		late := harm
		if r.IntN(2) == 0 {
			late = pick(-.01, 0, .006, .02, .05, .2)
		}
		part := r.Float64()
		wx, wn := count(float64(nC)*part, p+late)
		sx, sn := count(float64(nS)*part, p)
		s := view(wx, wn, sx, sn).Full
		*w = window.Span{OK: true, Stable: s.Stable, Canary: s.Canary}
	}
	c := &v.Crowds[window.BadKind]
	c.BadBuckets = int(min(uint64(r.IntN(12)), xC))
	c.DesignEffect = pick(1, 1, 1.3, 3)
	if share := pick(0, .1, .33, .34, .6, .95); xC > 0 {
		c.WorstShare = share
		c.WorstCanary = window.Counts{X: math.Floor(share * float64(xC)), N: math.Min(math.Floor(share*float64(xC)*pick(1, 2, 5)), float64(nC))}
	}
	c.WorstStable = window.Counts{X: math.Floor(.05 * float64(xS)), N: math.Floor(.01 * float64(nS))}
	return gate.Question{
		View: v, Crossings: 1 + r.IntN(4), Failers: 1 + r.IntN(3), NextShare: pick(.01, .05, .25, .5, .99, 1), Dwelled: r.IntN(5) > 0,
		AlphaFail: pick(.01, .002), AlphaPass: pick(.05, .025), Terse: true,
	}
}

func TestRate_AnyTable_IsAnsweredAsTheMethodSays(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for seed := range uint64(6_000) {
		q := drawn(rand.New(rand.NewPCG(seed, 11)))
		for _, limits := range [][2]float64{{.005, .02}, {.005, .005}, {.001, .1}} {
			hold, roll := limits[0], limits[1]
			c := made(t, "error_rate", fmt.Sprintf("stable + %gpt", hold*100), fmt.Sprintf("stable + %gpt", roll*100))
			want := contract{hold, roll, &q, q.View.Crowds[window.BadKind]}
			verdict, reason := want.answer()
			f := c.Judge(q)
			if f.Verdict != verdict || reason != "" && f.Reason != reason {
				t.Fatalf("seed %d, limits %v: got %s %s, want %s %s\n%+v\n%+v", seed, limits, f.Verdict, f.Reason, verdict, reason, f, want.crowd)
			}
			seen[verdict.String()+" "+string(reason)]++
		}
	}
	for _, what := range []string{
		"fail worse_than_stable", "hold worse_than_stable", "hold one_bucket_dominates", "hold estimate_above_hold", "hold collecting",
		"hold not_enough_evidence", "pass pass",
	} {
		if seen[what] < 150 {
			t.Errorf("%s came %d times only", what, seen[what])
		}
	}
}

// An estimate that is exactly a limit is not above the hold limit, and has reached the rollback limit.
func TestRate_ExactlyAtALimit(t *testing.T) {
	t.Parallel()
	c := made(t, "error_rate", "stable + 0.5pt", "stable + 2pt")
	if f := c.Judge(asked(view(3000, 100_000, 10_000, 1_000_000))); f.Verdict != gate.Fail || math.Abs(f.Difference-.02) > 1e-12 {
		t.Errorf("+2 points exactly: got %s %s at %v, want fail", f.Verdict, f.Reason, f.Difference)
	}
	// 1/64 and 1/64 + 1/128 are exact in binary.
	exact := made(t, "error_rate", "stable + 0.78125pt", "")
	if f := exact.Judge(asked(view(3*1024, 131_072, 2*1024, 131_072))); f.Reason == gate.WorseThanStable || f.Reason == gate.EstimateAboveHold || f.Difference != 1./128 {
		t.Errorf("exactly at the hold limit: got %s %s at %v, want no finding", f.Verdict, f.Reason, f.Difference)
	}
}

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

// absolutely is contract for a rate against the user's own numbers: one-sample tables, no fault of the canary's where stable
// breaks the limit too.
func (c *contract) absolutely() (gate.Verdict, gate.Reason) {
	v := c.q.View
	full := c.table(&v.Full)
	if full.NC == 0 {
		return gate.Hold, ""
	}
	elapsed, kc, d := v.Elapsed.Seconds(), float64(c.q.Crossings*c.q.Failers), c.crowd.DesignEffect
	rate := func(x, n float64) float64 { return x / max(n, 1e-300) }
	suffers := func(t evidence.Table, limit float64) bool {
		return t.NS > 0 && rate(t.XS, t.NS) > limit && (t.NS >= 100 || evidence.AbsFailE(limit, t.XS, t.NS) >= math.Log(3))
	}
	spans := []struct {
		t         evidence.Table
		threshold float64
		finds     bool
	}{{full, math.Log(2 * kc / c.q.AlphaFail), true}}
	for i, w := range []*window.Span{&v.W300, &v.W60} {
		if length := []float64{300, 60}[i]; w.OK && elapsed > length {
			spans = append(spans, struct {
				t         evidence.Table
				threshold float64
				finds     bool
			}{c.table(w), math.Log(4*kc/c.q.AlphaFail) + 2*math.Log(1+math.Floor(elapsed/length)), i == 0})
		}
	}
	for _, s := range spans {
		sure := c.without(s.t, full).Div(d)
		if c.crowd.BadBuckets < 3 || rate(s.t.XC, s.t.NC) < c.roll-1e-9 || evidence.AbsFailE(c.roll, sure.XC, sure.NC) < s.threshold {
			continue
		}
		if suffers(s.t, c.roll) {
			return gate.Hold, gate.StableUnhealthy
		}
		return gate.Fail, gate.WorseThanStable
	}
	for _, s := range spans {
		t, sure := s.t.Div(d), c.without(s.t, full).Div(d)
		switch {
		case !s.finds || evidence.AbsFailE(c.hold, t.XC, t.NC) < math.Log(20):
			continue
		case suffers(s.t, c.hold):
			return gate.Hold, gate.StableUnhealthy
		case evidence.AbsFailE(c.hold, sure.XC, sure.NC) >= math.Log(20):
			return gate.Hold, gate.WorseThanStable
		case c.crowd.WorstShare >= 1./3 || c.crowd.BadBuckets < 3:
			return gate.Hold, gate.OneBucketDominates
		}
		return gate.Hold, gate.EstimateAboveHold
	}
	whole := full.Div(d)
	switch {
	case suffers(full, c.hold):
		return gate.Hold, gate.StableUnhealthy
	case rate(full.XC, full.NC) > c.hold:
		return gate.Hold, gate.EstimateAboveHold
	case full.NC < 100 || !c.q.Dwelled:
		return gate.Hold, gate.Collecting
	case evidence.AbsPassE(min(c.roll, max(c.hold, c.hold/c.q.NextShare)), whole.XC, whole.NC) < math.Log(1/c.q.AlphaPass):
		return gate.Hold, gate.NotEnoughEvidence
	}
	return gate.Pass, gate.Passed
}

func TestAbsoluteRate_AnyTable_IsAnsweredAsTheMethodSays(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for seed := range uint64(6_000) {
		q := drawn(rand.New(rand.NewPCG(seed, 12)))
		for _, limits := range [][2]float64{{.01, .04}, {.02, .02}, {.005, .3}} {
			hold, roll := limits[0], limits[1]
			c := made(t, "error_rate", fmt.Sprintf("%g%%", hold*100), fmt.Sprintf("%g%%", roll*100))
			want := contract{hold, roll, &q, q.View.Crowds[window.BadKind]}
			verdict, reason := want.absolutely()
			f := c.Judge(q)
			if f.Verdict != verdict || reason != "" && f.Reason != reason {
				t.Fatalf("seed %d, limits %v: got %s %s, want %s %s\n%+v", seed, limits, f.Verdict, f.Reason, verdict, reason, f)
			}
			seen[verdict.String()+" "+string(reason)]++
		}
	}
	for _, what := range []string{
		"fail worse_than_stable", "hold worse_than_stable", "hold one_bucket_dominates", "hold estimate_above_hold", "hold stable_unhealthy",
		"hold not_enough_evidence", "pass pass",
	} {
		if seen[what] < 100 {
			t.Errorf("%s came %d times only", what, seen[what])
		}
	}
}

// paceContract is contract for a latency quantile, gate.md, section 4.
type paceContract struct {
	q          float64
	hold, roll float64
	ask        *gate.Question
}

func (c *paceContract) bin(s *window.Snapshot, slow float64) int {
	timed := float64(s.Latency.Count())
	rank := math.Ceil(c.q*(timed+slow) - 1e-6)
	if rank > timed {
		return window.Bins - 1
	}
	sum := 0.0
	for i, n := range s.Latency {
		if sum += float64(n); sum >= rank {
			return i
		}
	}
	return window.Bins - 1
}

func (c *paceContract) answer() (gate.Verdict, gate.Reason) {
	v := c.ask.View
	kc, elapsed := float64(c.ask.Crossings*c.ask.Failers), v.Elapsed.Seconds()
	if !v.Warm {
		return gate.Hold, gate.Warmup
	}
	type look struct {
		ok        bool
		ratio     float64
		table     func(ratio float64) evidence.Table
		a, b      func(ratio float64) float64
		threshold float64
		finds     bool
	}
	see := func(s *window.Span) look {
		patience := s.Stable.Latency.QuantileBin(.99)
		slowC, slowS := float64(s.Canary.Aborts.Above(patience)), float64(s.Stable.Aborts.Above(patience))
		nC, nS := float64(s.Canary.Latency.Count())+slowC, float64(s.Stable.Latency.Count())+slowS
		if nC < 50 || nS < 200 {
			return look{}
		}
		i := c.bin(&s.Stable, slowS)
		bins := func(r float64) int { return int(math.Round(math.Log(r) / (math.Log(1.1) / 5))) }
		above := func(arm *window.Snapshot, slow float64, bin int) float64 {
			return float64(arm.Latency.Above(bin)) + slow
		}
		return look{
			ok: true, ratio: math.Pow(1.1, float64(c.bin(&s.Canary, slowC)-i)/5),
			table: func(r float64) evidence.Table {
				return evidence.Table{XC: above(&s.Canary, slowC, i+bins(r)), NC: nC, XS: above(&s.Stable, slowS, i), NS: nS}
			},
			a: func(r float64) float64 { return above(&s.Stable, slowS, i+bins(r)) / nS },
			b: func(float64) float64 { return above(&s.Stable, slowS, i) / nS },
		}
	}
	full := see(&v.Full)
	if !full.ok {
		return gate.Hold, ""
	}
	full.threshold, full.finds = math.Log(2*kc/c.ask.AlphaFail), true
	looks := []look{full}
	for i, w := range []*window.Span{&v.W300, &v.W60} {
		length := []float64{300, 60}[i]
		if l := see(w); w.OK && elapsed > length && l.ok {
			l.threshold, l.finds = math.Log(4*kc/c.ask.AlphaFail)+2*math.Log(1+math.Floor(elapsed/length)), i == 0
			looks = append(looks, l)
		}
	}
	for _, l := range looks {
		if v.Crowds[window.All].ActiveCanary >= 3 && l.ratio >= c.roll-1e-9 && evidence.FailE(0, l.table(c.hold)) >= l.threshold {
			return gate.Fail, gate.WorseThanStable
		}
	}
	for _, l := range looks {
		if l.finds && l.ratio > c.hold+1e-9 && evidence.FailE(0, l.table(c.hold)) >= math.Log(20) {
			return gate.Hold, gate.WorseThanStable
		}
	}
	m := min(c.roll, 1+(c.hold-1)/c.ask.NextShare)
	switch {
	case full.ratio > c.hold+1e-9:
		return gate.Hold, gate.EstimateAboveHold
	case !c.ask.Dwelled:
		return gate.Hold, gate.Collecting
	case evidence.LatencyPassE(full.a(m), full.b(m), full.table(m)) < math.Log(1/c.ask.AlphaPass):
		return gate.Hold, gate.NotEnoughEvidence
	}
	for _, l := range looks[1:] {
		if l.ratio > c.hold+1e-9 && evidence.FailE(0, l.table(c.hold)) >= math.Log(3) {
			return gate.Hold, gate.EstimateAboveHold
		}
	}
	return gate.Pass, gate.Passed
}

// pacedQuestion is a question with latencies about where decisions change.
func pacedQuestion(r *rand.Rand) gate.Question {
	q := drawn(r)
	v := q.View
	pick := func(of ...float64) float64 { return of[r.IntN(len(of))] }
	slower := pick(.8, 1, 1, 1.05, 1.12, 1.2, 1.35, 1.5, 1.7, 3)
	fill := func(s *window.Span, n float64, slower float64) {
		for arm, snap := range []*window.Snapshot{&s.Stable, &s.Canary} {
			count, ms := int(n), 50.
			if arm == 0 {
				count = int(n * pick(1, 3, 19))
			} else {
				ms *= slower
			}
			skewed(&snap.Latency, min(count, 20_000), ms*math.Exp(.01*r.NormFloat64()))
			snap.Aborts = window.Hist{}
			if r.IntN(4) == 0 {
				snap.Aborts[window.BinOf(time.Duration(pick(1, 500, 10_000)*1e6))] = uint32(n * pick(.01, .1))
			}
		}
	}
	n := 20 * math.Exp(r.Float64()*6)
	fill(&v.Full, n, slower)
	fill(&v.W300, n*r.Float64(), pick(slower, 1, 1.5, 2))
	fill(&v.W60, n*r.Float64(), pick(slower, 1, 1.5, 2))
	v.Warm = r.IntN(20) > 0
	v.Crowds[window.All].ActiveCanary = []int{2, 3, 100, 100, 100, 100}[r.IntN(6)]
	return q
}

func TestLatency_AnyHistogram_IsAnsweredAsTheMethodSays(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for seed := range uint64(600) {
		ask := pacedQuestion(rand.New(rand.NewPCG(seed, 13)))
		for _, limits := range [][2]float64{{1.1, 1.5}, {1.25, 1.25}, {1.05, 3}} {
			for metric, quantile := range map[string]float64{"latency_p50": .5, "latency_p95": .95} {
				c := made(t, metric, fmt.Sprintf("stable * %g", limits[0]), fmt.Sprintf("stable * %g", limits[1]))
				want := paceContract{quantile, limits[0], limits[1], &ask}
				verdict, reason := want.answer()
				f := c.Judge(ask)
				if f.Verdict != verdict || reason != "" && f.Reason != reason {
					t.Fatalf("seed %d, %s %v: got %s %s, want %s %s\n%+v", seed, metric, limits, f.Verdict, f.Reason, verdict, reason, f)
				}
				seen[verdict.String()+" "+string(reason)]++
			}
		}
	}
	for _, what := range []string{
		"fail worse_than_stable", "hold worse_than_stable", "hold estimate_above_hold", "hold warmup", "hold not_enough_evidence", "pass pass",
	} {
		if seen[what] < 30 {
			t.Errorf("%s came %d times only", what, seen[what])
		}
	}
}

// A limit is at least the floor, however it is written, and the rollback limit at least the hold limit.
func TestLimits_AreFlooredAndInOrder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		hold, roll string
		xS, nS     uint64
		want       [2]float64
	}{
		{"stable + 0.05pt", "stable + 0.07pt", 100, 100_000, [2]float64{.001, .001}},
		{"stable * 1.10", "stable * 2", 10, 100_000, [2]float64{.001, .001}},
		{"stable * 1.10", "stable * 2", 2_000, 100_000, [2]float64{.002, .02}},
		{"stable * 2", "stable + 2pt", 5_000, 100_000, [2]float64{.05, .05}},
	} {
		f := made(t, "error_rate", tt.hold, tt.roll).Judge(asked(view(0, 1000, tt.xS, tt.nS)))
		if math.Abs(f.HoldLimit-tt.want[0]) > 1e-12 || f.RollbackLimit == nil || math.Abs(*f.RollbackLimit-tt.want[1]) > 1e-12 {
			t.Errorf("%s, %s: got %v and %v, want %v", tt.hold, tt.roll, f.HoldLimit, f.RollbackLimit, tt.want)
		}
	}
}

// A p95 within 300 ms allows every twentieth request beyond it, exactly.
func TestAbsoluteLatency_AllowsTheQuantilesShare(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		beyond  uint32
		verdict gate.Verdict
		reason  gate.Reason
	}{
		{300, gate.Pass, gate.Passed},
		{500, gate.Hold, gate.NotEnoughEvidence},
		{501, gate.Hold, gate.EstimateAboveHold},
		{590, gate.Hold, gate.WorseThanStable},
		{620, gate.Fail, gate.WorseThanStable},
	} {
		v := view(0, 10_000, 0, 10_000)
		v.Crowds[window.All].ActiveCanary = 100
		v.Full.Canary.Latency[window.BinOf(10*time.Millisecond)] = 10_000 - tt.beyond
		v.Full.Canary.Latency[window.BinOf(900*time.Millisecond)] = tt.beyond
		v.Full.Stable.Latency[window.BinOf(10*time.Millisecond)] = 10_000
		f := made(t, "latency_p95", "300ms", "500ms").Judge(asked(v))
		if f.Verdict != tt.verdict || f.Reason != tt.reason {
			t.Errorf("%d of 10,000 beyond: got %s %s, want %s %s (fail odds %v)", tt.beyond, f.Verdict, f.Reason, tt.verdict, tt.reason, f.FailOdds)
		}
	}
}

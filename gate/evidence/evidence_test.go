package evidence

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// golden are gate.md's vectors, matched by an independent optimiser to 6 digits.
var golden = []struct {
	t                              Table
	fail0, fail25, pass200, pass50 float64
}{
	{Table{3, 3, 10, 1000}, 9.300290, 8.778753, 0, 0},
	{Table{7, 200, 180, 19800}, 2.666131, 1.647713, 0, 0},
	{Table{30, 1000, 990, 99000}, 10.569286, 6.681655, -3.406118, 0},
	{Table{0, 600, 60, 59400}, 0, 0, 11.624249, 2.666518},
	{Table{12, 600, 594, 59400}, 0.937686, 0.018861, 0.137678, 0},
	{Table{4, 400, 396, 39600}, 0, 0, 3.368074, 0.346316},
	{Table{40, 400, 10, 400}, 7.775718, 7.239519, 0, 0},
	{Table{2.5, 150, 148.5, 14850}, -0.491604, -0.663576, 0.282383, 0},
	{Table{60, 5000, 150, 15000}, -0.731169, 0, 31.958280, 0.845499},
	{Table{1, 50, 0, 50}, -0.070616, -0.140529, 0, 0},
}

func TestGolden_MatchesToSixDigits(t *testing.T) {
	t.Parallel()
	f := func(tab Table, what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1.5e-6 {
			t.Errorf("%s of %v: got %.6f, want %.6f", what, tab, got, want)
		}
	}
	for _, g := range golden {
		f(g.t, "FailE(0)", FailE(0, g.t), g.fail0)
		f(g.t, "FailE(.0025)", FailE(.0025, g.t), g.fail25)
		f(g.t, "PassE(.02)", PassE(.02, g.t), g.pass200)
		f(g.t, "PassE(.005)", PassE(.005, g.t), g.pass50)
	}
}

func TestFailE_WithoutErrorOrAboveEstimate_IsZero(t *testing.T) {
	t.Parallel()
	for _, tab := range []Table{{0, 100, 0, 100}, {0, 100, 50, 100}, {1, 100, 1, 100}, {5, 0, 5, 10}, {5, 10, 0, 0}, {}} {
		if got := FailE(0, tab); got != 0 {
			t.Errorf("FailE(0, %v): got %v, want 0", tab, got)
		}
	}
	if got := FailE(.5, Table{40, 100, 0, 100}); got != 0 {
		t.Errorf("estimate below null: got %v, want 0", got)
	}
}

func TestPassE_EstimateNotBelowMargin_IsZero(t *testing.T) {
	t.Parallel()
	for _, tab := range []Table{{4, 100, 1, 100}, {10, 100, 1, 100}, {0, 0, 1, 100}, {0, 100, 0, 0}} {
		if got := PassE(.02, tab); got != 0 {
			t.Errorf("PassE(.02, %v): got %v, want 0", tab, got)
		}
	}
	if got := PassE(0, Table{0, 1000, 500, 1000}); got != 0 {
		t.Errorf("a margin of nothing: got %v, want 0", got)
	}
}

// randomTable draws a table of any size, often with few or no errors.
func randomTable(r *rand.Rand) Table {
	arm := func() (x, n float64) {
		n = math.Floor(math.Pow(10, r.Float64()*6)) + 1
		x = math.Floor(n * math.Pow(10, -r.Float64()*5))
		return x, n
	}
	xc, nc := arm()
	xs, ns := arm()
	return Table{xc, nc, xs, ns}
}

func TestFailE_MoreCanaryErrors_NeverLess(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		a := randomTable(r)
		b := a
		b.XC = math.Min(a.XC+1, a.NC)
		null := r.Float64() * .02
		if a.Diff() <= null || a.XC == 0 {
			continue // zero by rule
		}
		if x, y := FailE(null, a), FailE(null, b); y < x-1e-9*(1+math.Abs(x)) {
			t.Fatalf("FailE(%v): %v gives %v, one more error %v", null, a, x, y)
		}
	}
}

func TestPassE_MoreCanaryErrors_NeverMore(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		a := randomTable(r)
		b := a
		b.XC = math.Min(a.XC+1, a.NC)
		m := .001 + r.Float64()*.03
		if b.Diff() >= m {
			continue
		}
		if x, y := PassE(m, a), PassE(m, b); y > x+1e-9*(1+math.Abs(x)) {
			t.Fatalf("PassE(%v): %v gives %v, one more error %v", m, a, x, y)
		}
	}
}

func TestFailE_LargerNull_NeverMore(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		tab := randomTable(r)
		if d := tab.Diff(); d > .003 {
			// the alternatives move with the null: compare one that both have
			if x, y := LogE(0, []float64{d}, []float64{1}, tab), LogE(.002, []float64{d}, []float64{1}, tab); y > x+1e-9*(1+math.Abs(x)) {
				t.Fatalf("%v: null 0 gives %v, null .002 gives %v", tab, x, y)
			}
		}
	}
}

func TestSolve_AgreesWithBisection(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	for range 20000 {
		tab, d := randomTable(r), (2*r.Float64()-1)*math.Pow(10, -4*r.Float64())
		lo, hi := max(0, -d)+edge, min(1, 1-d)-edge
		if !(lo < hi) {
			continue
		}
		left, right := lo, hi
		for range 60 { // gate.md's 44 and some
			if mid := left + (right-left)/2; scoreOf(mid, d, tab) > 0 {
				left = mid
			} else {
				right = mid
			}
		}
		want := ll(tab.XC, tab.NC, left+d) + ll(tab.XS, tab.NS, left)
		if got := prof(d, tab); math.Abs(got-want) > 1e-7+1e-9*math.Abs(want) {
			t.Fatalf("prof(%v, %v): got %.9f, bisection %.9f", d, tab, got, want)
		}
	}
}

func scoreOf(p, d float64, t Table) float64 { s, _ := score(p, d, t); return s }

// TestFailE_ContinuousLooks_StaysWithinVille looks after every canary request of a canary that is no worse.
func TestFailE_ContinuousLooks_StaysWithinVille(t *testing.T) {
	t.Parallel()
	const runs, alpha = 2000, .05
	r := rand.New(rand.NewPCG(9, 10))
	crossed := 0
	for range runs {
		var tab Table
		for range 600 {
			tab.NC++
			if r.Float64() < .02 {
				tab.XC++
			}
			for range 9 {
				tab.NS++
				if r.Float64() < .02 {
					tab.XS++
				}
			}
			if tab.XC > 0 && FailE(0, tab) >= -math.Log(alpha) {
				crossed++
				break
			}
		}
	}
	if got := float64(crossed) / runs; got > alpha {
		t.Errorf("crossed in %.3f of the runs, want at most %v", got, alpha)
	}
}

// TestAbsFailE_ContinuousLooks_StaysWithinVille is exact, so the bound holds with the binomial's own noise only.
func TestAbsFailE_ContinuousLooks_StaysWithinVille(t *testing.T) {
	t.Parallel()
	const runs, alpha, limit = 3000, .05, .01
	r := rand.New(rand.NewPCG(11, 12))
	crossed := 0
	for range runs {
		x := 0.0
		for n := 1.0; n <= 1500; n++ {
			if r.Float64() < limit {
				x++
				if AbsFailE(limit, x, n) >= -math.Log(alpha) {
					crossed++
					break
				}
			}
		}
	}
	if got := float64(crossed) / runs; got > alpha+3*math.Sqrt(alpha*(1-alpha)/runs) {
		t.Errorf("crossed in %.3f of the runs, want at most %v", got, alpha)
	}
}

func TestAbs_MatchesTheBinomialByHand(t *testing.T) {
	t.Parallel()
	// 0 of n below c: every alternative q contributes ((1-q)/(1-c))^n.
	c, n, want := .01, 500.0, 0.0
	for _, q := range []float64{c / 8, c / 4, c / 2, 3 * c / 4} {
		want += math.Pow((1-q)/(1-c), n) / 4
	}
	if got := AbsPassE(c, 0, n); math.Abs(got-math.Log(want)) > 1e-9 {
		t.Errorf("AbsPassE: got %v, want %v", got, math.Log(want))
	}
	want = 0
	for _, s := range harmSteps {
		if q := c + s; q < 1 {
			want += math.Pow(q/c, 9) * math.Pow((1-q)/(1-c), 91) / 10
		}
	}
	if got := AbsFailE(c, 9, 100); math.Abs(got-math.Log(want)) > 1e-9 {
		t.Errorf("AbsFailE: got %v, want %v", got, math.Log(want))
	}
	if AbsFailE(c, 1, 200) != 0 || AbsPassE(c, 2, 100) != 0 || AbsPassE(c, 0, 0) != 0 {
		t.Error("a table on the wrong side speaks")
	}
}

func TestLatencyPassE_SameShape_GrowsWithSamples(t *testing.T) {
	t.Parallel()
	// stable: 5 % above t, 2 % above 1.1 t; the canary shows the same.
	last := 0.0
	for _, n := range []float64{1000, 3000, 10000} {
		got := LatencyPassE(.02, .05, Table{XC: .02 * n, NC: n, XS: .05 * 3 * n, NS: 3 * n})
		if got <= last {
			t.Errorf("n=%v: got %v, want more than %v", n, got, last)
		}
		last = got
	}
	if got := LatencyPassE(.02, .05, Table{XC: 60, NC: 1000, XS: 150, NS: 3000}); got != 0 {
		t.Errorf("slower canary: got %v, want 0", got)
	}
}

func TestTable_DesignEffect_DividesEvidence(t *testing.T) {
	t.Parallel()
	tab := Table{30, 1000, 990, 99000}
	if got, want := FailE(0, tab.Div(2)), FailE(0, Table{15, 500, 495, 49500}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if tab.Div(.5) != tab || tab.Div(math.NaN()) != tab {
		t.Error("a design effect of at most 1 changed the table")
	}
}

func TestEvidence_AllocatesNothing(t *testing.T) {
	tab := Table{30, 1000, 990, 99000}
	if n := testing.AllocsPerRun(100, func() { _ = FailE(0, tab) + PassE(.05, tab) + AbsFailE(.01, 30, 1000) + Upper(tab) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

// validArm reports whether x of n are counts of an arm at all: finite, 0 <= x <= n.
func validArm(x, n float64) bool { return x >= 0 && x <= n && n <= math.MaxFloat64 }

func FuzzLogE(f *testing.F) {
	for _, g := range golden {
		f.Add(g.t.XC, g.t.NC, g.t.XS, g.t.NS, .0025, .02)
	}
	f.Add(1.0, 1.0, 0.0, 1.0, .999, .999)
	f.Add(1e9, 1e9, 0.0, 1e12, -.999, 1e-9)
	f.Fuzz(func(t *testing.T, xc, nc, xs, ns, null, m float64) {
		tab := Table{xc, nc, xs, ns}
		if !validArm(xc, nc) || !validArm(xs, ns) || nc > 1e15 || ns > 1e15 || !(null > -1 && null < 1) || !(m > 0 && m < 1) {
			t.Skip()
		}
		c := min(max(m, 1e-9), .999)
		for what, v := range map[string]float64{
			"FailE": FailE(null, tab), "PassE": PassE(m, tab), "LatencyPassE": LatencyPassE(m/2, m, tab),
			"AbsFailE": AbsFailE(c, xc, nc), "AbsPassE": AbsPassE(c, xc, nc), "Upper": Upper(tab), "Lower": Lower(tab),
			"AbsUpper": AbsUpper(xc, nc), "AbsLower": AbsLower(xc, nc),
		} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%s of %v (null %v, m %v): got %v", what, tab, null, m, v)
			}
		}
		if u, l := Upper(tab), Lower(tab); tab.speaks() && (u < tab.Diff()-1e-9 || l > tab.Diff()+1e-9) {
			t.Fatalf("bounds %v..%v do not hold the estimate %v of %v", l, u, tab.Diff(), tab)
		}
	})
}

func BenchmarkEvidence_Check(b *testing.B) {
	tables := []Table{{30, 1000, 990, 99000}, {7, 200, 180, 19800}, {60, 5000, 150, 15000}}
	for _, tab := range tables {
		b.Run(fmt.Sprintf("n=%v", tab.NC), func(b *testing.B) {
			b.ReportAllocs()
			sink := 0.0
			for b.Loop() {
				sink += FailE(.0025, tab) + FailE(0, tab) + failMix(.001, tab) + PassE(.05, tab) + PassE(.04, tab)
			}
			_ = sink
		})
	}
}

func BenchmarkEvidence_Bounds(b *testing.B) {
	tab := Table{60, 5000, 150, 15000}
	b.ReportAllocs()
	for b.Loop() {
		_ = Upper(tab) + Lower(tab)
	}
}

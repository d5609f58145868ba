package evidence

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/stat/distuv"
)

// oracleProf maximises the same likelihood by gonum's Nelder-Mead over the logit of the stable rate's place in its
// interval, with gonum's own binomial: nothing in common with solve but the definition.
func oracleProf(t *testing.T, d float64, tab Table) float64 {
	t.Helper()
	lo, hi := max(0, -d), min(1, 1-d)
	at := func(u float64) float64 {
		p := lo + (hi-lo)/(1+math.Exp(-u))
		c, s := distuv.Binomial{N: tab.NC, P: p + d}, distuv.Binomial{N: tab.NS, P: p}
		return c.LogProb(tab.XC) + s.LogProb(tab.XS)
	}
	problem := optimize.Problem{Func: func(x []float64) float64 {
		if v := at(x[0]); !math.IsNaN(v) {
			return -v
		}
		return math.Inf(1)
	}}
	best := math.Inf(-1)
	for _, start := range []float64{-9, -6, -3, 0, 3} {
		settings := &optimize.Settings{Converger: &optimize.FunctionConverge{Absolute: 1e-13, Iterations: 200}, MajorIterations: 2000}
		r, err := optimize.Minimize(problem, []float64{start}, settings, &optimize.NelderMead{})
		if err == nil && -r.F > best {
			best = -r.F
		}
	}
	return best
}

func TestLogE_AgreesWithAnIndependentOptimiser(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(13, 14))
	for range 60 {
		tab := Table{NC: float64(20 + r.IntN(3000)), NS: float64(100 + r.IntN(50000))}
		tab.XS = 1 + math.Floor(tab.NS*.05*r.Float64())
		tab.XC = 1 + math.Floor(tab.NC*.1*r.Float64())
		null, alt := .01*r.Float64(), .02+.1*r.Float64()
		got := LogE(null, []float64{alt}, []float64{1}, tab)
		want := oracleProf(t, alt, tab) - oracleProf(t, null, tab)
		if math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
			t.Errorf("LogE(%v, %v, %v): got %.8f, oracle %.8f", null, alt, tab, got, want)
		}
	}
}

func TestBounds_HoldTheTruthAndTheEstimate(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(15, 16))
	miss := 0
	const runs = 400
	for range runs {
		p, harm := .01+.03*r.Float64(), .02*(r.Float64()-.5)
		tab := Table{NC: 2000, NS: 20000}
		tab.XC = distuv.Binomial{N: tab.NC, P: max(0, p+harm), Src: r}.Rand()
		tab.XS = distuv.Binomial{N: tab.NS, P: p, Src: r}.Rand()
		lo, up := Lower(tab), Upper(tab)
		if lo > tab.Diff() || up < tab.Diff() {
			t.Fatalf("bounds %v..%v do not hold the estimate %v of %v", lo, up, tab.Diff(), tab)
		}
		if truth := max(0, p+harm) - p; truth < lo || truth > up {
			miss++
		}
	}
	if got := float64(miss) / runs; got > .1 {
		t.Errorf("truth outside in %v of the runs, want at most .1 (two bounds of 95 %%)", got)
	}
}

func TestUpper_IsWherePassBegins(t *testing.T) {
	t.Parallel()
	tab := Table{41, 3596, 366, 35960}
	up, lo := Upper(tab), Lower(tab)
	if PassE(up+2e-6, tab) < ln20 || PassE(up-4e-6, tab) >= ln20 {
		t.Errorf("Upper %v is not where PassE crosses ln 20", up)
	}
	if failMix(lo-4e-6, tab) < ln20 || failMix(lo+4e-6, tab) >= ln20 {
		t.Errorf("Lower %v is not where the evidence crosses ln 20", lo)
	}
	if up, lo := AbsUpper(5, 1000), AbsLower(5, 1000); !(lo < .005 && .005 < up) {
		t.Errorf("absolute bounds %v..%v do not hold .005", lo, up)
	}
}

func TestUpper_ClearlyBetterCanary_IsNegative(t *testing.T) {
	t.Parallel()
	if got := Upper(Table{10, 10000, 500, 10000}); got >= 0 || got < -.049 {
		t.Errorf("got %v, want between the estimate -.049 and 0", got)
	}
}

package admin

import (
	"math"

	"serin/gate"
)

// Finite copies findings with every number JSON has no word for replaced: endless odds become the largest number, an
// unknown value becomes null where it may and 0 where it may not.
func Finite(findings []gate.Finding) []gate.Finding {
	out := make([]gate.Finding, len(findings))
	for i, f := range findings {
		for _, v := range []*float64{
			&f.Stable, &f.Canary, &f.Difference, &f.DifferenceLow, &f.DifferenceHigh, &f.HoldLimit, &f.PassLimit,
			&f.PassOdds, &f.PassNeeds, &f.FailOdds,
		} {
			*v = finite(*v)
		}
		for _, p := range []**float64{&f.RollbackLimit, &f.FailNeeds, &f.ExpectedSeconds} {
			if *p != nil && (math.IsNaN(**p) || math.IsInf(**p, 0)) {
				*p = nil
			}
		}
		out[i] = f
	}
	return out
}

func finite(v float64) float64 {
	switch {
	case math.IsNaN(v):
		return 0
	case math.IsInf(v, 1):
		return math.MaxFloat64
	case math.IsInf(v, -1):
		return -math.MaxFloat64
	}
	return v
}

// wilson is x/n with its 95 % score interval (Wilson 1927); n > 0.
func wilson(x, n uint64) (rate, low, high float64) {
	const z = 1.959963985
	m, p := float64(n), float64(x)/float64(n)
	mid := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return p, max(0, mid-half), min(1, mid+half)
}

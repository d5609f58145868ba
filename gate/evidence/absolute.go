package evidence

import "math"

// AbsFailE is the evidence, in nats, that a rate is larger than the absolute limit c (0 < c < 1), from x bad of n. It is
// an exact test martingale: P(ever >= ln 1/a) <= a when the rate is at most c. 0 without an error or below the limit.
func AbsFailE(c, x, n float64) float64 {
	if !(n > 0) || x == 0 || x/n <= c || !(c > 0) || c >= 1 {
		return 0
	}
	base := ll(x, n, c)
	top, sum := math.Inf(-1), 0.0
	for i, s := range harmSteps {
		if c+s < 1 {
			top, sum = logAdd(top, sum, math.Log(harmWeights[i])+ll(x, n, c+s)-base)
		}
	}
	if sum == 0 {
		return 0
	}
	return top + math.Log(sum)
}

// AbsPassE is the evidence, in nats, that a rate is smaller than the absolute limit c (0 < c < 1), from x bad of n: the
// mixture of c/8, c/4, c/2 and 3c/4 in equal parts. 0 while the estimate is not below the limit.
func AbsPassE(c, x, n float64) float64 {
	if !(n > 0) || x/n >= c || !(c > 0) || c >= 1 {
		return 0
	}
	base := ll(x, n, c)
	top, sum := math.Inf(-1), 0.0
	for _, q := range [...]float64{c / 8, c / 4, c / 2, 3 * c / 4} {
		top, sum = logAdd(top, sum, math.Log(.25)+ll(x, n, q)-base)
	}
	return top + math.Log(sum)
}

package evidence

import (
	"math"
	"time"
)

// KL is the Kullback-Leibler divergence, in nats, of a coin q from a coin p: what one request is worth on average.
// +Inf where q excludes what p shows.
func KL(p, q float64) float64 {
	sum := 0.0
	if p > 0 {
		sum += p * math.Log(p/q)
	}
	if p < 1 {
		sum += (1 - p) * math.Log((1-p)/(1-q))
	}
	return max(sum, 0)
}

// PassNeeds is how many canary requests it typically takes until PassE(m) reaches ln 1/alpha when the canary equals
// stable: p the error rate of both, m the harm to be excluded, share the canary's part of the traffic (0..1), effect the
// design effect (>= 1). Typically 0.75 of it is enough, nine times in ten 1.6 of it. +Inf when it never will be.
func PassNeeds(p, m, share, effect, alpha float64) float64 {
	return needs(-math.Log(alpha)-math.Log(.6)+.5, KL(p, min(p+m, 1)), share, effect)
}

// FailNeeds is how many canary requests it typically takes until FailE(hold/2) reaches nats when the canary is worse by
// delta: nats is ln(2*K*C/aF). Arguments otherwise as PassNeeds. +Inf where delta is within hold/2.
func FailNeeds(p, delta, hold, share, effect, nats float64) float64 {
	if delta <= hold/2 {
		return math.Inf(1)
	}
	return needs(nats+2.8, KL(min(p+delta, 1), min(p+hold/2, 1)), share, effect)
}

func needs(nats, perRequest, share, effect float64) float64 {
	if !(perRequest > 0) || share >= 1 {
		return math.Inf(1)
	}
	return max(effect, 1) * nats / (perRequest * (1 - max(share, 0)))
}

// TimeFor is how long n canary requests take at rps requests per second of which share go to the canary; the longest
// duration there is when they never come.
func TimeFor(n, share, rps float64) time.Duration {
	s := n / (share * rps)
	if !(s < math.MaxInt64/1e9) {
		return math.MaxInt64
	}
	return time.Duration(s * 1e9)
}

package router

import "strconv"

// Weight is the canary's share of buckets in basis points, 0..10000; 500 is 5 %.
type Weight uint16

// Full is the whole of the buckets: 100 %.
const Full Weight = Buckets

// Fraction returns the weight as 0..1, the form of JSON and metrics.
func (w Weight) Fraction() float64 { return float64(w) / Buckets }

// Arm returns the arm of a bucket: Canary while b < w, so that growing w never sends a bucket back.
func (w Weight) Arm(b Bucket) Arm {
	if uint16(b) < uint16(w) {
		return Canary
	}
	return Stable
}

// String returns the weight as a percent with as few decimals as it needs: "5 %", "0.5 %", "12.34 %".
func (w Weight) String() string {
	return strconv.FormatFloat(float64(w)/100, 'f', -1, 64) + " %"
}

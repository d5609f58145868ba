package sim

// interval is the 95 % confidence interval of a share of which k of n were seen, after Clopper and Pearson ("The use of
// confidence or fiducial limits", 1934): exact, and for none of n from 0 to about 3.7/n.
func interval(k, n int) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	const rest = .025
	if k > 0 {
		low = solveShare(func(p float64) bool { return tail(n, k, p) < rest })
	}
	high = 1
	if k < n {
		high = solveShare(func(p float64) bool { return 1-tail(n, k+1, p) > rest })
	}
	return low, high
}

// solveShare is where a test of shares, true from 0 on, becomes false.
func solveShare(below func(p float64) bool) float64 {
	lo, hi := 0.0, 1.0
	for range 50 {
		if mid := lo + (hi-lo)/2; below(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

package admin

// nearest returns the name closest to s, or "" when none is close: at most a third of it may differ.
func nearest(s string, names []string) string {
	if len(s) > 4*maxQuoted {
		return ""
	}
	best, limit := "", max(2, len(s)/3)
	for _, n := range names {
		if d := editDistance(s, n); d <= limit && (best == "" || d < editDistance(s, best)) {
			best = n
		}
	}
	return best
}

// editDistance is Levenshtein's, over bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

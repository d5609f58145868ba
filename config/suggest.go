package config

import "iter"

// Suggest returns the candidate nearest to a word that was probably mistyped; "" when none is near enough to be meant.
func Suggest(word string, candidates iter.Seq[string]) string {
	const longest = 64
	if len(word) > longest {
		return ""
	}
	best, least := "", 1+max(1, len(word)/3)
	for candidate := range candidates {
		if len(candidate) > longest || candidate == word {
			continue
		}
		if d := distance(word, candidate); d < least || (d == least && best != "" && candidate < best) {
			best, least = candidate, d
		}
	}
	return best
}

// distance is the number of insertions, deletions, replacements and swaps of neighbours between two words (optimal
// string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(row[j-1]+1, last[j]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

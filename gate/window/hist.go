package window

import (
	"math"
	"time"
)

// Count is the number of latencies in h.
func (h *Hist) Count() uint64 {
	var n uint64
	for _, c := range h {
		n += uint64(c)
	}
	return n
}

// QuantileBin is the bin that holds the q-quantile, 0 <= q <= 1: the first with at least q of all latencies in it or
// below. -1 when h is empty.
func (h *Hist) QuantileBin(q float64) int {
	n := h.Count()
	if n == 0 {
		return -1
	}
	return h.RankBin(Rank(q, float64(n)))
}

// Rank is how many of n it takes until q of them are there: 0.95 of 20 are 19, although 0.95 is a little more than that in
// binary.
func Rank(q, n float64) uint64 { return uint64(math.Ceil(q*n - 1e-12*n)) }

// RankBin is the bin of the rank-th latency in ascending order, counted from 1; of the last one where there are fewer. -1
// when h is empty.
func (h *Hist) RankBin(rank uint64) int {
	rank = max(rank, 1)
	var sum uint64
	last := -1
	for i, c := range h {
		if c == 0 {
			continue
		}
		last = i
		if sum += uint64(c); sum >= rank {
			break
		}
	}
	return last
}

// Quantile is the upper edge of the bin that holds the q-quantile; 0 when h is empty. For the last bin, which has no
// upper edge, it is the lower one: "at least".
func (h *Hist) Quantile(q float64) time.Duration {
	i := h.QuantileBin(q)
	return Edge(min(i, Bins-2))
}

// Above is the number of latencies above bin i's upper edge; all of them for i < 0.
func (h *Hist) Above(i int) uint64 {
	var n uint64
	for _, c := range h[min(max(i+1, 0), Bins):] {
		n += uint64(c)
	}
	return n
}

func (h *Hist) add(o *Hist) {
	for i := range h {
		h[i] += o[i]
	}
}

func (h *Hist) sub(o *Hist) {
	for i := range h {
		h[i] -= o[i]
	}
}

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
	rank := max(uint64(math.Ceil(q*float64(n))), 1)
	var sum uint64
	for i, c := range h {
		if sum += uint64(c); sum >= rank {
			return i
		}
	}
	return Bins - 1
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

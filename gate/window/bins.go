package window

import (
	"math"
	"math/bits"
	"time"
)

// Growth is the ratio of neighbouring bin edges, 1.1^(1/5): five bins are 10 %.
const Growth = 1.0192448764914566

// logGrowth is ln Growth, to full precision.
var logGrowth = math.Log(1.1) / 5

// edges are the bins' upper edges in whole nanoseconds; the last bin has none.
var edges = func() (e [Bins - 1]int64) {
	for i := range e {
		e[i] = int64(1e5 * math.Exp(float64(i)*logGrowth))
	}
	return e
}()

// BinOf finds the bin from the leading bits: cells are the 64 equal parts of each octave of nanoseconds, narrower than
// any bin, so at most one edge falls into a cell and one comparison settles it.
const (
	cellBits  = 6
	firstCell = 16 << cellBits // 2^16 ns, below the first edge
	lastCell  = 37 << cellBits // 2^37 ns, above the last edge
)

var cells = func() (c [lastCell - firstCell]uint16) {
	for i := range c {
		octave, part := uint(i>>cellBits)+16, int64(i&(1<<cellBits-1))
		start := int64(1)<<octave + part<<(octave-cellBits)
		bin := 0
		for bin < len(edges) && start > edges[bin] {
			bin++
		}
		c[i] = uint16(bin)
	}
	return c
}()

// BinOf is the bin of a latency, 0..Bins-1. Negative latencies are in bin 0. It costs about 2 ns and takes no logarithm.
func BinOf(d time.Duration) int {
	if d < 1<<16 {
		return 0
	}
	high := uint(bits.Len64(uint64(d))) - 1
	cell := int(high)<<cellBits + int(uint64(d)>>(high-cellBits))&(1<<cellBits-1)
	if cell >= lastCell {
		return Bins - 1
	}
	bin := int(cells[cell-firstCell])
	if bin < len(edges) && int64(d) > edges[bin] {
		bin++
	}
	return bin
}

// Edge is bin i's upper edge: 0.1 ms for bin 0, about 98.5 s for the last but one. The last bin has no edge; the
// greatest duration stands for it. Below 0 it is 0.
func Edge(i int) time.Duration {
	switch {
	case i < 0:
		return 0
	case i >= len(edges):
		return math.MaxInt64
	}
	return time.Duration(edges[i])
}

// Shift is how many bins a ratio of latencies is: round(ln r / ln Growth). 1.10 is 5, 1 is 0. r > 0.
func Shift(r float64) int { return int(math.Round(math.Log(r) / logGrowth)) }

// Ratio is the ratio of latencies that n bins are: Growth^n.
func Ratio(n int) float64 { return math.Exp(float64(n) * logGrowth) }

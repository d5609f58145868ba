package proxy

import (
	"sync/atomic"
	"time"
)

// sampleEvery is how many requests of a connection share one measurement of our own time.
const sampleEvery = 64

// overheadEdges are the upper edges of the overhead histogram's bins.
var overheadEdges = [...]time.Duration{
	5 * time.Microsecond, 10 * time.Microsecond, 20 * time.Microsecond, 50 * time.Microsecond, 100 * time.Microsecond,
	200 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond,
	10 * time.Millisecond, 50 * time.Millisecond, 250 * time.Millisecond, time.Second,
}

// overhead is a histogram of our own time per request: head parsed to request written, plus response head received to
// its first bytes written. Dialling is taken off: that time is the network's. Requests sent twice are left out.
type overhead struct {
	bins  [len(overheadEdges) + 1]atomic.Uint64
	nanos atomic.Int64
}

func (o *overhead) record(d time.Duration) {
	i := 0
	for i < len(overheadEdges) && d > overheadEdges[i] {
		i++
	}
	o.bins[i].Add(1)
	o.nanos.Add(int64(d))
}

// OverheadBin counts samples above the bin before and up to Upper; Upper 0: above all edges.
type OverheadBin struct {
	Upper time.Duration
	Count uint64
}

func (o *overhead) read() ([]OverheadBin, float64) {
	bins := make([]OverheadBin, len(o.bins))
	for i := range o.bins {
		bins[i].Count = o.bins[i].Load()
		if i < len(overheadEdges) {
			bins[i].Upper = overheadEdges[i]
		}
	}
	return bins, time.Duration(o.nanos.Load()).Seconds()
}

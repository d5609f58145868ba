package proxy

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How short memory is. Each level does what the one before does too.
const (
	plenty int32 = iota
	tight        // new requests are answered 503 before anything is done for them
	dire         // every answer is its connection's last, and idle connections are closed
)

const (
	// rationEvery is how often memory is looked at.
	rationEvery = 250 * time.Millisecond
	// collectEvery looks a collection is asked for while memory is short, and tidied times afterwards memory goes back to
	// the system: what is in use is known only after a collection, and pooled buffers outlive one.
	collectEvery = 4
	tidied       = 2
	// rationPart of the clients are asked to leave at a time, at least one.
	rationPart = 8
)

// Parts of the limit, in percent: a level begins at its own and ends below the one given for it.
const (
	tightFrom, tightUntil = 85, 80
	direFrom, direUntil   = 92, 87
)

// LimitMemory bounds what the process should use to bytes; 0: no bound. Safe for concurrent use. It is the caller's to
// tell the garbage collector (debug.SetMemoryLimit): only what is still in use after a collection is held against it.
func (p *Proxy) LimitMemory(bytes int64) { p.most.Store(bytes) }

// MemoryTotals says how memory stands.
type MemoryTotals struct {
	Used, Limit int64 // bytes, see LimitMemory; 0 without a limit
	Level       int   // 0: it suffices; 1: requests are answered 503; 2: connections are closed too
}

// ration finds the level of memory until ctx ends, and has idle clients leave where it is dire.
func (p *Proxy) ration(ctx context.Context) {
	ticker := time.NewTicker(rationEvery)
	defer ticker.Stop()
	untidy := 0
	for looks := 1; ; looks++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		level := p.look()
		if level == dire {
			p.askToLeave(nil, 1+p.Connections()/rationPart)
		}
		switch {
		case looks%collectEvery != 0:
		case level != plenty:
			untidy = tidied
			runtime.GC()
		case untidy > 0:
			untidy--
			debug.FreeOSMemory()
		}
	}
}

// look measures, and says so where the level changes.
func (p *Proxy) look() int32 {
	most, was := p.most.Load(), p.short.Load()
	used := int64(0)
	if most > 0 {
		used = p.inUse()
	}
	p.used.Store(used)
	level := shortage(was, used, most)
	if level == was {
		return level
	}
	p.short.Store(level)
	switch level {
	case plenty:
		p.log.Info("memory suffices again: requests are served", "used", used, "limit", most)
	case tight:
		p.log.Warn("memory is short: requests are answered 503", "used", used, "limit", most)
	case dire:
		p.log.Warn("memory is very short: connections are closed", "used", used, "limit", most)
	}
	return level
}

// shortage is the level after was.
func shortage(was int32, used, most int64) int32 {
	if most <= 0 {
		return plenty
	}
	percent := used * 100 / most
	switch {
	case percent >= direFrom || was == dire && percent >= direUntil:
		return dire
	case percent >= tightFrom || was >= tight && percent >= tightUntil:
		return tight
	}
	return plenty
}

// shed refuses a request for want of memory. Always false.
func (x *exchange) shed() bool {
	return x.refuse(byUs, 503, "overloaded", "This proxy has too much to do: try again later.")
}

// account is the runtime's account of memory.
type account struct{ samples []metrics.Sample }

func newAccount() *account {
	names := [...]string{
		"/memory/classes/total:bytes", "/gc/heap/live:bytes", // added
		"/memory/classes/heap/released:bytes", "/memory/classes/heap/free:bytes", // the rest is taken off
		"/memory/classes/heap/unused:bytes", "/memory/classes/heap/objects:bytes",
	}
	a := &account{make([]metrics.Sample, len(names))}
	for i, name := range names {
		a.samples[i].Name = name
	}
	return a
}

// inUse is what the last collection left of the heap, and all else that the runtime holds (stacks and its own). Garbage
// does not count: under a limit the runtime lets it grow up to the limit, and it goes by itself. For one goroutine.
func (a *account) inUse() int64 {
	metrics.Read(a.samples)
	used := int64(0)
	for i := range a.samples {
		if n := int64(a.samples[i].Value.Uint64()); i < 2 {
			used += n
		} else {
			used -= n
		}
	}
	return max(used, 0)
}

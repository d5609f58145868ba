package admin

// EdgeTotals are the data plane's counters of what never became an arm's request, and of what limits it.
type EdgeTotals struct {
	Connections        int
	ConnectionsRefused uint64 // closed or answered 503 before a request was read
	RequestsRefused    uint64 // answered before they had a route: malformed, unknown host, no route, shed
	Panics             uint64
	MemoryUsed         int64 // bytes in use after a collection; 0 without a limit
	MemoryLimit        int64 // bytes; 0: none
	MemoryLevel        int   // 0: it suffices; 1: requests are shed; 2: connections are closed too
}

func writeEdge(e *exposition, t *EdgeTotals) {
	for _, m := range []struct {
		name, kind, help string
		value            float64
	}{
		{"serin_connections", "gauge", "Clients connected.", float64(t.Connections)},
		{"serin_connections_refused_total", "counter", "Connections ended before a request: limits, handshakes, PROXY heads.", float64(t.ConnectionsRefused)},
		{"serin_requests_refused_total", "counter", "Requests answered before they had a route: malformed, no route, unknown host, shed.", float64(t.RequestsRefused)},
		{"serin_panics_total", "counter", "Requests lost to a bug of serin's.", float64(t.Panics)},
		{"serin_memory_used_bytes", "gauge", "Memory in use after a collection; 0 where it is not limited.", float64(t.MemoryUsed)},
		{"serin_memory_limit_bytes", "gauge", "What limits.memory, GOMEMLIMIT or the control group leaves the collector; 0: no limit.", float64(t.MemoryLimit)},
		{"serin_memory_level", "gauge", "0: memory suffices; 1: requests are answered 503; 2: connections are closed too.", float64(t.MemoryLevel)},
	} {
		e.family(m.name, m.kind, m.help)
		e.sample(m.name, m.value)
	}
}

package admin

// TelemetryTotals are the counters of the access log and of the export of traces.
type TelemetryTotals struct {
	AccessLog    bool   // there is one
	LinesDropped uint64 // the queue was full
	Traces       bool   // spans are exported
	SpansSent    uint64
	SpansDropped uint64
}

func writeTelemetry(e *exposition, t TelemetryTotals) {
	if t.AccessLog {
		e.family("serin_access_log_dropped_total", "counter", "Lines of the access log that were dropped because its disk was too slow.")
		e.sample("serin_access_log_dropped_total", float64(t.LinesDropped))
	}
	if t.Traces {
		e.family("serin_trace_spans_total", "counter", "Spans, by result: sent to the collector, or dropped.")
		e.sample("serin_trace_spans_total", float64(t.SpansSent), "result", "sent")
		e.sample("serin_trace_spans_total", float64(t.SpansDropped), "result", "dropped")
	}
}

package main

import (
	"context"
	"log/slog"

	"serin/config"
	"serin/proxy"
	"serin/proxy/admin"
	"serin/proxy/trace"
)

// telemetry is what a request leaves behind besides its counts: a line in the access log, spans at a collector.
type telemetry struct {
	access *accessLog      // nil: off
	traces *trace.Exporter // nil: off
}

// newTelemetry opens the access log and reads the OTEL_* variables. A nil getenv asks for no spans.
func newTelemetry(c *config.AccessLog, getenv func(string) string, log *slog.Logger) (*telemetry, error) {
	access, err := newAccessLog(c)
	if err != nil {
		return nil, errStarted("start the access log", "log.access.path names another file", err)
	}
	t := &telemetry{access: access}
	if getenv == nil {
		return t, nil
	}
	settings, ok, err := trace.FromEnv(getenv)
	if err != nil {
		return nil, errStarted("start the export of traces", "unset OTEL_EXPORTER_OTLP_ENDPOINT for none", err)
	}
	if ok {
		t.traces = trace.New(settings, version, log)
		log.Info("spans are sent", "endpoint", settings.Collector(), "service", settings.Service)
	}
	return t, nil
}

// attach gives the proxy what there is, and the daemon what to run beside it.
func (t *telemetry) attach(o *proxy.Options, log *slog.Logger) (follow []func(context.Context) error) {
	if t.access != nil {
		o.Access = t.access
		follow = append(follow, func(ctx context.Context) error { return t.access.Run(ctx, log) })
	}
	if t.traces != nil {
		o.Spans = t.traces
		follow = append(follow, t.traces.Run)
		if o.Access = t.traces; t.access != nil {
			o.Access = both{t.access, t.traces}
		}
	}
	return follow
}

// both tells two logs of every request.
type both struct{ first, second proxy.AccessLog }

func (b both) Log(e *proxy.Entry) {
	b.first.Log(e)
	b.second.Log(e)
}

// totals are what telemetry lost and sent.
func (t *telemetry) totals() admin.TelemetryTotals {
	var out admin.TelemetryTotals
	if t.access != nil {
		out.AccessLog, out.LinesDropped = true, t.access.dropped.Load()
	}
	if t.traces != nil {
		n := t.traces.Counts()
		out.Traces, out.SpansSent, out.SpansDropped = true, n.Sent, n.Dropped
	}
	return out
}

package config

import (
	"fmt"
	"slices"
	"strings"

	"serin/gate"
)

// metrics are what a gate can measure now; those of later work are in notYetMetrics.
var metrics = []string{
	"error_rate", "timeout_rate", "client_error_rate", "abort_rate",
	"latency_p50", "latency_p90", "latency_p95", "latency_p99",
}

// criteria builds the gates of a rollout.
func (b *builder) criteria(at string, t *RolloutTable, p *gate.Policy) []gate.Criterion {
	var criteria []gate.Criterion
	for i := range t.Gate {
		b.gate(b.elementOf(join(at, "gate"), i), &t.Gate[i], p)
	}
	return criteria
}

// gate checks what one gate asks for.
func (b *builder) gate(at string, t *GateTable, p *gate.Policy) {
	metric := string(t.Metric)
	switch {
	case b.bad[join(at, "metric")]:
	case isLater(metric):
		b.report(join(at, "metric"), show(metric)+" is not supported yet", "")
	case !slices.Contains(metrics, metric):
		b.report(join(at, "metric"), "no metric "+show(metric), didYouMean(metric, metrics))
	}
	if t.Hold == nil && t.Rollback == nil {
		b.report(at, `a gate without a limit: want hold or rollback, such as hold = "stable + 0.5pt"`, "")
	}
	for i, stage := range t.Stages {
		place := element(join(at, "stages"), i)
		switch {
		case b.bad[place]:
		case p.Stages != nil && int(stage) > len(p.Stages):
			b.report(place, fmt.Sprintf("no stage %d: the ladder has %d", stage, len(p.Stages)), "")
		case slices.Contains(t.Stages[:i], stage):
			b.report(place, fmt.Sprintf("stage %d is listed twice", stage), "")
		}
	}
}

// isLater reports whether later work brings a metric.
func isLater(metric string) bool {
	return slices.ContainsFunc(notYetMetrics, func(m string) bool {
		return metric == m || strings.HasSuffix(m, ".") && strings.HasPrefix(metric, m)
	})
}

// hints warns about what a rollout's gates would not see.
func (b *builder) hints(at string, t *RolloutTable, p *gate.Policy) {
	if b.anyBad(join(at, "gate")) {
		return
	}
	if len(t.Gate) == 0 {
		b.warn(at, "no gate: the canary is widened by time alone")
		return
	}
	hangs := false
	for _, g := range t.Gate {
		metric := string(g.Metric)
		hangs = hangs || metric == "timeout_rate" || metric == "abort_rate" || strings.HasPrefix(metric, "latency_")
	}
	if !hangs {
		b.warn(join(at, "gate"), "no gate would see a canary that hangs: add one for latency_p99, timeout_rate or abort_rate")
	}
	if !slices.ContainsFunc(t.Gate, func(g GateTable) bool { return g.Rollback != nil && !bool(g.DryRun) }) {
		b.warn(join(at, "gate"), "no gate has a rollback limit: a bad canary is held, and rolled back only when hold_timeout ends")
	}
}

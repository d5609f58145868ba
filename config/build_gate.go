package config

import (
	"fmt"
	"slices"
	"strings"

	"serin/gate"
	"serin/gate/criterion"
)

// criteria builds the gates of a rollout.
func (b *builder) criteria(at string, t *RolloutTable, p *gate.Policy) []gate.Criterion {
	var criteria []gate.Criterion
	for i := range t.Gate {
		place := b.elementOf(join(at, "gate"), i)
		b.judged(place, &t.Gate[i], p)
		if b.anyBad(place) {
			continue
		}
		c, err := criterion.New(specOf(&t.Gate[i]))
		if err != nil {
			b.report(place, err.Error(), "")
			continue
		}
		criteria = append(criteria, c)
	}
	return criteria
}

// specOf is a gate as its criterion knows it.
func specOf(t *GateTable) criterion.Spec {
	s := criterion.Spec{Metric: string(t.Metric), Worse: string(t.Worse), DryRun: bool(t.DryRun), Source: t.source()}
	if t.Hold != nil {
		s.Hold = t.Hold.parsed
	}
	if t.Rollback != nil {
		s.Rollback = t.Rollback.parsed
	}
	if t.Floor != nil {
		s.Floor = float64(*t.Floor)
	}
	for _, n := range t.Stages {
		s.Stages = append(s.Stages, int(n))
	}
	return s
}

// judged checks what one gate asks for, as near to the key as can be.
func (b *builder) judged(at string, t *GateTable, p *gate.Policy) {
	metric, known := string(t.Metric), false
	switch {
	case b.bad[join(at, "metric")]:
	case criterion.Doc(metric) == "":
		b.report(join(at, "metric"), "no metric "+show(metric), b.near(metric, slices.Values(criterion.Metrics())))
	default:
		known = true
	}
	b.asking(at, t)
	if t.Hold == nil && t.Rollback == nil && metric != "webhook" {
		example := `"stable + 0.5pt"`
		if metric == "prometheus" {
			example = "0.5"
		}
		b.report(at, "a gate without a limit: want hold or rollback, such as hold = "+example, "")
	}
	if known {
		b.form(join(at, "hold"), t, t.Hold)
		b.form(join(at, "rollback"), t, t.Rollback)
	}
	b.limits(at, t)
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

// form checks that a limit is of a form its metric knows.
func (b *builder) form(at string, t *GateTable, limit *Limit) {
	if limit == nil || limit.parsed == nil {
		return
	}
	s := criterion.Spec{Metric: string(t.Metric), Hold: limit.parsed}
	if strings.HasPrefix(s.Metric, criterion.SignalPrefix) {
		s.Worse = string(t.Worse)
	}
	if _, err := criterion.New(s); err != nil {
		b.report(at, err.Error(), "")
	}
}

// limits checks how a gate's limits and its floor fit together.
func (b *builder) limits(at string, t *GateTable) {
	relative := false
	for _, limit := range []*Limit{t.Hold, t.Rollback} {
		if limit != nil && limit.parsed != nil {
			relative = relative || !limit.parsed.Absolute()
		}
	}
	if t.Floor != nil && !b.bad[join(at, "floor")] && (!relative || strings.HasPrefix(string(t.Metric), "latency_")) {
		b.report(join(at, "floor"), "is for limits on rates relative to stable", "")
	}
	if t.Hold == nil || t.Rollback == nil || t.Hold.parsed == nil || t.Rollback.parsed == nil {
		return
	}
	hold, roll := t.Hold.parsed, t.Rollback.parsed
	tighter := roll.Value < hold.Value
	if t.Worse == "lower" && hold.Absolute() { // the value itself; what is relative is harm
		tighter = roll.Value > hold.Value
	}
	if hold.Form == roll.Form && tighter {
		b.report(join(at, "rollback"), fmt.Sprintf("%s is tighter than hold (%s)", show(t.Rollback.text), show(t.Hold.text)), "")
	}
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
		sees := metric == "timeout_rate" || metric == "abort_rate" || strings.HasPrefix(metric, "latency_")
		hangs = hangs || sees && !bool(g.DryRun)
	}
	if !hangs {
		b.warn(join(at, "gate"), "no gate would see a canary that hangs: add one for latency_p99, timeout_rate or abort_rate")
	}
	if !slices.ContainsFunc(t.Gate, func(g GateTable) bool { return g.Rollback != nil && !bool(g.DryRun) }) {
		b.warn(join(at, "gate"), "no gate has a rollback limit: a bad canary is held, and rolled back only when hold_timeout ends")
	}
}

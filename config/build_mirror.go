package config

import (
	"slices"
	"strings"
	"time"

	"serin/gate"
	"serin/router"
)

// Mirror says how a rollout's mirrored requests are sent and compared.
type Mirror struct {
	Headers            []string
	Ignore             []string
	Numbers, Noise     float64 // fractions
	Times, Timeout     time.Duration
	Body               int
	Credentials        bool
	Values             bool
	Concurrency, Queue int
}

// mirror resolves how answers are compared, and checks what only makes sense with a mirror.
func (b *builder) mirror(at string, t *RolloutTable, r *Rollout) {
	m := &t.Mirror
	r.Shield = bool(t.Shield)
	r.Mirror = Mirror{
		Numbers: float64(m.Numbers), Noise: float64(m.Noise), Times: time.Duration(m.Times), Timeout: time.Duration(m.Timeout),
		Body: int(m.Body), Credentials: bool(m.Credentials), Values: bool(m.Values),
		Concurrency: int(m.Concurrency), Queue: int(m.Queue),
	}
	for _, h := range m.Headers {
		r.Mirror.Headers = append(r.Mirror.Headers, string(h))
	}
	for i, text := range m.Ignore {
		if !isField(string(text)) {
			b.report(element(join(join(at, "mirror"), "ignore"), i),
				wanted(`a field of an answer, such as "$.generated_at", "header Location" or "body"`, string(text)).Error(), "")
		}
		r.Mirror.Ignore = append(r.Mirror.Ignore, string(text))
	}
	if t.Drill.Required {
		r.Policy.DrillAge = time.Duration(t.Drill.MaxAge)
	}
	if r.Policy.Stages != nil {
		b.compared(at, t, r.Policy)
	}
}

// compared checks that there is a gate where there is a mirror, and a mirror where there is a gate.
func (b *builder) compared(at string, t *RolloutTable, p *gate.Policy) {
	mirrors := slices.ContainsFunc(p.Stages, func(s gate.Stage) bool { return s.Mirror > 0 })
	judged := false
	for i := range t.Gate {
		g, where := &t.Gate[i], b.elementOf(join(at, "gate"), i)
		if g.Metric != "mismatch_rate" {
			continue
		}
		judged = true
		switch {
		case !mirrors:
			b.report(join(where, "metric"), `no stage mirrors, so there is nothing to compare: want a stage with mirror = "10%" before the first share`, "")
		case t.Mirror.Noise == 0 && relative(g):
			b.report(join(join(at, "mirror"), "noise"), `is 0%, and a limit of mismatch_rate is relative to stable: want a share, such as "10%", or a limit such as "1%"`, "")
		}
	}
	if mirrors && !judged {
		b.warn(join(at, "stage"), "answers are mirrored and compared, but no gate for mismatch_rate looks at them")
	}
}

// relative reports whether a limit of the gate asks something of stable.
func relative(g *GateTable) bool {
	for _, l := range []*Limit{g.Hold, g.Rollback} {
		if l != nil && l.parsed != nil && !l.parsed.Absolute() {
			return true
		}
	}
	return false
}

// isField reports whether text names something that is compared.
func isField(text string) bool {
	name, header := strings.CutPrefix(text, "header ")
	return text == "$" || text == "body" || header && isToken(name) ||
		strings.HasPrefix(text, "$.") && len(text) > len("$.") || strings.HasPrefix(text, "$[]")
}

// mirrors begins a stage of copies: nobody is on the canary, so it comes before the first share.
func (b *builder) mirrors(place string, table *StageTable, stages []gate.Stage) (gate.Stage, bool) {
	stage := gate.Stage{Label: "mirror " + router.Weight(*table.Mirror).String(), Mirror: router.Weight(*table.Mirror)}
	switch {
	case b.given[join(place, "weight")] || b.given[join(place, "audience")]:
		b.report(join(place, "mirror"), "a stage that mirrors has nobody on the canary: leave out weight and audience, or make them a stage of their own", "")
	case len(stages) > 0 && stages[len(stages)-1].Weight > 0:
		b.report(join(place, "mirror"), "comes after a share of the users: a mirror is for before the first", "")
	default:
		return stage, true
	}
	return stage, false
}

package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"serin/gate"
	"serin/gate/experiment"
	"serin/router"
)

// Experiment joins a split with fixed shares to the policy of its guardrails. The arms of both are in the same order.
type Experiment struct {
	Name   string
	Split  *router.Split // every arm running; shared by the routes that carry it
	Policy *experiment.Policy
	Expose bool
	Lines  []map[string]string // further header fields, by arm
}

const maxArms = 16

// experiment builds one experiment.
func (b *builder) experiment(name string, t *ExperimentTable) {
	at := join("experiment", name)
	as := &RolloutTable{Key: t.Key, Salt: t.Salt, Gate: t.Gate}
	e := Experiment{Name: name, Expose: bool(t.Expose), Policy: &experiment.Policy{
		Name: name, Route: string(t.Route), For: time.Duration(t.For), Warmup: time.Duration(t.Warmup),
		AlphaFail: float64(t.Errors.FalseRollback), AlphaPass: float64(t.Errors.FalsePass), Notify: b.notified(at, t.Notify),
	}}
	e.Split = &router.Split{
		ID: len(b.plan.Rollouts) + len(b.plan.Experiments), Rollout: name, Salt: b.salt(at, name, as), Keys: b.keys(at, as), Tokens: b.tokens,
	}
	t.Salt = as.Salt
	e.Split.Group, e.Split.Member = b.member(t.Exclusive, name)
	b.arms(at, t, &e)
	e.Policy.Criteria = b.guardrails(at, as)
	e.Policy.Audience = string(t.Audience)
	e.Policy.Revision = revisionOf(&e, b.forWhom(at, t.Audience, e.Split))
	if len(e.Split.Shares) > 0 {
		b.attach(at, t.Route, e.Split)
	}
	b.plan.Experiments = append(b.plan.Experiments, e)
}

// arms lays the arms out over the buckets: the control first, then the others by name, so that neither the order of the file
// nor a change of the control's name only moves users.
func (b *builder) arms(at string, t *ExperimentTable, e *Experiment) {
	path := join(at, "arms")
	if len(t.Arms) == 0 {
		if !b.bad[path] {
			b.report(path, "no arm: want two at least", "")
		}
		return
	}
	names := slices.Sorted(maps.Keys(t.Arms))
	b.control(at, t, names)
	slices.SortStableFunc(names, func(x, y string) int { return less(y == string(t.Control)) - less(x == string(t.Control)) })
	sum := 0
	for _, name := range names {
		arm, place := t.Arms[name], join(path, name)
		id, _ := b.reference(join(place, "upstream"), arm.Upstream)
		sum += int(arm.Weight)
		e.Split.Shares = append(e.Split.Shares, router.Share{Name: name, Until: router.Weight(min(sum, int(router.Full))), Upstream: id})
		e.Policy.Arms = append(e.Policy.Arms, experiment.Arm{Name: name, Share: router.Weight(arm.Weight)})
		e.Lines = append(e.Lines, arm.Headers)
		for field := range arm.Headers {
			b.ourField(join(place, "headers"), field)
		}
	}
	switch {
	case len(names) < 2 || len(names) > maxArms:
		b.report(path, fmt.Sprintf("want 2 to %d arms, got %d", maxArms, len(names)), "")
	case sum != int(router.Full) && !b.anyBad(path):
		b.report(path, fmt.Sprintf("the weights add up to %s, want 100%%", percent(float64(sum)/float64(router.Full))), "")
	}
}

func less(first bool) int {
	if first {
		return 1
	}
	return 0
}

// control names the arm that the others are compared with: the first in the file, unless it says so.
func (b *builder) control(at string, t *ExperimentTable, names []string) {
	if t.Control != "" {
		if _, ok := t.Arms[string(t.Control)]; !ok {
			b.dangling(join(at, "control"), "arm", string(t.Control), maps.Keys(t.Arms))
		}
		return
	}
	first := slices.MinFunc(names, func(x, y string) int {
		return b.lines.order[join(join(at, "arms"), x)] - b.lines.order[join(join(at, "arms"), y)]
	})
	t.Control = Text(first)
}

// guardrails builds the gates of an experiment.
func (b *builder) guardrails(at string, t *RolloutTable) []gate.Criterion {
	for i := range t.Gate {
		if metric := string(t.Gate[i].Metric); outsideMetrics[metric] {
			b.report(join(b.elementOf(join(at, "gate"), i), "metric"), show(metric)+" cannot tell an experiment's arms apart", "")
		}
		if place := join(b.elementOf(join(at, "gate"), i), "stages"); b.given[place] {
			b.report(place, "an experiment has no stages", "")
		}
	}
	criteria := b.criteria(at, t, &gate.Policy{})
	if b.anyBad(join(at, "gate")) {
		return criteria
	}
	if !slices.ContainsFunc(criteria, gate.Criterion.CanFail) {
		b.warn(at, "no guardrail: nothing stops an arm that does harm; add a [[experiment.NAME.gate]] with a rollback limit")
	}
	return criteria
}

// revisionOf names what is compared: other arms, shares, upstreams, fields, salt or people are another experiment.
func revisionOf(e *Experiment, people string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "experiment\n%d\n%s", e.Split.Salt, people)
	for i, s := range e.Split.Shares {
		fmt.Fprintf(&text, "%q %d %d", s.Name, s.Until, s.Upstream)
		for _, name := range slices.Sorted(maps.Keys(e.Lines[i])) {
			fmt.Fprintf(&text, " %q %q", name, e.Lines[i][name])
		}
		text.WriteByte('\n')
	}
	sum := sha256.Sum256([]byte(text.String()))
	return e.Name + "-" + hex.EncodeToString(sum[:4])
}

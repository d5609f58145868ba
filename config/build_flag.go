package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"serin/router/flag"
)

// FeatureFlag is one flag and when it is stale.
type FeatureFlag struct {
	flag.Flag
	Experiment bool // its owner is one
	StaleAfter time.Duration
}

// Line is the line of the file where a key or table begins; 0 where there is none.
func (p *Plan) Line(key string) int { return p.lines.at(key) }

// flagged reports whether a flag makes the arms of a rollout differ.
func (b *builder) flagged(rollout string) bool {
	for _, t := range b.config.Flag {
		if string(t.Rollout) == rollout {
			return true
		}
	}
	return false
}

// flag builds one flag. Rollouts and experiments are built.
func (b *builder) flag(name string, t *FlagTable) {
	at := join("flag", name)
	f := FeatureFlag{StaleAfter: time.Duration(t.StaleAfter), Experiment: t.Experiment != ""}
	f.Name = name
	if t.Header != nil {
		f.Header = string(*t.Header)
		b.ourField(join(at, "header"), f.Header)
		for _, other := range b.plan.Flags {
			if f.Header != "" && strings.EqualFold(other.Header, f.Header) {
				b.report(join(at, "header"), "is the header of flag "+show(other.Name)+" too", "")
			}
		}
	}
	switch {
	case b.bad[join(at, "rollout")] || b.bad[join(at, "experiment")]:
	case t.Rollout != "" && t.Experiment != "":
		b.report(join(at, "experiment"), "a flag belongs to a rollout or to an experiment, not to both", "")
	case t.Rollout == "" && t.Experiment == "":
		b.report(at, "rollout is missing: whose buckets decide this flag?", "")
	case f.Experiment:
		b.flagOfExperiment(at, t, &f)
	default:
		b.flagOfRollout(at, t, &f)
	}
	b.oneKind(at, &f)
	for _, value := range f.Values {
		if f.Header != "" && !isFieldText(flag.Text(value)) {
			b.report(join(at, "header"), "cannot carry "+show(value)+": want short text without control characters or letters beyond ASCII", "")
			break
		}
	}
	b.plan.Flags = append(b.plan.Flags, f)
}

// value is a flag's value, or what it is when left out.
func (a *Any) or(otherwise any) any {
	if a == nil {
		return otherwise
	}
	return a.raw
}

func (b *builder) flagOfRollout(at string, t *FlagTable, f *FeatureFlag) {
	f.Owner = string(t.Rollout)
	i := slices.IndexFunc(b.plan.Rollouts, func(r Rollout) bool { return r.Name == f.Owner })
	if i < 0 {
		b.dangling(join(at, "rollout"), "rollout", f.Owner, maps.Keys(b.config.Rollout))
		return
	}
	if len(t.Values) > 0 {
		b.report(join(at, "values"), "are for the arms of an experiment; a rollout's flag has on and off", "")
	}
	f.Split = b.plan.Rollouts[i].Split.ID
	f.Values, f.Variants = []any{t.Off.or(false), t.On.or(true)}, []string{"off", "on"}
	if reflect.DeepEqual(f.Values[0], f.Values[1]) && !b.anyBad(at) {
		b.report(join(at, "on"), "is the same as off: the flag would never change", "")
	}
}

func (b *builder) flagOfExperiment(at string, t *FlagTable, f *FeatureFlag) {
	f.Owner = string(t.Experiment)
	i := slices.IndexFunc(b.plan.Experiments, func(e Experiment) bool { return e.Name == f.Owner })
	if i < 0 {
		b.dangling(join(at, "experiment"), "experiment", f.Owner, maps.Keys(b.config.Experiment))
		return
	}
	e := &b.plan.Experiments[i]
	f.Split = e.Split.ID
	if t.On != nil {
		b.report(join(at, "on"), "is for a rollout's canary; an experiment's flag has values by arm, and off for the rest", "")
	}
	arms := map[string]bool{}
	for _, s := range e.Split.Shares {
		arms[s.Name] = true
		value, given := t.Values[s.Name]
		if !given {
			value = t.Off.or(false)
		}
		f.Values, f.Variants = append(f.Values, value), append(f.Variants, s.Name)
	}
	if len(t.Values) == 0 && !b.bad[join(at, "values")] {
		b.report(at, `values is missing: want one for each arm, such as { control = "red", green = "green" }`, "")
	}
	for _, name := range slices.Sorted(maps.Keys(t.Values)) {
		if !arms[name] {
			b.dangling(join(join(at, "values"), name), "arm", name, maps.Keys(arms))
		}
	}
}

// oneKind refuses values of different types: a client that asks for text could not use a number.
func (b *builder) oneKind(at string, f *FeatureFlag) {
	if b.anyBad(at) {
		return
	}
	for i := 1; i < len(f.Values); i++ {
		if first, other := kindOfValue(f.Values[0]), kindOfValue(f.Values[i]); first != other {
			b.report(at, fmt.Sprintf("%s is %s and %s is %s: a flag's values have one type", f.Variants[0], first, f.Variants[i], other), "")
			return
		}
	}
}

// notOurs are fields that serin or HTTP itself gives a meaning; a flag or an arm may not be one of them.
var notOurs = []string{
	"host", "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade",
	"http2-settings", "expect", "max-forwards", "via", "cookie", "authorization", "forwarded", "x-real-ip", "x-request-id",
	"traceparent", "tracestate", "set-cookie", "cache-control", "content-type", "content-encoding",
}

// ourField refuses a field that serin cannot send in the client's place.
func (b *builder) ourField(at, name string) {
	lower := strings.ToLower(name)
	if slices.Contains(notOurs, lower) || strings.HasPrefix(lower, "serin-") || strings.HasPrefix(lower, "x-forwarded-") {
		b.report(at, show(name)+" already means something to HTTP or to serin", `want a name of its own, such as "X-Flag-New-Checkout"`)
	}
}

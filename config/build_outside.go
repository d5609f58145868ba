package config

import (
	"fmt"
	"time"

	"serin/gate/criterion"
	"serin/gate/probe"
)

// outsideMetrics are measured elsewhere.
var outsideMetrics = map[string]bool{"prometheus": true, "webhook": true}

// asking checks the keys of a gate that asks somebody else, and that the others have none of them.
func (b *builder) asking(at string, t *GateTable) {
	metric := string(t.Metric)
	if !outsideMetrics[metric] {
		for key, given := range map[string]bool{"query": t.Query != "", "url": t.URL != nil, "every": t.Every != nil, "timeout": t.Timeout != nil, "bearer": t.Bearer != nil} {
			if given {
				b.report(join(at, key), "is for the metrics prometheus and webhook", "")
			}
		}
		return
	}
	if metric == "webhook" && t.URL == nil && !b.bad[join(at, "url")] {
		b.report(at, `metric "webhook" needs url`, `url = "https://checks.example/release"`)
	}
	if metric == "prometheus" && t.Query == "" && !b.bad[join(at, "query")] {
		b.report(at, `metric "prometheus" needs query`, `query = 'sum(rate(failed_total{version="{{revision}}"}[5m]))'`)
	}
	if metric == "webhook" && t.Query != "" {
		b.report(join(at, "query"), `is for metric = "prometheus"`, "")
	}
	if t.URL != nil && t.URL.Secret.Source != "" {
		b.report(join(at, "url"), "is no secret: give the address here and the token as bearer", "")
	}
	if every, timeout := t.every(), t.timeout(); timeout > every && !b.bad[join(at, "timeout")] {
		b.report(join(at, "timeout"), fmt.Sprintf("%s is longer than every (%s)", timeout, every), "")
	}
}

const (
	probeEvery   = 30 * time.Second
	probeTimeout = 5 * time.Second

	localPrometheus = "http://127.0.0.1:9090"
)

func (t *GateTable) every() time.Duration {
	if t.Every == nil {
		return probeEvery
	}
	return time.Duration(*t.Every)
}

func (t *GateTable) timeout() time.Duration {
	if t.Timeout == nil {
		return min(probeTimeout, t.every())
	}
	return time.Duration(*t.Timeout)
}

// address is where a gate asks.
func (t *GateTable) address() string {
	if t.URL == nil {
		return localPrometheus
	}
	return t.URL.Text
}

// source names what a gate asks, for people.
func (t *GateTable) source() string {
	if t.Query != "" {
		return string(t.Query)
	}
	if t.URL != nil {
		return t.URL.Text
	}
	return ""
}

// probes are the questions of a rollout's outside gates, by their criteria.
func (b *builder) probes(at, rollout string, t *RolloutTable) []probe.Ask {
	var asks []probe.Ask
	for i := range t.Gate {
		place := b.elementOf(join(at, "gate"), i)
		if !outsideMetrics[string(t.Gate[i].Metric)] || b.anyBad(place) {
			continue
		}
		c, err := criterion.New(specOf(&t.Gate[i]))
		if err != nil {
			continue // criteria has said so
		}
		g := &t.Gate[i]
		a := probe.Ask{Rollout: rollout, Rule: c.Rule(), Query: string(g.Query), Value: g.Hold != nil || g.Rollback != nil, URL: g.address(), Every: g.every(), Timeout: g.timeout()}
		if g.Bearer != nil {
			if a.Bearer, err = b.opts.resolve(b.dir, g.Bearer.Secret); err != nil {
				b.report(join(place, "bearer"), err.Error(), "")
			}
		}
		asks = append(asks, a)
	}
	return asks
}

package criterion

import (
	"fmt"
	"slices"
	"sort"

	"serin/gate"
)

// kind is one metric of the registry.
type kind struct {
	doc string // one line for help and the configuration's reference
	new func(Spec) (gate.Criterion, error)
}

var kinds = map[string]kind{
	"abort_rate":        {"requests whose client went away before the answer, of all", newAbortRate},
	"client_error_rate": {"4xx but 429, of all answered: broken auth and routes", newClientErrorRate},
	"error_rate":        {"5xx, 429, timeouts, lost and cut connections, of all answered", newErrorRate},
	"latency_p50":       {"median time to the response's head", newLatency(.50)},
	"latency_p90":       {"90th percentile of the time to the response's head", newLatency(.90)},
	"latency_p95":       {"95th percentile of the time to the response's head", newLatency(.95)},
	"latency_p99":       {"99th percentile of the time to the response's head: needs about 2,000 canary requests", newLatency(.99)},
	"prometheus":        {"the value of a query to a Prometheus server, against plain numbers", newPrometheus},
	"webhook":           {"the answer of a check of yours: allow, hold or fail, or a value against plain numbers", newWebhook},
	"mismatch_rate":     {"answers to mirrored requests that differ from what the user got, of all compared", newMismatchRate},
	signalMetric:        {"a business signal of yours (POST /v1/signals), value 0 to 1 each: its mean; with worse = \"lower\" what is missing of it", newSignal},
	"timeout_rate":      {"requests without an answer in time, of all answered", newTimeoutRate},
}

// New makes the criterion of a metric.
func New(s Spec) (gate.Criterion, error) {
	k, ok := kindOf(s.Metric)
	if !ok {
		return nil, fmt.Errorf("no metric is called %q", s.Metric)
	}
	return k.new(s)
}

// kindOf finds a metric; every signal.NAME is one.
func kindOf(metric string) (kind, bool) {
	if _, ok := SignalOf(metric); ok {
		metric = signalMetric
	}
	k, ok := kinds[metric]
	return k, ok
}

// signalMetric stands for all signals in the registry.
const signalMetric = SignalPrefix + "NAME"

// Metrics are the names of all metrics, sorted.
func Metrics() []string {
	names := make([]string, 0, len(kinds))
	for name := range kinds {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Doc is a metric's one line; empty for what is none.
func Doc(metric string) string {
	k, _ := kindOf(metric)
	return k.doc
}

// fits reports whether every limit of s has one of the forms.
func fits(s Spec, want string, forms ...Form) error {
	for _, l := range []*Limit{s.Hold, s.Rollback} {
		if l != nil && l.less {
			return fmt.Errorf(`%s cannot be limited by %q: below stable is worse only for a signal with worse = "lower"; want %s`, s.Metric, l, want)
		}
		if l != nil && !slices.Contains(forms, l.Form) {
			return fmt.Errorf("%s cannot be limited by %q: want %s", s.Metric, l, want)
		}
	}
	return nil
}

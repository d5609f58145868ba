package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"serin/gate/criterion"
	"serin/gate/evidence"
)

const (
	// spread is the sigma of the log-normal latencies that are assumed: p99 is five times the median.
	spread = .7
	// typicalOver is how far above nothing an absolute latency limit is assumed to be: half of what may be beyond it is.
	typicalOver = .5
)

var never = Quantity(math.Inf(1))

// gate plans one gate in one stage: i from 0, share the canary's part, baseline the requests of the stage before, for
// the last stage when it keeps no living baseline.
func (pl *planner) gate(g *GateTable, i int, share, baseline float64) GateTime {
	t := GateTime{Metric: string(g.Metric), Hold: never, Calls: never, CallTime: never}
	if outsideMetrics[t.Metric] {
		t.Outside, t.Proves = true, "what is asked elsewhere"
		return t
	}
	if mirror := pl.rollout.Policy.Stages[i].Mirror; mirror > 0 {
		pl, share = pl.comparing(mirror.Fraction())
		baseline = 0
		t.Note = "of answers compared, if one in a thousand differs"
	}
	if plain := pl.rollout.Policy.Plain; plain != nil {
		t.Proves = fmt.Sprintf("%d requests within %s", plain.MinRequests, Duration(plain.Window))
		t.Requests = Quantity(plain.MinRequests)
		if t.Seconds = pl.seconds(float64(t.Requests), share); float64(t.Seconds) > plain.Window.Seconds() {
			t.Seconds = never
		}
		return t
	}
	if quantile, ok := quantileOf(string(g.Metric)); ok {
		pl.latency(&t, g, quantile, i, share, baseline)
	} else {
		pl.rate(&t, g, i, share, baseline)
	}
	t.Requests = max(t.Requests, leastRequests)
	t.Seconds = pl.seconds(float64(t.Requests), share)
	return t
}

// quantileOf reads latency_p99 as .99.
func quantileOf(metric string) (float64, bool) {
	percent, err := strconv.Atoi(strings.TrimPrefix(metric, "latency_p"))
	return float64(percent) / 100, err == nil
}

// limitsOf are a gate's hold and rollback limits as harm says what one of them is; roll is infinite without one.
func limitsOf(g *GateTable, harm func(*criterion.Limit) float64) (hold, roll float64) {
	roll = math.Inf(1)
	if g.Rollback != nil {
		roll = harm(g.Rollback.parsed)
	}
	if g.Hold == nil {
		return roll, roll
	}
	hold = harm(g.Hold.parsed)
	return hold, max(hold, roll)
}

// absolute reports whether a gate asks nothing of stable.
func (t *GateTable) absolute() bool {
	limit := t.Hold
	if limit == nil {
		limit = t.Rollback
	}
	return limit.parsed.Absolute()
}

// rate plans a share of requests.
func (pl *planner) rate(t *GateTime, g *GateTable, i int, share, baseline float64) {
	policy := pl.rollout.Policy
	floor := .001
	if g.Floor != nil {
		floor = float64(*g.Floor)
	}
	hold, roll := limitsOf(g, func(l *criterion.Limit) float64 {
		switch l.Form {
		case criterion.Factor:
			return max(floor, (l.Value-1)*pl.p)
		case criterion.Points:
			return max(floor, l.Value)
		default:
			return l.Value
		}
	})
	m := criterion.Margin(hold, roll, pl.nextShare(i))
	if g.absolute() {
		m = min(m, .99)
		t.Proves = "a rate below " + spaced(m)
		t.Requests = alone(pl.p, m, policy.AlphaPass)
		if pl.p >= m {
			t.Note = "stable itself is at the limit"
		}
		return
	}
	t.Proves = "harm below " + points(m)
	t.Requests = pl.passes(pl.p, m, share, baseline)
	if m > hold {
		t.HoldText = "+" + points(hold)
		t.Hold = pl.seconds(float64(pl.passes(pl.p, hold, share, baseline)), share)
	}
	if !math.IsInf(roll, 1) && !bool(g.DryRun) {
		t.CallText = "+" + points(roll)
		t.Calls = pl.fails(pl.p, roll, hold, share, baseline)
		t.CallTime = pl.seconds(float64(t.Calls), share)
	}
}

// latency plans a quantile. How often an equal canary goes beyond m times stable's quantile depends on the shape of the
// latencies, which is assumed.
func (pl *planner) latency(t *GateTime, g *GateTable, q float64, i int, share, baseline float64) {
	least := Quantity(20 / (1 - q)) // before the estimate means anything (gate.md, section 4)
	name := strings.TrimPrefix(string(g.Metric), "latency_")
	form := g.Hold
	if form == nil {
		form = g.Rollback
	}
	switch form.parsed.Form {
	case criterion.Time:
		t.Proves = name + " within " + form.text
		t.Requests = max(least, alone(typicalOver*(1-q), 1-q, pl.rollout.Policy.AlphaPass))
		t.Note = "if half as many are slower than may be"
		return
	case criterion.Delay:
		t.Proves = "an estimate of " + name
		t.Requests = least
		t.Note = "at least: the rest depends on stable's " + name
		return
	default:
	}
	hold, roll := limitsOf(g, func(l *criterion.Limit) float64 { return l.Value - 1 })
	if g.Rollback != nil && g.Rollback.parsed.Form != criterion.Factor {
		roll = math.Inf(1)
	}
	m := 1 + criterion.Margin(hold, roll, pl.nextShare(i))
	b := 1 - q
	a := beyond(q, m)
	t.Proves = fmt.Sprintf("%s below %s times stable's", name, trim(m))
	t.Requests = max(least, pl.passes(a, b-a, share, baseline))
	t.Note = "with typical latencies: p99 five times the median"
	if !math.IsInf(roll, 1) && !bool(g.DryRun) {
		t.CallText = trim(1+roll) + " times"
		seen := beyond(q, (1+hold)/(1+roll)) // of a canary that much slower, beyond hold times stable's quantile
		t.Calls = pl.fails(b, seen-b, 0, share, baseline)
		t.CallTime = pl.seconds(float64(t.Calls), share)
	}
}

// beyond is the share of log-normal latencies above r times their q-quantile.
func beyond(q, r float64) float64 {
	z := math.Sqrt2 * math.Erfinv(2*q-1)
	return math.Erfc((z+math.Log(r)/spread)/math.Sqrt2) / 2
}

// passes is how many canary requests refute a harm of m; with a share of everything, against a baseline that is over.
func (pl *planner) passes(p, m, share, baseline float64) Quantity {
	alpha := pl.rollout.Policy.AlphaPass
	if share < 1 {
		return Quantity(evidence.PassNeeds(p, m, share, 1, alpha))
	}
	return against(evidence.PassNeeds(p, m, 0, 1, alpha), baseline)
}

// fails is how many canary requests call a harm of delta.
func (pl *planner) fails(p, delta, hold, share, baseline float64) Quantity {
	if share < 1 {
		return Quantity(evidence.FailNeeds(p, delta, hold, share, 1, pl.failNats()))
	}
	return against(evidence.FailNeeds(p, delta, hold, 0, 1, pl.failNats()), baseline)
}

// against turns a number that an endless baseline would need into that with a baseline of nS requests, where each
// canary request is worth nS/(n+nS) as much.
func against(n, nS float64) Quantity {
	if !(n < nS) {
		return never
	}
	return Quantity(n / (1 - n/nS))
}

// alone is how many canary requests show a rate of p to be below c, without stable (gate.md, section 3: four
// alternatives of equal weight).
func alone(p, c, alpha float64) Quantity {
	if p >= c {
		return never
	}
	return Quantity((math.Log(1/alpha) + math.Log(4)) / evidence.KL(p, c))
}

// points writes a difference of rates: "0.5 points".
func points(d float64) string { return strings.TrimSuffix(percent(d), "%") + " points" }

// trim writes a number with two decimals at most.
func trim(x float64) string { return strconv.FormatFloat(math.Round(x*100)/100, 'f', -1, 64) }

package gate

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// decimals is f with at most n decimals and no idle zeros.
func decimals(f float64, n int) string {
	text := strconv.FormatFloat(f, 'f', n, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		return "0"
	}
	return text
}

// percent is a rate: "18 %", "1.06 %", "0.004 %". Only what is all is 100 %, only what is nothing is 0 %.
func percent(rate float64) string {
	p := math.Abs(rate) * 100
	n := 2
	switch {
	case p > 0 && p < .00005:
		return "under 0.0001 %"
	case p < .01:
		n = 4
	case p > 99.9 && p < 100:
		p, n = math.Floor(min(p, 99.9999)*100)/100, 2
	case p >= 10:
		n = 1
	}
	if rate < 0 {
		p = -p
	}
	return decimals(p, n) + " %"
}

// points is a difference of rates: "0.5 points", "1 point".
func points(d float64) string {
	text := decimals(d*100, 2)
	if text == "1" {
		return "1 point"
	}
	return text + " points"
}

// grouped is a count with thousands separators: "5,012".
func grouped(n uint64) string {
	text := strconv.FormatUint(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// many is a count with its noun: "1 canary request", "5,012 canary requests".
func many(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return grouped(n) + " " + noun + "s"
}

// manyAre is many with its verb: "1 canary request is".
func manyAre(n uint64, noun string) string {
	if n == 1 {
		return many(n, noun) + " is"
	}
	return many(n, noun) + " are"
}

// Span is a length of time that somebody chose, to the second: "40 s", "2 min 30 s", "6 min", "1 h 30 min", "3 days 8 h".
func Span(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < 2*time.Minute:
		return decimals(d.Seconds(), 1) + " s"
	case d < 90*time.Minute:
		return parts(d, time.Minute, time.Second)
	case d < 72*time.Hour:
		return parts(d, time.Hour, time.Minute, time.Second)
	}
	return parts(d, day, time.Hour, time.Minute)
}

// passed is a time that has gone by, never more than it was: "59 s" until the 60th is over.
func passed(d time.Duration) string { return Span(max(d, 0).Truncate(grain(d))) }

// Left is a time that is still to come, never less than it is.
func Left(d time.Duration) string {
	d = max(d, 0)
	if g := grain(d); d%g != 0 {
		d = d.Truncate(g) + g
	}
	return Span(d)
}

// grain is how finely a time of about d is told.
func grain(d time.Duration) time.Duration {
	switch {
	case d < 2*time.Minute:
		return time.Second
	case d < 72*time.Hour:
		return time.Minute
	}
	return time.Hour
}

const day = 24 * time.Hour

// parts is d in units, without those of which it has none.
func parts(d time.Duration, units ...time.Duration) string {
	var words []string
	for _, u := range units {
		n := int64(d / u)
		d -= time.Duration(n) * u
		name := map[time.Duration]string{day: "days", time.Hour: "h", time.Minute: "min", time.Second: "s"}[u]
		if n > 0 {
			words = append(words, strconv.FormatInt(n, 10)+" "+name)
		}
	}
	return strings.Join(words, " ")
}

// milliseconds of a latency: "46.2 ms", "1.24 s".
func milliseconds(ms float64) string {
	switch {
	case ms >= 999.5:
		return decimals(ms/1000, 2) + " s"
	case ms >= 99.95:
		return decimals(ms, 0) + " ms"
	}
	return decimals(ms, 1) + " ms"
}

// gateName is a metric as people call its gate: "error", "p99", "client error".
func gateName(metric string) string {
	metric = strings.TrimPrefix(metric, "signal.")
	metric = strings.TrimPrefix(strings.TrimSuffix(metric, "_rate"), "latency_")
	return strings.ReplaceAll(metric, "_", " ")
}

// nouns is what a rate counts: "errors", "client errors".
func nouns(metric string) string {
	if strings.HasPrefix(metric, "signal.") {
		return gateName(metric)
	}
	if name := gateName(metric); strings.HasSuffix(name, "ch") {
		return name + "es"
	}
	return gateName(metric) + "s"
}

// quantity is a metric as a sentence's subject: "error rate", "p99".
func quantity(f *Finding) string {
	switch {
	case f.Scale == scaleRatio:
		return gateName(f.Metric)
	case f.Outside():
		return gateName(f.Metric) + " gate"
	}
	return gateName(f.Metric) + " rate"
}

// Scales of a finding's difference and limits.
const (
	scalePoints = "points"
	scaleRatio  = "ratio"
	scaleValue  = "value"  // what another system measures, in its own unit
	scaleAnswer = "answer" // what a check answers
)

// clock is the time of day, and the day where it is another one.
func clock(at, now time.Time) string {
	if at.YearDay() != now.YearDay() || at.Year() != now.Year() {
		return at.Format("15:04 on Mon 2 Jan")
	}
	return at.Format("15:04")
}

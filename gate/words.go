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

// percent is a rate: "18 %", "1.06 %", "0.004 %".
func percent(rate float64) string {
	p := rate * 100
	switch {
	case p != 0 && math.Abs(p) < .01:
		return decimals(p, 4) + " %"
	case math.Abs(p) >= 10:
		return decimals(p, 1) + " %"
	}
	return decimals(p, 2) + " %"
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

// span is a duration as a person says it: "40 s", "6 min", "2 h", "1 h 30 min", "3 days".
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < 2*time.Minute:
		return decimals(math.Ceil(d.Seconds()), 0) + " s"
	case d < 90*time.Minute:
		return decimals(math.Round(d.Minutes()), 0) + " min"
	case d >= 72*time.Hour:
		return decimals(math.Round(d.Hours()/24), 0) + " days"
	}
	h, m := int(d.Round(time.Minute)/time.Hour), int(d.Round(time.Minute)%time.Hour/time.Minute)
	if m == 0 {
		return strconv.Itoa(h) + " h"
	}
	return strconv.Itoa(h) + " h " + strconv.Itoa(m) + " min"
}

// milliseconds of a latency: "46.2 ms", "1.24 s".
func milliseconds(ms float64) string {
	switch {
	case ms >= 1000:
		return decimals(ms/1000, 2) + " s"
	case ms >= 100:
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

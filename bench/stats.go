package main

import (
	"math"
	"slices"
	"time"
)

// sample is one proxy under one scenario's load in one round.
type sample struct {
	Scenario string        `json:"scenario"`
	Proxy    string        `json:"proxy"`
	Round    int           `json:"round"`
	Requests int64         `json:"requests"`
	Errors   int64         `json:"errors"`
	CPU      time.Duration `json:"cpu_ns"`
	Elapsed  time.Duration `json:"elapsed_ns"`
	P50      time.Duration `json:"p50_ns"`
	P99      time.Duration `json:"p99_ns"`
	Resident int64         `json:"resident_bytes"`
	Others   float64       `json:"others"` // share of the machine
	Stolen   float64       `json:"stolen"`
}

// micros is the CPU time of one request in microseconds; NaN without requests.
func (s sample) micros() float64 {
	if s.Requests == 0 {
		return math.NaN()
	}
	return float64(s.CPU) / float64(s.Requests) / 1e3
}

// perSecond is the rate of answers.
func (s sample) perSecond() float64 { return float64(s.Requests) / s.Elapsed.Seconds() }

// median of the values; NaN for none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// spread is a median with the least and the greatest value.
type spread struct{ median, low, high float64 }

func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{math.NaN(), math.NaN(), math.NaN()}
	}
	return spread{median(values), slices.Min(values), slices.Max(values)}
}

// ratios divides a proxy's CPU per request by the base's, round by round; rounds that one of them lacks are left out.
func ratios(samples []sample, scenario, proxy, base string) []float64 {
	byRound := map[int]float64{}
	for _, s := range samples {
		if s.Scenario == scenario && s.Proxy == base {
			byRound[s.Round] = s.micros()
		}
	}
	var found []float64
	for _, s := range samples {
		if s.Scenario != scenario || s.Proxy != proxy {
			continue
		}
		if ratio := s.micros() / byRound[s.Round]; !math.IsNaN(ratio) && !math.IsInf(ratio, 0) {
			found = append(found, ratio)
		}
	}
	return found
}

// valuesOf picks one figure of every sample of a proxy under a scenario.
func valuesOf(samples []sample, scenario, proxy string, figure func(sample) float64) []float64 {
	var found []float64
	for _, s := range samples {
		if s.Scenario == scenario && s.Proxy == proxy {
			found = append(found, figure(s))
		}
	}
	return found
}

// quantile of sorted durations by the nearest rank, q in 0..1; 0 for none.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)]
}

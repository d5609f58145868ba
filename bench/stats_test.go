package main

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestMedian_AnyOrder_IsTheMiddle(t *testing.T) {
	t.Parallel()
	f := func(want float64, values ...float64) {
		t.Helper()
		if got := median(values); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("median(%v) = %v, want %v", values, got, want)
		}
	}
	f(math.NaN())
	f(3, 3)
	f(2, 3, 1)
	f(2, 9, 1, 2)
	f(2.5, 4, 1, 2, 3)
}

func TestQuantile_NearestRank_StaysInside(t *testing.T) {
	t.Parallel()
	sorted := []time.Duration{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 5, 0.99: 10, 1: 10} {
		if got := quantile(sorted, q); got != want {
			t.Errorf("quantile %v = %v, want %v", q, got, want)
		}
	}
	if got := quantile(nil, 0.5); got != 0 {
		t.Errorf("quantile of nothing = %v", got)
	}
}

// someSamples is a run of two rounds, in which the machine was twice as slow in the second.
func someSamples() []sample {
	make := func(proxy string, round int, micros float64) sample {
		return sample{
			Scenario: "c64", Proxy: proxy, Round: round, Requests: 1000, CPU: time.Duration(micros * 1e6),
			Elapsed: time.Second, P50: time.Millisecond, P99: 3 * time.Millisecond, Resident: 5 << 20, Others: 0.01, Stolen: 0.005,
		}
	}
	return []sample{make("nginx", 1, 10), make("serin", 1, 8), make("serin", 2, 16.4), make("nginx", 2, 20), make("serin", 3, 1)}
}

func TestRatios_AreTakenWithinARound(t *testing.T) {
	t.Parallel()
	got := ratios(someSamples(), "c64", "serin", "nginx")
	if want := []float64{0.8, 0.82}; len(got) != 2 || math.Abs(got[0]-want[0]) > 1e-6 || math.Abs(got[1]-want[1]) > 1e-6 {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := ratios(someSamples(), "c64", "serin", "haproxy"); len(got) != 0 {
		t.Errorf("got %v against a proxy that did not run", got)
	}
	if got := spreadOf([]float64{3, 1, 2}); got != (spread{2, 1, 3}) {
		t.Errorf("got %+v", got)
	}
}

func TestSample_WithoutRequests_HasNoCost(t *testing.T) {
	t.Parallel()
	if got := (sample{CPU: time.Second}).micros(); !math.IsNaN(got) {
		t.Errorf("got %v", got)
	}
}

func TestFindScenarios_UnknownName_IsNamed(t *testing.T) {
	t.Parallel()
	if _, err := findScenarios([]string{"c64", "c65"}); err == nil {
		t.Error("c65 was found")
	}
	all, err := findScenarios([]string{"all"})
	if err != nil || len(all) != len(scenarios) {
		t.Errorf("all: got %d scenarios, %v", len(all), err)
	}
	two, err := findScenarios([]string{"unix", "c1"})
	if err != nil || len(two) != 2 || two[0].name != "c1" {
		t.Errorf("got %v, %v, want c1 and unix in the table's order", two, err)
	}
	names := map[string]bool{}
	for _, s := range scenarios {
		if names[s.name] || s.about == "" || s.conns+s.idle < 1 || !slices.Contains([]string{"/100", "/10240", "/1048576"}, s.path) {
			t.Errorf("scenario %+v is incomplete or a double", s)
		}
		names[s.name] = true
	}
}

func TestMergeTimings_AllConnections_AreOneClient(t *testing.T) {
	t.Parallel()
	got := mergeTimings([]timings{{latencies: []time.Duration{3, 1}, errors: 1}, {latencies: []time.Duration{2}}}, time.Second)
	if want := (load{Requests: 3, Errors: 1, Elapsed: time.Second, P50: 2, P99: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseWrk_OurLine_IsFoundAmongTheRest(t *testing.T) {
	t.Parallel()
	text := "Running 2s test @ http://127.0.0.1:1/100\n  1 threads and 64 connections\nRequests/sec: 30617.00\n" +
		"bench: requests=61234 errors=5 elapsed_us=2000123 p50_us=1950 p99_us=3500\n"
	want := load{Requests: 61234, Errors: 5, Elapsed: 2000123 * time.Microsecond, P50: 1950 * time.Microsecond, P99: 3500 * time.Microsecond}
	if got, err := parseWrk(text); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", "unable to connect", "bench: requests=0 errors=9 elapsed_us=1 p50_us=0 p99_us=0\n"} {
		if _, err := parseWrk(bad); err == nil {
			t.Errorf("parseWrk(%q) found figures", bad)
		}
	}
}

func TestParseStrace_Total_WithOrWithoutErrors(t *testing.T) {
	t.Parallel()
	f := func(line string, want int64) {
		t.Helper()
		text := "% time     seconds  usecs/call     calls    errors syscall\n 60.00 0.02 1 10158 sendto\n------\n" + line + "\n"
		if got, err := parseStrace(text); err != nil || got != want {
			t.Errorf("parseStrace(%q) = %d, %v, want %d", line, got, err, want)
		}
	}
	f("100.00    0.032513           1     20316         4 total", 20316)
	f("100.00    0.032513           1     20316           total", 20316)
	if _, err := parseStrace("nothing"); err == nil {
		t.Error("nothing has a total")
	}
}

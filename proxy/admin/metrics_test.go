package admin

import (
	"bytes"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"serin/gate"
	"serin/gate/control"
	"serin/gate/window"
)

// scrape returns the text and its families as Prometheus' own parser reads them.
func scrape(t *testing.T, o Options) (string, map[string]*dto.MetricFamily) {
	t.Helper()
	w := ask(New(o).Handler(), "GET", "/metrics", "")
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
		t.Fatalf("got %d %s", w.Code, w.Header())
	}
	text := w.Body.String()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("Prometheus cannot read it: %v\n%s", err, text)
	}
	return text, families
}

func TestMetrics_Text_SatisfiesPrometheusAndItsLinter(t *testing.T) {
	o, _ := rooms()
	text, _ := scrape(t, o)
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for name, n := range counted(text, "# TYPE ") {
		if n != 1 {
			t.Errorf("%s has TYPE %d times", name, n)
		}
	}
	for name, n := range counted(text, "# HELP ") {
		if n != 1 {
			t.Errorf("%s has HELP %d times", name, n)
		}
	}
}

func counted(text, prefix string) map[string]int {
	seen := map[string]int{}
	for line := range strings.SplitSeq(text, "\n") {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			name, _, _ := strings.Cut(rest, " ")
			seen[name]++
		}
	}
	return seen
}

func TestMetrics_Names_AreTheContract(t *testing.T) {
	o, _ := rooms()
	text, families := scrape(t, o)
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(families)) {
		if !strings.HasPrefix(name, "serin_") {
			continue
		}
		labels := map[string]bool{}
		for _, m := range families[name].Metric {
			for _, l := range m.Label {
				labels[l.GetName()] = true
			}
		}
		b.WriteString(name + " " + strings.ToLower(families[name].GetType().String()) + " {" + strings.Join(slices.Sorted(maps.Keys(labels)), ",") + "}\n")
	}
	golden(t, "metrics.txt", b.Bytes())
	for _, name := range []string{"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds", "go_goroutines", "go_info"} {
		if !strings.Contains(text, "\n"+name) {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestMetrics_Requests_AddUpToTheMeters(t *testing.T) {
	o, _ := rooms()
	_, families := scrape(t, o)
	got := map[string]float64{}
	for _, m := range families["serin_http_requests_total"].Metric {
		got[label(m, "arm")+" "+label(m, "code_class")] = m.Counter.GetValue()
	}
	for key, want := range map[string]float64{
		"stable 2xx": 911, "stable 5xx": 7, "stable aborted": 2, "stable other": 0, "canary 2xx": 50, "canary 5xx": 3,
	} {
		if got[key] != want {
			t.Errorf("%s: got %v, want %v", key, got[key], want)
		}
	}
}

func TestMetrics_Buckets_LieOnBinEdgesAndCountExactly(t *testing.T) {
	o, _ := rooms()
	_, families := scrape(t, o)
	edges := map[string]bool{}
	for i := range window.Bins - 1 {
		edges[strconv.FormatFloat(window.Edge(i).Seconds(), 'g', -1, 64)] = true
	}
	for _, m := range families["serin_http_request_duration_seconds"].Metric {
		var last uint64
		h := m.Histogram
		for _, b := range h.Bucket {
			if e := b.GetUpperBound(); !math.IsInf(e, 1) && !edges[strconv.FormatFloat(e, 'g', -1, 64)] {
				t.Errorf("le %v is no bin edge", e)
			}
			if b.GetCumulativeCount() < last {
				t.Errorf("le %v: %d after %d", b.GetUpperBound(), b.GetCumulativeCount(), last)
			}
			last = b.GetCumulativeCount()
		}
		if last != h.GetSampleCount() {
			t.Errorf("+Inf has %d of %d", last, h.GetSampleCount())
		}
		if label(m, "arm") != "stable" {
			continue
		}
		for _, b := range h.Bucket {
			want := uint64(0)
			if e := b.GetUpperBound(); e >= .7*window.Growth {
				want = 900
			} else if e >= .012*window.Growth {
				want = 880
			}
			if b.GetCumulativeCount() != want {
				t.Errorf("le %v: got %d, want %d", b.GetUpperBound(), b.GetCumulativeCount(), want)
			}
		}
	}
}

func TestMetrics_LimitsOfGates_AreEdges(t *testing.T) {
	o, _ := rooms()
	traffic := o.Traffic.(*fakeTraffic)
	count := func() int {
		_, families := scrape(t, o)
		return len(families["serin_http_request_duration_seconds"].Metric[0].Histogram.Bucket)
	}
	without := count()
	traffic.totals.Limits = []time.Duration{300 * time.Millisecond, 750 * time.Millisecond, 300 * time.Millisecond}
	if got := count(); got != without+2 {
		t.Errorf("%d edges, want %d and 2", got, without)
	}
	_, families := scrape(t, o)
	for _, b := range families["serin_http_request_duration_seconds"].Metric[0].Histogram.Bucket {
		if e := b.GetUpperBound(); e >= .3 && e < .3*window.Growth {
			return
		}
	}
	t.Error("no edge at 300 ms")
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.Label {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

func TestMetrics_TwoGatesOfOneMetric_AreTwoSeries(t *testing.T) {
	o, loop := rooms()
	g := loop.rollouts[0].Gates[0]
	g.PassOdds = math.Inf(1)
	loop.rollouts[0].Gates = append(loop.rollouts[0].Gates, g)
	_, families := scrape(t, o)
	if n := len(families["serin_gate_value"].Metric); n != 2 {
		t.Errorf("%d series, want 2", n)
	}
}

func TestMetrics_Decisions_AreTheLoopsCountsWithEveryAction(t *testing.T) {
	o, loop := rooms()
	loop.set(func(r *control.RolloutStatus) {
		r.Decided = map[gate.Action]uint64{gate.ActReplan: 1, gate.ActAdvance: 2}
	})
	text := ask(New(o).Handler(), "GET", "/metrics", "").Body.String()
	for _, want := range []string{
		`serin_rollout_decisions_total{rollout="checkout",action="replan"} 1`,
		`serin_rollout_decisions_total{rollout="checkout",action="advance"} 2`,
		`serin_rollout_decisions_total{rollout="checkout",action="rollback"} 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("%s is missing", want)
		}
	}
}

func TestMetrics_Overhead_IsOneHistogram(t *testing.T) {
	o, _ := rooms()
	_, families := scrape(t, o)
	h := families["serin_overhead_seconds"].Metric[0].Histogram
	if h.GetSampleCount() != 15 || len(h.Bucket) != 3 || h.Bucket[1].GetCumulativeCount() != 14 ||
		h.Bucket[1].GetUpperBound() != (100*time.Microsecond).Seconds() {
		t.Errorf("got %v", h)
	}
}

func TestMetrics_NothingYet_IsStillClean(t *testing.T) {
	text, _ := scrape(t, Options{Address: testAddress})
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

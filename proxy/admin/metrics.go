package admin

import (
	"bytes"
	"maps"
	"math"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"serin/gate"
	"serin/gate/control"
	"serin/gate/window"
	"serin/router"
)

// classes are the closed values of code_class. What the client saw decides: a timeout or an unreachable upstream is a 5xx
// of ours, a body cut short counts as one, an abort has no answer.
var classes = map[window.Outcome]string{
	window.Informational: "1xx",
	window.Success:       "2xx",
	window.Redirect:      "3xx",
	window.ClientError:   "4xx",
	window.Throttled:     "4xx",
	window.ServerError:   "5xx",
	window.Timeout:       "5xx",
	window.Unreachable:   "5xx",
	window.Reset:         "5xx",
	window.Truncated:     "5xx",
	window.Abort:         "aborted",
	window.Neutral:       "other",
}

// phases are the closed values of phase.
var phases = []string{"waiting", "progressing", "awaiting_approval", "holding", "paused", "completed", "rolled_back"}

// exposition writes Prometheus text: every family's HELP and TYPE once, before its samples.
type exposition struct{ b bytes.Buffer }

func (e *exposition) family(name, kind, help string) {
	e.b.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n")
}

// sample writes one line; labels are name, value pairs.
func (e *exposition) sample(name string, value float64, labels ...string) {
	e.b.WriteString(name)
	for i := 0; i < len(labels); i += 2 {
		sep := ","
		if i == 0 {
			sep = "{"
		}
		e.b.WriteString(sep + labels[i] + `="` + labelEscaper.Replace(labels[i+1]) + `"`)
	}
	if len(labels) > 0 {
		e.b.WriteByte('}')
	}
	e.b.WriteByte(' ')
	e.b.WriteString(number(value))
	e.b.WriteByte('\n')
}

var labelEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func number(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "+Inf"
	case math.IsInf(v, -1):
		return "-Inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// metrics is GET /metrics, rendered at the scrape from the counters the gate judges by.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	var e exposition
	e.family("serin_build_info", "gauge", "A constant 1 with the version of the binary.")
	e.sample("serin_build_info", 1, "version", s.o.Version, "revision", s.o.Revision, "go_version", runtime.Version())
	if s.o.Traffic != nil {
		t := s.o.Traffic.Totals()
		writeRequests(&e, t)
		writeOverhead(&e, t)
		writeEdge(&e, &t.Edge)
		writeUpstreams(&e, t.Upstreams)
		writeTelemetry(&e, t.Telemetry)
	}
	if s.o.Besides != nil {
		writeBesides(&e, s.o.Besides.Besides())
	}
	rollouts := s.rollouts()
	writeRollouts(&e, rollouts)
	writeDecisions(&e, s.status().Rollouts)
	writeGates(&e, rollouts)
	writeExperiments(&e, s.experiments())
	writeFlags(&e, s.flags(time.Now()))
	if s.o.Configuration != nil {
		writeReloads(&e, s.o.Configuration.Reloads())
	}
	if s.o.Notices != nil {
		writeNotices(&e, s.o.Notices.Sinks())
	}
	writeProcess(&e)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Write(e.b.Bytes())
}

func armName(arm int) string {
	if router.Arm(arm) == router.Canary {
		return "canary"
	}
	return "stable"
}

func writeRequests(e *exposition, t Totals) {
	e.family("serin_http_requests_total", "counter",
		"Requests answered, by rollout, arm and class of the answer; aborted: the client went away, other: no fault of an arm.")
	t.eachArm(func(rollout, arm string, s *window.Snapshot) {
		counts := map[string]uint64{}
		for o := range window.Outcomes {
			counts[classes[o]] += s.Outcomes[o] + s.Masked[o]
		}
		for _, class := range slices.Sorted(maps.Keys(counts)) {
			e.sample("serin_http_requests_total", float64(counts[class]), "rollout", rollout, "arm", arm, "code_class", class)
		}
	})
	const name = "serin_http_request_duration_seconds"
	e.family(name, "histogram", "From the request's head parsed to the response's head received; answers the gates time.")
	limits := map[int]bool{}
	for _, d := range t.Limits {
		limits[window.BinOf(d)] = true
	}
	t.eachArm(func(rollout, arm string, s *window.Snapshot) {
		writeLatency(e, name, s, limits, "rollout", rollout, "arm", arm)
	})
	e.family("serin_http_requests_in_flight", "gauge", "Requests being served now.")
	e.sample("serin_http_requests_in_flight", float64(t.InFlight))
}

// binsPerBucket makes five buckets a decade; every edge is an edge of the meters' bins, so no count is a guess. So are the
// edges at which gates with absolute limits count: the first at or above the limit.
const binsPerBucket = 24

func writeLatency(e *exposition, name string, s *window.Snapshot, limits map[int]bool, labels ...string) {
	var sum uint64
	for bin, n := range s.Latency {
		sum += uint64(n)
		if (bin%binsPerBucket == 0 || limits[bin]) && bin < window.Bins-1 {
			e.sample(name+"_bucket", float64(sum), append(labels, "le", number(edge(bin)))...)
		}
	}
	e.sample(name+"_bucket", float64(sum), append(labels, "le", "+Inf")...)
	e.sample(name+"_sum", s.Seconds, labels...)
	e.sample(name+"_count", float64(sum), labels...)
}

// edge is the upper edge of a latency bin in seconds.
func edge(bin int) float64 { return window.Edge(bin).Seconds() }

func writeOverhead(e *exposition, t Totals) {
	const name = "serin_overhead_seconds"
	if len(t.Overhead) == 0 {
		return
	}
	e.family(name, "histogram", "Time serin itself adds to a request; one in 64 is measured.")
	var sum uint64
	for _, bin := range t.Overhead {
		sum += bin.Count
		if bin.Upper > 0 {
			e.sample(name+"_bucket", float64(sum), "le", number(bin.Upper.Seconds()))
		}
	}
	e.sample(name+"_bucket", float64(sum), "le", "+Inf")
	e.sample(name+"_sum", t.OverheadSeconds)
	e.sample(name+"_count", float64(sum))
}

func writeUpstreams(e *exposition, pools []Upstream) {
	e.family("serin_upstream_errors_total", "counter", "Failed exchanges with an upstream, by reason.")
	for _, p := range pools {
		for _, reason := range slices.Sorted(maps.Keys(p.Errors)) {
			e.sample("serin_upstream_errors_total", float64(p.Errors[reason]), "upstream", p.Name, "reason", reason)
		}
	}
	each := func(name, kind, help string, value func(UpstreamServer) float64) {
		e.family(name, kind, help)
		for _, p := range pools {
			for _, srv := range p.Servers {
				e.sample(name, value(srv), "upstream", p.Name, "server", srv.Name)
			}
		}
	}
	each("serin_upstream_retries_total", "counter", "Requests sent again after this server broke them off.", func(s UpstreamServer) float64 { return float64(s.Retries) })
	each("serin_upstream_connections", "gauge", "Open connections.", func(s UpstreamServer) float64 { return float64(s.Connections) })
	each("serin_upstream_healthy", "gauge", "1 while the server takes traffic.", func(s UpstreamServer) float64 { return bit(s.State == "up" || s.State == "warming") })
	each("serin_upstream_ejections_total", "counter", "Times the server was ejected for errors in a row.", func(s UpstreamServer) float64 { return float64(s.Ejections) })
}

func writeRollouts(e *exposition, list []Rollout) {
	each := func(name, help string, value func(Rollout) float64) {
		e.family(name, "gauge", help)
		for _, ro := range list {
			e.sample(name, value(ro), "rollout", ro.Name)
		}
	}
	each("serin_rollout_weight_ratio", "The canary's share of buckets.", func(r Rollout) float64 { return r.Weight })
	each("serin_rollout_observed_ratio", "The canary's share of requests; 0 without traffic.", func(r Rollout) float64 { return orZero(r.ObservedWeight) })
	each("serin_rollout_stage", "The stage, counted from 1; 0 before the first.", func(r Rollout) float64 { return float64(r.Stage.Index) })
	e.family("serin_rollout_phase", "gauge", "1 for the phase the rollout is in, 0 for the others.")
	for _, ro := range list {
		for _, phase := range phases {
			e.sample("serin_rollout_phase", bit(ro.Phase == phase), "rollout", ro.Name, "phase", phase)
		}
	}
}

func writeDecisions(e *exposition, list []control.RolloutStatus) {
	e.family("serin_rollout_decisions_total", "counter", "Journalled decisions since the daemon's start, by action.")
	for _, ro := range list {
		for a := gate.Action(0); a.String() != "unknown"; a++ { // zeros too: a first rollback must show as an increase
			if a == gate.ActRefuse { // never journalled
				continue
			}
			e.sample("serin_rollout_decisions_total", float64(ro.Decided[a]), "rollout", ro.Name, "action", a.String())
		}
	}
}

func writeGates(e *exposition, list []Rollout) {
	each := func(name, help string, value func(Gate) float64) {
		e.family(name, "gauge", help)
		for _, ro := range list {
			seen := map[string]int{}
			for _, g := range ro.Gates {
				label := g.Metric
				if seen[g.Metric]++; seen[g.Metric] > 1 {
					label += "#" + strconv.Itoa(seen[g.Metric])
				}
				e.sample(name, value(g), "rollout", ro.Name, "gate", label)
			}
		}
	}
	each("serin_gate_value", "The difference the gate sees: points as a fraction, or the ratio of latencies.", func(g Gate) float64 { return g.Difference })
	each("serin_gate_limit", "The hold limit, on the scale of serin_gate_value.", func(g Gate) float64 { return g.HoldLimit })
	each("serin_gate_verdict", "1 pass, 0 hold, -1 fail.", func(g Gate) float64 {
		switch g.Verdict {
		case gate.Pass:
			return 1
		case gate.Fail:
			return -1
		}
		return 0
	})
	each("serin_gate_odds", "The odds that the harm is below the limit to be excluded; 20 pass by default.", func(g Gate) float64 { return g.PassOdds })
}

func writeReloads(e *exposition, r Reloads) {
	e.family("serin_config_reloads_total", "counter", "Reloads of the configuration, by result.")
	e.sample("serin_config_reloads_total", float64(r.Good), "result", "success")
	e.sample("serin_config_reloads_total", float64(r.Bad), "result", "failure")
	e.family("serin_config_last_reload_successful", "gauge", "1 when the last reload was put in force.")
	e.sample("serin_config_last_reload_successful", bit(r.LastGood))
	e.family("serin_config_last_reload_success_timestamp_seconds", "gauge", "When a configuration was last put in force.")
	e.sample("serin_config_last_reload_success_timestamp_seconds", float64(r.LastGoodSuccess.UnixMilli())/1000)
}

func orZero(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}

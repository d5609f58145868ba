package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"serin/gate"
	"serin/gate/control"
	"serin/gate/journal"
	"serin/gate/window"
	"serin/router"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testAddress = "127.0.0.1:9180"

// contract is the loop's status in every field that the API promises.
func contract() control.RolloutStatus {
	day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	at := func(h, m int) time.Time { return day.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute) }
	observed, remaining, expected := .2494, 340*time.Second, 1340*time.Second
	rollback, needs, eta := .02, 1800.0, 340.0
	ms := func(v float64) time.Duration { return time.Duration(v * float64(time.Millisecond)) }
	last := decision("checkout-1-14", gate.ActAdvance, 500, 2500)
	last.At = at(13, 45)
	return control.RolloutStatus{
		Name: "checkout", Version: 17, Phase: gate.Progressing, Revision: "2026-11-18.3", Attempt: 1, Route: "shop",
		Weight: .25, ObservedWeight: &observed, KeyMissingRatio: .001,
		Stage: control.StageStatus{Index: 3, Count: 4, Weight: 2500, Elapsed: 1000 * time.Second, Least: 900 * time.Second, Remaining: &remaining, Expected: &expected},
		Stages: []control.RungStatus{
			{Index: 1, Weight: 100, Label: "1 %", State: "passed", Least: 900 * time.Second, Started: at(13, 0), Ended: at(13, 15)},
		},
		Verdict: gate.Hold, Reason: gate.NotEnoughEvidence, Baseline: "concurrent",
		Sentence: "Holding at 25 %: 5,012 canary requests are not yet enough to rule out 0.5 points more errors.",
		Next:     "Advance to 100 % at about 14:14, once the error gate has its evidence.",
		Gates: []gate.Finding{{
			Metric: "error_rate", Scale: "points", Rule: "hold: stable + 0.5pt, rollback: stable + 2pt", Reason: gate.NotEnoughEvidence,
			Stable: .01014, Canary: .01057, Difference: .00043, DifferenceLow: -.0038, DifferenceHigh: .00533,
			HoldLimit: .005, RollbackLimit: &rollback, PassLimit: .005, PassOdds: 14, PassNeeds: 20, FailNeeds: &needs,
			Samples: gate.Samples{Stable: 15087, StableBad: 153, Canary: 5012, CanaryBad: 53}, ExpectedSeconds: &eta,
		}},
		Stable:   control.ArmStatus{Requests: 15087, Errors: 153, Neutral: 9, Rate: 15.1, P50: ms(46.2), P95: ms(146), P99: ms(235)},
		Canary:   control.ArmStatus{Requests: 5012, Errors: 53, Neutral: 3, Rate: 5, P50: ms(46.7), P95: ms(148), P99: ms(239)},
		Exposure: control.ExposureStatus{Users: 661, Requests: 6372, Failed: 66, UsersFailed: 47},
		Users:    control.UsersStatus{Active: 2530, DesignEffect: 1.15, MaskedBuckets: 4, WorstBucketShare: .06},
		Window:   control.WindowStatus{Open: true, Until: at(16, 0)}, Allowed: []string{"pause", "promote", "rollback"},
		LastDecision: &last, StableHealthy: true, CanaryHealthy: true,
		Recent: []control.Point{{
			At: at(13, 59), Seconds: 30, Weight: 2500,
			Stable: control.PointArm{Requests: 450, Errors: 4, P50: ms(46), P95: ms(146), P99: ms(235)}, Canary: control.PointArm{},
		}},
	}
}

func decision(id string, action gate.Action, from, to router.Weight) journal.Entry {
	return journal.Entry{
		ID: id, Rollout: "checkout", Sentence: "Advanced to 25 %.",
		Decision: gate.Decision{Action: action, From: from, To: to, Actor: "gate", Reason: "pass", Phase: gate.Progressing, Verdict: gate.Pass},
	}
}

// fakeLoop is a control loop of one rollout that answers what the test says.
type fakeLoop struct {
	mu       sync.Mutex
	rollouts []control.RolloutStatus
	got      []gate.Operator
	refusal  gate.Refusal
	err      error
	hang     bool
	list     []journal.Entry // newest first
	since    time.Time
	limit    int
}

func (f *fakeLoop) Status() *control.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &control.Status{Rollouts: append([]control.RolloutStatus(nil), f.rollouts...)}
}

func (f *fakeLoop) set(change func(*control.RolloutStatus)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.rollouts[0])
}

func (f *fakeLoop) Operate(ctx context.Context, rollout string, op gate.Operator) (gate.Decision, journal.Entry, error) {
	if f.hang {
		<-ctx.Done()
		return gate.Decision{}, journal.Entry{}, ctx.Err()
	}
	if rollout != "checkout" {
		return gate.Decision{}, journal.Entry{}, control.ErrUnknownRollout
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.got = append(f.got, op)
	d := gate.Decision{Action: gate.ActPause, Refusal: f.refusal}
	return d, decision("checkout-1-15", gate.ActPause, 2500, 2500), f.err
}

func (f *fakeLoop) Decisions(rollout string, since time.Time, limit int) ([]journal.Entry, error) {
	f.since, f.limit = since, limit
	if rollout != "checkout" {
		return nil, nil
	}
	return f.list[:min(limit, len(f.list))], nil
}

type fakeTraffic struct {
	mu        sync.Mutex
	totals    Totals
	upstreams []Upstream
}

func (f *fakeTraffic) Totals() Totals {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.totals
	t.Splits = append([]SplitTotals(nil), t.Splits...)
	return t
}

func (f *fakeTraffic) Upstreams() []Upstream { return f.upstreams }

type fakeConfiguration struct {
	err     error
	refused bool
}

func (f fakeConfiguration) Effective() string { return "[admin]\naddress = \"127.0.0.1:9180\"\n" }

func (f fakeConfiguration) Reload(context.Context) (Reload, error) {
	return Reload{Status: "in_force", File: "serin.toml"}, f.err
}

func (f fakeConfiguration) Reloads() Reloads {
	if f.refused {
		return Reloads{Good: 3, Bad: 1, Problems: []Problem{{File: "serin.toml", Line: 3, Key: "rollout.checkout.evry", Text: "unknown key"}}}
	}
	return Reloads{Good: 3, Bad: 1, LastGood: true, LastGoodSuccess: time.UnixMilli(1_795_000_000_500)}
}

type fakeRouter struct{}

func (fakeRouter) Explain(ask Ask) Explain {
	return ExplainKey(ask, []*router.Split{{Rollout: "checkout", Salt: router.Salt("checkout"), Weight: 500}})
}

// rooms is a complete set of fakes.
func rooms() (Options, *fakeLoop) {
	loop := &fakeLoop{
		rollouts: []control.RolloutStatus{contract()},
		list:     []journal.Entry{decision("checkout-1-2", gate.ActAdvance, 100, 500), decision("checkout-1-1", gate.ActStart, 0, 100)},
	}
	return Options{
		Address: testAddress, Loop: loop, Traffic: &fakeTraffic{totals: someTotals(), upstreams: someUpstreams()},
		Router: fakeRouter{}, Configuration: fakeConfiguration{}, Version: "1.2.3", Revision: "abc",
	}, loop
}

func someTotals() Totals {
	var stable, canary window.Snapshot
	stable.Outcomes[window.Success] = 900
	stable.Outcomes[window.ServerError] = 7
	stable.Outcomes[window.Abort] = 2
	stable.Masked[window.Success] = 11
	stable.Latency[window.BinOf(12*time.Millisecond)] = 880
	stable.Latency[window.BinOf(700*time.Millisecond)] = 20
	stable.Seconds = 24.5
	canary.Outcomes[window.Success] = 50
	canary.Outcomes[window.Timeout] = 3
	canary.Latency[window.Bins-1] = 3
	canary.Latency[window.BinOf(13*time.Millisecond)] = 50
	return Totals{
		Splits:   []SplitTotals{{Rollout: "checkout", Arms: [2]window.Snapshot{stable, canary}}},
		InFlight: 4, Upstreams: someUpstreams(),
		Overhead: []OverheadBin{{Upper: 10 * time.Microsecond, Count: 5}, {Upper: 100 * time.Microsecond, Count: 9}, {Count: 1}},
	}
}

func someUpstreams() []Upstream {
	return []Upstream{
		{Name: "v1", Healthy: 1, Errors: map[string]uint64{"timeout": 2, "reset": 1}, Servers: []UpstreamServer{{Name: "127.0.0.1:1", State: "up", Connections: 3}}},
		{Name: "v2", Servers: []UpstreamServer{{Name: `odd"name\`, State: "down", Ejections: 2}}},
	}
}

// ask sends one request to a handler and returns status, headers and body.
func ask(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = testAddress
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// failure decodes an error answer and insists on its shape.
func failure(t *testing.T, w *httptest.ResponseRecorder) Failure {
	t.Helper()
	var f Failure
	if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil || f.Error == "" {
		t.Fatalf("answer %d %q is no {error, hint}: %v", w.Code, w.Body, err)
	}
	return f
}

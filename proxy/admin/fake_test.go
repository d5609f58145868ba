package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"serin/gate"
	"serin/gate/window"
	"serin/router"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testAddress = "127.0.0.1:9180"

// contract is the status of product.md's section 5, word for word but for its times.
func contract(t *testing.T) Rollout {
	t.Helper()
	raw, err := os.ReadFile("testdata/contract.json")
	if err != nil {
		t.Fatal(err)
	}
	var ro Rollout
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&ro); err != nil {
		t.Fatal(err)
	}
	return ro
}

// fakeLoop is a control loop of one rollout that answers what the test says.
type fakeLoop struct {
	mu       sync.Mutex
	rollouts []Rollout
	got      []gate.Operator
	answer   DecisionView
	err      error
	hang     bool
}

func (f *fakeLoop) Rollouts() []Rollout {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Rollout(nil), f.rollouts...)
}

func (f *fakeLoop) set(change func(*Rollout)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.rollouts[0])
}

func (f *fakeLoop) Operate(ctx context.Context, rollout string, op gate.Operator) (DecisionView, error) {
	if f.hang {
		<-ctx.Done()
		return DecisionView{}, ctx.Err()
	}
	if rollout != "checkout" {
		return DecisionView{}, ErrUnknownRollout
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.got = append(f.got, op)
	return f.answer, f.err
}

type fakeJournal struct {
	list  []DecisionView
	since time.Time
	limit int
}

func (f *fakeJournal) Decisions(rollout string, since time.Time, limit int) ([]DecisionView, error) {
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

type fakeConfiguration struct{ err error }

func (f fakeConfiguration) Effective() string { return "[admin]\naddress = \"127.0.0.1:9180\"\n" }

func (f fakeConfiguration) Reload(context.Context) (Reload, error) {
	return Reload{Status: "in_force", File: "serin.toml"}, f.err
}

func (f fakeConfiguration) Reloads() Reloads {
	return Reloads{Good: 3, Bad: 1, LastGood: true, LastGoodSuccess: time.UnixMilli(1_795_000_000_500)}
}

type fakeRouter struct{}

func (fakeRouter) Explain(key string) Explain {
	return ExplainKey(key, []*router.Split{{Rollout: "checkout", Salt: router.Salt("checkout"), Weight: 500}})
}

// rooms is a complete set of fakes.
func rooms(t *testing.T) (Options, *fakeLoop) {
	t.Helper()
	ro := contract(t)
	ro.SetDecisions(map[string]uint64{"advance": 2, "start": 1})
	loop := &fakeLoop{rollouts: []Rollout{ro}, answer: DecisionView{ID: "checkout-1-15", Action: "pause", Actor: "ann", Sentence: "Paused at 25 % by ann."}}
	return Options{
		Address: testAddress, Controller: loop,
		Journal: &fakeJournal{list: []DecisionView{{ID: "checkout-1-2"}, {ID: "checkout-1-1"}}},
		Traffic: &fakeTraffic{totals: someTotals(), upstreams: someUpstreams()},
		Router:  fakeRouter{}, Configuration: fakeConfiguration{}, Version: "1.2.3", Revision: "abc",
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
		InFlight: 4,
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

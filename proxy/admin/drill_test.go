package admin

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/control"
	"serin/gate/journal"
)

// fakeDrills answers what the test says and keeps what it was asked.
type fakeDrills struct {
	got []gate.Drill
	err error
}

func (f *fakeDrills) Drill(_ context.Context, rollout string, d gate.Drill) (journal.Entry, error) {
	if rollout != "checkout" {
		return journal.Entry{}, control.ErrUnknownRollout
	}
	f.got = append(f.got, d)
	return decision("checkout-1-16", gate.ActDrill, 500, 500), f.err
}

func (f *fakeDrills) StopDrill(_ context.Context, _, actor string) (journal.Entry, error) {
	f.got = append(f.got, gate.Drill{Actor: actor})
	return decision("checkout-1-17", gate.ActDrill, 500, 500), f.err
}

func TestDrill_BadOrders_GetClearErrorsAndStartNothing(t *testing.T) {
	tests := []struct{ name, body, says string }{
		{"nothing to do", `{"for_seconds":60}`, "nothing to inject"},
		{"no time", `{"abort":0.2}`, "from 1 s to 1 h"},
		{"a day", `{"abort":0.2,"for_seconds":86400}`, "from 1 s to 1 h"},
		{"endless", `{"abort":0.2,"for_seconds":1e300}`, "from 1 s to 1 h"},
		{"a share above one", `{"abort":20,"for_seconds":60}`, "shares from 0 to 1"},
		{"negative", `{"cut":-0.1,"for_seconds":60}`, "shares from 0 to 1"},
		{"more than all", `{"abort":0.6,"cut":0.6,"for_seconds":60}`, "more than all"},
		{"a good status", `{"abort":0.2,"status":200,"for_seconds":60}`, "no failure"},
		{"a delay without a time", `{"delay":0.2,"for_seconds":60}`, "delay_ms"},
		{"a long delay", `{"delay":0.2,"delay_ms":60000,"for_seconds":60}`, "delay_ms"},
		{"negative faults", `{"abort":0.2,"max_faults":-1,"for_seconds":60}`, "max_faults"},
		{"a value of nothing", `{"abort":0.2,"value":"1","for_seconds":60}`, "without a header"},
		{"no field name", `{"abort":0.2,"header":"X Drill:","for_seconds":60}`, "no field"},
		{"a value with a line end", `{"abort":0.2,"header":"X-Drill","value":"1\r\n","for_seconds":60}`, "no field"},
		{"an unknown field", `{"aborts":0.2,"for_seconds":60}`, `unknown field "aborts"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, _ := rooms()
			drills := &fakeDrills{}
			o.Drills = drills
			w := ask(New(o).Handler(), "POST", "/v1/rollouts/checkout/drill", tt.body)
			if f := failure(t, w); w.Code != 400 || !strings.Contains(f.Error, tt.says) || f.Hint == "" || len(drills.got) != 0 {
				t.Errorf("got %d %q (hint %q), asked %+v: want 400 with %q", w.Code, f.Error, f.Hint, drills.got, tt.says)
			}
		})
	}
}

func TestDrill_GoodOrder_ReachesTheLoop(t *testing.T) {
	o, _ := rooms()
	drills := &fakeDrills{}
	o.Drills = drills
	h := New(o).Handler()
	w := ask(h, "POST", "/v1/rollouts/checkout/drill",
		`{"abort":0.2,"delay":0.1,"delay_ms":200,"cut":0.05,"for_seconds":60,"header":"X-Drill","value":"1","actor":"alice","max_faults":9}`)
	want := gate.Drill{
		Actor: "alice", Header: "X-Drill", Is: "1", Most: 9, For: time.Minute,
		Faults: gate.Faults{Abort: .2, Status: 503, Delay: .1, DelayFor: 200 * time.Millisecond, Cut: .05},
	}
	if w.Code != 200 || len(drills.got) != 1 || drills.got[0] != want {
		t.Errorf("got %d %s, the loop %+v", w.Code, w.Body, drills.got)
	}
	drills.err = &control.DrillError{Why: "a drill runs already", Hint: "wait"}
	w = ask(h, "DELETE", "/v1/rollouts/checkout/drill", `{"actor":"bob"}`)
	if f := failure(t, w); w.Code != 409 || f.Error != "a drill runs already" || f.Hint != "wait" || drills.got[1].Actor != "bob" {
		t.Errorf("got %d %+v", w.Code, f)
	}
	if w := ask(h, "POST", "/v1/rollouts/chekout/drill", `{"abort":0.2,"for_seconds":60}`); w.Code != 404 {
		t.Errorf("an unknown rollout: %d", w.Code)
	}
}

func TestDrill_RunningAndLast_AreShown(t *testing.T) {
	o, loop := rooms()
	d := gate.Drill{ID: "d1", Actor: "alice", Faults: gate.Faults{Cut: .05}, For: time.Minute, Left: 20 * time.Second, Header: "X-Drill", Is: "1"}
	loop.set(func(s *control.RolloutStatus) {
		s.Drill = &control.DrillStatus{Drill: d, Canary: 7}
		s.State.Drilled = &gate.DrillResult{Drill: d, End: gate.DrillFired, Passed: true, Fired: &gate.Firing{Gate: "error_rate", Requests: 41, Seconds: 2.5}}
	})
	w := ask(New(o).Handler(), "GET", "/v1/rollouts/checkout/drill", "")
	var got Drill
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if r := got.Running; r == nil || r.Header != "X-Drill: 1" || r.RemainingSeconds != 20 || r.Requests.Canary != 7 || r.Faults != "cut 5%" {
		t.Errorf("running %+v", r)
	}
	if l := got.Last; l == nil || !l.Passed || l.Fired.AfterRequests != 41 || l.Sentence != "error_rate would have rolled back after 41 canary requests and 2.5 s." {
		t.Errorf("last %+v", l)
	}
}

// fakeBesides is a mirror and a shield of one rollout.
type fakeBesides struct{}

func (fakeBesides) Mirror(string) Mirror {
	return Mirror{Running: true, Share: .1, Requests: map[string]uint64{"match": 3}, Differences: []Difference{{Field: "$.a", Kind: "value", Count: 2}}}
}

func (f fakeBesides) Beside(rollout string) (BesideTotals, bool) {
	return f.Besides()[0], rollout == "checkout"
}

func (fakeBesides) Besides() []BesideTotals {
	return []BesideTotals{
		{Rollout: "checkout", Mirrored: map[string]uint64{"match": 3, "failed": 1}, Control: [2]uint64{5, 1}},
		{Rollout: "search", Shielded: map[string]uint64{"saved": 4}},
	}
}

func TestMirror_AndItsMetrics_AreShown(t *testing.T) {
	o, _ := rooms()
	o.Besides = fakeBesides{}
	h := New(o).Handler()
	if body := ask(h, "GET", "/v1/rollouts/checkout/mirror", "").Body.String(); !strings.Contains(body, `"noise":[]`) || !strings.Contains(body, `"field":"$.a"`) {
		t.Errorf("got %s", body)
	}
	if body := ask(h, "GET", "/v1/rollouts/checkout", "").Body.String(); !strings.Contains(body, `"mirror":{"failed":1,"match":3}`) {
		t.Errorf("the status lacks the mirror's counts: %s", body)
	}
	text := ask(h, "GET", "/metrics", "").Body.String()
	for _, line := range []string{
		`serin_mirror_requests_total{rollout="checkout",result="match"} 3`,
		`serin_mirror_requests_total{rollout="checkout",result="dropped"} 0`,
		`serin_mirror_failures_total{rollout="checkout"} 1`,
		`serin_mirror_control_total{rollout="checkout",result="mismatch"} 1`,
		`serin_shield_requests_total{rollout="search",result="saved"} 4`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
	if strings.Contains(text, `serin_shield_requests_total{rollout="checkout"`) {
		t.Error("a rollout without a shield has its metrics")
	}
}

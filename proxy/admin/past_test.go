package admin

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
	"serin/gate/control"
	"serin/gate/journal"
)

// past is a rollout with points 2 s and 30 s apart, the last of each at noon.
func past() (Options, time.Time) {
	o, loop := rooms()
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	points := func(n int, apart time.Duration) []control.Point {
		out := make([]control.Point, n)
		for i := range out {
			out[i] = control.Point{
				At: noon.Add(-time.Duration(n-1-i) * apart), Seconds: apart.Seconds(), Weight: 500,
				Stable: control.PointArm{Requests: 100, Errors: 1, P50: time.Millisecond, P95: 2 * time.Millisecond, P99: 3 * time.Millisecond},
			}
		}
		return out
	}
	loop.set(func(r *control.RolloutStatus) {
		r.Live, r.Recent, r.Whole = points(10, 2*time.Second), points(8, 30*time.Second), points(100, 30*time.Second)
	})
	e := decision("checkout-1-3", gate.ActHold, 500, 500)
	loop.list = append([]journal.Entry{e}, loop.list...)
	return o, noon
}

func TestSeries_SincePartAndPoints_LeaveOutWhatIsNotAsked(t *testing.T) {
	o, noon := past()
	h := New(o).Handler()
	f := func(query string, live, recent, attempt, marks int) {
		t.Helper()
		w := ask(h, "GET", "/v1/rollouts/checkout/series"+query, "")
		var s Series
		if err := json.Unmarshal(w.Body.Bytes(), &s); w.Code != 200 || err != nil {
			t.Fatalf("%s: got %d %s", query, w.Code, w.Body)
		}
		got := [4]int{len(s.Live), len(s.Recent), len(s.Attempt), len(s.Marks)}
		if want := [4]int{live, recent, attempt, marks}; got != want {
			t.Errorf("%s: got %v live, recent, attempt, marks, want %v", query, got, want)
		}
	}
	f("", 10, 8, 100, 2) // the hold moved nothing: no mark
	f("?since="+noon.Add(-5*time.Second).Format(time.RFC3339Nano), 3, 1, 1, 2)
	f("?since="+noon.Format(time.RFC3339Nano), 0, 0, 0, 2)
	f("?part=attempt", 0, 0, 100, 0)
	f("?part=attempt&points=48", 0, 0, 34, 0)
	f("?part=marks", 0, 0, 0, 2)
}

func TestSeries_Thinned_LosesNoRequest(t *testing.T) {
	o, _ := past()
	var s Series
	if err := json.Unmarshal(ask(New(o).Handler(), "GET", "/v1/rollouts/checkout/series?part=attempt&points=7", "").Body.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	var requests uint64
	var seconds float64
	for _, p := range s.Attempt {
		requests, seconds = requests+p.Stable.Requests, seconds+p.Seconds
		if p.Stable.ErrorLow == nil || *p.Stable.ErrorLow >= *p.Stable.ErrorRate || *p.Stable.ErrorHigh <= *p.Stable.ErrorRate || p.Canary.ErrorRate != nil {
			t.Errorf("interval of %+v", p)
		}
	}
	if len(s.Attempt) > 7 || requests != 10_000 || seconds != 3000 {
		t.Errorf("got %d points, %d requests, %v s, want at most 7, 10000, 3000", len(s.Attempt), requests, seconds)
	}
}

func TestSeries_BadQuery_Is400WithAHint(t *testing.T) {
	o, _ := past()
	h := New(o).Handler()
	for _, query := range []string{"?since=yesterday", "?part=all", "?points=0", "?points=x"} {
		if w := ask(h, "GET", "/v1/rollouts/checkout/series"+query, ""); w.Code != 400 || failure(t, w).Hint == "" {
			t.Errorf("%s: got %d %s", query, w.Code, w.Body)
		}
	}
}

func TestBeat_IsBetweenASecondAndFifteen(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": heartbeat, "2s": 2 * time.Second, "10ms": eventPeriod, "1h": heartbeat,
	} {
		if got, err := beatOf(text); err != nil || got != want {
			t.Errorf("heartbeat=%s: got %v %v, want %v", text, got, err, want)
		}
	}
}

func TestFeed_DaemonChanges_AreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := Daemon{Node: "edge-1"}
		f := newFeed(func() []Rollout { return nil }, func() Daemon { return d })
		first, seq := f.changes(0, true)
		var all struct {
			Daemon Daemon `json:"daemon"`
		}
		if err := json.Unmarshal(first[0].body, &all); err != nil || all.Daemon.Node != "edge-1" {
			t.Fatalf("got %s", first[0].body)
		}
		time.Sleep(2 * eventPeriod)
		if list, _ := f.changes(seq, false); len(list) != 0 {
			t.Errorf("nothing changed, got %v", list)
		}
		d.Journal.Error = "no space left on device"
		time.Sleep(2 * eventPeriod)
		list, _ := f.changes(seq, false)
		if len(list) != 1 || list[0].kind != "daemon" {
			t.Errorf("got %v, want one event daemon", list)
		}
	})
}

package chaos

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"serin/proxy/admin"
)

func mapKeys[K comparable, V any](m map[K]V) iter.Seq[K] { return maps.Keys(m) }

// firstGrace is what a serin that drains gives a new connection for its first request.
const firstGrace = 2 * time.Second

// lag is how far a decision's time and a request's may be apart on a busy machine.
const lag = 2 * time.Second

// explainAll lays the books side by side. What nobody can explain is a failure.
func (s *storm) explainAll() {
	s.t.Helper()
	decisions, err := s.daemon.api.Decisions(context.Background(), "shop", time.Time{}, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	all := s.visits()
	kinds := map[string]int{}
	unexplained := 0
	for i := range all {
		o := &all[i]
		why, ok := s.explain(o)
		if ok {
			if problem := s.delivered(o); problem != "" {
				why, ok = problem, false
			} else if problem := s.strayed(o, decisions); problem != "" {
				why, ok = problem, false
			}
		}
		kinds[why]++
		if !ok {
			if unexplained++; unexplained <= 10 {
				s.t.Errorf("%s: %v", why, o)
			}
		}
	}
	for why, n := range kinds {
		s.t.Logf("%7d of %d: %s", n, len(all), why)
	}
	s.t.Logf("%d decisions, %d requests without an explanation", len(decisions), unexplained)
}

// explain says why a visit ended as it did; false: it should not have.
func (s *storm) explain(o *outcome) (why string, ok bool) {
	away := s.during(o)
	switch {
	case o.Dialled != nil:
		return "serin could not be reached", false
	case o.Wrong != "":
		return "an answer that looks complete is not the right one", false
	case o.Status == 0:
		seen := s.archive.get(o.ID).times > 0
		if o.Reused && away["take-over"] && !seen {
			return "idle connection closed by the drain as the request came; nobody had seen it", true
		}
		if o.Silent > firstGrace && away["take-over"] && !seen {
			return "new connection closed by the drain, whose client said nothing for two seconds", true
		}
		return "no answer", false
	case o.Broken != nil:
		if strings.HasPrefix(o.Fault, "cut") {
			return "answer cut, as asked", true
		}
		if away["killed "+o.Arm] {
			return "answer cut by the server's end", true
		}
		return "answer broke off", false
	}
	return s.explainStatus(o, away)
}

// explainStatus is explain for answers that came whole.
func (s *storm) explainStatus(o *outcome, away map[string]bool) (why string, ok bool) {
	switch {
	case o.Status == http.StatusOK && (o.Fault == "" || o.Fault == "reset-once" && o.Upload == 0):
		return "served", true
	case o.Status == http.StatusOK:
		return "served although its service failed as asked", false
	case o.Status == http.StatusInternalServerError && o.Fault == "error":
		return "500, as asked", true
	case o.Status == http.StatusBadGateway && (o.Fault == "garbage" || o.Fault == "reset"):
		return "502, as asked", true
	case o.Status == http.StatusBadGateway && o.Fault == "reset-once" && o.Upload > 0:
		return "502, as asked: a request with a body is not repeated", true
	case o.Status == http.StatusBadGateway && away["killed"] && o.Upload > 0:
		return "502, the server ended under a request with a body", true
	case o.Status == http.StatusBadGateway && away["killed"] && o.Fault != "":
		return "502, the server ended and the second failed as asked", true
	case o.Status == http.StatusBadGateway && s.ends(o) > 1:
		return "502, the server ended, and the second under the retry", true
	}
	return fmt.Sprintf("status %d", o.Status), false
}

// ends is how many servers of one arm were ending at some time of a visit: the most of both arms. An end takes its time, on
// a busy machine too: a visit may begin after it has and still lose its connection.
func (s *storm) ends(o *outcome) int {
	ended := map[string]int{}
	for _, f := range s.faults {
		if f.arm != "" && !f.over.Before(o.Began) && !f.from.After(o.Ended) {
			ended[f.arm]++
		}
	}
	return max(ended["v1"], ended["v2"])
}

// during is what was away while a visit was made.
func (s *storm) during(o *outcome) map[string]bool {
	away := map[string]bool{}
	for _, f := range s.faults {
		if o.Ended.Before(f.from) || o.Began.After(f.to) {
			continue
		}
		away[f.what] = true
		if f.arm != "" {
			away["killed"], away["killed "+f.arm] = true, true
		}
	}
	return away
}

// delivered holds I2 and the upload's side of I10: nothing with a body arrives twice, and what looks whole is right.
func (s *storm) delivered(o *outcome) string {
	r := s.archive.get(o.ID)
	most := 1
	if o.Upload == 0 {
		most = 2
	}
	switch {
	case r.wrong != "":
		return "the service took a body for whole that is not: " + r.wrong
	case r.times > most:
		return fmt.Sprintf("delivered %d times", r.times)
	case o.Status == http.StatusOK && o.Upload > 0 && r.whole != 1:
		return "answered although its body never arrived whole"
	}
	for _, arm := range r.arms {
		if arm != r.arms[0] {
			return "delivered to both arms"
		}
	}
	return ""
}

// strayed holds I3: a user is on the canary if and only if a weight that was decided puts them there.
func (s *storm) strayed(o *outcome, decisions []admin.DecisionView) string {
	arms := s.archive.get(o.ID).arms
	if len(arms) == 0 {
		return ""
	}
	low, high := weights(decisions, o.Began.Add(-lag), o.Ended.Add(lag))
	flips := s.flips[o.User]
	if arms[0] == "v2" && flips > high || arms[0] == "v1" && flips <= low {
		return fmt.Sprintf("on arm %s at weights from %v to %v, flips at %v", arms[0], low, high, flips)
	}
	return ""
}

// weights are the least and the greatest in force between two times; decisions are newest first.
func weights(decisions []admin.DecisionView, from, to time.Time) (low, high float64) {
	low, high = 1, 0
	for _, d := range decisions {
		if d.At.After(to) {
			continue
		}
		low, high = min(low, d.To), max(high, d.To)
		if d.At.Before(from) {
			return low, high
		}
	}
	return 0, high // before the first decision nobody was on the canary
}

// countedOnce compares what clients saw with what serin counted: each request once, failures as failures (I9).
func (s *storm) countedOnce(before, after samples) {
	s.t.Helper()
	var good, bad float64
	for _, o := range s.visits() {
		if o.whole() && o.Status == http.StatusOK {
			good++
		} else {
			bad++
		}
	}
	counted := map[string]float64{}
	for _, class := range []string{"2xx", "4xx", "5xx", "other", "aborted"} {
		for _, arm := range []string{"stable", "canary"} {
			counted[class] += after.requests(arm, class) - before.requests(arm, class)
		}
	}
	s.t.Logf("the crowd saw %v good and %v bad answers; counted %v", good, bad, counted)
	if counted["5xx"] != bad || counted["2xx"] < good {
		s.t.Errorf("clients saw %v good and %v bad answers, serin counted %v", good, bad, counted)
	}
}

// lastWeight is what was decided last.
func (s *storm) lastWeight(d *daemon) float64 {
	s.t.Helper()
	last, err := d.api.Decisions(context.Background(), "shop", time.Time{}, 1)
	if err != nil || len(last) != 1 {
		s.t.Fatalf("the last decision: %v, %v", last, err)
	}
	return last[0].To
}

func TestEnds_CountsServersThatWereEndingAtSomeTimeOfTheVisit(t *testing.T) {
	t.Parallel()
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	visit := &outcome{Began: at(100), Ended: at(200)}
	f := func(name string, want int, faults ...fault) {
		t.Helper()
		if got := (&storm{faults: faults}).ends(visit); got != want {
			t.Errorf("%s: got %d, want %d", name, got, want)
		}
	}
	within := fault{arm: "v1", from: at(150), over: at(151)}
	f("one", 1, within)
	f("one of each arm", 1, within, fault{arm: "v2", from: at(160), over: at(161)})
	f("two of one arm", 2, within, fault{arm: "v1", from: at(160), over: at(300)})
	f("one that had begun before the visit did", 2, within, fault{arm: "v1", from: at(90), over: at(101)})
	f("one that was done before", 1, within, fault{arm: "v1", from: at(90), over: at(99), to: at(599)})
	f("one that began after", 1, within, fault{arm: "v1", from: at(201), over: at(202)})
	f("a reload", 1, within, fault{what: "reload", from: at(120), to: at(130)})
}

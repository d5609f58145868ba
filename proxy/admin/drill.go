package admin

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"serin/gate"
	"serin/gate/control"
	"serin/gate/journal"
)

// Drills begins and ends drills: *control.Loop.
type Drills interface {
	Drill(ctx context.Context, rollout string, d gate.Drill) (journal.Entry, error)
	StopDrill(ctx context.Context, rollout, actor string) (journal.Entry, error)
}

// DrillOrder is the body of POST /v1/rollouts/{name}/drill. Shares are 0..1 of the requests taken on the canary.
type DrillOrder struct {
	Abort      float64 `json:"abort,omitempty"`
	Status     int     `json:"status,omitempty"` // of an abort, 500..599; default 503
	Delay      float64 `json:"delay,omitempty"`
	DelayMS    int     `json:"delay_ms,omitempty"`
	Cut        float64 `json:"cut,omitempty"`
	ForSeconds float64 `json:"for_seconds"`
	Header     string  `json:"header,omitempty"` // only requests with this field, half of them on the canary
	Value      string  `json:"value,omitempty"`  // its value; "": any
	MaxFaults  int64   `json:"max_faults,omitempty"`
	Actor      string  `json:"actor,omitempty"`
	Reason     string  `json:"reason,omitempty"`
}

// Drill is the answer of GET /v1/rollouts/{name}/drill.
type Drill struct {
	Running *DrillRun `json:"running"` // null: none
	Last    *DrillRun `json:"last"`    // null: none yet
}

// DrillRun is a drill that runs, or the result of one.
type DrillRun struct {
	ID               string      `json:"id"`
	Revision         string      `json:"revision"`
	Actor            string      `json:"actor"`
	Reason           string      `json:"reason,omitempty"`
	Faults           string      `json:"faults"`
	Header           string      `json:"header,omitempty"`
	At               time.Time   `json:"at"`
	Until            time.Time   `json:"until"`
	ForSeconds       float64     `json:"for_seconds"`
	RemainingSeconds float64     `json:"remaining_seconds"`
	ElapsedSeconds   float64     `json:"elapsed_seconds"`
	Restarts         int         `json:"restarts"`
	MaxFaults        int64       `json:"max_faults"`
	Requests         DrillCounts `json:"requests"`
	Injected         DrillFaults `json:"injected"`
	End              string      `json:"end,omitempty"` // fired | time | spent | stopped | over
	EndedAt          *time.Time  `json:"ended_at,omitempty"`
	Held             *Firing     `json:"held"`  // the first gate that would have held; null: none
	Fired            *Firing     `json:"fired"` // the gate that would have rolled back; null: none
	Passed           bool        `json:"passed"`
	Sentence         string      `json:"sentence"`
}

// DrillCounts are the requests the drill's judge has seen, by arm.
type DrillCounts struct {
	Stable uint64 `json:"stable"`
	Canary uint64 `json:"canary"`
}

// DrillFaults is what was injected.
type DrillFaults struct {
	Aborted uint64 `json:"aborted"`
	Delayed uint64 `json:"delayed"`
	Cut     uint64 `json:"cut"`
}

// Firing is a gate's answer in a drill.
type Firing struct {
	Gate          string  `json:"gate"`
	Rule          string  `json:"rule"`
	AfterRequests uint64  `json:"after_requests"` // of the canary
	AfterSeconds  float64 `json:"after_seconds"`
}

func (s *Server) oneDrill(w http.ResponseWriter, r *http.Request) {
	if ro, ok := s.find(w, r); ok {
		answer(w, http.StatusOK, DrillOf(&ro))
	}
}

func (s *Server) startDrill(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	var o DrillOrder
	if !decode(w, r, &o) {
		return
	}
	if problem, hint := o.check(); problem != "" {
		fail(w, http.StatusBadRequest, problem, hint)
		return
	}
	if s.o.Drills == nil {
		s.unknown(w, name)
		return
	}
	o.Actor = s.actor(r, o.Actor)
	ctx, cancel := context.WithTimeout(r.Context(), loopTimeout)
	defer cancel()
	e, err := s.o.Drills.Drill(ctx, name, gate.Drill{
		Actor: o.Actor, Reason: o.Reason, Header: o.Header, Is: o.Value, Most: o.MaxFaults,
		For: seconds(o.ForSeconds),
		Faults: gate.Faults{
			Abort: o.Abort, Status: o.Status, Delay: o.Delay, DelayFor: time.Duration(o.DelayMS) * time.Millisecond, Cut: o.Cut,
		},
	})
	s.drilled(w, name, e, err)
}

func (s *Server) stopDrill(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	a, ok := readAct(w, r, "drill")
	if !ok {
		return
	}
	if s.o.Drills == nil {
		s.unknown(w, name)
		return
	}
	a.Actor = s.actor(r, a.Actor)
	ctx, cancel := context.WithTimeout(r.Context(), loopTimeout)
	defer cancel()
	e, err := s.o.Drills.StopDrill(ctx, name, a.Actor)
	s.drilled(w, name, e, err)
}

func (s *Server) drilled(w http.ResponseWriter, name string, e journal.Entry, err error) {
	var refused *control.DrillError
	switch {
	case errors.As(err, &refused):
		fail(w, http.StatusConflict, refused.Why, refused.Hint)
	case err != nil:
		s.failed(w, name, err)
	default:
		answer(w, http.StatusOK, DecisionOf(e))
	}
}

// check fills in what was left out and refuses what would be no drill, or no bounded one.
func (o *DrillOrder) check() (problem, hint string) {
	if o.Abort > 0 && o.Status == 0 {
		o.Status = http.StatusServiceUnavailable
	}
	most := seconds(o.ForSeconds)
	switch {
	case !isShare(o.Abort), !isShare(o.Delay), !isShare(o.Cut):
		return "abort, delay and cut are shares from 0 to 1", "0.2 is a fifth of the requests"
	case o.Abort == 0 && o.Delay == 0 && o.Cut == 0:
		return "nothing to inject", "want abort, delay or cut, such as --abort 503=20%"
	case o.Abort+o.Cut > 1:
		return "abort and cut together are more than all requests", "a request is aborted or cut, not both"
	case o.Abort > 0 && (o.Status < 500 || o.Status > 599):
		return fmt.Sprintf("status %d is no failure of a service", o.Status), "500 to 599"
	case o.Delay > 0 && (o.DelayMS < 1 || time.Duration(o.DelayMS)*time.Millisecond > control.MaxDrillDelay):
		return "delay_ms is out of range", "1 ms to 30 s"
	case most < time.Second || most > control.MaxDrill:
		return "a drill lasts from 1 s to 1 h", "for_seconds: 60, or --for 60s"
	case o.MaxFaults < 0:
		return "max_faults is negative", "left out, it is 1,000, or 100,000 for marked requests"
	case o.Value != "" && o.Header == "":
		return "a value without a header", `header "X-Drill", value "1"`
	case o.Header != "" && strings.Trim(o.Header, fieldBytes) != "" || hasControl(o.Value) || len(o.Header)+len(o.Value) > 500:
		return "header is no field of a request", `such as header "X-Drill", value "1"`
	}
	return Act{Actor: o.Actor, Reason: o.Reason}.check("drill")
}

const fieldBytes = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func isShare(f float64) bool { return f >= 0 && f <= 1 && !math.IsNaN(f) }

func seconds(f float64) time.Duration {
	if !(f > 0 && f < 1e6) {
		return 0
	}
	return time.Duration(f * float64(time.Second))
}

// DrillOf shows a rollout's drills.
func DrillOf(s *control.RolloutStatus) Drill {
	var out Drill
	if d := s.Drill; d != nil {
		run := runOf(&d.Drill)
		run.Requests, run.Injected = DrillCounts{d.Stable, d.Canary}, DrillFaults{d.Aborted, d.Delayed, d.Cut}
		run.Held = firingOf(d.Held)
		run.Sentence = fmt.Sprintf("%s, for %s more.", d.Faults, d.Left.Round(time.Second))
		out.Running = run
	}
	if d := s.State.Drilled; d != nil {
		run := runOf(&d.Drill)
		run.Requests, run.Injected = DrillCounts{d.Stable, d.Canary}, DrillFaults{d.Aborted, d.Delayed, d.Cut}
		run.End, run.EndedAt, run.Passed = string(d.End), timeOf(d.Ended), d.Passed
		run.Held, run.Fired, run.Sentence = firingOf(d.Held), firingOf(d.Fired), d.Verdict()+"."
		out.Last = run
	}
	return out
}

func runOf(d *gate.Drill) *DrillRun {
	run := &DrillRun{
		ID: d.ID, Revision: d.Revision, Actor: d.Actor, Reason: d.Reason, Faults: d.Faults.String(), Header: d.Header,
		At: d.Began, Until: d.Until, ForSeconds: d.For.Seconds(), RemainingSeconds: d.Left.Seconds(), ElapsedSeconds: d.Spent.Seconds(),
		Restarts: d.Restarts, MaxFaults: d.Most,
	}
	if d.Is != "" {
		run.Header += ": " + d.Is
	}
	return run
}

func firingOf(f *gate.Firing) *Firing {
	if f == nil {
		return nil
	}
	return &Firing{Gate: f.Gate, Rule: f.Rule, AfterRequests: f.Requests, AfterSeconds: finite(f.Seconds)}
}

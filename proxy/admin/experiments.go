package admin

import (
	"context"
	"errors"
	"net/http"

	"serin/gate"
	"serin/gate/control"
	"serin/gate/experiment"
	"serin/gate/journal"
	"serin/gate/window"
)

// Trials lets people stop arms: *control.Loop.
type Trials interface {
	StopArm(ctx context.Context, name string, stop experiment.Stop) (gate.Decision, journal.Entry, error)
}

// Experiments is the answer of GET /v1/experiments.
type Experiments struct {
	Experiments []Experiment `json:"experiments"`
}

// Experiment is one experiment with its table. Shares and rates are fractions; intervals hold with 95 %.
type Experiment struct {
	Name             string           `json:"name"`
	Route            string           `json:"route"`
	Audience         string           `json:"audience,omitempty"` // whom it is for; absent: everybody
	Version          uint64           `json:"version"`
	Attempt          int              `json:"attempt"`
	Phase            string           `json:"phase"` // waiting progressing completed rolled_back
	Sentence         string           `json:"sentence"`
	ElapsedSeconds   float64          `json:"elapsed_seconds"`
	ForSeconds       float64          `json:"for_seconds"`
	RemainingSeconds float64          `json:"remaining_seconds"`
	Control          string           `json:"control"`
	Reason           string           `json:"reason"` // sample_ratio_mismatch: the table compares different people; else empty
	SampleRatio      experiment.Ratio `json:"sample_ratio"`
	KeyMissingRatio  float64          `json:"key_missing_ratio"`
	Arms             []ExperimentArm  `json:"arms"` // the control first
	LastDecision     *DecisionView    `json:"last_decision"`
}

// ExperimentArm is one line of the table. Differences are the arm's minus the control's; they are null for the control, and
// where there is nothing to compare.
type ExperimentArm struct {
	Name           string   `json:"name"`
	Share          float64  `json:"share"`
	Stopped        bool     `json:"stopped"`
	Users          int      `json:"users"` // buckets with a request
	Requests       uint64   `json:"requests"`
	Errors         uint64   `json:"errors"`
	ErrorRate      *float64 `json:"error_rate"`
	ErrorLow       *float64 `json:"error_low"`
	ErrorHigh      *float64 `json:"error_high"`
	Difference     *float64 `json:"difference"`
	DifferenceLow  *float64 `json:"difference_low"`
	DifferenceHigh *float64 `json:"difference_high"`
	DesignEffect   float64  `json:"design_effect"`
	P50MS          *float64 `json:"p50_ms"`
	P99MS          *float64 `json:"p99_ms"`
	P50Change      *Change  `json:"p50_change"`
	P99Change      *Change  `json:"p99_change"`
	Gates          []Gate   `json:"gates"`
}

// Change is a difference of latencies in milliseconds.
type Change struct {
	MS     float64 `json:"ms"`
	LowMS  float64 `json:"low_ms"`
	HighMS float64 `json:"high_ms"`
}

// mismatch is the reason code of an experiment whose users are not spread as they should be.
const mismatch = "sample_ratio_mismatch"

// ExperimentOf shows an experiment in the words of the API.
func ExperimentOf(s *control.ExperimentStatus) Experiment {
	x := Experiment{
		Name: s.Name, Route: s.Route, Audience: s.Audience, Version: s.Version, Attempt: s.Attempt, Phase: s.Phase.String(), Sentence: s.Sentence,
		ElapsedSeconds: s.Elapsed.Seconds(), ForSeconds: s.For.Seconds(), RemainingSeconds: max(s.For-s.Elapsed, 0).Seconds(),
		SampleRatio: s.Ratio, KeyMissingRatio: finite(s.Keyless), Arms: make([]ExperimentArm, len(s.Arms)),
	}
	if s.Ratio.Verdict == "mismatch" {
		x.Reason = mismatch
	}
	for i := range s.Arms {
		x.Arms[i] = experimentArmOf(&s.Arms[i], i > 0)
	}
	if len(s.Arms) > 0 {
		x.Control = s.Arms[0].Name
	}
	if s.LastDecision != nil {
		d := DecisionOf(*s.LastDecision)
		x.LastDecision = &d
	}
	return x
}

func experimentArmOf(a *control.TrialArmStatus, treated bool) ExperimentArm {
	r := &a.Result
	out := ExperimentArm{
		Name: a.Name, Share: a.Share, Stopped: a.Stopped, Users: r.Users, Requests: r.Requests, Errors: r.Errors,
		DesignEffect: finite(r.DesignEffect), Gates: Finite(a.Gates),
	}
	if r.Requests > 0 {
		out.ErrorRate, out.ErrorLow, out.ErrorHigh = &r.Rate, &r.Low, &r.High
	}
	if treated && r.Requests > 0 && r.DifferenceLow > -1 {
		out.Difference, out.DifferenceLow, out.DifferenceHigh = &r.Difference, &r.DifferenceLow, &r.DifferenceHigh
	}
	if r.P50 > 0 {
		out.P50MS, out.P99MS = msOf(r.P50), msOf(r.P99)
	}
	out.P50Change, out.P99Change = changeOf(r.P50Change), changeOf(r.P99Change)
	return out
}

func changeOf(c experiment.Change) *Change {
	if !c.Known {
		return nil
	}
	return &Change{MS: *msOf(c.Value), LowMS: *msOf(c.Low), HighMS: *msOf(c.High)}
}

func (s *Server) experiments() []Experiment {
	out := []Experiment{}
	status := s.status()
	for i := range status.Experiments {
		out = append(out, ExperimentOf(&status.Experiments[i]))
	}
	return out
}

func (s *Server) listExperiments(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, Experiments{Experiments: s.experiments()})
}

func (s *Server) oneExperiment(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	for _, x := range s.experiments() {
		if x.Name == name {
			answer(w, http.StatusOK, x)
			return
		}
	}
	fail(w, http.StatusNotFound, "no experiment "+quoted(name), "/v1/experiments lists them")
}

// StopArm is the body of POST /v1/experiments/{name}/stop. Without an arm every arm is stopped.
type StopArm struct {
	Arm    string `json:"arm,omitempty"`
	Reason string `json:"reason,omitempty"`
	Actor  string `json:"actor,omitempty"`
}

func (s *Server) stopExperiment(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	var body StopArm
	if !decode(w, r, &body) {
		return
	}
	if problem, hint := (Act{Reason: body.Reason, Actor: body.Actor}).check("rollback"); problem != "" {
		fail(w, http.StatusBadRequest, problem, hint)
		return
	}
	if s.o.Trials == nil {
		fail(w, http.StatusNotFound, "no experiment "+quoted(name), "")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), loopTimeout)
	defer cancel()
	d, entry, err := s.o.Trials.StopArm(ctx, name, experiment.Stop{Arm: body.Arm, Actor: s.actor(r, body.Actor), Reason: body.Reason})
	switch {
	case errors.Is(err, control.ErrUnknownRollout):
		fail(w, http.StatusNotFound, "no experiment "+quoted(name), "/v1/experiments lists them")
	case err != nil:
		s.failed(w, name, err)
	case d.Refusal == gate.RefusedInput:
		fail(w, http.StatusBadRequest, quoted(body.Arm)+" is no arm that could be stopped", "the control cannot be, and a stopped arm is stopped already")
	case d.Refusal != "":
		fail(w, http.StatusConflict, "the experiment does not run: there is nothing to stop", "/v1/experiments/"+name+" says how it stands")
	default:
		answer(w, http.StatusOK, DecisionOf(entry))
	}
}

// ArmTotals is the traffic of one arm of an experiment, of all its attempts.
type ArmTotals struct {
	Experiment, Arm string
	window.Snapshot
}

// eachArm calls f for every arm of every rollout and experiment.
func (t *Totals) eachArm(f func(rollout, arm string, s *window.Snapshot)) {
	for i := range t.Splits {
		for arm := range t.Splits[i].Arms {
			f(t.Splits[i].Rollout, armName(arm), &t.Splits[i].Arms[arm])
		}
	}
	for i := range t.Experiments {
		f(t.Experiments[i].Experiment, t.Experiments[i].Arm, &t.Experiments[i].Snapshot)
	}
}

func writeExperiments(e *exposition, list []Experiment) {
	if len(list) == 0 {
		return
	}
	e.family("serin_experiment_phase", "gauge", "1 for the phase the experiment is in, 0 for the others.")
	for _, x := range list {
		for _, phase := range []string{"waiting", "progressing", "completed", "rolled_back"} {
			e.sample("serin_experiment_phase", bit(x.Phase == phase), "rollout", x.Name, "phase", phase)
		}
	}
	e.family("serin_experiment_arm_stopped", "gauge", "1 for an arm that was stopped.")
	for _, x := range list {
		for _, a := range x.Arms {
			e.sample("serin_experiment_arm_stopped", bit(a.Stopped), "rollout", x.Name, "arm", a.Name)
		}
	}
	e.family("serin_experiment_sample_ratio_odds", "gauge", "The odds against users being spread as configured; 1000 is a mismatch.")
	for _, x := range list {
		e.sample("serin_experiment_sample_ratio_odds", x.SampleRatio.Odds, "rollout", x.Name)
	}
}

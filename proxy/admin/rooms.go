package admin

import (
	"time"

	"serin/gate"
	"serin/gate/control"
	"serin/gate/journal"
	"serin/proxy/upstream"
)

// RolloutOf shows a rollout's status in the words of the API.
func RolloutOf(s *control.RolloutStatus) Rollout {
	ro := Rollout{
		Name: s.Name, Version: s.Version, Phase: s.Phase.String(), Revision: s.Revision, Attempt: s.Attempt, Route: s.Route, Audience: s.Audience,
		Weight: s.Weight, ObservedWeight: s.ObservedWeight, KeyMissingRatio: s.KeyMissingRatio,
		Stage: stageOf(s.Stage), Stages: make([]Rung, len(s.Stages)),
		Verdict: s.Verdict.String(), Reason: string(s.Reason), Reasons: reasonTexts(s.Reasons), Baseline: s.Baseline, BaselineNote: s.BaselineNote,
		Sentence: s.Sentence, Next: s.Next, Gates: Finite(s.Gates),
		Arms: Arms{Stable: armOf(s.Stable), Canary: armOf(s.Canary)},
		Exposure: Exposure{
			Users: s.Exposure.Users, Requests: s.Exposure.Requests, Failed: s.Exposure.Failed, UsersFailed: s.Exposure.UsersFailed,
			Shares: sharesOf(s.Exposure.Shares),
		},
		Users: Users{
			Active: s.Users.Active, DesignEffect: finite(s.Users.DesignEffect), MaskedBuckets: s.Users.MaskedBuckets,
			WorstBucketShare: finite(s.Users.WorstBucketShare),
		},
		Capacity: capacityOf(s.Capacity),
		Window:   OpenWindow{Open: s.Window.Open, Until: timeOf(s.Window.Until)},
		Approval: deadlineOf(s.Approval), Hold: deadlineOf(s.Hold),
		Allowed: append([]string{}, s.Allowed...), DryRun: s.DryRun,
		StableHealthy: s.StableHealthy, CanaryHealthy: s.CanaryHealthy,
		Upstreams: ArmUpstreams{Stable: s.StableUpstream, Canary: s.CanaryUpstream},
	}
	if ro.Baseline == "" { // before the first look: what a stage begins with
		ro.Baseline = "concurrent"
	}
	for i, r := range s.Stages {
		ro.Stages[i] = rungOf(r)
	}
	ro.Drill = DrillOf(s).Running
	if s.WaitingFor != "" {
		ro.WaitingFor = &s.WaitingFor
	}
	if s.LastDecision != nil {
		d := DecisionOf(*s.LastDecision)
		ro.LastDecision = &d
	}
	return ro
}

func stageOf(s control.StageStatus) Stage {
	return Stage{
		Index: s.Index, Count: s.Count, Weight: s.Weight.Fraction(), ElapsedSeconds: s.Elapsed.Seconds(),
		LeastSeconds: s.Least.Seconds(), RemainingSeconds: secondsOf(s.Remaining), ExpectedSeconds: secondsOf(s.Expected),
	}
}

func rungOf(r control.RungStatus) Rung {
	out := Rung{
		Index: r.Index, Weight: r.Weight.Fraction(), Label: r.Label, State: r.State, LeastSeconds: r.Least.Seconds(),
		StartedAt: timeOf(r.Started), EndedAt: timeOf(r.Ended),
		Audience: r.Audience, Mirror: r.Mirror.Fraction(), Approval: r.ApprovalRequired,
	}
	if r.Owner != "" {
		out.Owner = &r.Owner
	}
	return out
}

// armOf shows quantiles as null before anything was timed.
func armOf(a control.ArmStatus) Arm {
	out := Arm{Requests: a.Requests, Errors: a.Errors, Neutral: a.Neutral, Rate: finite(a.Rate)}
	if a.P50 > 0 {
		out.P50MS, out.P95MS, out.P99MS = msOf(a.P50), msOf(a.P95), msOf(a.P99)
	}
	return out
}

func deadlineOf(d *control.DeadlineStatus) *Deadline {
	if d == nil {
		return nil
	}
	out := &Deadline{Reason: string(d.Reason), Since: timeOf(d.Since), Until: timeOf(d.Until), Then: d.Then, Stage: d.Stage}
	if d.Owner != "" {
		out.Owner = &d.Owner
	}
	return out
}

// DecisionOf shows a journalled decision.
func DecisionOf(e journal.Entry) DecisionView {
	d := e.Decision
	return DecisionView{
		ID: e.ID, At: e.At, Action: d.Action.String(), From: d.From.Fraction(), To: d.To.Fraction(),
		Actor: d.Actor, Reason: string(d.Reason), Sentence: e.Sentence,
		Attempt: attemptOf(e.Attempt),
		Evidence: Evidence{
			Phase: d.Phase.String(), Stage: d.Stage, Verdict: d.Verdict.String(), Reasons: reasonTexts(d.Reasons),
			Baseline: d.Baseline, Note: d.Note, Override: d.Override, TakenFrom: d.TakenFrom, Gates: Finite(d.Findings),
		},
	}
}

// UpstreamOf shows a pool.
func UpstreamOf(revision string, s upstream.Status) Upstream {
	u := Upstream{
		Name: s.Name, Revision: revision, Healthy: s.Healthy, InFlight: s.InFlight, Queued: s.Queued,
		Draining: s.Draining, Errors: s.Errors, Servers: make([]UpstreamServer, len(s.Servers)),
	}
	for i, srv := range s.Servers {
		u.Servers[i] = UpstreamServer{
			Name: srv.Name, Address: srv.Address, State: srv.State, InFlight: srv.InFlight, Connections: srv.Connections,
			Idle: srv.Idle, Rate: finite(srv.Rate), Requests: srv.Requests, Retries: srv.Retries, Ejections: srv.Ejections,
			Errors: srv.Errors,
		}
		if c := srv.LastCheck; !c.At.IsZero() {
			u.Servers[i].LastCheck = &Check{At: c.At, OK: c.OK, Detail: c.Detail}
		}
	}
	return u
}

func reasonTexts(list []gate.Reason) []string {
	var out []string
	for _, r := range list {
		out = append(out, string(r))
	}
	return out
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func secondsOf(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	s := d.Seconds()
	return &s
}

func msOf(d time.Duration) *float64 {
	ms := float64(d) / float64(time.Millisecond)
	return &ms
}

package control

import (
	"slices"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/journal"
	"serin/gate/window"
	"serin/router"
)

// publish stores a new Status and sends it to the subscribers. What was done in this moment is shown once it is on disk, or a
// tick later: nobody has seen what a kill could take back.
func (l *Loop) publish(now time.Time) {
	if now.Sub(l.shownAt) < 2*l.tick && l.fresh(now) {
		return
	}
	l.shownAt = now
	s := &Status{File: l.plan.File, Journal: JournalStatus{Available: l.available(now)}, Freeze: l.freeze}
	if err := l.pen.err(); err != nil {
		s.Journal.Err = err.Error()
	} else if !s.Journal.Available {
		s.Journal.Err = "the disk has not answered for " + now.Sub(l.pen.since).Round(time.Second).String()
	}
	s.Rollouts = make([]RolloutStatus, 0, len(l.rollouts))
	for i, r := range l.rollouts {
		if !r.rest.asleep || !r.rest.shown {
			r.status, r.rest.shown = l.report(r, now), true
			r.status.StableUpstream, r.status.CanaryUpstream = upstreamsOf(l.plan, i)
		}
		s.Rollouts = append(s.Rollouts, r.status)
	}
	for _, t := range l.trials {
		s.Experiments = append(s.Experiments, t.status(now))
	}
	s.Unwritten = l.unwrittenNow()
	l.status.Store(s)
	l.watchers.send(s)
	for _, done := range l.reloaded {
		done <- nil
	}
	l.reloaded = nil
}

// fresh reports that a decision was done less than a tick ago and is on its way to a disk that works.
func (l *Loop) fresh(now time.Time) bool {
	if l.pen.err() != nil {
		return false
	}
	for _, notes := range [][]*note{l.pen.sealed, l.pen.queue} {
		for _, n := range notes {
			if n.pending == nil && now.Sub(n.made) < l.tick {
				return true
			}
		}
	}
	return false
}

// unwrittenNow are the decisions that were done and are not on disk yet.
func (l *Loop) unwrittenNow() []journal.Entry {
	var out []journal.Entry
	for _, notes := range [][]*note{l.pen.sealed, l.pen.queue} {
		for _, n := range notes {
			if n.pending == nil {
				out = append(out, n.entry)
			}
		}
	}
	return out
}

func (l *Loop) report(r *rollout, now time.Time) RolloutStatus {
	d, s, p := &r.decision, &r.state, r.policy
	view := &l.told.Seen.View
	r.tracker.ViewTo(view, now)
	out := RolloutStatus{
		Name: r.name, Version: s.Version, Phase: s.Phase, Revision: s.Revision, Attempt: s.Attempt, Route: p.Route, Audience: p.Audience,
		Weight: fraction(s.Sent()), KeyMissingRatio: r.keyless(), Stage: stageStatus(r), Stages: rungs(r),
		Verdict: d.Verdict, Reason: d.Reason, Reasons: d.Reasons, Baseline: d.Baseline, BaselineNote: gate.BaselineText(*s, p, d), Gates: d.Findings,
		Sentence: gate.Explain(*s, p, *d), Next: gate.Next(*s, p, *d, now),
		Stable: armStatus(view, 0), Canary: armStatus(view, 1), Exposure: r.cost(), Users: r.users(view), Window: l.windowStatus(r, now),
		Approval: approval(s, p, now), Hold: deadline(gate.HoldTimer(*s, p), s.Reason, now), Allowed: gate.Allowed(*s, p, now), WaitingFor: waitingFor(r), LastDecision: r.last, Decided: l.decided[r.name], DryRun: p.DryRun, Policy: p,
		StableHealthy: r.reading.StableHealthy, CanaryHealthy: r.reading.CanaryHealthy, State: *s,
		Live: slices.Clip(r.series.live), Recent: slices.Clip(r.series.recent), Whole: slices.Clip(r.series.whole),
	}
	r.aftermath(&out)
	out.Drill = r.drillStatus()
	if p.Capacity > 0 || p.StableCapacity > 0 {
		load := r.load(now)
		out.Capacity = &CapacityStatus{Canary: p.Capacity, Stable: p.StableCapacity, Load: load, Most: fraction(p.MostWeight(load))}
	}
	if o := r.observed(); o >= 0 {
		out.ObservedWeight = &o
	}
	return out
}

// upstreamsOf names the pools of the plan's rollout number i: the loop keeps the plan's order.
func upstreamsOf(p *config.Plan, i int) (stable, canary string) {
	if i >= len(p.Rollouts) {
		return "", ""
	}
	name := func(id int) string {
		if id < 0 || id >= len(p.Upstreams) {
			return ""
		}
		return p.Upstreams[id].Name
	}
	return name(p.Rollouts[i].Stable), name(p.Rollouts[i].Canary)
}

func fraction(w router.Weight) float64 { return float64(w) / float64(router.Full) }

// keyless is the share of requests without any key.
func (r *rollout) keyless() float64 {
	all := float64(r.reading.Keyless + r.reading.Stable.Total() + r.reading.Canary.Total())
	if all == 0 {
		return 0
	}
	return float64(r.reading.Keyless) / all
}

func stageStatus(r *rollout) StageStatus {
	s, p := &r.state, r.policy
	out := StageStatus{Index: s.Stage, Count: len(p.Stages), Elapsed: s.Clock}
	if s.Stage < 1 || s.Stage > len(p.Stages) {
		return out
	}
	out.Weight, out.Least = p.Stages[s.Stage-1].Weight, p.Stages[s.Stage-1].Least
	if s.Phase != gate.Progressing || r.decision.Expected < 0 {
		return out
	}
	left := max(out.Least-s.Clock, r.decision.Expected)
	if left <= 0 && r.decision.Verdict != gate.Pass {
		return out
	}
	whole := s.Clock + left
	out.Remaining, out.Expected = &left, &whole
	return out
}

// rungs is the ladder with what happened on it; of a stage entered twice the last time counts.
func rungs(r *rollout) []RungStatus {
	out := make([]RungStatus, len(r.policy.Stages))
	for i, st := range r.policy.Stages {
		out[i] = RungStatus{
			Index: i + 1, Weight: st.Weight, Label: st.Label, State: "ahead", Least: st.Least, Owner: st.Owner,
			Audience: st.Audience, Mirror: st.Mirror, ApprovalRequired: st.Approve != nil || st.Owner != "",
		}
	}
	for _, h := range r.state.History {
		if h.Stage >= 1 && h.Stage <= len(out) {
			rung := &out[h.Stage-1]
			rung.State, rung.Started, rung.Ended = h.State, h.Started, h.Ended
		}
	}
	for i := range out {
		if out[i].State == "ahead" && (out[i].Index < r.state.Stage || r.state.Phase == gate.Completed) {
			out[i].State = "skipped" // by a retry from a later stage, or promoted over
		}
	}
	return out
}

// armStatus is an arm's evidence since the step began.
func armStatus(view *window.View, i int) ArmStatus {
	full, rate := &view.Full, &view.W60
	if !rate.OK {
		rate = full
	}
	total, recent := &full.Stable, &rate.Stable
	if i == 1 {
		total, recent = &full.Canary, &rate.Canary
	}
	if total.Total() == 0 { // of many rollouts most are quiet
		return ArmStatus{}
	}
	out := ArmStatus{
		Requests: total.Judged(), Errors: total.Bad(), Neutral: total.Outcomes[window.Neutral] + total.Outcomes[window.Abort],
		P50: total.Latency.Quantile(.5), P95: total.Latency.Quantile(.95), P99: total.Latency.Quantile(.99),
	}
	if rate.Length > 0 {
		out.Rate = float64(recent.Judged()) / rate.Length.Seconds()
	}
	return out
}

// cost is the attempt's exposure, the current step included.
func (r *rollout) cost() ExposureStatus {
	e := r.spent
	e.add(&r.total[1], shareOf(r.setting))
	r.members(&e, shareOf(r.setting))
	if r.underway() {
		e.shares = addShare(e.shares, journal.ShareTime{Weight: r.setting.Weight, Seconds: r.here.Seconds()})
		r.countShare(&e, r.setting.Weight)
	}
	return ExposureStatus{
		Users: people(&e.users, e.share), Requests: e.requests, Failed: e.failed, UsersFailed: people(&e.hurt, e.share),
		Shares: e.shares,
	}
}

func (r *rollout) users(view *window.View) UsersStatus {
	crowd := &view.Crowds[window.BadKind]
	return UsersStatus{
		Active: crowd.ActiveStable + crowd.ActiveCanary, DesignEffect: max(crowd.DesignEffect, 1),
		MaskedBuckets: r.mask.Count(), WorstBucketShare: crowd.WorstShare,
	}
}

func (l *Loop) windowStatus(r *rollout, now time.Time) WindowStatus {
	open, until := l.windowOf(r, now)
	return WindowStatus{Open: open, Until: until}
}

// deadline is a timer in wall time; nil for none.
func deadline(t *gate.Timer, why gate.Reason, now time.Time) *DeadlineStatus {
	if t == nil {
		return nil
	}
	out := &DeadlineStatus{Reason: why, Since: now.Add(-t.Spent).Round(0), Then: t.Then}
	if t.Left >= 0 {
		out.Until = now.Add(t.Left).Round(0)
	}
	return out
}

// waitingFor is what would have to happen outside the evidence; empty where nothing.
func waitingFor(r *rollout) string {
	switch {
	case r.pending != nil:
		return "the journal"
	case r.state.Phase == gate.AwaitingApproval:
		next := gate.NextStage(r.state, r.policy)
		if next >= 1 && next <= len(r.policy.Stages) && r.policy.Stages[next-1].Owner != "" {
			return "approval by " + r.policy.Stages[next-1].Owner
		}
		return "approval"
	case r.state.Phase == gate.Holding && r.state.Asked:
		return "a person"
	case r.state.Phase == gate.Paused:
		return "resume"
	case r.state.Phase == gate.RolledBack || r.state.Phase == gate.Completed:
		return "" // whatever led there
	}
	switch r.decision.Reason {
	case gate.JournalUnavailable:
		return "the journal"
	case gate.CanaryPoolUnhealthy:
		return "a healthy canary pool"
	case gate.WindowClosed:
		return "the release window"
	case gate.DrillRequired:
		return "a drill that passes"
	case gate.StableOutdated:
		return "a file that names the completed version as stable"
	case gate.Manual:
		if r.state.Phase == gate.Waiting && !r.state.Begun {
			return "start"
		}
	}
	return ""
}

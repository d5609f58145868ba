package main

import (
	"slices"
	"strconv"
	"time"

	"serin/gate"
	"serin/gate/control"
	"serin/gate/notify"
	"serin/proxy/admin"
)

// noticeOf is a decision as people are told of it; false for what nobody needs to be told.
func noticeOf(a *control.Announcement, links *admin.Links) (notify.Notice, bool) {
	d, s, p := &a.Entry.Decision, &a.Entry.State, a.Policy
	event, ok := eventOf(d)
	if !ok {
		return notify.Notice{}, false
	}
	n := notify.Notice{
		ID: a.Entry.ID, Event: event, State: notify.Done, Severity: severityOf(d, event), At: a.Entry.At,
		Rollout: a.Entry.Rollout, Revision: s.Revision, Attempt: s.Attempt, Version: s.Version, Phase: d.Phase.String(),
		Action: d.Action.String(), Reason: string(d.Reason), Actor: d.Actor, Note: d.Note, Override: d.Override, DryRun: d.DryRun,
		Sentence: a.Entry.Sentence, Next: a.Next, From: d.From.Fraction(), To: d.To.Fraction(),
		Stage: notify.Stage{Index: d.Stage, Count: d.Stages}, Arms: notify.Arms{Stable: noticeArm(a.Stable), Canary: noticeArm(a.Canary)},
		Gates: admin.Finite(a.Findings),
		Exposure: notify.Exposure{
			Users: a.Exposure.Users, Requests: a.Exposure.Requests, Failed: a.Exposure.Failed, UsersFailed: a.Exposure.UsersFailed,
		},
	}
	if e := a.Experiment; e != nil { // it waits for nobody: a stopped arm's users are on the control
		n.Control, n.Arm, n.Commands = e.Arms[0].Name, d.Arm, []string{"serin status " + n.Rollout}
		return n, true
	}
	if d.Stage >= 1 && d.Stage <= len(p.Stages) {
		n.Stage.Label = p.Stages[d.Stage-1].Label
	}
	if waits(d, event) {
		n.State = notify.Open
	}
	if a.Deadline != nil {
		n.Owner = a.Deadline.Owner
		if i := a.Deadline.Stage; i >= 1 && i <= len(p.Stages) {
			n.Awaits = p.Stages[i-1].Label
		}
		if !a.Deadline.Until.IsZero() {
			until := a.Deadline.Until.UTC()
			n.Until, n.Then = &until, a.Deadline.Then
		}
	}
	n.Commands = commandsOf(&n, a.Allowed)
	if links != nil {
		n.Links = linksOf(&n, a.Allowed, links)
	}
	return n, true
}

// eventOf is the word of a decision in a sink's events; false for the small talk of waiting.
func eventOf(d *gate.Decision) (string, bool) {
	switch d.Action {
	case gate.ActHold:
		return notify.EventHold, d.Phase == gate.Holding || d.Reason == gate.StableOutdated
	case gate.ActFreeze:
		return notify.EventHold, true
	case gate.ActPromote:
		if d.Phase == gate.Completed {
			return notify.EventComplete, true
		}
	case gate.ActStart, gate.ActAdvance, gate.ActComplete, gate.ActRollback, gate.ActStepBack, gate.ActPause, gate.ActResume,
		gate.ActApprove, gate.ActRetry, gate.ActRestart, gate.ActReplan, gate.ActWithdrawn, gate.ActAwait, gate.ActRefuse,
		gate.ActWiden, gate.ActDrill, gate.ActStopArm, gate.ActEnd:
	}
	event, ok := events[d.Action]
	return event, ok
}

// events are the words of decisions that always mean the same.
var events = map[gate.Action]string{
	gate.ActStart: notify.EventStart, gate.ActAdvance: notify.EventAdvance, gate.ActWiden: notify.EventAdvance,
	gate.ActComplete: notify.EventComplete, gate.ActEnd: notify.EventComplete, gate.ActRollback: notify.EventRollback,
	gate.ActStopArm: notify.EventRollback, gate.ActStepBack: notify.EventStepBack, gate.ActPause: notify.EventPause,
	gate.ActResume: notify.EventResume, gate.ActPromote: notify.EventPromote, gate.ActApprove: notify.EventApprove,
	gate.ActRetry: notify.EventRetry, gate.ActRestart: notify.EventRevision, gate.ActReplan: notify.EventRevision,
	gate.ActWithdrawn: notify.EventWithdraw, gate.ActAwait: notify.EventApproval,
}

// waits reports whether somebody has to do something: what a person has just done needs nobody's attention.
func waits(d *gate.Decision, event string) bool {
	switch event {
	case notify.EventHold:
		return d.Phase == gate.Holding && !d.DryRun
	case notify.EventApproval:
		return !d.DryRun
	case notify.EventRollback:
		return d.Phase == gate.RolledBack && d.Actor == gate.ActorGate && !d.DryRun
	}
	return false
}

func severityOf(d *gate.Decision, event string) string {
	switch {
	case d.DryRun:
		return notify.Info
	case event == notify.EventRollback && d.Actor == gate.ActorGate, d.Action == gate.ActFreeze:
		return notify.Critical
	case event == notify.EventHold, event == notify.EventRollback, event == notify.EventApproval, d.Override:
		return notify.Warning
	}
	return notify.Info
}

func noticeArm(a control.ArmStatus) notify.Arm {
	return notify.Arm{Requests: a.Requests, Errors: a.Errors, P99MS: float64(a.P99) / float64(time.Millisecond)}
}

// commandsOf are the exact commands that make sense now. A version makes one that is pasted late harmless.
func commandsOf(n *notify.Notice, allowed []string) []string {
	if n.DryRun {
		return []string{"serin why " + n.Rollout}
	}
	version := " --if-version " + strconv.FormatUint(n.Version, 10)
	verbs := map[string][]string{
		notify.EventApproval: {"approve", "rollback"},
		notify.EventHold:     {"rollback", "step-back", "resume"},
		notify.EventRollback: {"retry"},
		notify.EventComplete: {"rollback"},
		notify.EventPause:    {"resume", "rollback"},
		notify.EventStart:    {"pause", "rollback"},
		notify.EventAdvance:  {"pause", "rollback"},
	}[n.Event]
	list := []string{"serin why " + n.Rollout}
	for _, verb := range verbs {
		if slices.Contains(allowed, verb) {
			list = append(list, "serin "+verb+" "+n.Rollout+version)
		}
	}
	if n.State == notify.Open {
		list = append(list, "serin ack "+n.Rollout)
	}
	return list
}

// linksOf are the signed links of what waits for somebody. One for an approval ends with the wait.
func linksOf(n *notify.Notice, allowed []string, links *admin.Links) []notify.Link {
	var list []notify.Link
	add := func(verb, label string) {
		g := admin.Grant{Rollout: n.Rollout, Verb: verb, Version: n.Version}
		if verb == "approve" {
			g.Owner = n.Owner
			if n.Until != nil && time.Until(*n.Until) < 24*time.Hour {
				g.Expires = n.Until.Unix() + 1
			}
		}
		url, expires := links.Make(g)
		expires = expires.UTC()
		list = append(list, notify.Link{Verb: verb, Label: label, URL: url, Expires: &expires})
	}
	if n.Event == notify.EventApproval && slices.Contains(allowed, "approve") {
		add("approve", "Approve")
	}
	if (n.Event == notify.EventApproval || n.Event == notify.EventHold) && slices.Contains(allowed, "rollback") && !n.DryRun {
		add("rollback", "Roll back")
	}
	return append(list, notify.Link{Label: "Open serin", URL: links.Home()})
}

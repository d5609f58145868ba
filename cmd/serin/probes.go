package main

import (
	"slices"

	"serin/config"
	"serin/gate"
	"serin/gate/control"
	"serin/gate/probe"
)

// newProber asks what the plan's outside gates want to know, about what the loop says is released now.
func (d *serinDaemon) newProber(plan *config.Plan) *probe.Prober {
	p := probe.New(probe.Options{Log: d.log, Subject: d.subject})
	p.Follow(probesOf(plan))
	return p
}

// subject is what a rollout is doing. Nothing is asked for one that has ended or not begun.
func (d *serinDaemon) subject(rollout string) (probe.Subject, bool) {
	status := d.loop.Status()
	if status == nil {
		return probe.Subject{}, false
	}
	i := slices.IndexFunc(status.Rollouts, func(ro control.RolloutStatus) bool { return ro.Name == rollout })
	if i < 0 {
		return probe.Subject{}, false
	}
	ro := &status.Rollouts[i]
	switch ro.Phase {
	case gate.Waiting, gate.Completed, gate.RolledBack:
		return probe.Subject{}, false
	}
	return probe.Subject{
		Rollout: ro.Name, Revision: ro.Revision, Attempt: ro.Attempt, Phase: ro.Phase.String(), Stage: ro.Stage.Index, Weight: ro.Weight,
	}, true
}

func probesOf(plan *config.Plan) []probe.Ask {
	var asks []probe.Ask
	for i := range plan.Rollouts {
		asks = append(asks, plan.Rollouts[i].Probes...)
	}
	return asks
}

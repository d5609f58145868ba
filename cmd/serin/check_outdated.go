package main

import (
	"fmt"

	"serin/config"
	"serin/gate/journal"
)

// outdatedStables warns about rollouts that would wait with reason stable_outdated: by the journal of the plan's state
// directory everybody is on a revision that the file names neither as stable nor as canary.
func outdatedStables(plan *config.Plan) []config.Problem {
	if len(plan.Rollouts) == 0 {
		return nil
	}
	past, err := journal.ReadPast(plan.StateDir, nil)
	if err != nil {
		return nil
	}
	live := map[string]string{}
	for i := range past.Decisions {
		live[past.Decisions[i].Rollout] = past.Decisions[i].State.Live
	}
	var out []config.Problem
	for i := range plan.Rollouts {
		p := plan.Rollouts[i].Policy
		now := live[p.Rollout]
		if now == "" || now == p.Revision || now == p.StableRevision || now == p.StableAlias {
			continue
		}
		key := "rollout." + p.Rollout + ".stable"
		out = append(out, config.Problem{
			File: plan.File, Line: plan.Line(key), Key: key,
			Text: fmt.Sprintf("everybody is on revision %s already: a new canary beside the version it replaced would wait (stable_outdated)", now),
			Hint: "make the completed upstream stable",
		})
	}
	return out
}

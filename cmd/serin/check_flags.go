package main

import (
	"fmt"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/journal"
	"serin/router"
)

// staleFlags warns about flags that the journal of the plan's state directory knows to have had one value for everybody for
// too long. Without a journal there is nothing to say.
func staleFlags(plan *config.Plan, now time.Time) []config.Problem {
	if len(plan.Flags) == 0 {
		return nil
	}
	past, err := journal.ReadPast(plan.StateDir, nil)
	if err != nil {
		return nil
	}
	last := map[string]*journal.Entry{}
	for i := range past.Decisions {
		last[past.Decisions[i].Rollout] = &past.Decisions[i]
	}
	var out []config.Problem
	for i := range plan.Flags {
		f := &plan.Flags[i]
		e := last[f.Owner]
		if e == nil || !settled(e.State, f.Experiment) || now.Sub(e.At) < f.StaleAfter {
			continue
		}
		out = append(out, config.Problem{
			File: plan.File, Line: plan.Line("flag." + f.Name), Key: "flag." + f.Name,
			Text: fmt.Sprintf("is stale: everybody has had the same value for %s", span(now.Sub(e.At).Seconds())),
			Hint: "remove it from the code, then from the file",
		})
	}
	return out
}

// settled reports whether everybody is on one arm.
func settled(s gate.State, experiment bool) bool {
	if experiment {
		return s.Phase == gate.Completed || s.Phase == gate.RolledBack
	}
	return s.Weight == 0 || s.Weight == router.Full
}

package config

import (
	"fmt"
	"strings"

	"serin/gate"
	"serin/router"
)

// capacity notes the stages that ask more of a pool than it carries at this traffic: the rollout would hold before them.
func (pl *planner) capacity(t *Timetable) {
	policy := pl.rollout.Policy
	for i := range policy.Stages {
		share := pl.share(i)
		if i == len(policy.Stages)-1 {
			share = 1 // the release ends with everybody, holdback or not
		}
		if policy.Capacity > 0 && pl.rps*share > policy.Capacity {
			found := StageProblem{Stage: i + 1, Text: fmt.Sprintf("%s of %s requests/s is more than the %s that the canary's pool carries",
				spaced(share), trim(pl.rps), trim(policy.Capacity)),
				Help: fmt.Sprintf("It would hold at %s until there is less traffic, or more capacity.", policy.MostWeight(pl.rps))}
			if t.Assumed {
				t.Warnings = append(t.Warnings, found)
			} else {
				t.Problems = append(t.Problems, found)
			}
			break // what follows asks for more still
		}
	}
	if c := policy.StableCapacity; c > 0 && pl.rps > c {
		t.Warnings = append(t.Warnings, StageProblem{Stage: 1, Text: fmt.Sprintf("stable's pool carries %s requests/s, and a rollback would bring it %s",
			trim(c), trim(pl.rps)), Help: "A rollback is never refused."})
	}
}

// capacityText says how much traffic each stage may have; "" where the pool's capacity is not said.
func capacityText(p *gate.Policy) string {
	if p.Capacity <= 0 {
		return ""
	}
	var parts []string
	for i, st := range p.Stages {
		w := st.Weight
		if i == len(p.Stages)-1 {
			w = router.Full
		}
		if w > 0 {
			parts = append(parts, fmt.Sprintf("%s of up to %s", w, grouped(p.Capacity/w.Fraction())))
		}
	}
	return fmt.Sprintf("The canary's pool carries %s requests/s: that is %s.", trim(p.Capacity), strings.Join(parts, ", "))
}

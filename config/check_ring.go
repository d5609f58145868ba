package config

import "fmt"

// ring plans the gates of a stage that has only a ring's members on the canary. How many requests they make nobody knows
// beforehand, so it tells requests, not times.
func (pl *planner) ring(s *StageTime, i int) {
	stage := pl.rollout.Policy.Stages[i]
	shared := stage
	shared.Weight = 1 // as if it had a share: a relative gate then applies
	for j, c := range pl.rollout.Policy.Criteria {
		own := !c.Applies(i+1, stage)
		if own && !c.Applies(i+1, shared) {
			continue
		}
		need := pl.gate(&pl.gates[j], i, 0, 0)
		need.Rule, need.Ring = c.Rule(), true
		need.Seconds, need.Hold, need.Calls, need.CallTime, need.HoldText, need.CallText = 0, never, never, never, "", ""
		if own {
			need.Past = 2 * need.Requests
		}
		s.Gates = append(s.Gates, need)
	}
}

// assessRing says what a ring's stage lacks.
func (pl *planner) assessRing(t *Timetable, i int) {
	s, relative := &t.Stages[i], false
	for j := range s.Gates {
		if g := &s.Gates[j]; g.Past == 0 {
			return
		}
		relative = true
	}
	if !relative {
		return // assess says that it has no gate at all
	}
	t.Warnings = append(t.Warnings, StageProblem{s.Stage,
		"its members can be compared with nobody but themselves: where serin has seen too little of them on stable just before, no gate judges this stage, and it passes by time alone",
		`A gate with a limit of its own, such as hold = "1%", judges in any case.`})
}

// inRing is sentence for a gate of a ring's stage.
func (g *GateTime) inRing() string {
	text := fmt.Sprintf("%s: proving %s takes about %s requests of the ring's members", g.Metric, g.Proves, grouped(float64(g.Requests)))
	switch {
	case g.Requests.Never():
		text = fmt.Sprintf("%s: proving %s is not possible", g.Metric, g.Proves)
	case g.Past > 0:
		text += fmt.Sprintf(", against their own past: %s of them on stable in the half hour before", grouped(float64(g.Past)))
	}
	if g.Note != "" {
		text += " (" + g.Note + ")"
	}
	return text + "."
}

package control

import (
	"slices"

	"serin/config"
	"serin/gate"
	"serin/gate/window"
	"serin/router"
)

// Dataplane is all the loop may do to traffic. Implemented in cmd/serin over proxy.Proxy.
type Dataplane interface {
	// Install makes plan the one in force: pools are kept where a reload left them alone. Settings holds every rollout's
	// weight, so that a reload moves none. Nothing changes when it returns an error.
	Install(plan *config.Plan, settings map[string]Setting) error
	// Set changes one rollout's routing at once: when it returns, no new request uses the old setting.
	Set(rollout string, s Setting)
	// Read fills r with what the rollout's current meters say, cumulative since Setting.Step began. Where nothing was counted
	// since the reading that is in r, of the same step, it may say Quiet and leave Stable and Canary alone.
	Read(rollout string, r *Reading)
}

// Setting is what routing needs to know of a rollout. A changed Step begins new meters; the same Step keeps them.
type Setting struct {
	Weight    router.Weight // of the plan's canary
	Step      uint64
	Audiences []string // rings whose members are on the canary
	Ring      string   // the one among them whose members are the step's evidence; "": a share of the users is
	Mirror    router.Weight
	Mask      *window.Mask // buckets left out of evidence; nil: none. Changes only with Step
	Revision  string       // that Weight was decided for; another one in the plan has weight 0
	Drill     *gate.Drill  // faults to inject; nil: none. One ID is one drill, whatever else changes in it
	// Keep names the revision that completed and goes on serving everybody although the plan names another canary beside an
	// outdated stable (reason stable_outdated): the data plane keeps its old pool while it has it. "": none.
	Keep string

	Running bool     // an experiment's arms have their users; else everybody is on its control
	Stopped []string // of those, the arms whose users are on the control
}

// Reading is one look at a rollout's traffic.
type Reading struct {
	Stable, Canary window.Snapshot // evidence; Users filled when WantUsers
	WantUsers      bool
	Quiet          bool                           // Stable and Canary are as they were
	Keyless        uint64                         // requests without any key: stable, no evidence
	Members        *window.Snapshot               // of open rings on the canary, where they are no evidence; nil: the ladder has no rings
	Past           []*window.Snapshot             // on the version in service, since the data plane keeps the meters: of nobody in particular, of the members of each ring
	Mirrored       *[2]window.Snapshot            // comparisons of the step's mirror: of stable with itself, of the canary with stable; nil: no mirror
	Signals        map[string]*[2]window.Snapshot // business signals that gates judge, of the step, by name: stable's, the canary's
	Mirror         uint64                         // which mirror that was: a reload of what it compares begins another, from zero
	Drill          *DrillReading                  // nil: none runs
	Arms           []window.Snapshot              // an experiment's, evidence, in place of Stable and Canary; CanaryHealthy is of all of them
	StableHealthy  bool
	CanaryHealthy  bool
	CanaryInFlight int
}

// settingOf is the routing a state asks for.
func settingOf(s gate.State, p *gate.Policy, mask *window.Mask) Setting {
	out := Setting{Weight: s.WeightFor(p.Revision), Step: s.Step, Mask: mask, Revision: p.Revision}
	if s.Revision != p.Revision {
		if s.Live != "" && s.Live == s.Revision && s.Weight == router.Full {
			out.Keep = s.Live
		}
		return out
	}
	out.Weight = max(out.Weight, s.Ebb.Weight)
	out.Drill = drillOf(&s, p)
	switch s.Phase {
	case gate.Waiting, gate.RolledBack, gate.Completed:
		return out
	case gate.Progressing, gate.AwaitingApproval, gate.Holding, gate.Paused:
	}
	if s.Stage < 1 || s.Stage > len(p.Stages) {
		return out
	}
	stage := p.Stages[s.Stage-1]
	if !p.DryRun {
		out.Mirror = stage.Mirror
	}
	for _, ring := range s.Rings {
		if slices.ContainsFunc(p.Stages, func(st gate.Stage) bool { return st.Audience == ring }) {
			out.Audiences = append(out.Audiences, ring)
		}
	}
	if stage.Alone() && out.Weight == 0 && slices.Contains(out.Audiences, stage.Audience) {
		out.Ring = stage.Audience
	}
	return out
}

func (s Setting) equal(o Setting) bool {
	return sameDrill(s.Drill, o.Drill) && s.Weight == o.Weight && s.Step == o.Step && s.Mirror == o.Mirror && s.Revision == o.Revision && s.Keep == o.Keep &&
		s.Mask == o.Mask && s.Ring == o.Ring && slices.Equal(s.Audiences, o.Audiences)
}

// widens reports whether o sends somebody to the canary whom s does not.
func (s Setting) widens(o Setting) bool {
	if o.Weight > s.Weight || o.Mirror > s.Mirror {
		return true
	}
	for _, ring := range o.Audiences {
		if !slices.Contains(s.Audiences, ring) {
			return true
		}
	}
	return false
}

package main

import (
	"slices"

	"serin/config"
	"serin/proxy"
	"serin/proxy/admin"
	"serin/proxy/wire"
	"serin/router"
	"serin/router/flag"
)

// flagFields are the header fields that flags use. What a client says in them is removed on every route: an upstream may
// believe them.
func flagFields(plan *config.Plan) []string {
	var names []string
	for i := range plan.Flags {
		if plan.Flags[i].Header != "" {
			names = append(names, plan.Flags[i].Header)
		}
	}
	return names
}

// flagLines are the field lines with the values of the flags of a split's route for one arm of the split: those of the route's
// other splits are off, for a user of this one is in none of them.
func flagLines(plan *config.Plan, split *router.Split, arm int) []byte {
	var lines []byte
	beside := neighbours(plan, split)
	for i := range plan.Flags {
		f := &plan.Flags[i]
		others := slices.ContainsFunc(beside, func(s *router.Split) bool { return s.ID == f.Split })
		switch {
		case f.Header == "":
		case f.Split == split.ID:
			lines = wire.AppendField(lines, f.Header, flag.Text(f.Values[arm]))
		case others:
			lines = wire.AppendField(lines, f.Header, flag.Text(f.Values[router.Stable]))
		}
	}
	return lines
}

// outsideLines are those of a request that none of the route's splits is for; split is one of them.
func outsideLines(plan *config.Plan, split *router.Split) []byte {
	return flagLines(plan, split, int(router.Stable))
}

// neighbours are the other splits of a split's route.
func neighbours(plan *config.Plan, split *router.Split) (others []*router.Split) {
	for _, r := range plan.Routes {
		if r.Split == nil {
			continue
		}
		all := append([]*router.Split{r.Split}, r.More...)
		if i := slices.Index(all, split); i >= 0 {
			others = append(others, slices.Delete(all, i, i+1)...)
		}
	}
	return others
}

// dropped are the fields that clients may not send on a split's route: flags, and what the arms of its experiments send.
func dropped(plan *config.Plan, split *router.Split) []string {
	names := flagFields(plan)
	beside := neighbours(plan, split)
	for i := range plan.Experiments {
		e := &plan.Experiments[i]
		if e.Split != split && !slices.Contains(beside, e.Split) {
			continue
		}
		for _, lines := range e.Lines {
			for name := range lines {
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// hidden is the field of answers that brings signals to the split, or to another of its route; "": none.
func hidden(plan *config.Plan, split *router.Split) string {
	for _, s := range append([]*router.Split{split}, neighbours(plan, split)...) {
		if s.ID < len(plan.Rollouts) && plan.Rollouts[s.ID].Signals != "" {
			return plan.Rollouts[s.ID].Signals
		}
	}
	return ""
}

// dressFlags gives a rollout's split its flags; of is the plan's.
func dressFlags(plan *config.Plan, split *proxy.Split, of *router.Split) {
	split.Drop, split.Outside, split.Hide = dropped(plan, of), outsideLines(plan, of), hidden(plan, of)
	for arm := range split.Fields {
		split.Fields[arm] = flagLines(plan, of, arm)
	}
}

// Flags are the flags in force and how their users are spread.
func (r *rooms) Flags() []admin.FlagState {
	now := r.daemon.dataplane.inForce.Load()
	if now == nil {
		return nil
	}
	out := make([]admin.FlagState, len(now.plan.Flags))
	for i := range now.plan.Flags {
		f := &now.plan.Flags[i]
		out[i] = admin.FlagState{Flag: f.Flag, Experiment: f.Experiment, StaleAfter: f.StaleAfter, Shares: sharesOf(now.splits[f.Split])}
	}
	return out
}

// sharesOf is what part of the users that a split is for is on each arm. Members of open rings are not counted: nobody knows
// how many they are.
func sharesOf(s *router.Split) []float64 {
	if s.Shares == nil {
		canary := s.Weight.Fraction()
		if s.Group != nil {
			canary *= s.Group.Share(s.Member)
		}
		return []float64{1 - canary, canary}
	}
	out := make([]float64, len(s.Shares))
	part := 1.0
	if s.Group != nil {
		part = s.Group.Share(s.Member)
		out[router.Stable] = 1 - part
	}
	from := router.Weight(0)
	for i, share := range s.Shares {
		arm := i
		if share.Stopped {
			arm = int(router.Stable)
		}
		out[arm] += part * (share.Until - from).Fraction()
		from = share.Until
	}
	return out
}

// Evaluate is what one flag, or every flag (""), is for a user as routed now; as is what a request of his says besides.
func (r *rooms) Evaluate(name string, as *router.Request, key string) []admin.FlagAnswer {
	now := r.daemon.dataplane.inForce.Load()
	if now == nil {
		return nil
	}
	var out []admin.FlagAnswer
	for i := range now.plan.Flags {
		if f := &now.plan.Flags[i]; name == "" || f.Name == name {
			out = append(out, admin.FlagAnswer{Name: f.Name, Owner: f.Owner, Answer: f.For(now.splits[f.Split], as, key)})
		}
	}
	return out
}

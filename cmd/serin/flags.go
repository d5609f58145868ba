package main

import (
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

// flagLines are the field lines with the values of a split's flags for one arm.
func flagLines(plan *config.Plan, split, arm int) []byte {
	var lines []byte
	for i := range plan.Flags {
		if f := &plan.Flags[i]; f.Split == split && f.Header != "" {
			lines = wire.AppendField(lines, f.Header, flag.Text(f.Values[arm]))
		}
	}
	return lines
}

// dressFlags gives a rollout's split its flags.
func dressFlags(plan *config.Plan, split *proxy.Split, id int) {
	split.Drop = flagFields(plan)
	for arm := range split.Fields {
		split.Fields[arm] = flagLines(plan, id, arm)
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

// sharesOf is what part of the users of a split is on each arm. Members of open rings are not counted: nobody knows how many
// they are.
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

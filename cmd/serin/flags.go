package main

import (
	"slices"

	"serin/config"
	"serin/proxy"
	"serin/proxy/wire"
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

// evaluate asks the routing in force for a flag's value; false when there is no flag of the name.
func (g *installed) evaluate(name, key string) (flag.Answer, bool) {
	i := slices.IndexFunc(g.plan.Flags, func(f config.FeatureFlag) bool { return f.Name == name })
	if i < 0 {
		return flag.Answer{}, false
	}
	f := &g.plan.Flags[i]
	return f.For(g.splits[f.Split], nil, key), true
}

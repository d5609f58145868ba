package config

import (
	"fmt"
	"slices"

	"serin/router"
)

// group is one exclusive group while it is built.
type group struct {
	members []string // in the order of the file
	router  *router.Group
}

// exclusives finds who shares the users with whom, before the splits are made.
func (b *builder) exclusives() {
	b.groups = map[string]*group{}
	keys := map[string][]Key{}
	add := func(at, name string, in Text, key []Key) {
		if in == "" {
			return
		}
		g, place := b.groups[string(in)], join(at, "exclusive")
		if g == nil {
			g = &group{}
			b.groups[string(in)], keys[string(in)] = g, key
		}
		g.members = append(g.members, name)
		switch {
		case len(g.members) > router.MaxMembers:
			b.report(place, fmt.Sprintf("group %s has more than %d members", show(string(in)), router.MaxMembers), "")
		case !slices.Equal(keys[string(in)], key) && !b.anyBad(at):
			b.report(place, fmt.Sprintf("%s takes another key than %s of the same group: a user would be two", show(name), show(g.members[0])),
				"give all of a group the same key")
		}
	}
	for _, name := range inOrder(b, "rollout", b.config.Rollout) {
		t := b.config.Rollout[name]
		add(join("rollout", name), name, t.Exclusive, t.Key)
	}
	for _, name := range inOrder(b, "experiment", b.config.Experiment) {
		t := b.config.Experiment[name]
		add(join("experiment", name), name, t.Exclusive, t.Key)
		if _, twice := b.config.Rollout[name]; twice {
			b.report(join("experiment", name), "a rollout has this name already: both are one family of metrics, headers and decisions", "")
		}
	}
	for name, g := range b.groups {
		if len(g.members) <= router.MaxMembers {
			g.router = router.NewGroup(name, g.members)
		}
	}
}

// member is a split's place in its exclusive group; none for "".
func (b *builder) member(in Text, name string) (*router.Group, uint8) {
	g := b.groups[string(in)]
	if g == nil || g.router == nil {
		return nil, 0
	}
	return g.router, uint8(slices.Index(g.members, name))
}

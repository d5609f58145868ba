package config

import (
	"fmt"
	"slices"
	"strings"

	"serin/router"
)

// Sharing is who gets what on a route where that depends on who he is: rollouts and experiments with an audience or in an
// exclusive group.
type Sharing struct {
	Route string  `json:"route"` // "" where the file has none
	Users []Users `json:"users"`
}

// Users are some of a route's users, and what is theirs.
type Users struct {
	Audience   string   `json:"audience,omitempty"`
	Exclusive  string   `json:"exclusive,omitempty"` // the group that parts them from others
	Share      float64  `json:"share,omitempty"`     // of all users, by the group; absent: nobody knows how many they are
	Rest       bool     `json:"rest,omitempty"`      // everybody else
	Rollout    string   `json:"rollout,omitempty"`
	Experiment string   `json:"experiment,omitempty"`
	Upstreams  []string `json:"upstreams"` // stable and canary, or the arms', the control's first
}

// Sharing tells who gets what, route by route; none where everybody on a route gets the same.
func (p *Plan) Sharing() []Sharing {
	var all []Sharing
	for _, r := range p.Routes {
		splits := splitsOf(r)
		if !slices.ContainsFunc(splits, func(s *router.Split) bool { return s.Audience != nil || s.Group != nil }) {
			continue
		}
		sharing := Sharing{Route: r.Name}
		for _, s := range splits {
			sharing.Users = append(sharing.Users, p.usersOf(s))
		}
		if rest, is := p.restOf(r, splits); is {
			sharing.Users = append(sharing.Users, Users{Rest: true, Upstreams: []string{p.Upstreams[rest].Name}})
		}
		all = append(all, sharing)
	}
	return all
}

// restOf is where the users go whom none of a route's splits has, if there may be any.
func (p *Plan) restOf(r *router.Route, splits []*router.Split) (upstream int, is bool) {
	if someoneOutside(splits) {
		return r.Rest, true
	}
	members := map[*router.Group]float64{}
	for _, s := range splits {
		if s.Group != nil {
			members[s.Group] += s.Group.Share(s.Member)
		}
	}
	for _, share := range members {
		if share < 1 { // a member elsewhere has the others
			return r.Split.Upstream(router.Stable), true
		}
	}
	return 0, false
}

func (p *Plan) usersOf(s *router.Split) Users {
	u := Users{Rollout: s.Rollout, Upstreams: []string{p.Upstreams[s.Upstreams[router.Stable]].Name, p.Upstreams[s.Upstreams[router.Canary]].Name}}
	if s.Shares != nil {
		u.Rollout, u.Experiment, u.Upstreams = "", s.Rollout, nil
		for i := range s.Shares {
			u.Upstreams = append(u.Upstreams, p.Upstreams[s.Upstream(router.Arm(i))].Name)
		}
	}
	if s.Audience != nil {
		u.Audience = s.Audience.Name
	}
	if s.Group != nil {
		u.Exclusive, u.Share = s.Group.Name, s.Group.Share(s.Member)
	}
	return u
}

// SharingText writes who gets what for a terminal of 80 columns.
func SharingText(all []Sharing) string {
	var b strings.Builder
	for i, sharing := range all {
		if i > 0 {
			b.WriteString("\n")
		}
		of := "route " + sharing.Route
		if sharing.Route == "" {
			of = "every request"
		}
		b.WriteString(of + ": who gets what\n\n")
		for _, u := range sharing.Users {
			wrap(&b, "  ", "    ", u.who()+": "+u.what())
		}
	}
	return b.String()
}

func (u *Users) who() string {
	who := "everybody else"
	switch {
	case u.Audience != "":
		who = "audience " + u.Audience
	case u.Exclusive != "":
		who = "the users"
	case !u.Rest:
		who = "everybody"
	}
	if u.Exclusive != "" {
		who = fmt.Sprintf("%s of %s (exclusive %s)", spaced(u.Share), who, u.Exclusive)
	}
	return who
}

func (u *Users) what() string {
	switch {
	case u.Rollout != "":
		return "rollout " + u.Rollout + ", " + strings.Join(u.Upstreams, " -> ")
	case u.Experiment != "":
		return "experiment " + u.Experiment + ", " + strings.Join(slices.Compact(slices.Clone(u.Upstreams)), " | ")
	}
	return u.Upstreams[0]
}

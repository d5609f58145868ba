package router

import (
	"net/netip"
	"slices"
	"strings"
)

// Condition is a predicate that holds of somebody, or, with Not, one that does not.
type Condition struct {
	*Predicate
	Not bool
}

// Members is what holds of an audience's members; with not, of everybody else.
func Members(a *Audience, not bool) Condition {
	return Condition{&Predicate{Kind: IsMember, Audience: a}, not}
}

// overlapSteps bounds how long Somebody looks: some tens of milliseconds.
const overlapSteps = 1 << 20

// Somebody looks for a user of whom all conditions may hold, in one request or in several, and returns what his requests would
// say. There is none only where two conditions contradict each other on who he is: one field, cookie or claim that would be two
// things, an address in networks that do not meet, a key in files that share none, a bucket below and above a share. Host, path
// and query say what is asked for and not who asks: the same user asks for one thing and then for another, so that they
// contradict nothing. sure is false where the conditions are too many to tell; then somebody may be there.
//
// It is the method of analytic tableaux: audiences are taken apart into what must hold, branch by branch, until a branch is free
// of contradictions or none is left. The audiences must have been checked.
func Somebody(conditions ...Condition) (says []Condition, found, sure bool) {
	t := &tableau{steps: overlapSteps, keys: map[[2]*KeySet][2]bool{}}
	if t.open(conditions, nil) {
		return t.said, true, t.steps > 0
	}
	return nil, false, true
}

// tableau is one search.
type tableau struct {
	said  []Condition // what the branch says so far; nothing but predicates of requests and users
	steps int         // that are left
	keys  map[[2]*KeySet][2]bool
}

// open reports whether all of a list, and one of each choice, may hold beside what was said. Choices come last: by then most of
// them contradict what was said.
func (t *tableau) open(all []Condition, choices [][]Condition) bool {
	before := len(t.said)
	for len(all) > 0 {
		if t.steps--; t.steps <= 0 {
			return true
		}
		c := all[len(all)-1]
		all = all[: len(all)-1 : len(all)-1]
		switch {
		case c.Kind == IsMember:
			every, one := c.Audience.parts(c.Not)
			all = append(all, every...)
			choices = append(choices[:len(choices):len(choices)], one...)
		case t.contradicts(c):
			t.said = t.said[:before]
			return false
		default:
			t.said = append(t.said, c)
		}
	}
	if len(choices) == 0 {
		return true
	}
	last := len(choices) - 1
	for _, c := range choices[last] {
		if t.open([]Condition{c}, choices[:last:last]) {
			return true
		}
	}
	t.said = t.said[:before]
	return false
}

// parts is what must hold of a member: all of a list, and one of each choice. With not, of who is none.
func (a *Audience) parts(not bool) (all []Condition, choices [][]Condition) {
	as := func(list []Predicate, not bool) []Condition {
		out := make([]Condition, len(list), len(list)+1)
		for i := range list {
			out[i] = Condition{&list[i], not}
		}
		return out
	}
	share := Condition{&Predicate{Kind: IsShare, Share: a.Share, Salt: a.Salt}, not}
	if !not {
		all = append(as(a.All, false), as(a.Not, true)...)
		if a.Share > 0 {
			all = append(all, share)
		}
		if len(a.Any) > 0 {
			choices = append(choices, as(a.Any, false))
		}
		return all, choices
	}
	one := append(as(a.All, true), as(a.Not, false)...)
	if a.Share > 0 {
		one = append(one, share)
	}
	if len(a.Any) > 0 {
		none := &Audience{Not: a.Any} // a member of it is in none of Any
		one = append(one, Members(none, false))
	}
	return nil, [][]Condition{one}
}

// contradicts reports that c cannot hold of whom the branch is about.
func (t *tableau) contradicts(c Condition) bool {
	t.steps -= len(t.said) / 8 // looking at them all is work, too
	for _, s := range t.said {
		if s.Kind != c.Kind {
			continue
		}
		if t.steps--; t.excludes(s, c) || t.excludes(c, s) {
			return true
		}
	}
	return c.Kind == IsClient && !t.somewhere(c)
}

// excludes reports that two conditions of one kind never hold of one user; it is asked both ways round.
func (t *tableau) excludes(a, b Condition) bool {
	if a.Not {
		return false
	}
	switch a.Kind {
	case IsHeader:
		return strings.EqualFold(a.Name, b.Name) && differ(a, b, true)
	case IsCookie:
		return a.Name == b.Name && differ(a, b, true)
	case IsClaim:
		return a.Name == b.Name && a.Tokens == b.Tokens && differ(a, b, false)
	case IsShare:
		return b.Not && a.Salt == b.Salt && a.Share <= b.Share
	case IsKey:
		apart, within := t.compare(a.Keys, b.Keys)
		return !b.Not && apart || b.Not && within
	case IsClient, IsQuery, IsHost, IsPath, IsMember:
	}
	return false
}

// differ compares what one thing must be, a, with what it must, or must not, be; single: it is one thing at a time.
func differ(a, b Condition, single bool) bool {
	if b.Not {
		return b.Is == "" || a.Is == b.Is
	}
	return single && a.Is != "" && b.Is != "" && a.Is != b.Is
}

// compare reports whether two sets of keys share none, and whether b has all of a.
func (t *tableau) compare(a, b *KeySet) (apart, within bool) {
	if known, ok := t.keys[[2]*KeySet{a, b}]; ok {
		return known[0], known[1]
	}
	apart, within = true, true
	for _, pair := range [][2]map[string]struct{}{{a.texts, b.texts}, {a.addresses, b.addresses}} {
		for key := range pair[0] {
			_, both := pair[1][key]
			apart, within = apart && !both, within && both
		}
	}
	t.keys[[2]*KeySet{a, b}] = [2]bool{apart, within}
	return apart, within
}

// somewhere reports whether an address is left that is in all the networks it must be in, and in none that it must not.
func (t *tableau) somewhere(c Condition) bool {
	var left []netip.Prefix
	bound := false
	said := append(slices.Clone(t.said), c)
	for _, s := range said {
		if s.Kind != IsClient || s.Not {
			continue
		}
		if !bound {
			left, bound = s.Networks, true
			continue
		}
		if t.steps -= len(left) * len(s.Networks); t.steps <= 0 {
			return true
		}
		left = meet(left, s.Networks)
	}
	if !bound {
		return true
	}
	return slices.ContainsFunc(left, func(n netip.Prefix) bool {
		return !slices.ContainsFunc(said, func(s Condition) bool {
			t.steps -= len(s.Networks)
			return s.Kind == IsClient && s.Not && slices.ContainsFunc(s.Networks, func(m netip.Prefix) bool { return holdsAll(m, n) })
		})
	})
}

// meet is what two lists of networks have in common.
func meet(a, b []netip.Prefix) (both []netip.Prefix) {
	for _, n := range a {
		for _, m := range b {
			switch {
			case holdsAll(m, n):
				both = append(both, n)
			case holdsAll(n, m):
				both = append(both, m)
			}
		}
	}
	return both
}

// holdsAll reports whether network m has all of n.
func holdsAll(m, n netip.Prefix) bool { return m.Bits() <= n.Bits() && m.Overlaps(n) }

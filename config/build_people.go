package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"serin/gate/criterion"
	"serin/router"
)

// forWhom gives a split the audience that its rollout or experiment is for, and returns what that says of its members; "" for
// everybody.
func (b *builder) forWhom(at string, named Text, s *router.Split) (means string) {
	path := join(at, "audience")
	if !b.given[path] || b.bad[path] {
		return ""
	}
	b.meant[string(named)] = true
	if b.config.Audience[string(named)] == nil {
		if !b.bad[join("audience", string(named))] {
			b.dangling(path, "audience", string(named), maps.Keys(b.config.Audience))
		}
		return ""
	}
	a := b.people[string(named)]
	if a == nil || b.anyBad(join("audience", string(named))) {
		return ""
	}
	s.Audience = a.Audience
	return a.Means
}

// reaches warns about what an audience keeps a rollout's stages and signals from.
func (b *builder) reaches(at string, r *Rollout) {
	whole, path := r.Split.Audience, join(at, "audience")
	if whole == nil {
		return
	}
	for _, ring := range r.Split.Rings {
		if b.anyBad(join("audience", ring.Name)) {
			continue
		}
		if _, found, _ := router.Somebody(router.Members(whole, false), router.Members(ring, false)); !found {
			b.warn(path, fmt.Sprintf("nobody of it is in audience %s, which a stage names", show(ring.Name)))
		}
	}
	if !whole.Keyed() && r.Signals == "" && len(criterion.SignalsOf(r.Policy.Criteria)) > 0 {
		b.warn(path, "a key alone does not tell who is in it: signals that are posted count for nobody; want signals = { header = \"NAME\" }, which upstreams answer with")
	}
}

// owner is the table of a split: "rollout.NAME" or "experiment.NAME".
func owner(s *router.Split) string {
	if s.Shares != nil {
		return join("experiment", s.Rollout)
	}
	return join("rollout", s.Rollout)
}

// called is a split as a sentence names it.
func called(s *router.Split) string {
	kind, name, _ := strings.Cut(owner(s), ".")
	return kind + " " + show(name)
}

// inOneGroup is the other way to part users.
const inOneGroup = `both the same exclusive = "NAME"`

// parted reports whether a further split of a route has other users than each split before it, and says what is in the way.
func (b *builder) parted(at string, r *router.Route, s *router.Split) bool {
	for _, o := range append([]*router.Split{r.Split}, r.More...) {
		if o.Group != nil && o.Group == s.Group && o.Member != s.Member {
			continue
		}
		if !b.apart(at, o, s) {
			return false
		}
	}
	return true
}

// apart reports whether the audiences of two splits have nobody in common. What is wrong already is not told twice.
func (b *builder) apart(at string, o, s *router.Split) bool {
	route, path := join(at, "route"), join(at, "audience")
	mine, theirs := b.given[path], b.given[join(owner(o), "audience")]
	switch {
	case mine && s.Audience == nil, theirs && o.Audience == nil:
		return false // reported there
	case !mine && !theirs:
		b.report(route, called(o)+" splits this route already",
			"give both an audience, with nobody in common, or "+inOneGroup+", and each user is in one of them")
		return false
	case !mine:
		b.report(route, fmt.Sprintf("%s splits this route already, for the members of %s, and this one is for everybody", called(o), show(o.Audience.Name)),
			fmt.Sprintf("give it an audience of the others, such as not = { audience = %s }, or %s", quote(o.Audience.Name), inOneGroup))
		return false
	case !theirs:
		b.report(route, called(o)+" splits this route already, for everybody",
			fmt.Sprintf("give that an audience of the others, such as not = { audience = %s }, or %s", quote(s.Audience.Name), inOneGroup))
		return false
	case !slices.Equal(o.Keys, s.Keys):
		if !b.anyBad(join(at, "key")) && !b.anyBad(join(owner(o), "key")) {
			place := join(at, "key")
			if !b.given[place] {
				place = at
			}
			b.report(place, fmt.Sprintf("takes another key than %s on the same route: a user would be two", called(o)), "give both the same key")
		}
		return false
	}
	return b.strangers(path, o, s)
}

// strangers proves that two audiences have nobody in common, or says who would be in both.
func (b *builder) strangers(path string, o, s *router.Split) bool {
	says, found, sure := router.Somebody(router.Members(o.Audience, false), router.Members(s.Audience, false))
	if !found {
		return true
	}
	hint := fmt.Sprintf("part them by who the user is, such as not = { audience = %s } in [%s], or give %s",
		quote(o.Audience.Name), join("audience", s.Audience.Name), inOneGroup)
	switch {
	case o.Audience == s.Audience:
		b.report(path, called(o)+" splits this route for the same audience already", "give each an audience of its own, or "+inOneGroup)
	case !sure:
		b.report(path, fmt.Sprintf("%s is for %s, and the two audiences have too many conditions to tell whether a user may be in both",
			called(o), show(o.Audience.Name)), hint)
	default:
		if slices.ContainsFunc(says, func(c router.Condition) bool { return asksFor(c.Kind) }) {
			hint = "host, path and query say what is asked for, not who asks: part them by header, cookie, claim, cidr, key_file or share, take two routes, or give " + inOneGroup
		}
		b.report(path, fmt.Sprintf("%s is for %s, and a user with %s may be in both", called(o), show(o.Audience.Name), conditionsText(says)), hint)
	}
	return false
}

// rests tells each route where those go who are in nobody's audience.
func (b *builder) rests() {
	for _, r := range b.plan.Routes {
		splits := splitsOf(r)
		if len(splits) == 0 || slices.ContainsFunc(splits, func(s *router.Split) bool { return s.Audience == nil }) {
			continue // nobody is outside
		}
		r.Rest = r.Split.Upstream(router.Stable)
		if t := b.config.Route[r.Name]; t != nil && t.Upstream != "" {
			if id, ok := b.upstreams[string(t.Upstream)]; ok {
				r.Rest = id
			}
			continue
		}
		for _, s := range splits[1:] {
			if id := s.Upstream(router.Stable); id != r.Rest && someoneOutside(splits) {
				path := join(owner(s), "stable")
				if s.Shares != nil {
					path = owner(s)
				}
				b.report(path, fmt.Sprintf("who is in neither audience of route %s would get upstream %s by %s and %s by this one",
					show(r.Name), show(b.plan.Upstreams[r.Rest].Name), called(r.Split), show(b.plan.Upstreams[id].Name)),
					fmt.Sprintf("name theirs: upstream in [%s]", join("route", r.Name)))
				break
			}
		}
	}
}

// splitsOf are all splits of a route, in the order of the file.
func splitsOf(r *router.Route) []*router.Split {
	if r.Split == nil {
		return nil
	}
	return append([]*router.Split{r.Split}, r.More...)
}

// someoneOutside reports whether a user may be in none of the splits' audiences.
func someoneOutside(splits []*router.Split) bool {
	var none []router.Condition
	for _, s := range splits {
		if s.Audience == nil {
			return false
		}
		none = append(none, router.Members(s.Audience, true))
	}
	_, found, _ := router.Somebody(none...)
	return found
}

// asksFor reports whether a condition says what is asked for, and not who asks.
func asksFor(k router.Kind) bool {
	return k == router.IsHost || k == router.IsPath || k == router.IsQuery
}

// mostConditions is how many of a user's conditions a message names.
const mostConditions = 5

// conditionsText is what a user would have to say: `header X-Employee = "1", no cookie "beta"`.
func conditionsText(says []router.Condition) string {
	var texts []string
	for _, not := range []bool{false, true} {
		for _, c := range says {
			if text := conditionText(c); c.Not == not && !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
		}
	}
	if len(texts) == 0 {
		return "any request"
	}
	if len(texts) > mostConditions {
		texts = append(texts[:mostConditions], "and so on")
	}
	return strings.Join(texts, ", ")
}

func conditionText(c router.Condition) string {
	thing := map[router.Kind]string{router.IsHeader: "header", router.IsCookie: "cookie", router.IsQuery: "query parameter", router.IsClaim: "claim"}[c.Kind]
	which := func(inside, outside, what string) string {
		if c.Not {
			return outside + what
		}
		return inside + what
	}
	switch c.Kind {
	case router.IsHeader, router.IsCookie, router.IsQuery, router.IsClaim:
		if c.Is == "" {
			return which("", "no ", thing+" "+show(c.Name))
		}
		return thing + " " + show(c.Name) + which(" = ", " other than ", show(c.Is))
	case router.IsClient:
		what := ""
		for i, n := range c.Networks {
			if i == 3 {
				what += " ..."
				break
			}
			what += " " + n.String()
		}
		return which("an address in", "an address outside", what)
	case router.IsHost:
		return which("host ", "a host other than ", strings.Join(c.Hosts, " "))
	case router.IsPath:
		return which("path ", "a path other than ", show(c.Path))
	case router.IsKey:
		return which("a key of", "a key that is not of", " its key_file")
	case router.IsShare:
		return which("a bucket below ", "a bucket from ", c.Share.String())
	case router.IsMember:
	}
	panic("BUG: a condition of an unknown kind")
}

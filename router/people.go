package router

// For whom a split is. An audience of a whole split draws a line that no stage crosses: whoever is outside gets neither arm of
// it, at any weight, and is no evidence of it. Of several splits on a route that are parted so, a request is in one at most;
// a request that is in none goes where the route's Rest says.

// outsider reports that the request is none of a member's of the split's audience. mint is the cookie that would make the key
// of a request without one: where the audience looks at the key, the user is let in until it is made.
func (s *Split) outsider(r *Request, mint string) bool {
	if !s.Audience.keyed {
		return !s.Audience.has(r, person{})
	}
	var buf [MaxKey]byte
	who := s.person(r, buf[:0])
	return (len(who.key) > 0 || mint == "") && !s.Audience.has(r, who)
}

// foreign is outsider for a user whose key is known. The request is what else he says; nil is nothing.
func (s *Split) foreign(r *Request, who person) bool {
	if s.Audience == nil {
		return false
	}
	if r == nil {
		r = &Request{}
	}
	return !s.Audience.has(r, who)
}

// mine reports whether the request's user is one of the split's, whatever a force header says.
func (s *Split) mine(r *Request) bool {
	_, mint, _ := s.hash(r)
	return (s.Audience == nil || !s.outsider(r, mint)) && (s.Group == nil || !s.outside(r))
}

// elsewhere ranks choices: a split that has the user goes before one whose group gave him to another, and that before one that
// is not for him.
func (w Why) elsewhere() int {
	switch w {
	case ByOutside:
		return 2
	case ByOther:
		return 1
	case ByWeight, ByForce, ByNoKey, ByAudience, ByStopped:
	}
	return 0
}

// Choose returns the split that has the request's user, and its choice; nil where he is in no split's audience, and the route's
// Rest serves him. Of several splits the user's own goes first; a force header that names an arm of another one asks for that.
func (r *Route) Choose(q *Request) (*Split, Choice) {
	s := r.Split
	c := s.Choose(q)
	if r.More != nil {
		return r.chooseMore(q, s, c)
	}
	if c.Why == ByOutside {
		s = nil
	}
	return s, c
}

// chooseMore is Choose where the route has further splits than s, whose choice is c.
func (r *Route) chooseMore(q *Request, s *Split, c Choice) (*Split, Choice) {
	if c.Why == ByForce && s.mine(q) {
		return s, c
	}
	for _, more := range r.More {
		if more.Force == "" && c.Why.elsewhere() == 0 { // he is found, and nothing is forced here
			continue
		}
		d := more.Choose(q)
		switch {
		case d.Why == ByForce && (c.Why != ByForce || more.mine(q)):
			s, c = more, d
		case c.Why != ByForce && d.Why.elsewhere() < c.Why.elsewhere():
			s, c = more, d
		}
	}
	if c.Why == ByOutside {
		s = nil
	}
	return s, c
}

// ChooseKey is Choose for a request whose key is known: a minted one.
func (r *Route) ChooseKey(q *Request, key []byte) (*Split, Choice) {
	s := r.Split
	c := s.ChooseKey(q, key)
	for _, more := range r.More {
		if c.Why.elsewhere() == 0 {
			break
		}
		if d := more.ChooseKey(q, key); d.Why.elsewhere() < c.Why.elsewhere() {
			s, c = more, d
		}
	}
	if c.Why == ByOutside {
		s = nil
	}
	return s, c
}

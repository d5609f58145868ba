package router

import "net/netip"

// MaxRings is how many rings a split may have.
const MaxRings = 16

// ring returns the place, from 1, of the ring that the request belongs to, and whether it is open; 0 for none. One person
// belongs to one ring: of several the first open one, else the first, in the ladder's order.
func (s *Split) ring(r *Request, who person) (place uint8, open bool) {
	for i, ring := range s.Rings {
		if open = s.Open>>i&1 == 1; place > 0 && !open || !ring.has(r, who) {
			continue
		}
		place = uint8(i + 1)
		if open {
			return place, true
		}
	}
	return place, false
}

// chooseMember is chooseHash where the split has rings: members of those that are open go to the canary, whatever the
// weight, so climbing the ladder takes nobody back.
func (s *Split) chooseMember(r *Request, who person, hash uint64) Choice {
	c := s.chooseHash(hash)
	if len(s.Rings) == 0 {
		return c
	}
	if r == nil {
		r = &Request{}
	}
	var open bool
	if c.Ring, open = s.ring(r, who); open {
		c.Arm, c.Why = Canary, ByAudience
	}
	return c
}

// chooseRing finds out who the request comes from; buf is apart so that only splits with rings pay for it.
func (s *Split) chooseRing(r *Request, hash uint64) Choice {
	if !s.asksKey() {
		return s.chooseMember(r, person{}, hash)
	}
	var buf [MaxKey]byte
	return s.chooseMember(r, s.person(r, buf[:0]), hash)
}

func (s *Split) asksKey() bool {
	for _, ring := range s.Rings {
		if ring.keyed {
			return true
		}
	}
	return false
}

// person returns the first key that is present and not empty, as hash does. It aliases the request or buf, which has room
// for MaxKey bytes.
func (s *Split) person(r *Request, buf []byte) person {
	for i := range s.Keys {
		source := &s.Keys[i]
		var key []byte
		switch source.Kind {
		case KeyHeader:
			key, _ = Field(r.Head, source.Name)
		case KeyCookie, KeyMint:
			key, _ = Cookie(r.Head, source.Name)
		case KeyQuery:
			key, _ = Query(buf, r.Query, source.Name)
		case KeyClaim:
			text, _ := s.Tokens.text(r, source.Name)
			key = append(buf, text[:min(len(text), MaxKey)]...)
		case KeyIP:
			if who := addressed(r.Client, buf); who.address {
				return who
			}
		}
		if len(key) > 0 {
			return person{key: key[:min(len(key), MaxKey)]}
		}
	}
	return person{}
}

// addressed is whoever is known by an address; the zero person where it is unknown.
func addressed(client netip.Addr, buf []byte) person {
	switch client = client.Unmap(); {
	case client.Is4():
		b := client.As4()
		return person{key: append(buf, b[:]...), address: true}
	case client.Is6():
		b := client.As16()
		return person{key: append(buf, b[:]...), address: true}
	}
	return person{}
}

package router

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Audience is a set of people, decided request by request: whoever satisfies one of Any (or there is none), all of All and
// none of Not, and of those a Share. Immutable; Check makes it ready. Whether somebody is a member depends on nothing but the
// request and the user's key, so a ring that has opened loses nobody.
type Audience struct {
	Name          string
	Any, All, Not []Predicate
	Share         Weight // of the people the predicates leave, by buckets of an own salt; 0 is everybody
	Salt          uint64 // of Share

	keyed bool // the user's key is looked at
	asks  bool // something else is, that a request says
}

// Keyed reports whether a user's key alone tells if he is a member.
func (a *Audience) Keyed() bool { return !a.asks }

// Kind is what a predicate looks at.
type Kind uint8

const (
	IsHeader Kind = iota // field Name is there, or is Is
	IsCookie             // cookie Name
	IsQuery              // query parameter Name
	IsClaim              // claim Name of a verified token is there, is Is, or is a list with Is in it
	IsClient             // the client's address is in one of Networks
	IsHost               // the host matches one of Hosts, as a route's
	IsPath               // the normalised path matches Path, as a route's
	IsKey                // the user's key is in Keys
	IsShare              // the user's bucket, by Salt, is below Share
	IsMember             // a member of Audience
)

// Predicate is one condition. Only the fields of its Kind count.
type Predicate struct {
	Kind     Kind
	Name, Is string
	Path     string
	Hosts    []string
	Networks []netip.Prefix
	Keys     *KeySet
	Share    Weight
	Salt     uint64
	Tokens   *Tokens
	Audience *Audience

	hosts []string // as hostPattern writes them
}

// Check makes the audience ready for use and reports what could never be. Audiences that it names must be ready, so none can
// name itself.
func (a *Audience) Check() error {
	if len(a.Any)+len(a.All)+len(a.Not) == 0 && a.Share == 0 {
		return fmt.Errorf("nobody is named: want any, all, not or share")
	}
	a.keyed, a.asks = a.Share > 0, false
	for _, list := range [][]Predicate{a.Any, a.All, a.Not} {
		for i := range list {
			if err := list[i].check(); err != nil {
				return err
			}
			a.keyed, a.asks = a.keyed || list[i].keyed(), a.asks || list[i].asks()
		}
	}
	return nil
}

func (p *Predicate) check() error {
	if p.Kind == IsHost {
		p.hosts = p.hosts[:0]
		for _, host := range p.Hosts {
			pattern, err := hostPattern(host)
			if err != nil {
				return err
			}
			p.hosts = append(p.hosts, pattern)
		}
	}
	if p.Kind == IsPath {
		return checkPath(p.Path)
	}
	return nil
}

func (p *Predicate) keyed() bool {
	return p.Kind == IsKey || p.Kind == IsShare || p.Kind == IsMember && p.Audience.keyed
}

func (p *Predicate) asks() bool {
	return p.Kind != IsKey && p.Kind != IsShare && (p.Kind != IsMember || p.Audience.asks)
}

// person is whom a request comes from.
type person struct {
	key     []byte // at most MaxKey bytes
	address bool   // key is an address in network order
}

// has reports whether the request is a member's. It allocates nothing.
func (a *Audience) has(r *Request, who person) bool {
	for i := range a.Not {
		if a.Not[i].holds(r, who) {
			return false
		}
	}
	for i := range a.All {
		if !a.All[i].holds(r, who) {
			return false
		}
	}
	if len(a.Any) > 0 && !anyHolds(a.Any, r, who) {
		return false
	}
	return a.Share == 0 || who.below(a.Salt, a.Share)
}

// below reports whether the person's bucket is within a share. Who has no key has no bucket.
func (p person) below(salt uint64, share Weight) bool {
	return len(p.key) > 0 && BucketOf(salt, p.key) < Bucket(share)
}

func anyHolds(list []Predicate, r *Request, who person) bool {
	for i := range list {
		if list[i].holds(r, who) {
			return true
		}
	}
	return false
}

func (p *Predicate) holds(r *Request, who person) bool {
	switch p.Kind {
	case IsHeader:
		value, ok := Field(r.Head, p.Name)
		return ok && (p.Is == "" || string(value) == p.Is)
	case IsCookie:
		value, ok := Cookie(r.Head, p.Name)
		return ok && (p.Is == "" || string(value) == p.Is)
	case IsQuery:
		return p.inQuery(r.Query)
	case IsClaim:
		return p.Tokens.has(r, p.Name, p.Is)
	case IsClient:
		return p.inNetworks(r.Client.Unmap().WithZone(""))
	case IsHost:
		return p.onHost(bareHost(r.Host))
	case IsPath:
		if prefix, ok := strings.CutSuffix(p.Path, "*"); ok {
			return len(r.Path) >= len(prefix) && string(r.Path[:len(prefix)]) == prefix
		}
		return string(r.Path) == p.Path
	case IsKey:
		return p.Keys.has(who)
	case IsShare:
		return who.below(p.Salt, p.Share)
	case IsMember:
		return p.Audience.has(r, who)
	}
	return false
}

// inQuery is apart so that only this predicate pays for clearing the buffer.
func (p *Predicate) inQuery(query []byte) bool {
	var buf [MaxKey]byte
	value, ok := Query(buf[:0], query, p.Name)
	return ok && (p.Is == "" || string(value) == p.Is)
}

func (p *Predicate) inNetworks(client netip.Addr) bool {
	return slices.ContainsFunc(p.Networks, func(n netip.Prefix) bool { return n.Contains(client) })
}

func (p *Predicate) onHost(host []byte) bool {
	for _, pattern := range p.hosts {
		rest := len(host) - len(pattern)
		if rest < 0 || rest > 0 && pattern[0] != '.' || rest == 0 && pattern[0] == '.' {
			continue
		}
		if equalFold(host[rest:], pattern) {
			return true
		}
	}
	return false
}

// KeySet are the keys of some people. Immutable.
type KeySet struct {
	texts     map[string]struct{}
	addresses map[string]struct{} // in network order
}

// NewKeySet takes keys as people write them; the text of an address also stands for that address, where the client's address
// is the key. Of a key the first MaxKey bytes count.
func NewKeySet(keys []string) *KeySet {
	s := &KeySet{texts: make(map[string]struct{}, len(keys)), addresses: map[string]struct{}{}}
	for _, key := range keys {
		s.texts[key[:min(len(key), MaxKey)]] = struct{}{}
		if address, err := netip.ParseAddr(key); err == nil {
			s.addresses[string(address.Unmap().AsSlice())] = struct{}{}
		}
	}
	return s
}

func (s *KeySet) has(who person) bool {
	if who.address {
		_, ok := s.addresses[string(who.key)]
		return ok
	}
	_, ok := s.texts[string(who.key)]
	return ok
}

package router

import (
	"net/netip"
	"slices"
)

// Split is one rollout as routing sees it; immutable: a new weight is a new Split in a new Table.
type Split struct {
	ID        int    // index of the rollout in the plan
	Rollout   string // its name
	Upstreams [2]int // upstream IDs, index Arm
	Salt      uint64
	Keys      []KeySource // first present wins
	Force     string      // header that names an arm; "" off
	Weight    Weight
	Shares    []Share // the arms of an experiment, in place of Upstreams and Weight; nil: a rollout
	Group     *Group  // parts the users with others; nil: all users are this split's
	Member    uint8   // of the group

	Audience *Audience // whom the split is for; nil: everybody

	Rings  []*Audience // of the ladder, in its order; at most MaxRings
	Open   uint16      // whose members are on the canary: bit i for Rings[i]
	Tokens *Tokens     // of claims among Keys; nil: none
}

// Why says what decided a choice.
type Why uint8

const (
	ByWeight Why = iota
	ByForce      // never evidence
	ByNoKey      // stable, no evidence
	ByAudience
	ByOther   // another member of the exclusive group has the user: stable, no evidence
	ByStopped // the user's arm of the experiment was stopped: control, no evidence
	ByOutside // the split is for others: neither of its arms, no evidence
)

// String returns the reason in a word.
func (w Why) String() string {
	switch w {
	case ByWeight:
		return "weight"
	case ByForce:
		return "force"
	case ByNoKey:
		return "no_key"
	case ByAudience:
		return "audience"
	case ByOther:
		return "other"
	case ByStopped:
		return "stopped"
	case ByOutside:
		return "outside"
	}
	return "unknown"
}

// Choice is one request's arm.
type Choice struct {
	Arm    Arm
	Why    Why
	Bucket Bucket // meaningless unless Why is ByWeight or ByAudience
	Ring   uint8  // place in Split.Rings, from 1, of the ring the user belongs to; 0: none
	Hash   uint64 // of the key, whole: for "same key, same server"; 0 without a key
	Mint   string // name of the cookie to mint; the caller makes the key and calls ChooseKey
}

// Choose returns the request's arm: what the force header says, else what the key's bucket says, else stable. When
// Choice.Mint is set, the caller makes a key, chooses again with ChooseKey and sets the cookie on the answer.
func (s *Split) Choose(r *Request) Choice {
	if s.Force != "" {
		if arm, ok := forced(r, s.Force); ok {
			return Choice{Arm: arm, Why: ByForce}
		}
	}
	hash, mint, ok := s.hash(r)
	if s.Audience != nil && s.outsider(r, mint) {
		return Choice{Why: ByOutside, Hash: hash}
	}
	if !ok {
		return Choice{Why: ByNoKey, Mint: mint}
	}
	if s.Group != nil && s.outside(r) {
		return Choice{Why: ByOther, Hash: hash}
	}
	if len(s.Rings) > 0 {
		return s.chooseRing(r, hash)
	}
	return s.chooseHash(hash)
}

// ChooseKey returns the arm of a request whose key is known: a minted one, or one an operator asks about. The
// request is what an audience looks at; nil is one that says nothing.
func (s *Split) ChooseKey(r *Request, key []byte) Choice {
	who, hash := person{key: key[:min(len(key), MaxKey)]}, HashOf(s.Salt, key)
	switch {
	case s.foreign(r, who):
		return Choice{Why: ByOutside, Hash: hash}
	case s.outsideKey(key):
		return Choice{Why: ByOther, Hash: hash}
	}
	return s.chooseMember(r, who, hash)
}

// ChooseText returns the arm of a key as a person writes it: like ChooseKey, but where the client's address is a key,
// the text of an address means that address.
func (s *Split) ChooseText(text string) Choice { return s.ChooseAs(nil, text) }

// ChooseAs is ChooseText for a request that says more than its key.
func (s *Split) ChooseAs(r *Request, text string) Choice {
	if slices.ContainsFunc(s.Keys, func(k KeySource) bool { return k.Kind == KeyIP }) {
		if address, err := netip.ParseAddr(text); err == nil {
			hash, _ := hashAddress(s.Salt, address.Unmap())
			var buf [MaxKey]byte
			who := addressed(address, buf[:0])
			switch {
			case s.foreign(r, who):
				return Choice{Why: ByOutside, Hash: hash}
			case s.Group != nil && s.outside(&Request{Client: address}):
				return Choice{Why: ByOther, Hash: hash}
			}
			return s.chooseMember(r, who, hash)
		}
	}
	return s.ChooseKey(r, []byte(text))
}

func (s *Split) chooseHash(hash uint64) Choice {
	if s.Shares != nil {
		return s.chooseShare(hash)
	}
	bucket := bucketOf(hash)
	return Choice{Arm: s.Weight.Arm(bucket), Why: ByWeight, Bucket: bucket, Hash: hash}
}

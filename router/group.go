package router

import (
	"encoding/binary"
)

// MaxMembers is how many rollouts and experiments one exclusive group can part the users among.
const MaxMembers = 250

// Group parts the users among rollouts and experiments that must not meet in one user. A user's place in the group is a
// bucket of the group's own salt, and each of its buckets belongs to the member that draws the highest number for it
// (rendezvous hashing, Thaler and Ravishankar, 1998): a member that joins or leaves takes or gives its own users, and moves
// nobody between the others. Immutable.
type Group struct {
	Name  string
	salt  uint64
	owner [Buckets]uint8 // index of the member
}

// NewGroup parts the users among the members, at most MaxMembers.
func NewGroup(name string, members []string) *Group {
	g := &Group{Name: name, salt: Salt("exclusive/" + name)}
	salts := make([]uint64, len(members))
	for i, m := range members {
		salts[i] = Salt("exclusive/" + name + "/" + m)
	}
	var place [2]byte
	for b := range g.owner {
		binary.LittleEndian.PutUint16(place[:], uint16(b))
		var best uint64
		for i, salt := range salts {
			if draw := HashOf(salt, place[:]); draw > best {
				best, g.owner[b] = draw, uint8(i)
			}
		}
	}
	return g
}

// Share is how much of the users a member has.
func (g *Group) Share(member uint8) float64 {
	n := 0
	for _, m := range g.owner {
		if m == member {
			n++
		}
	}
	return float64(n) / Buckets
}

func (g *Group) has(member uint8, hash uint64) bool { return g.owner[bucketOf(hash)] == member }

// outside reports that another member of the split's group has the request's user.
func (s *Split) outside(r *Request) bool {
	hash, _, ok := hashKey(s.Group.salt, s.Keys, s.Tokens, r)
	return ok && !s.Group.has(s.Member, hash)
}

// outsideKey is outside for a key that is known.
func (s *Split) outsideKey(key []byte) bool {
	return s.Group != nil && !s.Group.has(s.Member, HashOf(s.Group.salt, key))
}

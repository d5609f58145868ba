package control

import (
	"math"

	"serin/gate/journal"
	"serin/gate/window"
)

// exposure is what the canary has cost over an attempt: requests, and sets of buckets from which people are estimated.
type exposure struct {
	requests, failed uint64
	share            int // most buckets the canary ever had
	users, hurt      window.Mask
	shares           []journal.ShareTime // never changed in place
}

// add takes one step's canary in: masked buckets are people too.
func (e *exposure) add(canary *window.Snapshot, share int) {
	e.share = max(e.share, share)
	e.requests += canary.Total()
	e.failed += uint64(canary.Everyone(window.BadKind).X)
	if canary.Users == nil {
		return
	}
	union(&e.users, canary.Users[window.All])
	union(&e.hurt, canary.Users[window.BadKind])
}

func union(m *window.Mask, counts []uint32) {
	for b, n := range counts {
		if n > 0 {
			m.Set(uint16(b))
		}
	}
}

// people estimates how many users fall into the buckets of m, of the share buckets they could be in: linear counting,
// n = -share ln(1 - occupied/share) (Whang, Vander-Zanden, Taylor 1990). Full buckets are read as half a bucket free.
func people(m *window.Mask, share int) uint64 {
	occupied := float64(m.Count())
	room := max(float64(share), occupied)
	if occupied == 0 {
		return 0
	}
	free := max(room-occupied, .5)
	return uint64(math.Round(max(room*math.Log(room/free), occupied)))
}

// shareOf is how many buckets a setting's canary can have: members of a ring may be in any.
func shareOf(s Setting) int {
	if len(s.Audiences) > 0 {
		return window.Buckets
	}
	return int(s.Weight)
}

func (e *exposure) record() journal.Exposure {
	users, hurt := e.users, e.hurt
	return journal.Exposure{Requests: e.requests, Failed: e.failed, Share: e.share, Users: &users, UsersFailed: &hurt, Shares: e.shares}
}

func exposureOf(saved journal.Exposure) exposure {
	e := exposure{requests: saved.Requests, failed: saved.Failed, share: saved.Share, shares: saved.Shares}
	if saved.Users != nil {
		e.users = *saved.Users
	}
	if saved.UsersFailed != nil {
		e.hurt = *saved.UsersFailed
	}
	return e
}
